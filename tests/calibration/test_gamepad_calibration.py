"""Calibrating a pad: whatever the pad is like, what is found is what it is."""

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from calibration.findings import pad_config
from rover.config import GamepadConfig
from rover.config.input_codes import PressedWhen
from rover.config.pad_checks import gamepad_contradictions
from rover.gamepad.codes import STICK_CONTROLS, Axis, Control
from rover.gamepad.exceptions import PadIdentity
from rover.gamepad.mapping import (
    KeyButton,
    PadCapabilities,
    StickAxis,
    TriggerAxis,
    mapping_of,
)
from tests.calibration.awful_pad import AwfulAxis, AwfulPad, Person

DEV = (Phase.explicit, Phase.generate)
TRIGGERS = (Control.LEFT_TRIGGER, Control.RIGHT_TRIGGER)
BUTTONS = (
    Control.RIGHT_SHOULDER,
    Control.LEFT_SHOULDER,
    Control.SOUTH,
    Control.EAST,
    Control.WEST,
    Control.NORTH,
    Control.START,
    Control.SELECT,
    Control.LEFT_STICK_PRESS,
    Control.RIGHT_STICK_PRESS,
)
D_PAD = {
    Control.D_PAD_UP: (Axis.HAT0Y, -1),
    Control.D_PAD_DOWN: (Axis.HAT0Y, 1),
    Control.D_PAD_LEFT: (Axis.HAT0X, -1),
    Control.D_PAD_RIGHT: (Axis.HAT0X, 1),
}
RANGES = ((-32768, 32767), (0, 255), (0, 65535), (-127, 127), (0, 1023))


@st.composite
def sticks(draw, code: int) -> AwfulAxis:
    """An axis of a stick: anywhere between well used and worn out."""
    minimum, maximum = draw(st.sampled_from(RANGES))
    way = maximum - minimum
    rest = minimum + way * draw(st.floats(0.36, 0.64))
    low = minimum + way * draw(st.floats(0.0, 0.04))
    high = maximum - way * draw(st.floats(0.0, 0.04))
    ends = (low, high) if draw(st.booleans()) else (high, low)
    noise = way * draw(st.sampled_from((0.0, 0.002, 0.015)))
    drift = draw(st.sampled_from((-1.0, 0.0, 1.0))) * way * 0.0004
    return AwfulAxis(
        code, minimum, maximum, rest, *ends, noise=noise, drift_per_s=drift, most_drift=way * 0.03
    )


@st.composite
def triggers(draw, code: int) -> AwfulAxis:
    """A trigger that rests at either end of its range or in the middle, maybe without saying."""
    minimum, maximum = draw(st.sampled_from(RANGES))
    middle = (minimum + maximum) // 2
    rest = draw(st.sampled_from((minimum, middle, maximum)))
    pulled = maximum if rest == minimum else minimum
    if rest == middle and draw(st.booleans()):
        pulled = maximum
    untold = draw(st.sampled_from((None, middle)))
    noise = (maximum - minimum) * draw(st.sampled_from((0.0, 0.01)))
    return AwfulAxis(code, minimum, maximum, rest, pulled, noise=noise, untold=untold)


@st.composite
def pads(draw) -> AwfulPad:
    codes = iter(draw(st.permutations([0, 1, 2, 3, 4, 5, 9, 10])))
    keys = iter(draw(st.permutations(range(0x120, 0x13F))))
    axes = {control: draw(sticks(next(codes))) for control in STICK_CONTROLS}
    buttons = {control: next(keys) for control in BUTTONS}
    companions = {}
    for control in TRIGGERS:
        if draw(st.booleans()):
            axes[control] = draw(triggers(next(codes)))
            if draw(st.booleans()):
                companions[control] = next(keys)
        else:
            buttons[control] = next(keys)
    hats = D_PAD if draw(st.booleans()) else {}
    if not hats:
        buttons |= {control: next(keys) for control in D_PAD}
    return AwfulPad(
        axes,
        buttons,
        dict(hats),
        companions,
        sideways=draw(st.sampled_from((0.0, -0.4, 0.4))),
        seed=draw(st.integers(0, 99)),
    )


def calibrated(pad: AwfulPad) -> Person:
    person = Person(pad)
    person.calibrate()
    return person


