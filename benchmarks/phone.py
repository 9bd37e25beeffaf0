"""A phone's end of the page's WebSocket: sends, reads without waiting, answers pings."""

import socket
import time
from itertools import count
from types import TracebackType
from typing import Self

import msgspec
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Event,
    Message,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)

from benchmarks.harness import NotMeasuredError

_CONNECT_S = 5.0
_RECEIVE_BYTES = 65536
_encode = msgspec.json.Encoder().encode


class _Told(msgspec.Struct):
    """What a phone looks at in a frame; only states have the clock."""

    clock_s: float | None = None


_decode = msgspec.json.Decoder(_Told).decode


class Phone:
    """One open page. ``frames`` counts what it has been told."""

    def __init__(self, port: int, key: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), _CONNECT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = WSConnection(ConnectionType.CLIENT)
        self._sequence = count(1)
        self._text = ""
        # The server's clock in the newest state; negative before the first.
        self._seen_s = -1.0
        self.frames = 0
        self._socket.sendall(
            self._connection.send(
                Request(
                    host=f"127.0.0.1:{port}",
                    target="/ws",
                    extra_headers=[(b"Authorization", f"Bearer {key}".encode())],
                )
            )
        )
        try:
            # Nobody drives a rover that has not been seen.
            while self._seen_s < 0.0:
                self._take(self._socket.recv(_RECEIVE_BYTES))
        except (OSError, NotMeasuredError):
            self._socket.close()
            raise
        self._socket.setblocking(False)

    def fileno(self) -> int:
        """Return what becomes readable when the phone is told something."""
        return self._socket.fileno()

    def read(self) -> None:
        """Take in what has arrived."""
        try:
            data = self._socket.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return
        self._take(data)

    def drive(self, drive: float, limit: float) -> float:
        """Send a frame of the sticks in arc mode; return when (s, monotonic) it was sent."""
        return self.hold(drive, 0.0, "arc", limit)

    def hold(self, drive: float, turn: float, mode: str, limit: float) -> float:
        """Send a frame of the sticks; return when (s, monotonic) it was sent."""
        return self._send(
            {
                "type": "drive",
                "seq": next(self._sequence),
                "t": time.monotonic() * 1000.0,
                "drive": drive,
                "turn": turn,
                "mode": mode,
                "limit": limit,
                "seen_s": self._seen_s,
            }
        )

    def ask(self, kind: str, seen: str) -> None:
        """Make a request, having seen the rover in the state ``seen``."""
        number = next(self._sequence)
        now_ms = time.monotonic() * 1000.0
        self._send({"type": "request", "t": now_ms, "number": number, "kind": kind, "seen": seen})

    def _send(self, frame: dict[str, object]) -> float:
        data = self._connection.send(TextMessage(_encode(frame).decode()))
        sent_s = time.monotonic()
        self._socket.sendall(data)
        return sent_s

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _take(self, data: bytes) -> None:
        if not data:
            raise NotMeasuredError("the web server has hung up")
        self._connection.receive_data(data)
        for event in self._connection.events():
            self._handle(event)

    def _handle(self, event: Event) -> None:
        match event:
            case AcceptConnection():
                pass
            case RejectConnection(status_code=status):
                raise NotMeasuredError(f"the web server refuses the WebSocket: HTTP {status}")
            case CloseConnection(code=code, reason=reason):
                raise NotMeasuredError(f"the web server closes the WebSocket: {code} {reason}")
            case Ping():
                self._socket.sendall(self._connection.send(event.response()))
            case Message(data=str(text), message_finished=is_finished):
                self._text += text
                if is_finished:
                    self.frames += 1
                    self._seen_s = _decode(self._text).clock_s or self._seen_s
                    self._text = ""
