"""A TCP connection between phone and web server that can be held up, as radio can.

What cannot get through waits, as in TCP; nothing is lost, and both ends see an open connection.
"""

import selectors
import socket
import threading
from types import TracebackType
from typing import Self

_CHUNK_BYTES = 65536


class LossyLink(threading.Thread):
    """Listens on ``port`` and passes connections on to ``target``, a port of this computer."""

    def __init__(self, target: int) -> None:
        super().__init__(name="lossy link", daemon=True)
        self.target = target
        self._held = False
        self._held_up = False
        self._lock = threading.Lock()
        self._ended = False
        self._peers: dict[socket.socket, socket.socket] = {}
        self._waiting: list[tuple[socket.socket, bytes]] = []
        self._phones: set[socket.socket] = set()
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._selector.register(self._listener, selectors.EVENT_READ)

    def hold(self, *, upwards_only: bool = False) -> None:
        """Let nothing through from now on, or only nothing from the phone to the rover."""
        with self._lock:
            self._held_up, self._held = True, not upwards_only

    def release(self) -> None:
        """Deliver everything that waits, in its order, and let what comes through again."""
        with self._lock:
            self._held_up = self._held = False
            waiting, self._waiting = self._waiting, []
            for peer, data in waiting:
                self._send(peer, data)

    def cut(self) -> None:
        """End all connections, and forget what waits."""
        with self._lock:
            self._waiting.clear()
            self._held_up = self._held = False
            for end in list(self._peers):
                self._drop(end)

    def run(self) -> None:
        """Pass data on until closed."""
        while not self._ended:
            for key, _ in self._selector.select(0.05):
                end = key.fileobj
                if not isinstance(end, socket.socket):
                    continue
                with self._lock:
                    if end is self._listener:
                        self._accept()
                    elif end in self._peers:
                        self._pass_on(end)

    def close(self) -> None:
        """End it."""
        self._ended = True
        self.join()
        self.cut()
        self._listener.close()
        self._selector.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _accept(self) -> None:
        phone, _ = self._listener.accept()
        try:
            rover = socket.create_connection(("127.0.0.1", self.target), 1.0)
        except OSError:
            phone.close()
            return
        for end, peer in ((phone, rover), (rover, phone)):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._peers[end] = peer
            self._selector.register(end, selectors.EVENT_READ)
        self._phones.add(phone)

    def _pass_on(self, end: socket.socket) -> None:
        try:
            data = end.recv(_CHUNK_BYTES)
        except OSError:
            data = b""
        if not data:
            self._drop(end)
        elif self._held_up if end in self._phones else self._held:
            self._waiting.append((self._peers[end], data))
        else:
            self._send(self._peers[end], data)

    def _send(self, peer: socket.socket, data: bytes) -> None:
        try:
            peer.sendall(data)
        except OSError:
            self._drop(peer)

    def _drop(self, end: socket.socket) -> None:
        peer = self._peers.pop(end, None)
        if peer is None:
            return
        self._peers.pop(peer, None)
        for gone in (end, peer):
            self._phones.discard(gone)
            self._selector.unregister(gone)
            gone.close()
