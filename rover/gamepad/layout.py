"""What the codes of a gamepad mean, by the kernel's conventions. Pure: no device, no library.

Codes are the ABI of linux/input-event-codes.h; what they mean on a gamepad is the kernel's
Documentation/input/gamepad.rst. Axes are negative to the left and up.
"""

from collections.abc import Container, Iterable, Mapping
from enum import IntEnum

from msgspec import Struct

EV_SYN, EV_KEY, EV_ABS = 0x00, 0x01, 0x03
SYN_REPORT, SYN_DROPPED = 0, 3


class Key(IntEnum):
    """Buttons, named by where they are on the pad."""

    SOUTH = 0x130
    EAST = 0x131
    NORTH = 0x133
    WEST = 0x134
    TL = 0x136
    TR = 0x137
    TL2 = 0x138
    TR2 = 0x139
    SELECT = 0x13A
    START = 0x13B
    DPAD_LEFT = 0x222
    DPAD_RIGHT = 0x223


class Axis(IntEnum):
    """Absolute axes."""

    X = 0x00
    Y = 0x01
    Z = 0x02
    RX = 0x03
    RY = 0x04
    RZ = 0x05
    GAS = 0x09
    BRAKE = 0x0A
    HAT0X = 0x10
    HAT2X = 0x14
    HAT2Y = 0x15


DEAD_MAN = Key.TR
TURBO = Key.TL
MODE_KEYS = frozenset({Key.NORTH, Key.WEST})

# Right and left trigger: the kernel's convention; pads that speak HID as for Android; xpad,
# hid-playstation and most others.
_TRIGGERS = ((Axis.HAT2X, Axis.HAT2Y), (Axis.GAS, Axis.BRAKE), (Axis.RZ, Axis.Z))
# A driver's idea of "flat" may not eat more of a stick than this part of its way.
_MOST_FLAT = 0.25
_HAT_PRESSED = 0.5


class AxisRange(Struct, frozen=True):
    """The ends of an axis in raw units, and how far from the middle it may rest."""

    minimum: int
    maximum: int
    flat: int = 0

    def centred(self, raw: int) -> float:
        """Return where a stick is, -1 to 1, 0 in the middle and within ``flat`` of it.

        A middle that lies between two raw values (127 and 128 of 0 to 255) is both of them.
        """
        half = (self.maximum - self.minimum) / 2
        if half <= 0:
            return 0.0
        offset = raw - (self.minimum + self.maximum) / 2
        flat = min(max(self.flat, 0.5), half * _MOST_FLAT)
        if abs(offset) <= flat:
            return 0.0
        beyond = min(1.0, (abs(offset) - flat) / (half - flat))
        return beyond if offset > 0 else -beyond

    def pulled(self, raw: int) -> float:
        """Return how far a trigger is pulled, 0 to 1; it rests at the minimum."""
        way = self.maximum - self.minimum
        return min(1.0, max(0.0, (raw - self.minimum) / way)) if way > 0 else 0.0


class Layout(Struct, frozen=True):
    """Which axis of this very pad does what.

    ``forward`` and ``reverse`` are the analog triggers, None on a pad without them.
    """

    ranges: dict[int, AxisRange]
    turn: Axis
    forward: Axis | None
    reverse: Axis | None


class Controls(Struct, frozen=True):
    """Where a person holds everything, before any shaping.

    ``drive`` is positive forward; ``turn``, ``slide`` and ``spin`` are positive to the left.
    All are within -1 to 1. ``deflection``, 0 to 1, is how far from rest whatever is furthest
    from it is, ``slide`` aside: of a stick and a trigger that cancel out neither is at rest.
    """

    drive: float
    turn: float
    slide: float
    spin: float
    turbo: bool
    deflection: float


