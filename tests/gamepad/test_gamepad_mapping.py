"""Which code serves which control, without any device."""

import math

import evdev.ecodes
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rover.config import GamepadConfig, PadButtonsConfig, PadConfig, PadStickConfig
from rover.config import PadTriggerConfig as TriggerConfig
from rover.config.input_codes import (
    AXES,
    BUTTONS,
    PressedWhen,
    axis_code,
    axis_name,
    button_code,
    button_from,
    button_name,
    button_text,
)
from rover.errors import DeviceError
from rover.gamepad import codes
from rover.gamepad.codes import BUTTON_CONTROLS, STICK_CONTROLS, Axis, Control, Key
from rover.gamepad.exceptions import EXCEPTIONS, exception_for
from rover.gamepad.identity import Bus, PadIdentity
from rover.gamepad.mapping import (
    CALIBRATED,
    CONVENTIONS,
    AxisRange,
    KeyButton,
    PadCapabilities,
    StickAxis,
    TriggerAxis,
    by_conventions,
    mapping_of,
)

# Linux 6.1 and 6.17.
NEWER = {
    "ABS_PROFILE": 0x21,
    "BTN_GRIPL": 0x224,
    "BTN_GRIPR": 0x225,
    "BTN_GRIPL2": 0x226,
    "BTN_GRIPR2": 0x227,
}
BYTE = AxisRange(0, 255)
raws = st.integers(-70_000, 70_000)
sticks = st.tuples(
    raws, st.integers(1, 60_000), st.integers(1, 60_000), st.booleans(), st.floats(0, 90_000)
).map(lambda a: StickAxis(3, a[0] - a[1], a[0], a[0] + a[2], a[3], a[4]))
triggers = st.tuples(raws, raws, st.floats(0, 90_000)).map(lambda a: TriggerAxis(3, *a))


def test_the_names_and_codes_are_those_of_the_kernels_header():
    for name, code in (BUTTONS | AXES).items():
        # Older headers lack what newer kernels have added.
        assert getattr(evdev.ecodes, name, NEWER.get(name)) == code
    for key in Key:
        assert BUTTONS[f"BTN_{key.name}"] == key
    for axis in Axis:
        assert AXES[f"ABS_{axis.name}"] == axis
    for name in ("EV_SYN", "EV_KEY", "EV_ABS", "EV_LED", "EV_FF", "SYN_REPORT", "SYN_DROPPED"):
        assert getattr(codes, name) == getattr(evdev.ecodes, name)
    for name in ("INPUT_PROP_POINTER", "INPUT_PROP_ACCELEROMETER"):
        assert getattr(codes, name) == getattr(evdev.ecodes, name)


@given(st.integers(0, 0x2FF), st.integers(0, 0x3F))
def test_every_code_has_a_name_that_leads_back(button, axis):
    assert button_code(button_name(button)) == button
    assert axis_code(axis_name(axis)) == axis


@pytest.mark.parametrize("name", ["BTN_SOUHT", "ABS_X", "0x300", "", "0xfffff", "BTN_SOUTH "])
def test_what_is_no_button_is_told(name):
    with pytest.raises(ValueError, match=f"^{name}$"):
        button_code(name)


@given(st.integers(0, 0x3F), st.integers(-99_999, 99_999), st.booleans())
def test_an_axis_as_a_button_is_written_and_read(axis, limit, above):
    source = PressedWhen(axis, limit, above)
    assert button_from(button_text(source)) == source
    assert not source.holds(limit)
    assert source.holds(limit + 1) is above


@given(sticks, raws, raws)
def test_any_stick_rests_at_zero_ends_at_one_and_never_runs_backwards(stick, first, second):
    sign = -1.0 if stick.inverted else 1.0
    assert stick.position(stick.centre) == 0.0
    assert stick.position(stick.minimum) == stick.position(stick.minimum - 9) == -sign
    assert stick.position(stick.maximum) == stick.position(stick.maximum + 9) == sign
    low, high = sorted((first, second))
    assert sign * stick.position(low) <= sign * stick.position(high)
    assert math.isfinite(stick.position(first))


@given(triggers, raws, raws)
def test_any_trigger_rests_at_zero_and_ends_at_one(trigger, first, second):
    assert trigger.position(trigger.rest) == 0.0
    assert trigger.position(trigger.pulled) == (0.0 if trigger.rest == trigger.pulled else 1.0)
    low, high = sorted((first, second), reverse=trigger.rest > trigger.pulled)
    assert 0.0 <= trigger.position(low) <= trigger.position(high) <= 1.0


ranges = st.tuples(raws, raws, st.integers(-9, 90_000)).map(lambda a: AxisRange(*a))
capabilities = st.builds(
    PadCapabilities,
    st.frozensets(st.sampled_from([int(key) for key in Key])),
    st.dictionaries(st.integers(0, 0x3F), ranges),
)


