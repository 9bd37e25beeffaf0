"""Control's end of the sockets: commands and requests in, answers and telemetry out."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import msgspec
import zmq

from rover.bus_messages import BusAsk, BusLoan
from rover.errors import BadMessageError, InUseError, LinkError
from rover.link import decoding
from rover.link.address import address
from rover.messages import (
    Answer,
    DriveCommand,
    MaintenanceOrder,
    Request,
    Source,
    Telemetry,
)
from rover.pad_messages import PadAsk, PadLoan

# Larger than any honest message by a factor of ten; ZeroMQ drops a peer that sends more.
MAX_MESSAGE_BYTES = 4096
# What one call of ``receive`` takes at most, so that a flood cannot hold up a tick.
MAX_RECEIVED = 64
_MAX_ASKS = 2

# In the runtime directory, held by whoever touches the hardware.
LOCK_NAME = "control.lock"

_encode = msgspec.msgpack.Encoder().encode


class ReceivedRequest(msgspec.Struct, frozen=True):
    """A request, and where its answer goes."""

    request: Request
    reply_to: tuple[bytes, bytes]


class RefusedDrive(msgspec.Struct, frozen=True):
    """A drive message that cannot be used; its source (if that much is known) must stop."""

    source: Source | None
    reason: str


class ReceivedPadAsk(msgspec.Struct, frozen=True):
    """Somebody asks for the gamepads, and where the answer goes."""

    ask: PadAsk
    reply_to: tuple[bytes, bytes]


class ReceivedBusAsk(msgspec.Struct, frozen=True):
    """Somebody asks for the serial bus, and where the answer goes."""

    ask: BusAsk
    reply_to: tuple[bytes, bytes]


class Inbox(msgspec.Struct, frozen=True):
    """What has come in since the last look, each kind in the order it came."""

    drive: tuple[DriveCommand, ...]
    refused: tuple[RefusedDrive, ...]
    requests: tuple[ReceivedRequest, ...]
    pad_asks: tuple[ReceivedPadAsk, ...] = ()
    orders: tuple[MaintenanceOrder, ...] = ()
    bus_asks: tuple[ReceivedBusAsk, ...] = ()


class ControlLink:
    """The control process's end. Used by one thread; nothing in it waits."""

    def __init__(self, directory: Path) -> None:
        """Bind in ``directory``, making it if need be.

        Raises LinkError as ``claim`` does, or if the sockets cannot be made.
        """
        self._lock = claim(directory)
        self._context = zmq.Context(io_threads=1)
        self._drive = self._context.socket(zmq.SUB)
        self._drive.subscribe(b"")
        self._requests = self._context.socket(zmq.ROUTER)
        self._pads = self._context.socket(zmq.ROUTER)
        self._bus = self._context.socket(zmq.ROUTER)
        self._telemetry = self._context.socket(zmq.PUB)
        self._telemetry.sndhwm = 4
        for socket, name in (
            (self._drive, "drive"),
            (self._requests, "requests"),
            (self._pads, "pads"),
            (self._bus, "bus"),
            (self._telemetry, "telemetry"),
        ):
            socket.linger = 0
            socket.maxmsgsize = MAX_MESSAGE_BYTES
            try:
                socket.bind(address(directory, name))
                (directory / f"{name}.ipc").chmod(0o660)
            except (zmq.ZMQError, OSError) as error:
                self.close()
                # What an earlier process has left cannot be replaced there, and is "in use".
                cause = str(error) if os.access(directory, os.W_OK) else "nothing can be made there"
                raise LinkError(f"cannot make {directory / name}.ipc: {cause}") from error

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
        orders: list[MaintenanceOrder] = []
        for _ in range(MAX_RECEIVED):
            try:
                parts = self._drive.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
            try:
                if parts[0] == decoding.MAINTENANCE_TOPIC:
                    orders.append(decoding.maintenance_order(parts))
                else:
                    drive.append(decoding.drive_command(parts))
            except BadMessageError as error:
                refused.append(RefusedDrive(decoding.source_named(parts[0]), str(error)))
        return Inbox(
            tuple(drive),
            tuple(refused),
            tuple(self._receive_requests()),
            tuple(self._receive_pad_asks()),
            tuple(orders),
            tuple(self._receive_bus_asks()),
        )

    def _receive_requests(self) -> list[ReceivedRequest]:
        received: list[ReceivedRequest] = []
        for _ in range(MAX_RECEIVED):
            try:
                parts = self._requests.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
            number = parts[1] if len(parts) > 1 else b""
            try:
                request = decoding.request(parts)
            except BadMessageError as error:
                self._send_answer((parts[0], number), Answer(False, (str(error),)))
                continue
            received.append(ReceivedRequest(request, (parts[0], number)))
        return received

    def _receive_pad_asks(self) -> Iterator[ReceivedPadAsk]:
        for parts, reply_to in self._waiting(self._pads):
            try:
                yield ReceivedPadAsk(decoding.pad_ask(parts), reply_to)
            except BadMessageError as error:
                self._pads.send_multipart((*reply_to, _encode(PadLoan(str(error)))), zmq.NOBLOCK)

    def _receive_bus_asks(self) -> Iterator[ReceivedBusAsk]:
        for parts, reply_to in self._waiting(self._bus):
            try:
                yield ReceivedBusAsk(decoding.bus_ask(parts), reply_to)
            except BadMessageError as error:
                self._bus.send_multipart((*reply_to, _encode(BusLoan(str(error)))), zmq.NOBLOCK)

    def _waiting(
        self, socket: "zmq.Socket[bytes]"
    ) -> Iterator[tuple[list[bytes], tuple[bytes, bytes]]]:
        """Take what waits in the socket of a loan, and where the answer goes."""
        # One a tick is what a borrower asks; more may wait until the next.
        for _ in range(_MAX_ASKS):
            try:
                parts = socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            yield parts, (parts[0], parts[1] if len(parts) > 1 else b"")

    def answer_pad_ask(self, received: ReceivedPadAsk, loan: PadLoan) -> None:
        """Answer who asked for the gamepads."""
        self._pads.send_multipart((*received.reply_to, _encode(loan)), zmq.NOBLOCK)

    def answer_bus_ask(self, received: ReceivedBusAsk, loan: BusLoan) -> None:
        """Answer who asked for the serial bus."""
        self._bus.send_multipart((*received.reply_to, _encode(loan)), zmq.NOBLOCK)

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
        for socket in (self._drive, self._requests, self._pads, self._bus, self._telemetry):
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


def in_use(directory: Path) -> bool:
    """Whether somebody has the hardware: control, its alarm, or who sets controllers up.

    The lock is looked at and not kept, and nothing is made, for what root makes here control could
    not use.
    """
    try:
        with (directory / LOCK_NAME).open(encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False  # none has been here, or not for this user to see: the port is locked too
    return False


def claim(directory: Path) -> IO[str]:
    """Lock the runtime directory for whoever touches the hardware, until the lock is closed.

    ZeroMQ itself would take the sockets over silently. Raises InUseError if another process
    has the lock, LinkError if the directory cannot be used.
    """
    path = directory / LOCK_NAME
    try:
        directory.mkdir(parents=True, exist_ok=True)
        try:
            lock = path.open("w")
        except PermissionError:
            # The service's, which its group may read: enough to lock it.
            lock = path.open()
    except OSError as error:
        raise LinkError(
            f"cannot use the runtime directory {directory}: {error.strerror}; choose another "
            "with --dir"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise InUseError(
            f"another `rover control` is running in {directory}, its alarm, or `rover setup "
            "roboclaw`: end that, or give this one its own directory with --dir"
        ) from error
    return lock