def check_stick(found: StickAxis, truth: AwfulAxis) -> None:
    """A stick is found with errors no greater than its own noise and drift, and a step."""
    way = truth.maximum - truth.minimum
    slack = 2 * truth.noise + 0.02 * way + 1.0
    drift = truth.most_drift if truth.drift_per_s else 0.0
    assert found.code == truth.code
    assert found.inverted is (truth.first > truth.rest)
    assert abs(found.centre - truth.rest) <= slack + drift
    low, high = sorted((truth.first, truth.second))
    assert low - drift - 1 <= found.minimum <= low + drift + slack
    assert high - drift - slack <= found.maximum <= high + drift + 1
    # A stick at rest does nothing, and one at its end is there, wherever its noise takes it.
    assert truth.noise * 0.7 <= found.deadband <= slack + drift
    for noise in (-truth.noise, 0.0, truth.noise):
        assert found.position(round(truth.rest + 0.7 * noise)) == 0.0
    if not drift:
        assert found.position(round(truth.first)) == -1.0
        assert found.position(round(truth.second)) == 1.0


def check_trigger(found: TriggerAxis, truth: AwfulAxis) -> None:
    slack = 2 * truth.noise + 0.02 * (truth.maximum - truth.minimum) + 1.0
    assert found.code == truth.code
    assert abs(found.rest - truth.rest) <= slack
    assert abs(found.pulled - truth.first) <= slack
    assert found.position(round(truth.rest)) == 0.0
    assert found.position(round(truth.first)) == 1.0


# Each example is a whole calibration, a minute of a person's time. Shrinking one takes minutes.
@settings(max_examples=25, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(pads())
def test_what_is_found_is_what_the_pad_is(pad):
    person = calibrated(pad)
    found = person.calibration.found
    for control, truth in pad.axes.items():
        if control in STICK_CONTROLS:
            check_stick(found[control], truth)
        else:
            check_trigger(found[control], truth)
    for control, code in pad.buttons.items():
        assert found[control] == KeyButton(code)
    for control, (axis, sign) in pad.hats.items():
        assert found[control] == PressedWhen(axis, 0, sign > 0)
    assert person.skipped == []
    assert person.calibration.restless == frozenset()
    # And the configuration keeps it so.
    identity = PadIdentity(vendor=1, product=2)
    config = GamepadConfig(pads={identity.key: pad_config(found)})
    assert list(gamepad_contradictions(config)) == []
    keys = frozenset([*pad.buttons.values(), *pad.companions.values()])
    capabilities = PadCapabilities(keys, person.ranges)
    assert mapping_of(capabilities, identity, config).controls == found


def test_two_triggers_may_share_an_axis_each_with_a_side_of_its_own():
    # As one HID axis for both, with the rest in the middle, is how older pads have them.
    axes = {
        Control.RIGHT_TRIGGER: AwfulAxis(2, 0, 255, 128, 0),
        Control.LEFT_TRIGGER: AwfulAxis(2, 0, 255, 128, 255),
    }
    found = calibrated(AwfulPad(axes, {Control.SOUTH: 0x130})).calibration.found
    assert found[Control.RIGHT_TRIGGER].pulled == 0
    assert found[Control.LEFT_TRIGGER].pulled == 255
    for control, raw in ((Control.RIGHT_TRIGGER, 0), (Control.LEFT_TRIGGER, 255)):
        other = set(axes) - {control}
        assert found[control].position(raw) == 1.0
        assert found[other.pop()].position(raw) == 0.0


def test_one_trigger_pulled_twice_is_not_two():
    axes = {
        Control.RIGHT_TRIGGER: AwfulAxis(2, 0, 255, 0, 255),
        Control.LEFT_TRIGGER: AwfulAxis(2, 0, 255, 0, 255),
    }
    person = Person(AwfulPad(axes, {Control.SOUTH: 0x130}))
    with pytest.raises(AssertionError, match="right trigger already"):
        person.calibrate(patience_s=30.0)
    assert Control.LEFT_TRIGGER not in person.calibration.found


def test_a_trigger_that_rests_between_its_ends_rests_there():
    axes = {Control.RIGHT_TRIGGER: AwfulAxis(2, -127, 127, -60, 127)}
    person = Person(AwfulPad(axes, {Control.SOUTH: 0x130}))
    person.calibrate()
    found = person.calibration.found[Control.RIGHT_TRIGGER]
    assert found.rest == pytest.approx(-60, abs=2)
