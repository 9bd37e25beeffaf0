"""The simulator's Unix sockets: what goes over them, and a client with deadlines.

A frame is a length (u32, big-endian) and that many bytes of MessagePack: one request from the
client, one reply from the server, in turn.
"""

import socket
import struct

import msgspec

from rover.errors import BadMessageError, DeviceError, DeviceTimeoutError

HEADER_BYTES = 4
# Larger than any honest message: the PCA9685 has 256 registers.
MAX_FRAME_BYTES = 4096
DEFAULT_TIMEOUT_S = 0.05

_HEADER = struct.Struct(">I")


class I2cTransfer(msgspec.Struct, frozen=True, tag="i2c_transfer"):
    """Write, then read ``read_count`` bytes with a repeated start."""

    address: int
    write: bytes
    read_count: int


class LineWrite(msgspec.Struct, frozen=True, tag="line_write"):
    """Drive GPIO line ``line`` (BCM number) high or low."""

    line: int
    high: bool


class LineRead(msgspec.Struct, frozen=True, tag="line_read"):
    """Ask for the level of GPIO line ``line`` (BCM number)."""

    line: int


class I2cData(msgspec.Struct, frozen=True, tag="i2c_data"):
    """The bytes read, none if none were asked for."""

    data: bytes


class I2cNack(msgspec.Struct, frozen=True, tag="i2c_nack"):
    """No device acknowledged the address."""


class LineLevel(msgspec.Struct, frozen=True, tag="line_level"):
    """The level of the line that was asked about."""

    high: bool


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The line has been driven."""


EndpointRequest = I2cTransfer | LineWrite | LineRead
EndpointReply = I2cData | I2cNack | LineLevel | Done

_encode = msgspec.msgpack.Encoder().encode
_requests: msgspec.msgpack.Decoder[EndpointRequest] = msgspec.msgpack.Decoder(EndpointRequest)
_replies: msgspec.msgpack.Decoder[EndpointReply] = msgspec.msgpack.Decoder(EndpointReply)


def encode_frame(message: EndpointRequest | EndpointReply) -> bytes:
    """Return ``message`` as a whole frame."""
    payload = _encode(message)
    return _HEADER.pack(len(payload)) + payload


def decode_request(payload: bytes) -> EndpointRequest:
    """Return the request in a frame's payload. Raises BadMessageError."""
    try:
        return _requests.decode(payload)
    except msgspec.DecodeError as error:
        raise BadMessageError(f"not a request to a simulated device: {error}") from error


def decode_reply(payload: bytes) -> EndpointReply:
    """Return the reply in a frame's payload. Raises BadMessageError."""
    try:
        return _replies.decode(payload)
    except msgspec.DecodeError as error:
        raise BadMessageError(f"not a simulated device's reply: {error}") from error


class FrameBuffer:
    """Cuts a stream into frames, however it arrives."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Take in ``data`` and return the payloads that are complete now.

        Raises BadMessageError if a frame claims more than MAX_FRAME_BYTES; hang up then.
        """
        self._pending += data
        payloads: list[bytes] = []
        while len(self._pending) >= HEADER_BYTES:
            (length,) = _HEADER.unpack_from(self._pending)
            if length > MAX_FRAME_BYTES:
                raise BadMessageError(f"a frame of {length} bytes: at most {MAX_FRAME_BYTES}")
            end = HEADER_BYTES + length
            if len(self._pending) < end:
                break
            payloads.append(self._pending[HEADER_BYTES:end])
            self._pending = self._pending[end:]
        return payloads


class EndpointClient:
    """The driver's end: one request at a time, answered within a deadline.

    After an error it hangs up, so that a late reply cannot be taken for the next one, and
    connects again at the next request. Not for use by two threads at once.
    """

    def __init__(self, path: str, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        self.path = path
        self._timeout_s = timeout_s
        self._socket: socket.socket | None = None

    def connect(self) -> None:
        """Connect, if not connected. Raises DeviceError saying who is missing."""
        self._connected()

    def _connected(self) -> socket.socket:
        if self._socket is not None:
            return self._socket
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        stream.settimeout(self._timeout_s)
        try:
            stream.connect(self.path)
        except OSError as error:
            stream.close()
            raise DeviceError(
                f"no simulated device behind {self.path} ({error}): start `rover hardware-sim` "
                "with the directory that the configuration names"
            ) from error
        self._socket = stream
        return stream

    def request(self, message: EndpointRequest) -> EndpointReply:
        """Send ``message`` and return its reply.

        Raises DeviceTimeoutError if none comes in time, DeviceError if the server is gone or
        answers nonsense.
        """
        stream = self._connected()
        try:
            stream.sendall(encode_frame(message))
            return decode_reply(self._receive(stream))
        except TimeoutError as error:
            self.close()
            raise DeviceTimeoutError(
                f"{self.path}: no reply to {type(message).__name__} within {self._timeout_s:g} s"
            ) from error
        except DeviceError:
            self.close()
            raise
        except (OSError, BadMessageError) as error:
            self.close()
            raise DeviceError(f"{self.path}: {error}") from error

    def _receive(self, stream: socket.socket) -> bytes:
        """Return the payload of the next frame."""
        buffer = FrameBuffer()
        while True:
            data = stream.recv(HEADER_BYTES + MAX_FRAME_BYTES)
            if not data:
                raise DeviceError(f"{self.path}: the simulated hardware has gone")
            payloads = buffer.feed(data)
            if payloads:
                return payloads[0]

    def close(self) -> None:
        """Hang up; the next request connects again."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
