"""The faults that can be put into the simulated rover, as messages to ``DIR/truth``."""

from enum import StrEnum

from msgspec import Struct


class Dialect(StrEnum):
    """Firmware that a unit can be given."""

    CLASSIC = "classic"
    OLD_STATUS = "old status"
    NEWER = "newer"


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


class WearFlash(Struct, frozen=True, tag="wear_flash"):
    """Let a unit's flash keep nothing that is written, though it is acknowledged; or mend it."""

    address: int
    worn: bool = True


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


Fault = (
    PressStop
    | SetBatteryCharge
    | SetBatteryVoltage
    | Silence
    | InjectStatus
    | SetTemperature
    | PowerCycle
    | WearFlash
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
