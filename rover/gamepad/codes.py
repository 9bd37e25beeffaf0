"""What a gamepad sends, by the kernel's numbers, and what it has, by names for people.

Codes are the ABI of linux/input-event-codes.h; what they mean on a gamepad is the kernel's
Documentation/input/gamepad.rst. Axes are negative to the left and up.
"""

from enum import IntEnum, StrEnum

from rover.config.input_codes import axis_code, axis_name, button_code, button_name

__all__ = [
    "BUTTON_CONTROLS",
    "EV_ABS",
    "EV_FF",
    "EV_KEY",
    "EV_LED",
    "EV_SYN",
    "FF_RUMBLE",
    "INPUT_PROP_ACCELEROMETER",
    "INPUT_PROP_POINTER",
    "STICK_CONTROLS",
    "SYN_DROPPED",
    "SYN_REPORT",
    "Axis",
    "Control",
    "Key",
    "axis_code",
    "axis_name",
    "button_code",
    "button_name",
]

EV_SYN, EV_KEY, EV_ABS, EV_LED, EV_FF = 0x00, 0x01, 0x03, 0x11, 0x15
SYN_REPORT, SYN_DROPPED = 0, 3
FF_RUMBLE = 0x50
INPUT_PROP_POINTER, INPUT_PROP_ACCELEROMETER = 0x00, 0x06


class Key(IntEnum):
    """Buttons of a gamepad, named by where the kernel's conventions put them."""

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
    MODE = 0x13C
    THUMBL = 0x13D
    THUMBR = 0x13E
    DPAD_UP = 0x220
    DPAD_DOWN = 0x221
    DPAD_LEFT = 0x222
    DPAD_RIGHT = 0x223


class Axis(IntEnum):
    """Absolute axes that the conventions give a meaning."""

    X = 0x00
    Y = 0x01
    Z = 0x02
    RX = 0x03
    RY = 0x04
    RZ = 0x05
    GAS = 0x09
    BRAKE = 0x0A
    HAT0X = 0x10
    HAT0Y = 0x11
    HAT2X = 0x14
    HAT2Y = 0x15


class Control(StrEnum):
    """Everything on a pad that a hand can move, by where it is on the pad.

    The values are the names in ``gamepad.bindings``; those of the face buttons are places, so
    SOUTH is the lowest one whatever is printed on it.
    """

    SOUTH = "south"
    EAST = "east"
    WEST = "west"
    NORTH = "north"
    LEFT_SHOULDER = "left shoulder"
    RIGHT_SHOULDER = "right shoulder"
    LEFT_TRIGGER = "left trigger"
    RIGHT_TRIGGER = "right trigger"
    SELECT = "select"
    START = "start"
    GUIDE = "guide"
    LEFT_STICK_PRESS = "left stick press"
    RIGHT_STICK_PRESS = "right stick press"
    D_PAD_UP = "d-pad up"
    D_PAD_DOWN = "d-pad down"
    D_PAD_LEFT = "d-pad left"
    D_PAD_RIGHT = "d-pad right"
    LEFT_STICK_X = "left stick x"
    LEFT_STICK_Y = "left stick y"
    RIGHT_STICK_X = "right stick x"
    RIGHT_STICK_Y = "right stick y"

    @property
    def key(self) -> str:
        """The name as a key of the configuration: ``d_pad_left``."""
        return self.value.replace(" ", "_").replace("-", "_")


STICK_CONTROLS = (
    Control.LEFT_STICK_X,
    Control.LEFT_STICK_Y,
    Control.RIGHT_STICK_X,
    Control.RIGHT_STICK_Y,
)
BUTTON_CONTROLS = tuple(control for control in Control if control not in STICK_CONTROLS)
