"""A client's end of the sockets: driving, asking, and watching."""

import itertools
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import msgspec
import zmq

from rover.bus_messages import BusAsk, BusLoan
from rover.clock import Clock, SystemClock
from rover.errors import BadMessageError, LinkError
from rover.link import decoding
from rover.link.address import address
from rover.messages import (
    Answer,
    DriveCommand,
    MaintenanceOrder,
    Motion,
    Order,
    Request,
    RequestKind,
    Source,
    Telemetry,
    require_finite,
)
from rover.pad_messages import PadAsk, PadLoan

_Read = TypeVar("_Read")

_encode = msgspec.msgpack.Encoder().encode


class ControlClient:
    """A client's end: the web server, the command line, a recorder.

    Driving and asking may be done from any thread; ``telemetry`` from one thread only.
    """

    def __init__(self, directory: Path, clock: Clock | None = None) -> None:
        """Connect to ``directory``'s sockets, now or as soon as control makes them."""
        self._directory = directory
        self._clock = clock or SystemClock()
        self._context = zmq.Context(io_threads=1)
        self._drive = self._socket(zmq.PUB, "drive")
        self._requests = self._socket(zmq.DEALER, "requests")
        self._pads = self._socket(zmq.DEALER, "pads")
        self._bus = self._socket(zmq.DEALER, "bus")
        self._telemetry = self._socket(zmq.SUB, "telemetry")
        self._telemetry.subscribe(b"")
        self._drive_lock = threading.Lock()
        self._request_lock = threading.Lock()
        self._pads_lock = threading.Lock()
        self._bus_lock = threading.Lock()
        self._sequence = itertools.count(1)
        self._numbers = itertools.count(1)

    def _socket(self, kind: int, name: str) -> "zmq.Socket[bytes]":
        socket = self._context.socket(kind)
        socket.linger = 0
        socket.sndhwm = 32
        if kind == zmq.SUB:
            # A reader that was busy wants the newest frame, not the backlog.
            socket.conflate = True
        # Control may be restarted at any time: be back within a tenth of a second.
        socket.reconnect_ivl = 50
        socket.reconnect_ivl_max = 100
        socket.connect(address(self._directory, name))
        return socket

    def drive(self, source: Source, motion: Motion, stamp_s: float) -> DriveCommand:
        """Send one command, stamped with the time at which the person's input arrived.

        Never waits and never repeats. Returns what was sent. Raises BadMessageError if
        ``motion`` is not finite.
        """
        require_finite(motion)
        with self._drive_lock:
            command = DriveCommand(source, next(self._sequence), stamp_s, motion)
            self._drive.send_multipart((source.value.encode(), _encode(command)), zmq.NOBLOCK)
        return command

    def order(self, token: str, order: Order, stamp_s: float) -> None:
        """Send what a calibration wants to move, stamped with when the person wanted it.

        Never waits and never repeats: an order counts for 0.3 s, and Rest has to be said too.
        """
        message = _encode(MaintenanceOrder(token, stamp_s, order))
        with self._drive_lock:
            self._drive.send_multipart((decoding.MAINTENANCE_TOPIC, message), zmq.NOBLOCK)

    def request(
        self,
        kind: RequestKind,
        who: str,
        timeout_s: float = 1.0,
        stamp_s: float | None = None,
        token: str = "",
    ) -> Answer:
        """Ask, and wait for the answer. ``stamp_s`` is when the person asked, if not just now.

        ``token`` comes with MAINTAIN, and with every ``order`` after it.

        Raises LinkError when control does not answer within ``timeout_s``; it may then still
        have heard the request. Raises LinkError too for an answer that cannot be read.
        """
        asked_s = self._clock.now_s()
        request = Request(kind, who, asked_s if stamp_s is None else stamp_s, token)
        with self._request_lock:
            parts = self._exchange(self._requests, _encode(request), timeout_s)
        return self._read(decoding.answer, parts)

    def ask_for_pads(self, ask: PadAsk, timeout_s: float = 1.0) -> PadLoan:
        """Ask for the gamepads, go on having them, or give them back; wait for the answer.

        They are lent for a second at a time. Raises LinkError as ``request`` does.
        """
        with self._pads_lock:
            parts = self._exchange(self._pads, _encode(ask), timeout_s)
        return self._read(decoding.pad_loan, parts)

    def ask_for_bus(self, ask: BusAsk, timeout_s: float = 1.0) -> BusLoan:
        """Ask for the serial bus, go on having it, or give it back; wait for the answer.

        It is lent for 1.5 s at a time. Raises LinkError as ``request`` does.
        """
        with self._bus_lock:
            parts = self._exchange(self._bus, _encode(ask), timeout_s)
        return self._read(decoding.bus_loan, parts)

    def _exchange(
        self, socket: "zmq.Socket[bytes]", payload: bytes, timeout_s: float
    ) -> list[bytes]:
        """Send a numbered question and wait for the answer of that number."""
        number = str(next(self._numbers)).encode()
        end_s = self._clock.now_s() + timeout_s
        try:
            socket.send_multipart((number, payload), zmq.NOBLOCK)
        except zmq.Again as error:
            raise self._no_answer(timeout_s) from error
        while (left_s := end_s - self._clock.now_s()) > 0:
            # Answers to questions that timed out earlier are passed over.
            if socket.poll(int(left_s * 1000) + 1, zmq.POLLIN):
                parts = socket.recv_multipart()
                if parts[0] == number:
                    return parts
        raise self._no_answer(timeout_s)

    def _read(self, decode: Callable[[list[bytes]], _Read], parts: list[bytes]) -> _Read:
        try:
            return decode(parts)
        except BadMessageError as error:
            raise LinkError(
                f"an answer of another version ({error}): restart control and web together"
            ) from error

    def _no_answer(self, timeout_s: float) -> LinkError:
        return LinkError(
            f"control did not answer within {timeout_s:g} s in {self._directory}: "
            "is `rover control` running there?"
        )

    def telemetry(self, timeout_s: float) -> Telemetry | None:
        """Wait for the next frame; None if none came in time.

        Raises BadMessageError for a frame that another version's control has sent.
        """
        if not self._telemetry.poll(int(timeout_s * 1000), zmq.POLLIN):
            return None
        try:
            return decoding.telemetry(self._telemetry.recv())
        except BadMessageError as error:
            raise BadMessageError(
                f"telemetry of another version ({error}): restart control and web together"
            ) from error

    def close(self) -> None:
        """Let go of the sockets; what has not been sent yet is dropped."""
        for socket in (self._drive, self._requests, self._pads, self._bus, self._telemetry):
            socket.close()
        self._context.term()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
