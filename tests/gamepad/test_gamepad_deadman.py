"""The dead-man button: whatever happens, sticks count only under it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rover.gamepad.deadman import DeadMan
from rover.messages import Arc, Motion, Stop, is_neutral

AT_REST = Arc(0.0, 0.0)
FORWARD = Arc(1.0, 0.0)
SILENCE_S = 2.0


def permit(dead_man: DeadMan, asked: Motion, now_s: float) -> Motion | None:
    """What it permits if nothing is deflected but what asks."""
    return dead_man.permit(asked, now_s, deflected=not is_neutral(asked))


@pytest.fixture
def dead_man() -> DeadMan:
    """One whose sticks have been seen at rest."""
    fresh = DeadMan(SILENCE_S, 0.0)
    assert permit(fresh, AT_REST, 0.0) == AT_REST
    return fresh


def test_nothing_without_a_press_with_the_sticks_at_rest(dead_man):
    assert permit(dead_man, AT_REST, 0.0) == AT_REST
    assert permit(dead_man, FORWARD, 0.0) is None
    dead_man.press(at_rest=False)
    assert permit(dead_man, FORWARD, 0.0) is None
    assert dead_man.waits_for_rest
    assert permit(dead_man, AT_REST, 0.0) == AT_REST
    assert permit(dead_man, FORWARD, 0.0) == FORWARD


def test_a_push_in_the_same_moment_as_the_press_counts(dead_man):
    dead_man.press(at_rest=True)
    assert permit(dead_man, FORWARD, 0.0) == FORWARD


def test_release_stops_once_and_then_the_sticks_must_rest(dead_man):
    dead_man.press(at_rest=True)
    dead_man.release()
    dead_man.press(at_rest=False)
    assert permit(dead_man, FORWARD, 0.0) == Stop("dead-man released")
    assert permit(dead_man, FORWARD, 0.0) is None
    assert permit(dead_man, AT_REST, 0.0) == AT_REST
    assert permit(dead_man, FORWARD, 0.0) == FORWARD


def test_sticks_at_rest_at_the_moment_of_a_stop_have_to_be_told_after_it(dead_man):
    dead_man.press(at_rest=True)
    dead_man.release()
    dead_man.press(at_rest=True)
    assert permit(dead_man, AT_REST, 0.0) == Stop("dead-man released")
    dead_man.release()
    assert permit(dead_man, AT_REST, 0.0) == Stop("dead-man released")
    dead_man.press(at_rest=True)
    assert permit(dead_man, FORWARD, 0.0) is None


def test_a_pad_that_just_appeared_is_seen_at_rest_before_a_press_counts():
    fresh = DeadMan(SILENCE_S, 0.0)
    fresh.press(at_rest=True)
    assert permit(fresh, FORWARD, 0.0) is None


def test_rest_before_the_press_counts_only_if_it_lasts_until_then(dead_man):
    assert permit(dead_man, FORWARD, 0.0) is None
    dead_man.press(at_rest=True)
    assert permit(dead_man, FORWARD, 0.0) is None
    assert dead_man.waits_for_rest


def test_what_means_nothing_now_is_not_at_rest_but_stops_nothing(dead_man):
    dead_man.press(at_rest=False)
    assert dead_man.permit(AT_REST, 0.0, deflected=True) is None
    assert dead_man.waits_for_rest
    assert dead_man.permit(AT_REST, 0.0, deflected=False) == AT_REST
    assert dead_man.permit(AT_REST, 0.0, deflected=True) == AT_REST
    assert dead_man.permit(AT_REST, SILENCE_S + 1.0, deflected=True) == AT_REST


def test_a_second_press_tells_of_a_release_that_was_lost(dead_man):
    dead_man.press(at_rest=True)
    assert permit(dead_man, FORWARD, 0.0) == FORWARD
    dead_man.press(at_rest=False)
    assert permit(dead_man, FORWARD, 0.0) == Stop("dead-man released")
    assert permit(dead_man, FORWARD, 0.0) is None


def test_what_asks_for_motion_is_not_at_rest_though_nothing_is_called_deflected(dead_man):
    assert dead_man.permit(FORWARD, 0.0, deflected=False) is None


def test_a_release_without_a_press_is_nothing(dead_man):
    dead_man.release()
    assert permit(dead_man, FORWARD, 0.0) is None


def test_silence_counts_from_the_last_word(dead_man):
    dead_man.press(at_rest=True)
    dead_man.heard(1.0)
    assert permit(dead_man, FORWARD, 1.0 + SILENCE_S) == FORWARD
    stop = permit(dead_man, FORWARD, 1.1 + SILENCE_S)
    assert stop == Stop("gamepad silent for 2.1 s with a stick held")
    assert dead_man.silent
    assert permit(dead_man, FORWARD, 1.2 + SILENCE_S) is None


def test_after_a_silence_the_held_button_counts_no_more_though_the_sticks_rest(dead_man):
    dead_man.press(at_rest=True)
    permit(dead_man, FORWARD, 3.0)
    dead_man.heard(4.0)
    assert not dead_man.silent
    assert permit(dead_man, AT_REST, 4.0) == AT_REST
    assert permit(dead_man, FORWARD, 4.0) is None
    dead_man.release()
    dead_man.press(at_rest=False)
    assert permit(dead_man, FORWARD, 4.0) is None
    assert permit(dead_man, AT_REST, 4.0) == AT_REST
    assert permit(dead_man, FORWARD, 4.0) == FORWARD


def test_a_time_that_is_no_number_is_a_silence(dead_man):
    dead_man.press(at_rest=True)
    assert isinstance(permit(dead_man, FORWARD, math.nan), Stop)


happenings = st.lists(
    st.one_of(
        st.sampled_from(["press", "release", "heard", "rest", "push", "push what means nothing"]),
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
    asked, deflected = AT_REST, False
    before: Motion | None = AT_REST
    for happening in script:
        match happening:
            case "press":
                held, rested = True, rested and not deflected
                dead_man.press(at_rest=not deflected)
            case "release":
                held = False
                dead_man.release()
            case "heard":
                heard_s = now_s
                dead_man.heard(now_s)
            case "rest":
                asked, deflected = AT_REST, False
            case "push":
                asked, deflected = FORWARD, True
            case "push what means nothing":
                asked, deflected = AT_REST, True
            case float(pause_s):
                now_s += pause_s
        motion = dead_man.permit(asked, now_s, deflected=deflected)
        stopped = isinstance(motion, Stop)
        held = held and not (stopped and "silent" in motion.reason)
        rested = not stopped and (rested or not deflected)
        # Motion ends with a Stop or at rest, never by falling silent.
        assert motion is not None or before != FORWARD
        if motion == AT_REST:
            # Never invented: who listens takes it for sticks at rest.
            assert asked == AT_REST
            assert not deflected or (held and rested)
        elif motion == FORWARD:
            assert asked == FORWARD
            assert held
            assert rested
            assert now_s - heard_s <= SILENCE_S
        before = motion
