"""Which code of this very pad serves which control, and how. Pure: no device, no library.

The person's own calibration goes first, then the table of pads that depart from the kernel's
conventions, then these conventions, with the ranges that the driver tells.
"""

import math
from collections.abc import Callable, Container, Mapping

from msgspec import Struct

from rover.config import GamepadConfig, PadConfig, PadStickConfig, PadTriggerConfig
from rover.config.input_codes import PressedWhen, axis_code, axis_name, button_from, button_name
from rover.errors import DeviceError
from rover.gamepad.codes import BUTTON_CONTROLS, STICK_CONTROLS, Axis, Control, Key
from rover.gamepad.exceptions import PadException, exception_for
from rover.gamepad.identity import PadIdentity

# A driver's idea of "flat", or a calibration's, may not eat more of a stick than this part.
_MOST_FLAT = 0.25
CALIBRATED = "calibrated"
CONVENTIONS = "the kernel's conventions"

_BUTTONS = {
    Control.SOUTH: Key.SOUTH,
    Control.EAST: Key.EAST,
    Control.WEST: Key.WEST,
    Control.NORTH: Key.NORTH,
    Control.LEFT_SHOULDER: Key.TL,
    Control.RIGHT_SHOULDER: Key.TR,
    Control.LEFT_TRIGGER: Key.TL2,
    Control.RIGHT_TRIGGER: Key.TR2,
    Control.SELECT: Key.SELECT,
    Control.START: Key.START,
    Control.GUIDE: Key.MODE,
    Control.LEFT_STICK_PRESS: Key.THUMBL,
    Control.RIGHT_STICK_PRESS: Key.THUMBR,
    Control.D_PAD_UP: Key.DPAD_UP,
    Control.D_PAD_DOWN: Key.DPAD_DOWN,
    Control.D_PAD_LEFT: Key.DPAD_LEFT,
    Control.D_PAD_RIGHT: Key.DPAD_RIGHT,
}
_HATS = {
    (Control.D_PAD_LEFT, Control.D_PAD_RIGHT): Axis.HAT0X,
    (Control.D_PAD_UP, Control.D_PAD_DOWN): Axis.HAT0Y,
}
_LEFT_STICK = (Control.LEFT_STICK_X, Control.LEFT_STICK_Y)
_RIGHT_STICK = (Control.RIGHT_STICK_X, Control.RIGHT_STICK_Y)
# Right and left trigger: the kernel's convention; pads that speak HID as for Android; xpad,
# hid-playstation and most others.
_TRIGGERS = ((Axis.HAT2X, Axis.HAT2Y), (Axis.GAS, Axis.BRAKE), (Axis.RZ, Axis.Z))


class AxisRange(Struct, frozen=True):
    """What the driver tells of an axis: its ends in raw units, and how far it may rest off."""

    minimum: int
    maximum: int
    flat: int = 0


class PadCapabilities(Struct, frozen=True):
    """What a device can send: buttons, axes with their ranges, properties of the device."""

    keys: frozenset[int]
    axes: Mapping[int, AxisRange]
    properties: frozenset[int] = frozenset()


class StickAxis(Struct, frozen=True):
    """One axis of a stick in raw units; ``deadband`` is to either side of ``centre``.

    A middle that lies between two raw values (127 and 128 of 0 to 255) is both of them.
    """

    code: int
    minimum: int
    centre: float
    maximum: int
    inverted: bool = False
    deadband: float = 0.5

    def position(self, raw: int) -> float:
        """Return where it is, -1 (left, up) to 1 (right, down), exactly 0 at rest."""
        offset = raw - self.centre
        way = self.maximum - self.centre if offset > 0 else self.centre - self.minimum
        if way <= 0:
            return 0.0
        still = min(self.deadband, way * _MOST_FLAT)
        if abs(offset) <= still:
            return 0.0
        beyond = min(1.0, (abs(offset) - still) / (way - still))
        return beyond if (offset > 0) is not self.inverted else -beyond


