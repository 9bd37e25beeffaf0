"""Where everything on a pad is held, and what that asks for, without any device."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rover.config import BindingsConfig, GamepadConfig
from rover.config.input_codes import PressedWhen
from rover.gamepad.codes import BUTTON_CONTROLS, Axis, Control, Key
from rover.gamepad.identity import PadIdentity
from rover.gamepad.layout import Change, PadState, why_cannot_drive
from rover.gamepad.mapping import (
    AxisRange,
    KeyButton,
    PadCapabilities,
    PadMapping,
    TriggerAxis,
    by_conventions,
)
from rover.gamepad.nodes import why_not_gamepad
from tests.gamepad.pads import KEYBOARD, MOTION_SENSORS, PLAYSTATION, TOUCHPAD, XBOX

BYTE = AxisRange(0, 255)
SIGNED = AxisRange(-32768, 32767, 128)
FULL = AxisRange(-32768, 32767)
BINDINGS = BindingsConfig()
_TRIGGERS = {Axis.GAS, Axis.BRAKE}


def mapping_with(axes: dict[Axis, AxisRange], keys=tuple(Key)) -> PadMapping:
    return by_conventions(
        PadCapabilities(frozenset(keys), {Axis.X: BYTE, Axis.Y: BYTE, Axis.RX: BYTE} | axes)
    )


def state_of(axes: dict[Axis, AxisRange], keys=(), values=None, has=tuple(Key)) -> PadState:
    """Make a state at rest, but for ``keys`` and ``values``."""
    everything = {Axis.X: BYTE, Axis.Y: BYTE, Axis.RX: BYTE} | axes
    at_rest = {axis: (r.minimum + r.maximum) // 2 for axis, r in everything.items()}
    at_rest |= {axis: axes[axis].minimum for axis in (Axis.Z, Axis.RZ) if axis in axes}
    return PadState(mapping_with(axes, has), BINDINGS, keys, at_rest | (values or {}))


@pytest.mark.parametrize(
    ("axis", "raw"),
    [(BYTE, 127), (BYTE, 128), (FULL, 0), (FULL, -1), (SIGNED, 120), (SIGNED, -120)],
)
def test_a_stick_in_the_middle_is_exactly_at_zero(axis, raw):
    assert state_of({Axis.Y: axis}, values={Axis.Y: raw}).controls().drive == 0.0


def test_a_driver_cannot_declare_the_whole_stick_flat():
    state = state_of({Axis.Y: AxisRange(-100, 100, 100)}, values={Axis.Y: -60})
    assert state.controls().drive > 0.4


def test_an_axis_without_a_range_says_nothing():
    nothing = AxisRange(0, 0)
    state = state_of({Axis.Y: nothing, Axis.Z: nothing, Axis.RZ: nothing}, values={Axis.Y: 7})
    assert (state.controls().drive, state.controls().deflection) == (0.0, 0.0)


def test_sticks_up_and_left_are_positive():
    state = state_of({}, values={Axis.X: 0, Axis.Y: 0, Axis.RX: 0})
    controls = state.controls()
    assert (controls.drive, controls.turn, controls.slide) == (1.0, 1.0, 1.0)


def test_a_pad_with_one_stick_steers_with_it():
    mapping = by_conventions(PadCapabilities(frozenset(), {Axis.X: BYTE, Axis.Y: BYTE}))
    state = PadState(mapping, BINDINGS, [], {Axis.X: 0, Axis.Y: 128})
    assert state.controls().turn == 1.0
    unbound = PadState(mapping, BindingsConfig(turn=None), [], {Axis.X: 0, Axis.Y: 128})
    assert unbound.controls().turn == 0.0


triggers = st.tuples(st.integers(-40_000, 40_000), st.integers(-40_000, 40_000).filter(bool)).map(
    lambda ends: TriggerAxis(Axis.RZ, ends[0], ends[0] + ends[1] * 20)
)


@given(triggers, st.floats(0.0, 1.0), st.lists(st.floats(0.0, 1.0), max_size=8))
def test_a_trigger_drives_only_once_it_has_been_seen_at_rest(trigger, first, later):
    """Held while the pad appears, resting at either end or told to be in the middle."""
    mapping = PadMapping({Control.RIGHT_TRIGGER: trigger})

    def raw(part):
        return round(trigger.rest + part * (trigger.pulled - trigger.rest))

    state = PadState(mapping, BINDINGS, [], {Axis.RZ: raw(first)})
    rested = False
    for part in [first, *later]:
        state.set_axis(Axis.RZ, raw(part))
        rested = rested or trigger.position(raw(part)) <= 0.1
        controls = state.controls()
        assert controls.drive == (trigger.position(raw(part)) if rested else 0.0)
        # Nobody takes it for hands that have let go.
        assert controls.deflection == (controls.drive if rested else 1.0)
    # However it was, it is believed once it has been pulled and let go of.
    for part in (1.0, 0.0):
        state.set_axis(Axis.RZ, raw(part))
    assert state.controls().deflection == 0.0
    state.set_axis(Axis.RZ, raw(1.0))
    assert state.controls().drive == 1.0


def test_a_trigger_held_as_the_pad_appears_does_not_jump():
    state = state_of({Axis.Z: BYTE, Axis.RZ: BYTE}, values={Axis.RZ: 255})
    assert state.doubted == {Control.RIGHT_TRIGGER}
    for raw in (254, 200, 255):
        state.set_axis(Axis.RZ, raw)
        assert (state.controls().drive, state.controls().deflection) == (0.0, 1.0)
    state.set_axis(Axis.RZ, 0)
    assert state.doubted == frozenset()
    assert state.controls().deflection == 0.0
    state.set_axis(Axis.RZ, 255)
    assert state.controls().drive == 1.0


def test_a_trigger_told_to_be_in_the_middle_until_it_is_touched_is_touched_once():
    middle = {Axis.RZ: 0, Axis.Z: 0}
    state = state_of({Axis.Z: FULL, Axis.RZ: FULL}, values=middle)
    assert (state.controls().drive, state.controls().deflection) == (0.0, 1.0)
    state.set_axis(Axis.RZ, 32767)
    assert state.controls().drive == 0.0
    for axis in (Axis.RZ, Axis.Z):
        state.set_axis(axis, -32768)
    assert state.controls().deflection == 0.0


def test_a_trigger_that_came_to_rest_unseen_is_believed():
    state = state_of({Axis.Z: BYTE, Axis.RZ: BYTE}, values={Axis.RZ: 255})
    state.replace([], {Axis.RZ: 0, Axis.Z: 0})
    state.replace([], {Axis.RZ: 255, Axis.Z: 0})
    assert state.controls().drive == 1.0


def test_triggers_that_are_buttons_drive_at_full():
    assert state_of({}, keys=[Key.TR2]).controls().drive == 1.0
    assert state_of({}, keys=[Key.TL2]).controls().drive == -1.0


def test_triggers_that_are_both_button_and_axis_count_once():
    axes = {Axis.RX: BYTE, Axis.Z: BYTE, Axis.RZ: BYTE}
    state = state_of(axes, keys=[Key.TR2])
    state.set_axis(Axis.RZ, 51)
    assert state.controls().drive == pytest.approx(0.2)


def test_stick_and_trigger_add_up_to_no_more_than_one():
    state = state_of({Axis.RX: BYTE, Axis.Z: BYTE, Axis.RZ: BYTE}, values={Axis.Y: 0})
    state.set_axis(Axis.RZ, 255)
    assert state.controls().drive == 1.0
    state.set_axis(Axis.RZ, 0)
    state.set_axis(Axis.Z, 255)
    assert state.controls().drive == 0.0


@pytest.mark.parametrize(("hat", "spin"), [(-1, 1.0), (1, -1.0), (0, 0.0)])
def test_the_d_pad_spins_as_a_hat(hat, spin):
    axes = {Axis.HAT0X: AxisRange(-1, 1)}
    assert state_of(axes, values={Axis.HAT0X: hat}, has=[Key.TR]).controls().spin == spin


@pytest.mark.parametrize(
    ("keys", "spin"),
    [
        ([Key.DPAD_LEFT], 1.0),
        ([Key.DPAD_RIGHT], -1.0),
        ([Key.DPAD_LEFT, Key.DPAD_RIGHT], 0.0),
    ],
)
@pytest.mark.parametrize("touched", [0, -1])
def test_the_d_pad_spins_as_buttons_and_then_a_hat_is_something_else(keys, spin, touched):
    axes = {Axis.HAT0X: AxisRange(-1, 1)}
    state = state_of(axes, keys=keys, values={Axis.HAT0X: touched})
    assert state.controls().spin == spin


@pytest.mark.parametrize(
    ("keys", "values", "deflection"),
    [
        ([], {}, 0.0),
        ([], {Axis.Y: 0}, 1.0),
        ([], {Axis.RX: 255}, 1.0),
        ([], {Axis.RZ: 51}, 0.2),
        # The sideways axis of the left stick is told apart: it means something in CRAB alone.
        ([], {Axis.X: 0}, 0.0),
        # What cancels out is not at rest, and what adds up is as much as its sum.
        ([], {Axis.Y: 0, Axis.Z: 255}, 1.0),
        ([Key.DPAD_LEFT, Key.DPAD_RIGHT], {}, 1.0),
        ([], {Axis.Y: 64, Axis.RZ: 51}, 0.7),
    ],
)
def test_the_deflection_is_that_of_what_is_furthest_from_rest(keys, values, deflection):
    axes = {Axis.RX: BYTE, Axis.Z: BYTE, Axis.RZ: BYTE}
    state = state_of(axes, keys=keys, values={Axis.Z: 0, Axis.RZ: 0})
    for axis, raw in values.items():
        state.set_axis(axis, raw)
    assert state.controls().deflection == pytest.approx(deflection, abs=0.01)


def test_a_pad_without_a_hat_spins_by_its_buttons():
    assert state_of({}, keys=[Key.DPAD_LEFT]).controls().spin == 1.0


def test_buttons_found_down_are_told_once():
    state = state_of({}, keys=[Key.TR])
    assert state.replace([Key.TR, Key.EAST], {}) == {Control.EAST}
    assert state.replace([Key.EAST], {}) == frozenset()
    assert not state.is_down(Control.RIGHT_SHOULDER)


@pytest.mark.parametrize("control", BUTTON_CONTROLS)
def test_a_button_goes_down_and_up_once_whatever_serves_it(control):
    for served, low, high in (
        (KeyButton(0x2C5), 0, 1),
        (PressedWhen(Axis.RY, 100, above=True), 100, 101),
        (PressedWhen(Axis.RY, -5, above=False), -5, -6),
        (TriggerAxis(Axis.RY, 255, 0), 255, 0),
    ):
        state = PadState(PadMapping({control: served}), BINDINGS, [], {Axis.RY: low})

        def put(value, state=state, served=served):
            if isinstance(served, KeyButton):
                return state.set_key(served.code, pressed=value == 1)
            return state.set_axis(Axis.RY, value)

        assert not state.is_down(control)
        assert put(high) == (Change(control, pressed=True),)
        assert state.is_down(control)
        # A second press tells of a release that was lost; an axis cannot say it twice.
        again = (Change(control, pressed=True),) if isinstance(served, KeyButton) else ()
        assert put(high) == again
        assert put(low) == (Change(control, pressed=False),)
        assert not state.is_down(control)


def test_a_trigger_as_a_button_does_not_chatter():
    mapping = PadMapping({Control.LEFT_TRIGGER: TriggerAxis(Axis.Z, 0, 100)})
    state = PadState(mapping, BINDINGS, [], {Axis.Z: 0})
    assert state.set_axis(Axis.Z, 59) == ()
    assert state.set_axis(Axis.Z, 60) == (Change(Control.LEFT_TRIGGER, pressed=True),)
    assert state.set_axis(Axis.Z, 51) == ()
    assert state.set_axis(Axis.Z, 49) == (Change(Control.LEFT_TRIGGER, pressed=False),)
    assert state.set_axis(Axis.Z, 59) == ()


def test_what_nothing_serves_is_passed_over():
    state = state_of({})
    assert state.set_key(0x2FF, pressed=True) == ()
    assert state.set_axis(0x3F, 255) == ()
    assert state.controls().deflection == 0.0


def why_not(description) -> str:
    had = PadCapabilities(
        frozenset(description.keys),
        {code: AxisRange(axis.min, axis.max, axis.flat) for code, axis in description.axes.items()},
    )
    identity = PadIdentity(name=description.name)
    return why_not_gamepad(identity, had, GamepadConfig()) or why_cannot_drive(
        by_conventions(had), BINDINGS
    )


@pytest.mark.parametrize("description", [XBOX, PLAYSTATION])
def test_a_gamepad_is_one(description):
    assert why_not(description) == ""


@pytest.mark.parametrize("description", [KEYBOARD, MOTION_SENSORS, TOUCHPAD])
def test_what_is_no_gamepad_is_none(description):
    assert "BTN_SOUTH" in why_not(description)


@pytest.mark.parametrize("prop", [0x00, 0x01, 0x06])
def test_a_pointer_or_a_sensor_is_no_gamepad_whatever_its_buttons(prop):
    had = PadCapabilities(frozenset(XBOX.keys), dict.fromkeys(XBOX.axes, BYTE), frozenset({prop}))
    assert "pointer or a sensor" in why_not_gamepad(PadIdentity(), had, GamepadConfig())


def test_a_pad_without_a_stick_is_refused_by_name():
    had = PadCapabilities(frozenset(XBOX.keys), {Axis.X: BYTE})
    assert "ABS_X" in why_not_gamepad(PadIdentity(), had, GamepadConfig())


def test_a_pad_that_lacks_the_dead_man_or_what_drives_is_refused_with_what_to_bind():
    mapping = mapping_with({}, [Key.SOUTH, Key.TL])
    assert "no right shoulder to be the dead-man" in why_cannot_drive(mapping, BINDINGS)
    other = BindingsConfig(dead_man="left shoulder", turbo="right shoulder")
    assert why_cannot_drive(mapping, other) == ""
    no_stick = BindingsConfig(dead_man="left shoulder", turbo=None, drive=None)
    assert "to drive with" in why_cannot_drive(mapping, no_stick)
    buttons = BindingsConfig(dead_man="left shoulder", forward="south", reverse="south", drive=None)
    assert why_cannot_drive(mapping, buttons) == ""