@given(capabilities)
def test_whatever_a_driver_tells_gives_a_mapping_of_codes_that_the_pad_has(had):
    mapping = by_conventions(had)
    assert mapping.axes <= had.axes.keys()
    for control, served in mapping.controls.items():
        assert isinstance(served, StickAxis) is (control in STICK_CONTROLS)
        if isinstance(served, KeyButton):
            assert served.code in had.keys
        elif isinstance(served, StickAxis | TriggerAxis):
            assert math.isfinite(served.position(0))


def served_by(axes, keys=()):
    return by_conventions(
        PadCapabilities(frozenset(keys), dict.fromkeys([Axis.X, Axis.Y, *axes], BYTE))
    ).controls


@pytest.mark.parametrize(
    ("axes", "turn", "forward", "reverse"),
    [
        ([Axis.RX, Axis.RY, Axis.Z, Axis.RZ], Axis.RX, Axis.RZ, Axis.Z),
        ([Axis.RX, Axis.RY, Axis.HAT2X, Axis.HAT2Y], Axis.RX, Axis.HAT2X, Axis.HAT2Y),
        ([Axis.Z, Axis.RZ, Axis.GAS, Axis.BRAKE], Axis.Z, Axis.GAS, Axis.BRAKE),
        ([Axis.Z, Axis.RZ], Axis.Z, None, None),
        ([Axis.RX, Axis.RY], Axis.RX, None, None),
        ([], None, None, None),
    ],
)
def test_the_right_stick_and_the_triggers_are_told_apart(axes, turn, forward, reverse):
    found = served_by(axes)
    for control, code in (
        (Control.RIGHT_STICK_X, turn),
        (Control.RIGHT_TRIGGER, forward),
        (Control.LEFT_TRIGGER, reverse),
    ):
        assert (found[control].code if control in found else None) == code


def test_triggers_without_an_axis_are_their_buttons():
    assert served_by([Axis.RX], [Key.TR2])[Control.RIGHT_TRIGGER] == KeyButton(Key.TR2)


def test_a_d_pad_is_its_buttons_before_it_is_a_hat():
    hats = [Axis.HAT0X, Axis.HAT0Y]
    assert served_by(hats)[Control.D_PAD_LEFT] == PressedWhen(Axis.HAT0X, 64, above=False)
    found = served_by(hats, [Key.DPAD_LEFT, Key.DPAD_RIGHT])
    assert found[Control.D_PAD_LEFT] == KeyButton(Key.DPAD_LEFT)
    assert found[Control.D_PAD_UP] == PressedWhen(Axis.HAT0Y, 64, above=False)


PAD = PadIdentity(Bus.USB, 0x1234, 0xABCD, name="Some Pad")
HAD = PadCapabilities(frozenset({Key.TR, 0x120}), {Axis.X: BYTE, Axis.RZ: BYTE, Axis.HAT0X: BYTE})
CALIBRATION = PadConfig(
    left_stick_x=PadStickConfig("ABS_X", 3, 120.0, 250, inverted=True, deadband=4.0),
    right_trigger=TriggerConfig("ABS_RZ", 255, 0),
    buttons=PadButtonsConfig(right_shoulder="0x120", d_pad_left="ABS_HAT0X < 64"),
)


def test_a_calibrated_pad_is_what_was_measured_and_nothing_else():
    mapping = mapping_of(HAD, PAD, GamepadConfig(pads={"1234:abcd": CALIBRATION}))
    assert mapping.origin == CALIBRATED
    assert mapping.controls == {
        Control.LEFT_STICK_X: StickAxis(Axis.X, 3, 120.0, 250, inverted=True, deadband=4.0),
        Control.RIGHT_TRIGGER: TriggerAxis(Axis.RZ, 255, 0),
        Control.RIGHT_SHOULDER: KeyButton(0x120),
        Control.D_PAD_LEFT: PressedWhen(Axis.HAT0X, 64, above=False),
    }
    assert mapping.axes == {Axis.X, Axis.RZ, Axis.HAT0X}


def test_another_pads_calibration_is_not_used():
    config = GamepadConfig(pads={"1234:abce": CALIBRATION})
    assert mapping_of(HAD, PAD, config).origin == CONVENTIONS


def test_pads_without_a_vendor_are_told_apart_by_name():
    nameless = PadIdentity(Bus.BLUETOOTH, 0, 0, name="Some Pad")
    assert nameless.key == "0000:0000 Some Pad"
    config = GamepadConfig(pads={"0000:0000 Other Pad": CALIBRATION})
    assert mapping_of(HAD, nameless, config).origin == CONVENTIONS
    config = GamepadConfig(pads={nameless.key: CALIBRATION})
    assert mapping_of(HAD, nameless, config).origin == CALIBRATED


