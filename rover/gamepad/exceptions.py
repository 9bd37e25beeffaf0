"""Pads that depart from the kernel's conventions, and where each fact comes from. Pure."""

from collections.abc import Container, Mapping

from msgspec import Struct

from rover.config.input_codes import PressedWhen
from rover.gamepad.codes import Axis, Control, Key
from rover.gamepad.identity import PadIdentity


class PadException(Struct, frozen=True):
    """One kind of pad that departs from the conventions; None and empty match anything.

    It counts for a pad that has every code named in it. What it names replaces what the
    conventions say; ``absent`` controls are taken away, and if it is ``whole``, nothing of the
    conventions is kept.
    """

    name: str
    source: str
    vendor: int | None = None
    products: frozenset[int] = frozenset()
    bus: int | None = None
    drivers: frozenset[str] = frozenset()
    buttons: Mapping[Control, int] = {}
    sticks: Mapping[Control, int] = {}
    triggers: Mapping[Control, int] = {}
    hats: Mapping[Control, PressedWhen] = {}
    absent: frozenset[Control] = frozenset()
    whole: bool = False

    def fits(self, pad: PadIdentity, keys: Container[int], axes: Container[int]) -> bool:
        """Tell whether ``pad``, with these buttons and axes, is of this kind."""
        return (
            self.vendor in {None, pad.vendor}
            and (not self.products or pad.product in self.products)
            and self.bus in {None, pad.bus}
            and (not self.drivers or pad.driver in self.drivers)
            and all(code in keys for code in self.buttons.values())
            and all(code in axes for code in (*self.sticks.values(), *self.triggers.values()))
            and all(hat.axis in axes for hat in self.hats.values())
        )


_MICROSOFT, _SONY, _NINTENDO, _LOGITECH = 0x045E, 0x054C, 0x057E, 0x046D
_VALVE, _GOOGLE, _EIGHTBITDO, _DRAGONRISE = 0x28DE, 0x18D1, 0x2DC8, 0x0079

# Letters, not places: X is BTN_X, which is BTN_NORTH, though it lies to the west.
_LETTERS = {Control.WEST: int(Key.NORTH), Control.NORTH: int(Key.WEST)}
_HATS = {
    Control.D_PAD_LEFT: PressedWhen(Axis.HAT0X, 0, above=False),
    Control.D_PAD_RIGHT: PressedWhen(Axis.HAT0X, 0, above=True),
    Control.D_PAD_UP: PressedWhen(Axis.HAT0Y, 0, above=False),
    Control.D_PAD_DOWN: PressedWhen(Axis.HAT0Y, 0, above=True),
}
_LEFT_STICK = {Control.LEFT_STICK_X: int(Axis.X), Control.LEFT_STICK_Y: int(Axis.Y)}
_STICKS_ON_Z = {
    **_LEFT_STICK,
    Control.RIGHT_STICK_X: int(Axis.Z),
    Control.RIGHT_STICK_Y: int(Axis.RZ),
}
# A HID device that calls itself a joystick has its buttons from the first of these on, one that
# calls itself a gamepad from the second, both in the order of its report (hid-input.c).
_JOYSTICK, _GAMEPAD = 0x120, 0x130


def _in_order(first: int, *controls: Control | None) -> dict[Control, int]:
    """Number the buttons as a HID report has them; None is a button without a use here."""
    return {control: first + place for place, control in enumerate(controls) if control is not None}


_SONY_ORDER = (
    Control.WEST,
    Control.SOUTH,
    Control.EAST,
    Control.NORTH,
    Control.LEFT_SHOULDER,
    Control.RIGHT_SHOULDER,
)
_LOGITECH_ORDER = (
    *_SONY_ORDER,
    Control.LEFT_TRIGGER,
    Control.RIGHT_TRIGGER,
    Control.SELECT,
    Control.START,
    Control.LEFT_STICK_PRESS,
    Control.RIGHT_STICK_PRESS,
)


def _logitech(first: int) -> PadException:
    return PadException(
        "Logitech F310, F510 and F710 with the switch at D, Dual Action and RumblePad 2",
        "SDL's mappings of 046d:c216, c218 and c219 for Linux, which count buttons in the order of "
        "the report. A kernel log has c218 call itself a joystick; for c216 and c219 none was "
        "found, so both numberings are here, and the pad's own codes decide.",
        vendor=_LOGITECH,
        products=frozenset({0xC216, 0xC218, 0xC219}),
        buttons=_in_order(first, *_LOGITECH_ORDER),
        sticks=_STICKS_ON_Z,
        hats=_HATS,
        whole=True,
    )


