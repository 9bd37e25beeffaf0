"""Codes, ranges and what they mean, without any device."""

import evdev.ecodes
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rover.gamepad import layout as gamepad_layout
from rover.gamepad.layout import (
    Axis,
    AxisRange,
    Key,
    PadState,
    layout_of,
    why_not_gamepad,
)
from tests.gamepad.pads import KEYBOARD, MOTION_SENSORS, PLAYSTATION, TOUCHPAD, XBOX

BYTE = AxisRange(0, 255)
SIGNED = AxisRange(-32768, 32767, 128)
FULL = AxisRange(-32768, 32767)
ranges = st.tuples(st.integers(-40_000, 40_000), st.integers(1, 80_000), st.integers(0, 9_000)).map(
    lambda args: AxisRange(args[0], args[0] + args[1], args[2])
)


def state_of(axes: dict[Axis, AxisRange], keys=(), values=None) -> PadState:
    everything = {Axis.X: BYTE, Axis.Y: BYTE} | axes
    at_rest = {axis: (r.minimum + r.maximum) // 2 for axis, r in everything.items()}
    return PadState(layout_of(everything), keys, at_rest | (values or {}))


def test_the_codes_are_those_of_the_kernels_header():
    for key in Key:
        assert getattr(evdev.ecodes, f"BTN_{key.name}") == key
    for axis in Axis:
        assert getattr(evdev.ecodes, f"ABS_{axis.name}") == axis
    for name in ("EV_SYN", "EV_KEY", "EV_ABS", "SYN_REPORT", "SYN_DROPPED"):
        assert getattr(gamepad_layout, name) == getattr(evdev.ecodes, name)


@given(ranges)
def test_the_ends_of_a_stick_are_exactly_one(axis):
    assert axis.centred(axis.minimum) == -1.0
    assert axis.centred(axis.maximum) == 1.0
    assert axis.centred(axis.minimum - 5) == -1.0
    assert axis.centred(axis.maximum + 5) == 1.0


@given(ranges, st.integers(-50_000, 130_000), st.integers(-50_000, 130_000))
def test_a_stick_never_runs_backwards(axis, first, second):
    low, high = sorted((first, second))
    assert axis.centred(low) <= axis.centred(high)
    assert axis.pulled(low) <= axis.pulled(high)


@pytest.mark.parametrize(
    ("axis", "raw"),
    [(BYTE, 127), (BYTE, 128), (FULL, 0), (FULL, -1), (SIGNED, 120), (SIGNED, -120)],
)
def test_a_stick_in_the_middle_is_exactly_at_zero(axis, raw):
    assert axis.centred(raw) == 0.0


def test_a_driver_cannot_declare_the_whole_stick_flat():
    assert AxisRange(-100, 100, 100).centred(60) > 0.4


def test_a_trigger_rests_at_its_minimum():
    assert BYTE.pulled(0) == 0.0
    assert BYTE.pulled(51) == 0.2
    assert BYTE.pulled(255) == 1.0
    assert SIGNED.pulled(-32768) == 0.0


def test_an_axis_without_a_range_says_nothing():
    assert AxisRange(0, 0).centred(7) == 0.0
    assert AxisRange(0, 0).pulled(7) == 0.0


@pytest.mark.parametrize(
    ("axes", "turn", "forward", "reverse"),
    [
        ([Axis.RX, Axis.RY, Axis.Z, Axis.RZ], Axis.RX, Axis.RZ, Axis.Z),
        ([Axis.RX, Axis.RY, Axis.HAT2X, Axis.HAT2Y], Axis.RX, Axis.HAT2X, Axis.HAT2Y),
        ([Axis.Z, Axis.RZ, Axis.GAS, Axis.BRAKE], Axis.Z, Axis.GAS, Axis.BRAKE),
        ([Axis.Z, Axis.RZ], Axis.Z, None, None),
        ([Axis.RX, Axis.RY], Axis.RX, None, None),
        ([], Axis.X, None, None),
    ],
)
def test_the_right_stick_and_the_triggers_are_told_apart(axes, turn, forward, reverse):
    layout = layout_of(dict.fromkeys([Axis.X, Axis.Y, *axes], BYTE))
    assert (layout.turn, layout.forward, layout.reverse) == (turn, forward, reverse)


def test_sticks_up_and_left_are_positive():
    state = state_of({Axis.RX: BYTE}, values={Axis.X: 0, Axis.Y: 0, Axis.RX: 0})
    controls = state.controls()
    assert (controls.drive, controls.turn, controls.slide) == (1.0, 1.0, 1.0)


def test_a_trigger_counts_only_after_it_has_moved():
    # The middle of a signed range is what some drivers report until the first event.
    state = state_of({Axis.RX: BYTE, Axis.Z: FULL, Axis.RZ: FULL}, values={Axis.RZ: 0, Axis.Z: 0})
    assert state.controls().drive == 0.0
    state.set_axis(Axis.RZ, 32767)
    assert state.controls().drive == 1.0
    state.set_axis(Axis.RZ, -32768)
    assert state.controls().drive == 0.0


def test_a_trigger_that_moved_unseen_counts():
    state = state_of({Axis.RX: BYTE, Axis.Z: FULL, Axis.RZ: FULL}, values={Axis.RZ: 0, Axis.Z: 0})
    state.replace([], {Axis.RZ: 32767, Axis.Z: 0})
    assert state.controls().drive == 1.0


def test_triggers_that_are_buttons_drive_at_full():
    assert state_of({Axis.RX: BYTE}, keys=[Key.TR2]).controls().drive == 1.0
    assert state_of({Axis.RX: BYTE}, keys=[Key.TL2]).controls().drive == -1.0


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


@pytest.mark.parametrize(
    ("keys", "hat", "spin"),
    [
        ([], -1, 1.0),
        ([], 1, -1.0),
        ([], 0, 0.0),
        ([Key.DPAD_LEFT], 0, 1.0),
        ([Key.DPAD_RIGHT], 0, -1.0),
        ([Key.DPAD_LEFT], -1, 1.0),
        ([Key.DPAD_LEFT, Key.DPAD_RIGHT], 0, 0.0),
    ],
)
def test_the_d_pad_spins_as_axis_or_as_buttons(keys, hat, spin):
    state = state_of({Axis.HAT0X: AxisRange(-1, 1)}, keys=keys, values={Axis.HAT0X: hat})
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
    assert state.replace([Key.TR, Key.EAST], {}) == {Key.EAST}
    assert state.replace([Key.EAST], {}) == frozenset()
    assert not state.is_down(Key.TR)


@pytest.mark.parametrize("description", [XBOX, PLAYSTATION])
def test_a_gamepad_is_one(description):
    assert why_not_gamepad(description.keys, description.axes) == ""


@pytest.mark.parametrize("description", [KEYBOARD, MOTION_SENSORS, TOUCHPAD])
def test_what_is_no_gamepad_is_none(description):
    assert "BTN_SOUTH" in why_not_gamepad(description.keys, description.axes)


def test_a_pad_without_stick_or_dead_man_is_refused_by_name():
    assert "ABS_X" in why_not_gamepad(XBOX.keys, {Axis.X: 0})
    assert "BTN_TR" in why_not_gamepad([Key.SOUTH], XBOX.axes)
