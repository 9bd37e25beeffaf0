"""What a RoboClaw keeps in its memory and flash, and the commands that read and write it. Pure.

Values are as on the wire. Left out is what no rover uses: RC and analogue inputs, homing, the
outputs CTRL1 and CTRL2.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

Values = tuple[int, ...]

FIRST_ADDRESS, LAST_ADDRESS = 0x80, 0x87
# In the order of the three bits of the configuration word.
BAUDS = (2400, 9600, 19200, 38400, 57600, 115200, 230400, 460800)
# New ones listen at it.
FACTORY_BAUD = 38400
GAIN_ONE = 65536

_MODE_MASK = _PACKET_SERIAL = 0x0003
_BATTERY_MASK = 0x001C
_BAUD_MASK, _BAUD_SHIFT = 0x00E0, 5
_ADDRESS_MASK, _ADDRESS_SHIFT = 0x0700, 8
_MULTI_UNIT = 0x8000


class Kept(StrEnum):
    """Everything that is read, saved and, where it differs, written."""

    CONFIG = "configuration word"
    TIMEOUT = "serial timeout"
    MAIN_LIMITS = "main battery limits"
    LOGIC_LIMITS = "logic battery limits"
    PINS = "S3 to S5"
    STOP_LOCK = "emergency stop lock"
    PWM = "PWM mode"
    ENCODER_1 = "M1 encoder mode"
    ENCODER_2 = "M2 encoder mode"
    CURRENT_1 = "M1 current limits"
    CURRENT_2 = "M2 current limits"
    VELOCITY_1 = "M1 velocity loop"
    VELOCITY_2 = "M2 velocity loop"
    POSITION_1 = "M1 position loop"
    POSITION_2 = "M2 position loop"
    ACCEL_1 = "M1 default duty acceleration"
    ACCEL_2 = "M2 default duty acceleration"


# What differs by motor output, M1's first.
ENCODERS = (Kept.ENCODER_1, Kept.ENCODER_2)
CURRENTS = (Kept.CURRENT_1, Kept.CURRENT_2)
VELOCITIES = (Kept.VELOCITY_1, Kept.VELOCITY_2)
# Without these a controller is not set up: it must be able to tell them.
NEEDED = (
    Kept.CONFIG,
    Kept.TIMEOUT,
    Kept.MAIN_LIMITS,
    Kept.PINS,
    *ENCODERS,
    *CURRENTS,
    *VELOCITIES,
)


@dataclass(frozen=True, slots=True)
class Register:
    """How one of them is read and written.

    ``layouts`` are those of a reply of older firmware and of newer; one that is None does not
    have it. Where ``output`` is given, a reply is of both motor outputs, and that one's half its
    own. Values are written in the order of ``order`` or, if that is empty, as they were read.
    """

    read: int
    write: int
    layouts: tuple[str | None, str | None]
    output: int | None = None
    order: tuple[int, ...] = ()

    def layout(self, *, newer: bool) -> struct.Struct | None:
        """Return a whole reply's layout in that dialect."""
        form = self.layouts[newer]
        return None if form is None else struct.Struct(">" + form)

    def own(self, reply: Values) -> Values:
        """Return its part of a reply."""
        if self.output is None:
            return reply
        half = len(reply) // 2
        return reply[self.output * half : (self.output + 1) * half]

    def payload(self, values: Values, *, newer: bool) -> bytes:
        """Return what its write command carries. Raises struct.error for values out of range."""
        form = (self.layouts[newer] or "")[-len(values) :]
        ordered = tuple(values[index] for index in self.order) if self.order else values
        return struct.pack(">" + form, *ordered)


def _both(form: str) -> tuple[str, str]:
    return form, form


