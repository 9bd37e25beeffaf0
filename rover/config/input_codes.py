"""The kernel's names for what a gamepad sends, as they stand in the configuration.

Names and numbers are the ABI of linux/input-event-codes.h.
"""

import re

from msgspec import Struct

# Buttons that a pad, a joystick or a transmitter may have, and those that tell another device.
_FACE = ("SOUTH", "EAST", "C", "NORTH", "WEST", "Z", "TL", "TR", "TL2", "TR2")
_PAD = (*_FACE, "SELECT", "START", "MODE", "THUMBL", "THUMBR")
_JOYSTICK = ("TRIGGER", "THUMB", "THUMB2", "TOP", "TOP2", "PINKIE", "BASE")
BUTTONS: dict[str, int] = {
    **{f"BTN_{number}": 0x100 + number for number in range(10)},
    **{f"BTN_{name}": 0x120 + place for place, name in enumerate(_JOYSTICK)},
    **{f"BTN_BASE{number}": 0x125 + number for number in range(2, 7)},
    "BTN_DEAD": 0x12F,
    **{f"BTN_{name}": 0x130 + place for place, name in enumerate(_PAD)},
    **{
        f"BTN_DPAD_{way}": 0x220 + place
        for place, way in enumerate(("UP", "DOWN", "LEFT", "RIGHT"))
    },
    **{f"BTN_GRIP{name}": 0x224 + place for place, name in enumerate(("L", "R", "L2", "R2"))},
    **{f"BTN_TRIGGER_HAPPY{number}": 0x2BF + number for number in range(1, 41)},
    "KEY_BACK": 0x9E,
    "KEY_RECORD": 0xA7,
    "KEY_HOMEPAGE": 0xAC,
    "KEY_MENU": 0x8B,
    "BTN_LEFT": 0x110,
    "BTN_TOUCH": 0x14A,
    "BTN_TOOL_FINGER": 0x145,
}
AXES: dict[str, int] = {
    **{f"ABS_{name}": code for code, name in enumerate(("X", "Y", "Z", "RX", "RY", "RZ"))},
    "ABS_THROTTLE": 0x06,
    "ABS_RUDDER": 0x07,
    "ABS_WHEEL": 0x08,
    "ABS_GAS": 0x09,
    "ABS_BRAKE": 0x0A,
    **{f"ABS_HAT{number // 2}{'XY'[number % 2]}": 0x10 + number for number in range(8)},
    "ABS_PRESSURE": 0x18,
    "ABS_DISTANCE": 0x19,
    "ABS_TILT_X": 0x1A,
    "ABS_TILT_Y": 0x1B,
    "ABS_TOOL_WIDTH": 0x1C,
    "ABS_VOLUME": 0x20,
    "ABS_PROFILE": 0x21,
    "ABS_MISC": 0x28,
    "ABS_MT_SLOT": 0x2F,
}
_BUTTON_NAMES = {code: name for name, code in BUTTONS.items()}
_AXIS_NAMES = {code: name for name, code in AXES.items()}
# Codes that have no name here are written as numbers; no code is beyond KEY_MAX.
_NUMBER = re.compile(r"0x[0-9a-f]{1,3}")
_COMPARISON = re.compile(r"(\S+) ([<>]) (-?[0-9]{1,9})")
_KEY_MAX, _ABS_MAX = 0x2FF, 0x3F


class PressedWhen(Struct, frozen=True):
    """A button that is an axis: pressed while it is beyond ``limit``, to the side of ``above``."""

    axis: int
    limit: int
    above: bool

    def holds(self, raw: int) -> bool:
        """Tell whether it is pressed with the axis at ``raw``."""
        return raw > self.limit if self.above else raw < self.limit


def button_code(name: str) -> int:
    """Return the code of a button such as BTN_SOUTH or 0x130. Raises ValueError if it is none."""
    return _code(name, BUTTONS, _KEY_MAX)


def axis_code(name: str) -> int:
    """Return the code of an axis such as ABS_RX or 0x03. Raises ValueError if it is none."""
    return _code(name, AXES, _ABS_MAX)


def button_name(code: int) -> str:
    """Return a button's name, which ``button_code`` understands."""
    return _BUTTON_NAMES.get(code, f"0x{code:03x}")


def axis_name(code: int) -> str:
    """Return an axis's name, which ``axis_code`` understands."""
    return _AXIS_NAMES.get(code, f"0x{code:02x}")


def button_from(text: str) -> int | PressedWhen:
    """Return what ``BTN_TR``, or ``ABS_HAT0X < 0`` of an axis that is a button, stands for.

    Raises ValueError, whose text is the name that is unknown.
    """
    comparison = _COMPARISON.fullmatch(text)
    if comparison is None:
        return button_code(text)
    name, side, limit = comparison.groups()
    return PressedWhen(axis_code(name), int(limit), side == ">")


def button_text(source: int | PressedWhen) -> str:
    """Write what ``button_from`` reads."""
    if isinstance(source, int):
        return button_name(source)
    return f"{axis_name(source.axis)} {'>' if source.above else '<'} {source.limit}"


def _code(name: str, known: dict[str, int], greatest: int) -> int:
    if name in known:
        return known[name]
    if _NUMBER.fullmatch(name) and int(name, 16) <= greatest:
        return int(name, 16)
    raise ValueError(name)