class TriggerAxis(Struct, frozen=True):
    """A trigger that is an axis, in raw units; ``rest`` may be greater than ``pulled``."""

    code: int
    rest: int
    pulled: int
    deadband: float = 0.0

    def position(self, raw: int) -> float:
        """Return how far it is pulled, 0 to 1."""
        way = self.pulled - self.rest
        if way == 0:
            return 0.0
        still = min(self.deadband, abs(way) * _MOST_FLAT)
        moved = (raw - self.rest) if way > 0 else (self.rest - raw)
        return min(1.0, max(0.0, (moved - still) / (abs(way) - still)))


class KeyButton(Struct, frozen=True):
    """A button that is one."""

    code: int


Served = StickAxis | TriggerAxis | KeyButton | PressedWhen


class PadMapping(Struct, frozen=True):
    """What serves each control that the pad has; ``origin`` says where that is known from."""

    controls: Mapping[Control, Served]
    origin: str = CONVENTIONS

    @property
    def axes(self) -> frozenset[int]:
        """The axes that serve something."""
        return frozenset(
            served.axis if isinstance(served, PressedWhen) else served.code
            for served in self.controls.values()
            if not isinstance(served, KeyButton)
        )


def mapping_of(
    capabilities: PadCapabilities, identity: PadIdentity, config: GamepadConfig
) -> PadMapping:
    """Return what serves which control.

    Raises DeviceError if the pad was calibrated, but is not what it was then: a driver that
    has changed, or another pad with the same numbers.
    """
    if identity.key in config.pads:
        return _calibrated(config.pads[identity.key], capabilities, identity)
    found = _by_conventions(capabilities)
    exception = exception_for(identity, capabilities.keys, capabilities.axes)
    if exception is None:
        return PadMapping(found)
    kept = {} if exception.whole else found
    for control in exception.absent:
        kept.pop(control, None)
    return PadMapping({**kept, **_by_exception(exception, capabilities)}, exception.name)


def by_conventions(capabilities: PadCapabilities) -> PadMapping:
    """Return what serves which control by the kernel's conventions alone."""
    return PadMapping(_by_conventions(capabilities))


def _by_conventions(capabilities: PadCapabilities) -> dict[Control, Served]:
    """Map a pad by the kernel's conventions.

    The right stick is RX and RY. A pad that has no RX has its right stick on Z and RZ, which
    are otherwise the triggers. A d-pad that has buttons is these: what is on HAT0 beside them
    is another thing, such as a touch pad.
    """
    keys, axes = capabilities.keys, capabilities.axes
    found: dict[Control, Served] = {
        control: KeyButton(key) for control, key in _BUTTONS.items() if key in keys
    }
    for (left, right), axis in _HATS.items():
        has_buttons = left in found or right in found
        if not has_buttons and axis in axes and axes[axis].maximum - axes[axis].minimum > 1:
            found[left], found[right] = _hat(axis, axes[axis])
    left_stick, right_stick = (Axis.X, Axis.Y), _right_stick(axes)
    for controls, stick in ((_LEFT_STICK, left_stick), (_RIGHT_STICK, right_stick)):
        for control, axis in zip(controls, stick, strict=True):
            if axis in axes:
                found[control] = _stick(axis, axes[axis])
    for forward, reverse in _TRIGGERS:
        if forward in axes and reverse in axes and forward not in right_stick:
            found[Control.RIGHT_TRIGGER] = _trigger(forward, axes[forward])
            found[Control.LEFT_TRIGGER] = _trigger(reverse, axes[reverse])
            break
    return found


def _by_exception(exception: PadException, capabilities: PadCapabilities) -> dict[Control, Served]:
    axes = capabilities.axes
    return {
        **{control: KeyButton(code) for control, code in exception.buttons.items()},
        **{control: _stick(code, axes[code]) for control, code in exception.sticks.items()},
        **{control: _trigger(code, axes[code]) for control, code in exception.triggers.items()},
        **exception.hats,
    }