def why_not_gamepad(keys: Container[int], axes: Container[int]) -> str:
    """Return why a device with these codes cannot drive a rover, empty if it can."""
    if Key.SOUTH not in keys:
        return "it is not a gamepad (it has no BTN_SOUTH)"
    if Axis.X not in axes or Axis.Y not in axes:
        return "it has no left stick (ABS_X and ABS_Y)"
    if DEAD_MAN not in keys:
        return "it has no right shoulder button (BTN_TR) to be the dead-man"
    return ""


def layout_of(ranges: Mapping[int, AxisRange]) -> Layout:
    """Work out which axes are what from those that the pad has.

    The right stick is RX and RY. A pad that has no RX has its right stick on Z and RZ, which
    are otherwise the triggers; one with neither steers with the left stick.
    """
    if Axis.RX in ranges:
        turn, stick = Axis.RX, {Axis.RX, Axis.RY}
    elif Axis.Z in ranges and Axis.RZ in ranges:
        turn, stick = Axis.Z, {Axis.Z, Axis.RZ}
    else:
        turn, stick = Axis.X, {Axis.X, Axis.Y}
    forward, reverse = None, None
    for right, left in _TRIGGERS:
        if right in ranges and left in ranges and right not in stick:
            forward, reverse = right, left
            break
    known: dict[int, AxisRange] = {axis: ranges[axis] for axis in Axis if axis in ranges}
    return Layout(known, turn, forward, reverse)


class PadState:
    """Every button and axis of a pad as last heard.

    A trigger counts as released until it has moved: some drivers report the middle of its
    range until then.
    """

    def __init__(self, layout: Layout, keys: Iterable[int], axes: Mapping[int, int]) -> None:
        self._layout = layout
        self._keys = set(keys)
        self._axes = dict(axes)
        self._moved: set[int] = set()

    def set_key(self, code: int, *, pressed: bool) -> None:
        """Take in one button."""
        if pressed:
            self._keys.add(code)
        else:
            self._keys.discard(code)

    def set_axis(self, code: int, raw: int) -> None:
        """Take in one axis."""
        self._axes[code] = raw
        self._moved.add(code)

    def replace(self, keys: Iterable[int], axes: Mapping[int, int]) -> frozenset[int]:
        """Take in everything anew; return the buttons that were up before and are down."""
        now = set(keys)
        found_down = frozenset(now - self._keys)
        self._keys = now
        for code, raw in axes.items():
            if raw != self._axes.get(code):
                self.set_axis(code, raw)
        return found_down

    def is_down(self, key: Key) -> bool:
        """Tell whether a button is held."""
        return key in self._keys

    def controls(self) -> Controls:
        """Return what the pad's state asks for."""
        stick = -self._centred(Axis.Y)
        forward = self._trigger(self._layout.forward, Key.TR2)
        reverse = self._trigger(self._layout.reverse, Key.TL2)
        drive = min(1.0, max(-1.0, stick + forward - reverse))
        turn = -self._centred(self._layout.turn)
        left, right = self._d_pad()
        return Controls(
            drive=drive,
            turn=turn,
            slide=-self._centred(Axis.X),
            spin=left - right,
            turbo=self.is_down(TURBO),
            # The sum too: two that are within the deadband may be beyond it together.
            deflection=max(abs(stick), forward, reverse, abs(drive), abs(turn), left, right),
        )

    def _centred(self, axis: Axis) -> float:
        return self._layout.ranges[axis].centred(self._axes.get(axis, 0))

    def _trigger(self, axis: Axis | None, key: Key) -> float:
        if axis is None:
            return 1.0 if self.is_down(key) else 0.0
        if axis not in self._moved:
            return 0.0
        return self._layout.ranges[axis].pulled(self._axes[axis])

    def _d_pad(self) -> tuple[float, float]:
        """Return whether the d-pad is pressed to the left, and to the right: 1 or 0."""
        hat = self._centred(Axis.HAT0X) if Axis.HAT0X in self._layout.ranges else 0.0
        left = hat <= -_HAT_PRESSED or self.is_down(Key.DPAD_LEFT)
        right = hat >= _HAT_PRESSED or self.is_down(Key.DPAD_RIGHT)
        return float(left), float(right)
