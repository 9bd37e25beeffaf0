"""What is really so in the simulated rover, and the faults that can be put into it.

For tests, benchmarks and demonstrations: nothing that drives the rover may look here. The
records travel as MessagePack in the same frames as the other simulated endpoints'.
"""

import socket
import struct
from enum import StrEnum
from types import TracebackType
from typing import Self

import msgspec
from msgspec import Struct

from rover.errors import BadMessageError, DeviceError, DeviceTimeoutError
from rover.hardware.bus.endpoint import HEADER_BYTES, MAX_FRAME_BYTES, FrameBuffer
from rover.messages import Pose, Twist

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


class Dialect(StrEnum):
    """Firmware that a unit can be given."""

    CLASSIC = "classic"
    OLD_STATUS = "old status"
    NEWER = "newer"


class ReadTruth(Struct, frozen=True, tag="read_truth"):
    """Ask for the Truth."""


class PressStop(Struct, frozen=True, tag="press_stop"):
    """Press the stop button, or release it."""

    pressed: bool


class SetBatteryCharge(Struct, frozen=True, tag="battery_charge"):
    """Put the battery at a charge, 0 to 1."""

    charge: float


class SetBatteryVoltage(Struct, frozen=True, tag="battery_voltage"):
    """Hold the battery's open-circuit voltage; it still sags under load."""

    open_circuit_v: float


class Silence(Struct, frozen=True, tag="silence"):
    """Cut a unit's serial wires, or mend them: it goes on doing what it was told."""

    address: int
    silent: bool = True


class InjectStatus(Struct, frozen=True, tag="inject_status"):
    """Keep these bits (32-bit layout) set in a unit's status; 0 takes them away."""

    address: int
    bits: int


class SetTemperature(Struct, frozen=True, tag="temperature"):
    """Heat or cool a unit's board."""

    address: int
    celsius: float


class PowerCycle(Struct, frozen=True, tag="power_cycle"):
    """Take a unit's power away and give it back."""

    address: int


class SetFirmware(Struct, frozen=True, tag="firmware"):
    """Flash a unit with another firmware; its settings stay."""

    address: int
    dialect: Dialect


class LockWheel(Struct, frozen=True, tag="lock_wheel"):
    """Hold a wheel so that its motor stalls, or let go of it."""

    wheel: str
    locked: bool = True


class EncoderState(StrEnum):
    """What can become of an encoder: one that is dead counts no more."""

    WORKS = "works"
    DEAD = "dead"
    REVERSED = "reversed"


class SetEncoder(Struct, frozen=True, tag="encoder"):
    """Break a wheel's encoder, or mend it: its controller regulates by what it counts."""

    wheel: str
    state: EncoderState


class UnplugI2c(Struct, frozen=True, tag="unplug_i2c"):
    """Take the device at an address off the I2C bus, or put it back."""

    address: int
    unplugged: bool = True


class NackI2c(Struct, frozen=True, tag="nack_i2c"):
    """Have the device at an address not acknowledge its next transfers."""

    address: int
    count: int


class OffsetPower(Struct, frozen=True, tag="offset_power"):
    """Let the power monitor tell a voltage that is off by so much; 0 mends it."""

    offset_v: float


class CutSerial(Struct, frozen=True, tag="cut_serial"):
    """Pull the serial cable that all controllers share, or plug it in again."""

    cut: bool = True


class ShortenReplies(Struct, frozen=True, tag="shorten"):
    """Let a unit stick after ``length`` bytes of each reply; None mends it."""

    address: int
    length: int | None


class CorruptBytes(Struct, frozen=True, tag="corrupt"):
    """Put noise on the serial wire, the same at every run; all zero takes it away.

    ``share`` of all bytes, both ways, get a bit flipped; besides, so does the last byte of
    each of the next ``requests`` writes of the host and of the next ``replies``. ``stray``
    replies in a hundred come with bytes before them that nobody has sent.
    """

    share: float = 0.0
    requests: int = 0
    replies: int = 0
    stray: float = 0.0


class Applied(Struct, frozen=True, tag="applied"):
    """The fault is in."""


class Refused(Struct, frozen=True, tag="refused"):
    """The fault makes no sense on this rover."""

    reason: str


class _TruthReply(Struct, frozen=True, tag="truth"):
    truth: Truth


Fault = (
    PressStop
    | SetBatteryCharge
    | SetBatteryVoltage
    | Silence
    | InjectStatus
    | SetTemperature
    | PowerCycle
    | SetFirmware
    | LockWheel
    | SetEncoder
    | UnplugI2c
    | NackI2c
    | OffsetPower
    | CutSerial
    | ShortenReplies
    | CorruptBytes
)
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
