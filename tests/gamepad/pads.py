"""Input devices as the kernel describes them, for the test bed and for tests without one."""

from msgspec import Struct

SYN, KEY, ABS = 0, 1, 3
SYN_REPORT, SYN_DROPPED = 0, 3
BTN_LEFT, BTN_TOUCH = 0x110, 0x14A
BTN_SOUTH, BTN_EAST, BTN_NORTH, BTN_WEST = 0x130, 0x131, 0x133, 0x134
BTN_TL, BTN_TR, BTN_TL2, BTN_TR2 = 0x136, 0x137, 0x138, 0x139
BTN_SELECT, BTN_START, BTN_MODE = 0x13A, 0x13B, 0x13C
BTN_THUMBL, BTN_THUMBR = 0x13D, 0x13E
BTN_DPAD_UP, BTN_DPAD_DOWN, BTN_DPAD_LEFT, BTN_DPAD_RIGHT = 0x220, 0x221, 0x222, 0x223
ABS_X, ABS_Y, ABS_Z, ABS_RX, ABS_RY, ABS_RZ = range(6)
ABS_GAS, ABS_BRAKE, ABS_HAT0X, ABS_HAT0Y = 0x09, 0x0A, 0x10, 0x11


class AbsInfo(Struct, frozen=True):
    """An axis as EVIOCGABS answers it; the names are those of python-evdev."""

    value: int
    min: int
    max: int
    fuzz: int = 0
    flat: int = 0
    resolution: int = 0


class Info(Struct, frozen=True):
    """What EVIOCGID answers; the names are those of python-evdev."""

    bustype: int = 3
    vendor: int = 0x1234
    product: int = 0x5678
    version: int = 0x0100


class Description(Struct, frozen=True):
    """A device. ``later_keys`` and ``later_axes`` are its state when asked a second time."""

    name: str
    keys: list[int]
    axes: dict[int, AbsInfo]
    held: list[int] = []
    later_held: list[int] = []
    later_values: dict[int, int] = {}
    info: Info = Info()
    # What sysfs tells besides: INPUT_PROP_*, the kernel's driver, the battery in percent.
    properties: list[int] = []
    driver: str = ""
    battery_percent: int | None = None


_FACE = [BTN_SOUTH, BTN_EAST, BTN_NORTH, BTN_WEST]
_STICK = AbsInfo(0, -32768, 32767, 16, 128)
_BYTE_STICK = AbsInfo(128, 0, 255)
_HAT = AbsInfo(0, -1, 1)

XBOX = Description(
    "Microsoft X-Box One S pad",
    [*_FACE, BTN_TL, BTN_TR, BTN_SELECT, BTN_START, BTN_MODE, BTN_THUMBL, BTN_THUMBR],
    {
        ABS_X: _STICK,
        ABS_Y: _STICK,
        ABS_Z: AbsInfo(0, 0, 1023),
        ABS_RX: _STICK,
        ABS_RY: _STICK,
        ABS_RZ: AbsInfo(0, 0, 1023),
        ABS_HAT0X: _HAT,
        ABS_HAT0Y: _HAT,
    },
)
PLAYSTATION = Description(
    "Sony Interactive Entertainment Wireless Controller",
    [*_FACE, BTN_TL, BTN_TR, BTN_TL2, BTN_TR2, BTN_SELECT, BTN_START, BTN_MODE],
    {
        ABS_X: _BYTE_STICK,
        ABS_Y: AbsInfo(127, 0, 255),
        ABS_Z: AbsInfo(0, 0, 255),
        ABS_RX: _BYTE_STICK,
        ABS_RY: _BYTE_STICK,
        ABS_RZ: AbsInfo(0, 0, 255),
        ABS_HAT0X: _HAT,
        ABS_HAT0Y: _HAT,
    },
)
MOTION_SENSORS = Description(
    "Sony Interactive Entertainment Wireless Controller Motion Sensors",
    [],
    {axis: AbsInfo(0, -32768, 32767) for axis in (ABS_X, ABS_Y, ABS_Z, ABS_RX, ABS_RY, ABS_RZ)},
)
TOUCHPAD = Description(
    "Sony Interactive Entertainment Wireless Controller Touchpad",
    [BTN_LEFT, BTN_TOUCH],
    {ABS_X: AbsInfo(0, 0, 1919), ABS_Y: AbsInfo(0, 0, 941)},
)
KEYBOARD = Description("Dell USB Keyboard", list(range(1, 128)), {})
