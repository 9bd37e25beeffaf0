"""Wheels that do not do what they are told are found, and those that do are left alone."""

import pytest

from rover.messages import WheelFeedback, WheelReading
from rover.motion.obedience import Obedience

TICK_S = 0.01


def told(commanded: float, measured: float | None, duration_s: float) -> bool:
    """Whether a wheel that goes on so for ``duration_s`` is found disobedient."""
    obedience = Obedience(2)
    found: tuple[int, ...] = ()
    for n in range(round(duration_s / TICK_S) + 1):
        readings = (WheelReading(0.0, 0.0, 1.0), WheelReading(0.0, 0.0, measured))
        found = obedience.update((1.0, commanded), WheelFeedback(readings), n * TICK_S)
    assert 0 not in found
    return found == (1,)


@pytest.mark.parametrize(
    ("commanded", "measured"),
    [
        (13.0, 0.0),  # stalled
        (2.8, 0.0),  # its encoder is off: slow enough to hide within the tolerance
        (-0.6, 0.0),
        (2.0, -8.0),  # swapped leads: it runs away
        (0.0, 5.0),
        (10.0, 4.0),
    ],
)
def test_disobedience_is_found_within_a_second(commanded: float, measured: float) -> None:
    assert told(commanded, measured, 0.7)
    assert not told(commanded, measured, 0.5)


@pytest.mark.parametrize(
    ("commanded", "measured"),
    [(13.0, 12.0), (13.0, 7.0), (0.0, 0.0), (0.4, 0.0), (0.0, 2.5), (2.0, 0.2), (13.0, None)],
)
def test_load_lag_and_rounding_are_not(commanded: float, measured: float | None) -> None:
    assert not told(commanded, measured, 5.0)


def test_one_good_reading_starts_the_wait_anew() -> None:
    obedience = Obedience(1)
    for n in range(300):
        measured = 13.0 if n % 50 == 0 else 0.0
        feedback = WheelFeedback((WheelReading(0.0, 0.0, measured),))
        assert obedience.update((13.0,), feedback, n * TICK_S) == ()