def _calibrated(
    config: PadConfig, capabilities: PadCapabilities, identity: PadIdentity
) -> PadMapping:
    controls: dict[Control, Served] = {}
    for control in STICK_CONTROLS:
        stick: PadStickConfig | None = getattr(config, control.key)
        if stick is not None:
            controls[control] = StickAxis(
                axis_code(stick.axis),
                stick.minimum,
                stick.centre,
                stick.maximum,
                stick.inverted,
                stick.deadband,
            )
    for control in BUTTON_CONTROLS:
        text: str | None = getattr(config.buttons, control.key)
        if text is not None:
            source = button_from(text)
            controls[control] = KeyButton(source) if isinstance(source, int) else source
    for control in (Control.LEFT_TRIGGER, Control.RIGHT_TRIGGER):
        trigger: PadTriggerConfig | None = getattr(config, control.key)
        if trigger is not None:
            controls[control] = TriggerAxis(
                axis_code(trigger.axis), trigger.rest, trigger.pulled, trigger.deadband
            )
    mapping = PadMapping(controls, CALIBRATED)
    _require_same(mapping, capabilities, identity)
    return mapping


def _require_same(
    mapping: PadMapping, capabilities: PadCapabilities, identity: PadIdentity
) -> None:
    """Raise DeviceError if the pad lacks what was calibrated, or its axes end elsewhere."""
    why = ""
    for control, served in mapping.controls.items():
        match served:
            case KeyButton(code):
                why = why or _lack(capabilities.keys, code, button_name)
            case PressedWhen(code):
                why = why or _lack(capabilities.axes, code, axis_name)
            case StickAxis(code) | TriggerAxis(code):
                why = why or _lack(capabilities.axes, code, axis_name)
                why = why or _ends_elsewhere(served, capabilities.axes[code])
        if why:
            raise DeviceError(
                f"{identity.name} is not as it was calibrated: {control} {why}; "
                f'run `rover calibrate gamepad`, or take gamepad.pads."{identity.key}" out'
            )


def _lack(had: Container[int], code: int, name: Callable[[int], str]) -> str:
    return "" if code in had else f"is {name(code)}, which it has not"


def _ends_elsewhere(served: StickAxis | TriggerAxis, told: AxisRange) -> str:
    """Say so if the calibrated ends are not within what the driver tells, or far too near.

    Another driver for the same pad may count in another range, and rest in another place.
    """
    if isinstance(served, StickAxis):
        low, high = served.minimum, served.maximum
    else:
        low, high = sorted((served.rest, served.pulled))
    if told.minimum >= told.maximum:
        return ""
    if low < told.minimum or high > told.maximum:
        return f"ends at {low} and {high}, the driver tells {told.minimum} to {told.maximum}"
    if 4 * (high - low) < told.maximum - told.minimum:
        return f"has {low} to {high} of the driver's {told.minimum} to {told.maximum}"
    return ""


def _right_stick(axes: Container[int]) -> tuple[Axis, Axis]:
    if Axis.RX not in axes and Axis.Z in axes and Axis.RZ in axes:
        return Axis.Z, Axis.RZ
    return Axis.RX, Axis.RY


def _stick(code: int, told: AxisRange) -> StickAxis:
    centre = (told.minimum + told.maximum) / 2
    return StickAxis(code, told.minimum, centre, told.maximum, deadband=max(told.flat, 0.5))


def _trigger(code: int, told: AxisRange) -> TriggerAxis:
    return TriggerAxis(code, told.minimum, told.maximum)


def _hat(code: int, told: AxisRange) -> tuple[PressedWhen, PressedWhen]:
    """Return when a hat is pressed to the left or up, and to the right or down."""
    quarter, middle = (told.maximum - told.minimum) / 4, (told.minimum + told.maximum) / 2
    low, high = math.ceil(middle - quarter), math.floor(middle + quarter)
    return PressedWhen(code, low, above=False), PressedWhen(code, high, above=True)
