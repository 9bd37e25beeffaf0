"""The sockets between the processes, both ends: ZeroMQ over Unix sockets, MessagePack inside.

Three sockets stand in the runtime directory, all bound by control:

- ``drive.ipc``      SUB, from every client's PUB: two parts, the source's name and a DriveCommand
- ``requests.ipc``   ROUTER, from every client's DEALER: a number and a Request, answered by the
  same number and an Answer
- ``telemetry.ipc``  PUB, to every client's SUB: one Telemetry; slow readers lose frames

Deadlines, not disconnects, are the failsafe: a socket tells nobody that its peer has gone.
"""

import fcntl
import itertools
import math
import threading
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import msgspec
import zmq

from rover.clock import Clock, SystemClock
from rover.errors import BadMessageError, LinkError
from rover.messages import (
    Answer,
    DriveCommand,
    Motion,
    Request,
    RequestKind,
    Source,
    Telemetry,
    require_finite,
)

# Larger than any honest message by a factor of ten; ZeroMQ drops a peer that sends more.
MAX_MESSAGE_BYTES = 4096
# Who may drive through the link: nobody else can pass for the gamepad and outrank the phone.
LINKED_SOURCES = frozenset({Source.WEB})
# What one call of ``receive`` takes at most, so that a flood cannot hold up a tick.
MAX_RECEIVED = 64
# Parts as ROUTER hands them over: identity, number, payload.
_REQUEST_PARTS = 3
# sockaddr_un's limit on Linux, less the closing zero.
_MAX_PATH_BYTES = 107

_encode = msgspec.msgpack.Encoder().encode
_decode_drive = msgspec.msgpack.Decoder(DriveCommand).decode
_decode_request = msgspec.msgpack.Decoder(Request).decode
_decode_answer = msgspec.msgpack.Decoder(Answer).decode
_decode_telemetry = msgspec.msgpack.Decoder(Telemetry).decode


def _address(directory: Path, name: str) -> str:
    path = directory / f"{name}.ipc"
    if len(str(path).encode()) > _MAX_PATH_BYTES:
        raise LinkError(f"{path} is too long for a Unix socket: choose a shorter runtime directory")
    return f"ipc://{path}"


class ReceivedRequest(msgspec.Struct, frozen=True):
    """A request, and where its answer goes."""

    request: Request
    reply_to: tuple[bytes, bytes]


class RefusedDrive(msgspec.Struct, frozen=True):
    """A drive message that cannot be used; its source (if that much is known) must stop."""

    source: Source | None
    reason: str


class Inbox(msgspec.Struct, frozen=True):
    """What has come in since the last look, each kind in the order it came."""

    drive: tuple[DriveCommand, ...]
    refused: tuple[RefusedDrive, ...]
    requests: tuple[ReceivedRequest, ...]


