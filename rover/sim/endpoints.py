"""The Unix sockets of the simulated hardware: who is connected, and answering their frames."""

import contextlib
import socket
from collections.abc import Callable
from pathlib import Path

from rover.errors import BadMessageError, DeviceError
from rover.hardware.bus.endpoint import (
    HEADER_BYTES,
    MAX_FRAME_BYTES,
    Done,
    EndpointReply,
    EndpointRequest,
    FrameBuffer,
    I2cData,
    I2cNack,
    I2cTransfer,
    LineLevel,
    LineRead,
    LineWrite,
    decode_request,
    encode_frame,
)
from rover.sim import truth
from rover.sim.devices import SimulatedDevices
from rover.sim.truth import (
    Applied,
    ReadTruth,
    Refused,
    TruthReply,
    TruthRequest,
)

# More clients than that at one endpoint are a mistake somewhere.
_BACKLOG = 16

Answer = Callable[[bytes, float], bytes]


class Endpoint:
    """One listening socket and its clients. ``answer`` makes a frame of a frame's payload.

    A client that sends nonsense, or does not read what it asked for, is hung up on.
    """

    def __init__(self, path: Path, answer: Answer) -> None:
        self._answer = answer
        self._clients: dict[int, tuple[socket.socket, FrameBuffer]] = {}
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._listener.setblocking(False)
            self._listener.bind(str(path))
            self._listener.listen(_BACKLOG)
        except OSError as error:
            self._listener.close()
            raise DeviceError(f"cannot listen on {path} ({error}): choose another --dir") from error

    def filenos(self) -> list[int]:
        """Return what to wait for."""
        return [self._listener.fileno(), *self._clients]

    def serve(self, fileno: int, now_s: float) -> None:
        """Do what ``fileno``, ready to read, asks for; one that is not ours is left alone."""
        if fileno == self._listener.fileno():
            with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
                client, _ = self._listener.accept()
                client.setblocking(False)
                self._clients[client.fileno()] = (client, FrameBuffer())
        elif fileno in self._clients:
            client, buffer = self._clients[fileno]
            try:
                data = client.recv(HEADER_BYTES + MAX_FRAME_BYTES)
                replies = [self._answer(payload, now_s) for payload in buffer.feed(data)]
                if replies:
                    client.sendall(b"".join(replies))
            except (OSError, BadMessageError):
                data = b""
            if not data:
                del self._clients[fileno]
                client.close()

    def close(self) -> None:
        """Hang up on everybody."""
        self._listener.close()
        for client, _ in self._clients.values():
            client.close()
        self._clients.clear()


def answer_i2c(devices: SimulatedDevices) -> Answer:
    """Return what answers at ``DIR/i2c``."""

    def reply(request: EndpointRequest, now_s: float) -> EndpointReply:
        if not isinstance(request, I2cTransfer):
            raise BadMessageError(f"{type(request).__name__} at the I2C endpoint")
        data = devices.transfer(request.address, request.write, _bounded(request.read_count), now_s)
        return I2cNack() if data is None else I2cData(data)

    return lambda payload, now_s: encode_frame(reply(decode_request(payload), now_s))


def answer_lines(devices: SimulatedDevices) -> Answer:
    """Return what answers at ``DIR/gpio``."""

    def reply(request: EndpointRequest, now_s: float) -> EndpointReply:
        match request:
            case LineWrite(line, high):
                devices.drive_line(line, high=high, now_s=now_s)
                return Done()
            case LineRead(line):
                return LineLevel(devices.lines.level(line))
        raise BadMessageError(f"{type(request).__name__} at the GPIO endpoint")

    return lambda payload, now_s: encode_frame(reply(decode_request(payload), now_s))


def answer_truth(devices: SimulatedDevices) -> Answer:
    """Return what answers at ``DIR/truth``."""

    def reply(request: TruthRequest, now_s: float) -> TruthReply:
        if isinstance(request, ReadTruth):
            return devices.truth(now_s)
        try:
            devices.inject(request, now_s)
        except ValueError as error:
            return Refused(str(error))
        return Applied()

    return lambda payload, now_s: truth.encode_reply(reply(truth.decode_request(payload), now_s))


def _bounded(read_count: int) -> int:
    if not 0 <= read_count <= MAX_FRAME_BYTES // 2:
        raise BadMessageError(f"an I2C read of {read_count} bytes")
    return read_count