@pytest.mark.parametrize(
    ("keys", "axes", "words"),
    [
        ({0x120}, {Axis.X: BYTE, Axis.HAT0X: BYTE}, "right trigger is ABS_RZ, which it has not"),
        (set(), HAD.axes, "right shoulder is BTN_TRIGGER, which it has not"),
        (HAD.keys, {**HAD.axes, Axis.X: AxisRange(-128, 127)}, "ends at 3 and 250"),
        (HAD.keys, {**HAD.axes, Axis.RZ: AxisRange(0, 65535)}, "has 0 to 255 of the driver's"),
    ],
)
def test_a_pad_that_is_not_as_it_was_calibrated_does_not_drive(keys, axes, words):
    config = GamepadConfig(pads={"1234:abcd": CALIBRATION})
    with pytest.raises(DeviceError, match=f"{words}.*run `rover calibrate gamepad`"):
        mapping_of(PadCapabilities(frozenset(keys), axes), PAD, config)


def test_the_configurations_names_are_the_controls():
    assert set(PadButtonsConfig.__struct_fields__) == {one.key for one in BUTTON_CONTROLS}
    parts = {one.key for one in (*STICK_CONTROLS, Control.LEFT_TRIGGER, Control.RIGHT_TRIGGER)}
    assert set(PadConfig.__struct_fields__) == parts | {"buttons"}


AXES_OF_ANY = dict.fromkeys(Axis, BYTE)


def pad_of(vendor, product, driver, keys):
    had = PadCapabilities(frozenset(keys), AXES_OF_ANY)
    return mapping_of(had, PadIdentity(Bus.USB, vendor, product, driver=driver), GamepadConfig())


DIAMOND = [Key.SOUTH, Key.EAST, Key.NORTH, Key.WEST, Key.TL, Key.TR, Key.SELECT, Key.START]
IN_ORDER = range(0x130, 0x140)
JOYSTICK = range(0x120, 0x12C)


@pytest.mark.parametrize(
    ("pad", "keys", "expected"),
    [
        # An Xbox pad's X is BTN_X, which the kernel calls BTN_NORTH.
        ((0x045E, 0x02EA, "xpad"), DIAMOND, (Key.TR, Key.EAST, Key.NORTH)),
        ((0x2DC8, 0x3106, "xpad"), DIAMOND, (Key.TR, Key.EAST, Key.NORTH)),
        ((0x045E, 0x0B13, "hid-generic"), IN_ORDER, (Key.TR, Key.EAST, Key.NORTH)),
        # Buttons without gaps: the kernel's BTN_TR is Start.
        ((0x045E, 0x02E0, "hid-generic"), IN_ORDER, (0x135, Key.EAST, 0x132)),
        ((0x045E, 0x02E0, "xpadneo"), DIAMOND, (Key.TR, Key.EAST, Key.NORTH)),
        ((0x054C, 0x09CC, "playstation"), DIAMOND, (Key.TR, Key.EAST, Key.WEST)),
        ((0x054C, 0x09CC, "hid-generic"), IN_ORDER, (0x135, 0x132, Key.SOUTH)),
        ((0x057E, 0x2009, "nintendo"), DIAMOND, (Key.TR, Key.EAST, Key.WEST)),
        # A is to the east.
        ((0x2DC8, 0x6101, "hid-generic"), IN_ORDER, (Key.TR, Key.SOUTH, Key.WEST)),
        ((0x046D, 0xC216, "logitech"), JOYSTICK, (0x125, 0x122, 0x120)),
        ((0x0079, 0x0006, "dragonrise"), JOYSTICK, (0x125, 0x121, 0x123)),
        ((0x18D1, 0x9400, "hid-generic"), DIAMOND, (Key.TR, Key.EAST, Key.NORTH)),
    ],
)
def test_known_pads_have_dead_man_and_stop_where_they_belong(pad, keys, expected):
    controls = pad_of(*pad, keys).controls
    three = (Control.RIGHT_SHOULDER, Control.EAST, Control.WEST)
    assert tuple(controls[one] for one in three) == tuple(KeyButton(code) for code in expected)


@pytest.mark.parametrize("exception", EXCEPTIONS, ids=lambda one: f"{one.name}: {one.vendor}")
def test_every_exception_is_reached_and_says_where_it_is_from(exception):
    keys = {*exception.buttons.values()}
    axes = {*exception.sticks.values(), *exception.triggers.values()}
    axes |= {hat.axis for hat in exception.hats.values()}
    product = min(exception.products, default=0x1234)
    vendor = 0x1234 if exception.vendor is None else exception.vendor
    pad = PadIdentity(Bus.USB, vendor, product, driver=min(exception.drivers, default=""))
    assert exception_for(pad, keys, axes) is exception
    assert len(exception.source) > 40
    controls = [*exception.buttons, *exception.sticks, *exception.triggers, *exception.hats]
    assert len(controls) == len(set(controls))


def test_a_transmitter_has_to_be_calibrated():
    assert pad_of(0x0483, 0x5710, "hid-generic", DIAMOND).controls == {}