class ControlLink:
    """The control process's end. Used by one thread; nothing in it waits."""

    def __init__(self, directory: Path) -> None:
        """Bind in ``directory``, making it if need be.

        Raises LinkError if another control process is there or the directory cannot be used.
        """
        self._lock = _claim(directory)
        self._context = zmq.Context(io_threads=1)
        self._drive = self._context.socket(zmq.SUB)
        self._drive.subscribe(b"")
        self._requests = self._context.socket(zmq.ROUTER)
        self._telemetry = self._context.socket(zmq.PUB)
        self._telemetry.sndhwm = 4
        for socket, name in (
            (self._drive, "drive"),
            (self._requests, "requests"),
            (self._telemetry, "telemetry"),
        ):
            socket.linger = 0
            socket.maxmsgsize = MAX_MESSAGE_BYTES
            try:
                socket.bind(_address(directory, name))
                (directory / f"{name}.ipc").chmod(0o660)
            except (zmq.ZMQError, OSError) as error:
                self.close()
                raise LinkError(f"cannot make {directory / name}.ipc: {error}") from error

    def filenos(self) -> tuple[int, ...]:
        """File descriptors that become readable when something may have come in.

        ZeroMQ signals edges: wait on them only after ``receive`` has come back empty.
        """
        return self._drive.fileno(), self._requests.fileno()

    def pending(self) -> bool:
        """Tell whether ``receive`` would find something now."""
        return any(
            int(socket.get(zmq.EVENTS)) & zmq.POLLIN for socket in (self._drive, self._requests)
        )

    def receive(self) -> Inbox:
        """Take what has come in, at most MAX_RECEIVED of each kind."""
        drive: list[DriveCommand] = []
        refused: list[RefusedDrive] = []
        for _ in range(MAX_RECEIVED):
            try:
                parts = self._drive.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
            try:
                drive.append(_drive_command(parts))
            except BadMessageError as error:
                refused.append(RefusedDrive(_source_named(parts[0]), str(error)))
        return Inbox(tuple(drive), tuple(refused), tuple(self._receive_requests()))

    def _receive_requests(self) -> list[ReceivedRequest]:
        received: list[ReceivedRequest] = []
        for _ in range(MAX_RECEIVED):
            try:
                parts = self._requests.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
            number = parts[1] if len(parts) > 1 else b""
            try:
                request = _decode_request(parts[2] if len(parts) == _REQUEST_PARTS else b"")
            except msgspec.DecodeError as error:
                self._send_answer((parts[0], number), Answer(False, (f"not a request: {error}",)))
                continue
            received.append(ReceivedRequest(request, (parts[0], number)))
        return received

    def answer(self, received: ReceivedRequest, answer: Answer) -> None:
        """Answer a request; a client that has gone is none of control's business."""
        self._send_answer(received.reply_to, answer)

    def _send_answer(self, reply_to: tuple[bytes, bytes], answer: Answer) -> None:
        # ROUTER drops what it cannot route and never waits.
        self._requests.send_multipart((*reply_to, _encode(answer)), zmq.NOBLOCK)

    def publish(self, telemetry: Telemetry) -> None:
        """Send to whoever listens; PUB drops for slow readers and never waits."""
        self._telemetry.send(_encode(telemetry), zmq.NOBLOCK)

    def close(self) -> None:
        """Unbind, and let another control process have the directory."""
        for socket in (self._drive, self._requests, self._telemetry):
            socket.close()
        self._context.term()
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _claim(directory: Path) -> IO[str]:
    """Lock the runtime directory: ZeroMQ itself would take the sockets over silently."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = (directory / "control.lock").open("w")
    except OSError as error:
        raise LinkError(
            f"cannot use the runtime directory {directory}: {error.strerror}"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise LinkError(
            f"another `rover control` is running in {directory}: stop it, or give this one "
            "its own directory with --dir"
        ) from error
    return lock


def _source_named(name: bytes) -> Source | None:
    """Return the source a message's first part names, or None if there is no such source."""
    try:
        return Source(name.decode("ascii"))
    except ValueError:
        return None


def _drive_command(parts: list[bytes]) -> DriveCommand:
    if len(parts) != 2:  # noqa: PLR2004 - source, payload
        raise BadMessageError(f"a drive message has 2 parts, this one {len(parts)}")
    try:
        command = _decode_drive(parts[1])
    except msgspec.DecodeError as error:
        raise BadMessageError(f"not a drive command: {error}") from error
    if command.source != _source_named(parts[0]):
        raise BadMessageError(f"a command of {command.source} under another source's name")
    if command.source not in LINKED_SOURCES:
        raise BadMessageError(f"{command.source} is read by control itself: send as web")
    if not math.isfinite(command.stamp_s):
        raise BadMessageError(f"stamp_s is {command.stamp_s}: send a finite number")
    require_finite(command.motion)
    return command


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
        self._telemetry = self._socket(zmq.SUB, "telemetry")
        self._telemetry.subscribe(b"")
        self._drive_lock = threading.Lock()
        self._request_lock = threading.Lock()
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
        socket.connect(_address(self._directory, name))
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

    def request(
        self,
        kind: RequestKind,
        who: str,
        timeout_s: float = 1.0,
        stamp_s: float | None = None,
    ) -> Answer:
        """Ask, and wait for the answer. ``stamp_s`` is when the person asked, if not just now.

        Raises LinkError when control does not answer within ``timeout_s``; it may then still
        have heard the request.
        """
        with self._request_lock:
            number = str(next(self._numbers)).encode()
            asked_s = self._clock.now_s()
            request = Request(kind, who, asked_s if stamp_s is None else stamp_s)
            try:
                self._requests.send_multipart((number, _encode(request)), zmq.NOBLOCK)
            except zmq.Again as error:
                raise self._no_answer(timeout_s) from error
            while (left_s := asked_s + timeout_s - self._clock.now_s()) > 0:
                # Answers to requests that timed out earlier are passed over.
                if self._requests.poll(int(left_s * 1000) + 1, zmq.POLLIN):
                    got, payload = self._requests.recv_multipart()
                    if got == number:
                        return _decode_answer(payload)
            raise self._no_answer(timeout_s)

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
            return _decode_telemetry(self._telemetry.recv())
        except msgspec.DecodeError as error:
            raise BadMessageError(
                f"telemetry of another version ({error}): restart control and web together"
            ) from error

    def close(self) -> None:
        """Let go of the sockets; what has not been sent yet is dropped."""
        for socket in (self._drive, self._requests, self._telemetry):
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
