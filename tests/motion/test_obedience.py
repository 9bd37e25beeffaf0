"""Wheels that do not do what they are told are found, and those that do are left alone."""

import math

import pytest

from rover.messages import WheelFeedback, WheelReading
from rover.motion.obedience import Obedience

TICK_S = 0.01


def told(commanded: float, measured: float | None, duration_s: float) -> bool:
    """Whether a wheel that goes on so for ``duration_s`` is found disobedient."""
    obedience = Obedience(2, 3.0)
    found: tuple[int, ...] = ()
    for n in range(round(duration_s / TICK_S) + 1):
        now_s = n * TICK_S
        went_rad = (measured or 0.0) * now_s
        readings = (WheelReading(now_s, now_s, 1.0), WheelReading(went_rad, now_s, measured))
        found = obedience.update((1.0, commanded), WheelFeedback(readings), now_s)
    assert 0 not in found
    return found == (1,)


@pytest.mark.parametrize(
    ("commanded", "measured"),
    [
        (13.0, 0.0),  # stalled
        (2.8, 0.0),  # its encoder is off: slow enough to hide within the tolerance
        (-0.6, 0.0),
        (0.0, 5.0),
        (10.0, 4.0),
    ],
)
def test_disobedience_is_found_within_a_second(commanded: float, measured: float) -> None:
    assert told(commanded, measured, 0.7)
    assert not told(commanded, measured, 0.5)


@pytest.mark.parametrize(
    ("commanded", "measured"),
    [(13.0, 12.0), (13.0, 7.0), (0.0, 0.0), (0.4, 0.2), (0.0, 2.5), (2.0, 0.6), (13.0, None)],
)
def test_load_lag_and_rounding_are_not(commanded: float, measured: float | None) -> None:
    assert not told(commanded, measured, 5.0)


def test_one_good_reading_starts_the_wait_anew() -> None:
    obedience = Obedience(1, 3.0)
    for n in range(300):
        measured = 13.0 if n % 50 == 0 else 0.0
        went_rad = 13.0 * 0.5 * (n // 50)
        feedback = WheelFeedback((WheelReading(went_rad, 0.0, measured),))
        assert obedience.update((13.0,), feedback, n * TICK_S) == ()


def after(
    commanded: float,
    measured: float,
    duration_s: float,
    *,
    current_a: float | None = 0.5,
    current_age_s: float = 0.05,
) -> bool:
    """Whether a wheel that turns and draws so, its angle following, is found disobedient."""
    obedience = Obedience(1, 3.0)
    for n in range(round(duration_s / TICK_S) + 1):
        now_s = 50.0 + n * TICK_S
        reading = WheelReading(
            measured * n * TICK_S, now_s, measured, current_a, now_s - current_age_s
        )
        found = obedience.update((commanded,), WheelFeedback((reading,)), now_s)
    return found == (0,)


@pytest.mark.parametrize("commanded", [13.0, -13.0, 1.0, 0.6])
def test_a_wheel_that_stands_and_draws_a_stalled_motors_current_is_found_sooner(
    commanded: float,
) -> None:
    assert after(commanded, 0.0, 0.45, current_a=4.0)
    assert after(commanded, 0.2 * commanded, 0.45, current_a=-4.0)
    assert not after(commanded, 0.0, 0.35, current_a=4.0)


@pytest.mark.parametrize(
    ("measured", "current_a", "current_age_s"),
    [(13.0, 8.0, 0.05), (5.0, 4.0, 0.05), (0.0, 2.9, 0.05), (0.0, None, 0.05), (0.0, 8.0, 0.4)],
)
def test_a_hill_a_start_and_an_old_current_are_no_stall(
    measured: float, current_a: float | None, current_age_s: float
) -> None:
    assert not after(13.0, measured, 0.5, current_a=current_a, current_age_s=current_age_s)


@pytest.mark.parametrize(("commanded", "measured"), [(13.0, -23.0), (-1.0, 3.5), (0.6, -3.1)])
def test_a_wheel_that_turns_the_wrong_way_is_found_sooner(
    commanded: float, measured: float
) -> None:
    assert after(commanded, measured, 0.35)
    assert not after(commanded, measured, 0.25)


@pytest.mark.parametrize(
    ("commanded", "longest_s"), [(0.5, 0.7), (0.25, 0.9), (0.1, 0.9), (0.05, 1.1), (-0.1, 0.9)]
)
def test_a_slow_wheel_that_does_not_move_is_found_within_about_a_second(
    commanded: float, longest_s: float
) -> None:
    assert after(commanded, 0.0, longest_s)
    assert not after(commanded, 0.0, 0.5 * longest_s)


@pytest.mark.parametrize("share", [1.0, 0.5, 0.3])
def test_a_slow_wheel_that_moves_at_all_is_left_alone(share: float) -> None:
    for commanded in (0.5, 0.1, -0.05):
        assert not after(commanded, share * commanded, 8.0)


@pytest.mark.parametrize("commanded", [0.06, 0.1, -0.4, 2.0])
@pytest.mark.parametrize("turned_s", [1.9, 2.3, 3.1])
def test_an_encoder_that_dies_while_its_wheel_turns_slowly_is_found_within_a_second(
    commanded: float, turned_s: float
) -> None:
    """Whatever the wheel has paid by then of what it owes."""
    obedience = Obedience(1, 3.0)
    count_rad = math.tau / 753
    for n in range(round((turned_s + 1.0) / TICK_S)):
        now_s = n * TICK_S
        position_rad = count_rad * int(commanded * min(now_s, turned_s) / count_rad)
        measured = commanded if now_s < turned_s else 0.0
        reading = WheelReading(position_rad, now_s, measured)
        found = obedience.update((commanded,), WheelFeedback((reading,)), now_s)
        assert not found or now_s > turned_s + 0.3
    assert found == (0,)


def test_a_wheel_told_to_and_fro_owes_nothing() -> None:
    obedience = Obedience(1, 3.0)
    for n in range(1000):
        commanded = 0.4 if n // 30 % 2 else -0.4
        reading = WheelReading(0.0, n * TICK_S, 0.0)
        assert obedience.update((commanded,), WheelFeedback((reading,)), n * TICK_S) == ()


def test_short_pushes_of_a_wheel_without_counts_are_added_up() -> None:
    obedience = Obedience(1, 3.0)
    found = False
    for n in range(200):
        commanded = 5.0 if n // 25 % 2 == 0 else 0.0
        reading = WheelReading(0.0, n * TICK_S, 0.0)
        found = found or obedience.update((commanded,), WheelFeedback((reading,)), n * TICK_S) == (
            0,
        )
    assert found


def test_a_wheel_that_was_rolled_back_while_it_stood_owes_nothing_for_that() -> None:
    obedience = Obedience(1, 3.0)
    position_rad = 0.0
    for n in range(300):
        speed_rad_s = -1.0 if n < 100 else 0.5
        position_rad += speed_rad_s * TICK_S
        reading = WheelReading(position_rad, n * TICK_S, speed_rad_s)
        commanded = 0.0 if n < 100 else 0.5
        assert obedience.update((commanded,), WheelFeedback((reading,)), n * TICK_S) == ()
