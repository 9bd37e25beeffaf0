"""The dead-man button: whatever happens, sticks count only under it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rover.gamepad.deadman import AT_REST, DeadMan
from rover.messages import Arc, Stop, is_neutral

FORWARD = Arc(1.0, 0.0)
SILENCE_S = 2.0


@pytest.fixture
def dead_man() -> DeadMan:
    """One whose sticks have been seen at rest."""
    fresh = DeadMan(SILENCE_S, 0.0)
    assert fresh.permit(AT_REST, 0.0) == AT_REST
    return fresh


def test_nothing_without_a_press(dead_man):
    assert dead_man.permit(FORWARD, 0.0) == AT_REST
    dead_man.press()
    assert dead_man.permit(FORWARD, 0.0) == FORWARD


def test_release_stops_once_and_a_command_at_rest_follows(dead_man):
    dead_man.press()
    dead_man.release()
    dead_man.press()
    assert dead_man.permit(FORWARD, 0.0) == Stop("dead-man released")
    assert dead_man.permit(FORWARD, 0.0) == AT_REST
    assert dead_man.permit(FORWARD, 0.0) == FORWARD


def test_a_release_without_a_press_is_nothing(dead_man):
    dead_man.release()
    assert dead_man.permit(FORWARD, 0.0) == AT_REST


def test_silence_counts_from_the_last_word(dead_man):
    dead_man.press()
    dead_man.heard(1.0)
    assert dead_man.permit(FORWARD, 1.0 + SILENCE_S) == FORWARD
    stop = dead_man.permit(FORWARD, 1.1 + SILENCE_S)
    assert stop == Stop("gamepad silent for 2.1 s with a stick held")
    assert dead_man.silent
    assert dead_man.heard_s == 1.0


def test_after_a_silence_a_press_alone_is_not_enough(dead_man):
    dead_man.press()
    dead_man.permit(FORWARD, 3.0)
    dead_man.heard(4.0)
    assert not dead_man.silent
    dead_man.release()
    dead_man.press()
    assert dead_man.permit(FORWARD, 4.0) == AT_REST
    assert dead_man.permit(FORWARD, 4.0) == AT_REST
    assert dead_man.waits_for_rest
    assert dead_man.permit(AT_REST, 4.0) == AT_REST
    assert dead_man.permit(FORWARD, 4.0) == FORWARD


def test_a_time_that_is_no_number_is_a_silence(dead_man):
    dead_man.press()
    assert isinstance(dead_man.permit(FORWARD, math.nan), Stop)


happenings = st.lists(
    st.one_of(
        st.sampled_from(["press", "release", "heard", "rest", "push"]),
        st.floats(0.0, 3.0),
    ),
    max_size=40,
)


@given(happenings)
def test_no_motion_without_a_held_button_that_was_pressed_and_a_pad_that_speaks(script):
    dead_man = DeadMan(SILENCE_S, 0.0)
    now_s = heard_s = 0.0
    held = False
    after_stop = False
    asked = AT_REST
    for happening in script:
        match happening:
            case "press":
                held = True
                dead_man.press()
            case "release":
                held = False
                dead_man.release()
            case "heard":
                heard_s = now_s
                dead_man.heard(now_s)
            case "rest":
                asked = AT_REST
            case "push":
                asked = FORWARD
            case float(pause_s):
                now_s += pause_s
        motion = dead_man.permit(asked, now_s)
        if not is_neutral(motion):
            assert motion == asked
            assert held
            assert now_s - heard_s <= SILENCE_S
            assert not after_stop
        after_stop = isinstance(motion, Stop)
