"""What is really so in the simulated rover, and how to ask for it and put faults in.

For tests, benchmarks and demonstrations: nothing that drives the rover may look here. The
records travel as MessagePack in the same frames as the other simulated endpoints'.
"""

import socket
import struct
from types import TracebackType
from typing import Self

import msgspec
from msgspec import Struct

from rover.errors import BadMessageError, DeviceError, DeviceTimeoutError
from rover.hardware.bus.endpoint import HEADER_BYTES, MAX_FRAME_BYTES, FrameBuffer
from rover.messages import Pose, Twist
from rover.sim.faults import Fault

_HEADER = struct.Struct(">I")
_TIMEOUT_S = 1.0


class WheelTruth(Struct, frozen=True):
    """One wheel: positive rolls forward, steers left, drives forward.

    ``angle_rad`` adds up over all turns; ``current_a`` is the winding's; ``steer_powered``
    tells whether its servo gets pulses.
    """

    name: str
    speed_rad_s: float
    angle_rad: float
    steer_rad: float
    current_a: float
    steer_powered: bool


class ControllerTruth(Struct, frozen=True):
    """One RoboClaw; ``timed_out``: its serial timeout has stopped the motors since.

    ``asked_s`` is when the last byte arrived of the last packet that asked its motors for
    something new, by the simulator's clock: on the wire, whatever the computer was doing.
    Minus infinity before the first.
    """

    address: int
    timed_out: bool
    asked_s: float
    timeout_s: float
    status: int
    nvm_writes: int


class Truth(Struct, frozen=True):
    """The whole rover at ``time_s`` of its clock; wheels in the order of the wheel table."""

    time_s: float
    wheels: tuple[WheelTruth, ...]
    controllers: tuple[ControllerTruth, ...]
    pose: Pose
    twist: Twist
    battery_v: float
    battery_a: float
    battery_charge: float
    motor_enable: bool


class ReadTruth(Struct, frozen=True, tag="read_truth"):
    """Ask for the Truth."""


class Applied(Struct, frozen=True, tag="applied"):
    """The fault is in."""


class Refused(Struct, frozen=True, tag="refused"):
    """The fault makes no sense on this rover."""

    reason: str


class _TruthReply(Struct, frozen=True, tag="truth"):
    truth: Truth


TruthRequest = ReadTruth | Fault
TruthReply = Truth | Applied | Refused

_WireReply = _TruthReply | Applied | Refused
_requests: msgspec.msgpack.Decoder[TruthRequest] = msgspec.msgpack.Decoder(TruthRequest)
_replies: msgspec.msgpack.Decoder[_WireReply] = msgspec.msgpack.Decoder(_WireReply)


def _frame(payload: bytes) -> bytes:
    return _HEADER.pack(len(payload)) + payload


def encode_request(request: TruthRequest) -> bytes:
    """Return ``request`` as a whole frame."""
    return _frame(msgspec.msgpack.encode(request))


def encode_reply(reply: TruthReply) -> bytes:
    """Return ``reply`` as a whole frame."""
    wire = _TruthReply(reply) if isinstance(reply, Truth) else reply
    return _frame(msgspec.msgpack.encode(wire))


def decode_request(payload: bytes) -> TruthRequest:
    """Return the request in a frame's payload. Raises BadMessageError."""
    try:
        return _requests.decode(payload)
    except msgspec.DecodeError as error:
        raise BadMessageError(f"not a request to the simulated rover: {error}") from error


class TruthClient:
    """Looks into a running ``rover hardware-sim`` through ``DIR/truth``."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(_TIMEOUT_S)
        try:
            self._socket.connect(path)
        except OSError as error:
            self._socket.close()
            raise DeviceError(
                f"no simulated rover behind {path} ({error}): start `rover hardware-sim` first"
            ) from error

    def truth(self) -> Truth:
        """Return what is so right now. Raises DeviceError."""
        reply = self._ask(ReadTruth())
        if not isinstance(reply, Truth):
            raise DeviceError(f"{self._path}: {reply} answers a question for the truth")
        return reply

    def inject(self, fault: Fault) -> None:
        """Put ``fault`` into the rover. Raises DeviceError if the rover has no such part."""
        reply = self._ask(fault)
        if isinstance(reply, Refused):
            raise DeviceError(reply.reason)

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

    def _ask(self, request: TruthRequest) -> TruthReply:
        buffer = FrameBuffer()
        try:
            self._socket.sendall(encode_request(request))
            while True:
                data = self._socket.recv(HEADER_BYTES + MAX_FRAME_BYTES)
                if not data:
                    raise DeviceError(f"{self._path}: the simulated rover has gone")
                payloads = buffer.feed(data)
                if payloads:
                    reply = _replies.decode(payloads[0])
                    return reply.truth if isinstance(reply, _TruthReply) else reply
        except TimeoutError as error:
            raise DeviceTimeoutError(f"{self._path}: no answer within {_TIMEOUT_S:g} s") from error
        except (msgspec.DecodeError, BadMessageError) as error:
            raise DeviceError(f"{self._path}: {error}") from error
