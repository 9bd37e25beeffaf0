"""The dead-man button: whatever happens, sticks count only under it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rover.gamepad.deadman import DeadMan
from rover.messages import Arc, Stop

AT_REST = Arc(0.0, 0.0)
FORWARD = Arc(1.0, 0.0)
SILENCE_S = 2.0


@pytest.fixture
def dead_man() -> DeadMan:
    return DeadMan(SILENCE_S, 0.0)


def test_nothing_without_a_press_with_the_sticks_at_rest(dead_man):
    assert dead_man.permit(AT_REST, 0.0) == AT_REST
    assert dead_man.permit(FORWARD, 0.0) is None
    dead_man.press(at_rest=False)
    assert dead_man.permit(FORWARD, 0.0) is None
    assert dead_man.waits_for_rest
    assert dead_man.permit(AT_REST, 0.0) == AT_REST
    assert dead_man.permit(FORWARD, 0.0) == FORWARD


def test_a_push_in_the_same_moment_as_the_press_counts(dead_man):
    dead_man.press(at_rest=True)
    assert dead_man.permit(FORWARD, 0.0) == FORWARD


def test_release_stops_once_and_then_the_sticks_must_rest(dead_man):
    dead_man.press(at_rest=True)
    dead_man.release()
    dead_man.press(at_rest=False)
    assert dead_man.permit(FORWARD, 0.0) == Stop("dead-man released")
    assert dead_man.permit(FORWARD, 0.0) is None
    assert dead_man.permit(AT_REST, 0.0) == AT_REST
    assert dead_man.permit(FORWARD, 0.0) == FORWARD


def test_a_release_without_a_press_is_nothing(dead_man):
    dead_man.release()
    assert dead_man.permit(FORWARD, 0.0) is None


def test_silence_counts_from_the_last_word(dead_man):
    dead_man.press(at_rest=True)
    dead_man.heard(1.0)
    assert dead_man.permit(FORWARD, 1.0 + SILENCE_S) == FORWARD
    stop = dead_man.permit(FORWARD, 1.1 + SILENCE_S)
    assert stop == Stop("gamepad silent for 2.1 s with a stick held")
    assert dead_man.silent
    assert dead_man.permit(FORWARD, 1.2 + SILENCE_S) is None


def test_after_a_silence_the_held_button_counts_no_more_though_the_sticks_rest(dead_man):
    dead_man.press(at_rest=True)
    dead_man.permit(FORWARD, 3.0)
    dead_man.heard(4.0)
    assert not dead_man.silent
    assert dead_man.permit(AT_REST, 4.0) == AT_REST
    assert dead_man.permit(FORWARD, 4.0) is None
    dead_man.release()
    dead_man.press(at_rest=False)
    assert dead_man.permit(FORWARD, 4.0) is None
    assert dead_man.permit(AT_REST, 4.0) == AT_REST
    assert dead_man.permit(FORWARD, 4.0) == FORWARD


def test_a_time_that_is_no_number_is_a_silence(dead_man):
    dead_man.press(at_rest=True)
    assert isinstance(dead_man.permit(FORWARD, math.nan), Stop)


happenings = st.lists(
    st.one_of(
        st.sampled_from(["press", "release", "heard", "rest", "push"]),
        st.floats(0.0, 3.0),
    ),
    max_size=40,
)


@given(happenings)
def test_no_motion_but_after_a_press_and_rest_under_it_on_a_pad_that_speaks(script):
    dead_man = DeadMan(SILENCE_S, 0.0)
    now_s = heard_s = 0.0
    # Whether the button is held, and the sticks have been at rest since it was pressed.
    held = rested = False
    asked = AT_REST
    for happening in script:
        match happening:
            case "press":
                held, rested = True, asked == AT_REST
                dead_man.press(at_rest=asked == AT_REST)
            case "release":
                held = False
                dead_man.release()
            case "heard":
                heard_s = now_s
                dead_man.heard(now_s)
            case "rest":
                asked, rested = AT_REST, True
            case "push":
                asked = FORWARD
            case float(pause_s):
                now_s += pause_s
        motion = dead_man.permit(asked, now_s)
        if motion == AT_REST:
            # Never invented: who listens takes it for sticks at rest.
            assert asked == AT_REST
        elif isinstance(motion, Stop):
            held = held and motion.reason == "dead-man released"
        elif motion is not None:
            assert motion == asked
            assert held
            assert rested
            assert now_s - heard_s <= SILENCE_S