def _dragonrise(right_x: Axis) -> PadException:
    return PadException(
        "generic USB pad (DragonRise)",
        "SDL's mappings of 0079:0006 for Linux: buttons in the order of the report, the right "
        "stick on the fourth and fifth axis where the descriptor's second Z is kept, else on the "
        "third and fourth. One number for many makers: calibrate it if it is otherwise.",
        vendor=_DRAGONRISE,
        products=frozenset({0x0006}),
        buttons=_in_order(
            _JOYSTICK,
            Control.NORTH,
            Control.EAST,
            Control.SOUTH,
            Control.WEST,
            *_LOGITECH_ORDER[4:],
        ),
        sticks={
            **_LEFT_STICK,
            Control.RIGHT_STICK_X: int(right_x),
            Control.RIGHT_STICK_Y: int(Axis.RZ),
        },
        hats=_HATS,
        whole=True,
    )


# The first that fits counts.
EXCEPTIONS: tuple[PadException, ...] = (
    PadException(
        "Xbox pad over Bluetooth, first firmware",
        "SDL's mapping of 045e:02e0 for Linux, and 8BitDo's pads that pretend to be it: buttons in "
        "the order of the report without gaps, so that what the conventions call BTN_TR is Start; "
        "triggers on Z and RZ. hid-xpadneo renumbers them, and then they are not all there.",
        vendor=_MICROSOFT,
        products=frozenset({0x02E0}),
        buttons=_in_order(
            _GAMEPAD,
            Control.SOUTH,
            Control.EAST,
            Control.WEST,
            Control.NORTH,
            Control.LEFT_SHOULDER,
            Control.RIGHT_SHOULDER,
            Control.SELECT,
            Control.START,
            Control.LEFT_STICK_PRESS,
            Control.RIGHT_STICK_PRESS,
        ),
        absent=frozenset({Control.GUIDE}),
    ),
    PadException(
        "Xbox pad over Bluetooth, older firmware",
        "evtest of 045e:02fd under hid-generic (paroj/xpad issue 79): the view button is KEY_BACK "
        "and the Xbox button KEY_HOMEPAGE; triggers on GAS and BRAKE, right stick on Z and RZ; "
        "letters as in SDL's mapping (x:b3, y:b4).",
        vendor=_MICROSOFT,
        products=frozenset({0x02FD}),
        buttons={**_LETTERS, Control.SELECT: 0x9E, Control.GUIDE: 0xAC},
    ),
    PadException(
        "Xbox pad",
        "xpad.c, hid-xpadneo's mappings.c and xone's gamepad.c set BTN_X for X and BTN_Y for Y; "
        "SDL's mapping of 045e:0b13 over Bluetooth (x:b3, y:b4) tells the same of hid-generic.",
        vendor=_MICROSOFT,
        buttons=_LETTERS,
    ),
    PadException(
        "pad with the letters of an Xbox pad",
        "xpad.c, hid-xpadneo's mappings.c and xone's gamepad.c set BTN_X for X and BTN_Y for Y, "
        "whoever made the pad (Logitech at X, 8BitDo at X and others).",
        drivers=frozenset({"xpad", "xpadneo", "xone-gip-gamepad"}),
        buttons=_LETTERS,
    ),
    PadException(
        "PlayStation 4 or 5 pad without hid-playstation",
        "SDL's mappings of 054c:05c4, 09cc and 0ce6 for Linux without that driver: buttons in the "
        "order of the report, right stick on Z and RZ, triggers on RX and RY. BTN_C tells it from "
        "a pad under hid-playstation or hid-sony.",
        vendor=_SONY,
        products=frozenset({0x05C4, 0x09CC, 0x0BA0, 0x0CE6, 0x0DF2}),
        buttons=_in_order(
            _GAMEPAD,
            *_SONY_ORDER,
            None,
            None,
            Control.SELECT,
            Control.START,
            Control.LEFT_STICK_PRESS,
            Control.RIGHT_STICK_PRESS,
            Control.GUIDE,
        ),
        sticks=_STICKS_ON_Z,
        triggers={Control.LEFT_TRIGGER: int(Axis.RX), Control.RIGHT_TRIGGER: int(Axis.RY)},
        hats=_HATS,
        whole=True,
    ),
    PadException(
        "right Joy-Con alone",
        "hid-nintendo.c, right_joycon_button_mappings and its stick on RX and RY. Held upright: "
        "the one stick drives and steers, R is the dead-man. Home stands in for minus. Not tried.",
        vendor=_NINTENDO,
        products=frozenset({0x2007}),
        buttons={Control.SELECT: int(Key.MODE)},
        sticks={Control.LEFT_STICK_X: int(Axis.RX), Control.LEFT_STICK_Y: int(Axis.RY)},
        absent=frozenset({Control.RIGHT_STICK_X, Control.RIGHT_STICK_Y, Control.GUIDE}),
    ),
    PadException(
        "left Joy-Con alone",
        "hid-nintendo.c, left_joycon_button_mappings. Held upright: the one stick drives and "
        "steers, L is the dead-man, ZL turbo, the four arrows are the face buttons, minus arms and "
        "the capture button disarms. Not tried.",
        vendor=_NINTENDO,
        products=frozenset({0x2006}),
        buttons={
            Control.RIGHT_SHOULDER: int(Key.TL),
            Control.LEFT_SHOULDER: int(Key.TL2),
            Control.SOUTH: int(Key.DPAD_DOWN),
            Control.EAST: int(Key.DPAD_RIGHT),
            Control.WEST: int(Key.DPAD_LEFT),
            Control.NORTH: int(Key.DPAD_UP),
            Control.START: int(Key.SELECT),
            Control.SELECT: 0x135,
            Control.LEFT_STICK_PRESS: int(Key.THUMBL),
        },
        sticks=_LEFT_STICK,
        whole=True,
    ),
    PadException(
        "Stadia pad",
        "SDL's mappings of 18d1:9400 for Linux: x:b2, y:b3 (letters), right stick on Z and RZ, "
        "triggers on GAS and BRAKE.",
        vendor=_GOOGLE,
        products=frozenset({0x9400}),
        buttons=_LETTERS,
    ),
    PadException(
        "Steam Controller or Steam Deck",
        "hid-steam.c: BTN_X for X and BTN_Y for Y, right pad on RX and RY, triggers on HAT2X and "
        "HAT2Y, the d-pad's buttons are clicks of the left pad, whose place is on HAT0X and HAT0Y.",
        vendor=_VALVE,
        products=frozenset({0x1102, 0x1142, 0x1205}),
        buttons=_LETTERS,
    ),
    PadException(
        "8BitDo pad with Nintendo's letters at D",
        "SDL's mappings of 2dc8:3230, 3810, 5112, 6002, 6006, 6101, 6102 for Linux: a:b1, b:b0: "
        "A, to the east, sends BTN_SOUTH and B, to the south, BTN_EAST; of 6006, the Pro 2, "
        "libretro's file tells the same. 6001, 6003 and 6103 are taken to be alike, unverified. "
        "At X, S and A they are an Xbox, a Switch and a PlayStation 4 pad.",
        vendor=_EIGHTBITDO,
        products=frozenset(
            {0x3230, 0x3810, 0x5112, 0x6001, 0x6002, 0x6003, 0x6006, 0x6101, 0x6102, 0x6103}
        ),
        buttons={Control.SOUTH: int(Key.EAST), Control.EAST: int(Key.SOUTH)},
    ),
    _logitech(_JOYSTICK),
    _logitech(_GAMEPAD),
    _dragonrise(Axis.RX),
    _dragonrise(Axis.Z),
    PadException(
        "radio-control transmitter or its receiver, which has to be calibrated",
        "OpenTX and EdgeTX: eight channels as axes, eight more as buttons, and only its owner "
        "knows what they are (opentx pull request 830). Spektrum's receiver has no buttons in "
        "SDL's mapping of 0483:572b. A throttle without a spring is never at rest.",
        vendor=0x0483,
        products=frozenset({0x5710, 0x572B}),
        whole=True,
    ),
    PadException(
        "radio-control transmitter, which has to be calibrated",
        "OpenTX and EdgeTX with numbers of their own (opentx pull request 8195); that they are "
        "1209:4f54 was not verified.",
        vendor=0x1209,
        products=frozenset({0x4F54}),
        whole=True,
    ),
)


def exception_for(
    pad: PadIdentity, keys: Container[int], axes: Container[int]
) -> PadException | None:
    """Return the first exception that fits, None for a pad that keeps to the conventions."""
    return next((one for one in EXCEPTIONS if one.fits(pad, keys, axes)), None)
