"""A WebSocket client for tests: what a phone's browser does, and what it never would."""

import contextlib
import json
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Message,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)

# What comes at all comes long before that; a busy computer may take its time.
DEADLINE_S = 20.0
# As often as the page says where a thumb is.
_PAGE_EVERY_S = 0.04


class RefusedError(Exception):
    """The server did not open the WebSocket; holds the HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


class Phone:
    """One connection. Its page time is this computer's monotonic clock, unless told otherwise."""

    def __init__(
        self, port: int, headers: dict[str, str] | None = None, target: str = "/ws"
    ) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), DEADLINE_S)
        # Browsers set this too; without it two frames would wait for each other.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._ws = WSConnection(ConnectionType.CLIENT)
        self._text = ""
        self._bytes = b""
        self._seq = 0
        self.frames: list[dict] = []
        # The newest telemetry that the page has been told.
        self.telemetry: dict | None = None
        # The server's clock in the newest state.
        self.seen_s: float | None = None
        self.has_wheel = False
        self.close_code: int | None = None
        fields = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        self._put(Request(host=f"127.0.0.1:{port}", target=target, extra_headers=fields))
        while self._ws.state.name == "CONNECTING":
            self._take()
        self.name = self.wait("welcome")["client"] if target == "/ws" else ""

    def send(self, type_: str, **fields: object) -> None:
        """Send one frame with the page's time in it."""
        self.send_text(json.dumps({"type": type_, "t": time.monotonic() * 1000} | fields))

    def drive(self, drive: float = 0.0, turn: float = 0.0, **fields: object) -> None:
        """Send one drive frame, at full limit in arc mode unless told otherwise."""
        self.look()
        self._seq += 1
        frame = {"seq": self._seq, "drive": drive, "turn": turn, "mode": "arc", "limit": 1.0}
        self.send("drive", **(frame | {"seen_s": self.seen_s} | fields))

    def look(self) -> None:
        """Take in all states that have come; wait for the first."""
        while self.seen_s is None or select.select([self._socket], [], [], 0)[0]:
            self._take()
            if self.close_code is not None:
                return

    def ask(self, kind: str, number: int = 1) -> dict:
        """Send a request, of the rover as it was last seen, and return its answer."""
        while self.telemetry is None:
            self._take()
        self.send("request", kind=kind, number=number, seen=self.telemetry["state"])
        return self.wait("answer", lambda frame: frame["number"] == number)

    def look_for(self, duration_s: float) -> None:
        """Take in whatever comes within so long."""
        end_s = time.monotonic() + duration_s
        while (left_s := end_s - time.monotonic()) > 0 and self.close_code is None:
            if select.select([self._socket], [], [], left_s)[0]:
                self._take()

    def send_text(self, text: str) -> None:
        """Send any text as one message."""
        self._put(TextMessage(text))

    def send_binary(self, content: bytes) -> None:
        """Send a binary message."""
        self._put(BytesMessage(content))

    def send_raw(self, content: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(content)

    def wait(self, type_: str, fits: Callable[[dict], object] = lambda frame: True) -> dict:
        """Return the first frame of this type that fits, forgetting those before it."""
        deadline_s = time.monotonic() + DEADLINE_S
        seen = []
        while time.monotonic() < deadline_s:
            while self.frames:
                frame = self.frames.pop(0)
                if frame["type"] == type_ and fits(frame):
                    return frame
                seen.append(frame)
            if self.close_code is not None:
                raise AssertionError(f"closed ({self.close_code}) before {type_}: {seen}")
            self._take()
        raise AssertionError(f"no {type_} that fits in {DEADLINE_S} s: {seen[-5:]}")

    def wait_closed(self) -> int:
        """Return the code with which the server closes the connection."""
        while self.close_code is None:
            self._take()
        return self.close_code

    @contextlib.contextmanager
    def pushing(self) -> Iterator[None]:
        """Hold the stick meanwhile, and say so again and again, as a page does.

        Whenever it has not got the wheel it lets go first. Nobody else may use it meanwhile.
        """
        ended = threading.Event()

        def push() -> None:
            while not ended.wait(_PAGE_EVERY_S):
                self.look()
                if not self.has_wheel:
                    self.drive()
                self.drive(1.0)

        thread = threading.Thread(target=push, name="a thumb", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def close(self) -> None:
        """Say goodbye as a browser does."""
        with contextlib.suppress(OSError):
            if self._ws.state is ConnectionState.OPEN:
                self._put(CloseConnection(1001))
        self._socket.close()

    def vanish(self) -> None:
        """Reset the connection without a word."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def _put(self, event: object) -> None:
        self._socket.sendall(self._ws.send(event))

    def _take(self) -> None:
        content = self._socket.recv(65536)
        self._ws.receive_data(content or None)
        for event in self._ws.events():
            match event:
                case RejectConnection(status_code=status):
                    self._socket.close()
                    raise RefusedError(status)
                case CloseConnection(code=code):
                    self.close_code = code
                case Ping():
                    self._put(event.response())
                case AcceptConnection():
                    pass
                case BytesMessage():
                    self._bytes += event.data
                    if event.message_finished:
                        self.hear_bytes(bytes(self._bytes))
                        self._bytes = b""
                case Message():
                    self._text += event.data
                    if event.message_finished:
                        self._hear(json.loads(self._text))
                        self._text = ""

    def hear_bytes(self, content: bytes) -> None:
        """Take in a binary message; a page that drives is sent none."""
        raise AssertionError(f"a binary message of {len(content)} bytes")

    def _hear(self, frame: dict) -> None:
        self.frames.append(frame)
        if frame["type"] == "state":
            self.seen_s = frame["clock_s"]
            self.has_wheel = frame["you_drive"]
            self.telemetry = frame.get("telemetry", self.telemetry)