_VELOCITY_ORDER = (2, 0, 1, 3)
_POSITION_ORDER = (2, 0, 1, 3, 4, 5, 6)
REGISTERS: Mapping[Kept, Register] = {
    Kept.CONFIG: Register(99, 98, _both("H")),
    Kept.TIMEOUT: Register(15, 14, _both("B")),
    Kept.MAIN_LIMITS: Register(59, 57, ("HH", "HHB")),
    Kept.LOGIC_LIMITS: Register(60, 58, _both("HH")),
    Kept.PINS: Register(75, 74, ("BBB", "BBBBB")),
    Kept.STOP_LOCK: Register(202, 201, (None, "B")),
    Kept.PWM: Register(149, 148, ("B", "BB")),
    Kept.ENCODER_1: Register(91, 92, _both("BB"), output=0),
    Kept.ENCODER_2: Register(91, 93, _both("BB"), output=1),
    Kept.CURRENT_1: Register(135, 133, _both("II")),
    Kept.CURRENT_2: Register(136, 134, _both("II")),
    # Read as P, I, D, QPPS and written as D, P, I, QPPS; the position loop likewise.
    Kept.VELOCITY_1: Register(55, 28, _both("IIII"), order=_VELOCITY_ORDER),
    Kept.VELOCITY_2: Register(56, 29, _both("IIII"), order=_VELOCITY_ORDER),
    Kept.POSITION_1: Register(63, 61, _both("IIIIIii"), order=_POSITION_ORDER),
    Kept.POSITION_2: Register(64, 62, _both("IIIIIii"), order=_POSITION_ORDER),
    # Newer firmware has a deceleration beside each acceleration.
    Kept.ACCEL_1: Register(81, 68, ("II", "IIII"), output=0),
    Kept.ACCEL_2: Register(81, 69, ("II", "IIII"), output=1),
}


@dataclass(frozen=True, slots=True)
class Loop:
    """A velocity loop: gains as parts of 65536, ``qpps`` in counts a second at full duty."""

    p: int
    i: int
    d: int
    qpps: int

    @property
    def values(self) -> Values:
        """The loop as it is read."""
        return self.p, self.i, self.d, self.qpps


@dataclass(frozen=True)
class Snapshot:
    """All that a controller has told of itself at one moment.

    ``newer`` is its dialect; what its firmware does not tell is not in ``values``.
    """

    firmware: str
    newer: bool
    values: Mapping[Kept, Values]

    @cached_property
    def word(self) -> "ConfigWord":
        """Its configuration word, taken apart."""
        return ConfigWord(self.values[Kept.CONFIG][0])

    def loop(self, output: int) -> Loop:
        """Return the velocity loop of a motor output, counted from 0."""
        return Loop(*self.values[VELOCITIES[output]])

    def with_values(self, values: Mapping[Kept, Values]) -> "Snapshot":
        """Return the same controller with some values changed."""
        return Snapshot(self.firmware, self.newer, {**self.values, **values})


@dataclass(frozen=True, slots=True)
class ConfigWord:
    """The configuration word (commands 98 and 99) by its parts."""

    value: int

    @property
    def packet_serial(self) -> bool:
        """Whether it hears packets on its serial pins."""
        return self.value & _MODE_MASK == _PACKET_SERIAL

    @property
    def multi_unit(self) -> bool:
        """Whether it lets go of the wire to others while it says nothing."""
        return bool(self.value & _MULTI_UNIT)

    @property
    def baud(self) -> int:
        """The rate on its serial pins."""
        return BAUDS[(self.value & _BAUD_MASK) >> _BAUD_SHIFT]

    @property
    def address(self) -> int:
        """The address on its serial pins."""
        return FIRST_ADDRESS + ((self.value & _ADDRESS_MASK) >> _ADDRESS_SHIFT)

    def on_bus(self, address: int, baud: int) -> "ConfigWord":
        """Return it for packet serial among others.

        The battery's automatic is switched off, for it would replace the limits; relay mode,
        swapped encoders and buttons stay as they are. In other modes than packet serial the same
        bits mean other things, so that nothing of those stays.
        """
        stays = ~(_MODE_MASK | _BATTERY_MASK | _BAUD_MASK | _ADDRESS_MASK | 0x0800)
        kept = self.value & stays if self.packet_serial else self.value & 0x6000
        return ConfigWord(
            kept
            | _PACKET_SERIAL
            | BAUDS.index(baud) << _BAUD_SHIFT
            | address - FIRST_ADDRESS << _ADDRESS_SHIFT
            | _MULTI_UNIT
        )


def differing(old: Snapshot, new: Snapshot) -> tuple[Kept, ...]:
    """Return what is to be written to get from ``old`` to ``new``.

    The configuration word comes last: after it the controller may answer elsewhere.
    """
    found = [kept for kept in Kept if kept in new.values and new.values[kept] != old.values[kept]]
    return tuple(sorted(found, key=lambda kept: kept is Kept.CONFIG))
