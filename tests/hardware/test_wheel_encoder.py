import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rover.hardware.wheel_encoder import SPEED_WINDOW_S, WheelEncoder

TICKS = 753.2
TOP_RAD_S = 21.0
# 753.2 counts a turn at 21 rad/s, twice as much for a wheel pushed downhill.
TOP_COUNTS_S = TICKS * TOP_RAD_S / math.tau


def encoder(*, inverted: bool = False) -> WheelEncoder:
    return WheelEncoder(TICKS, inverted=inverted, max_speed_rad_s=TOP_RAD_S)


def test_nothing_is_known_before_the_first_count():
    wheel = encoder()
    assert (wheel.position_rad, wheel.speed_rad_s, wheel.stamp_s) == (None, None, -math.inf)


def test_the_first_count_is_where_the_wheel_starts():
    wheel = encoder()
    assert wheel.update(123456, 10.0)
    assert (wheel.position_rad, wheel.speed_rad_s, wheel.stamp_s) == (0.0, None, 10.0)


def test_a_turn_forward_is_a_turn_backward_of_an_inverted_motor():
    for inverted, sign in ((False, 1.0), (True, -1.0)):
        wheel = encoder(inverted=inverted)
        wheel.update(0, 0.0)
        wheel.update(753, 1.0)
        assert wheel.position_rad == pytest.approx(sign * math.tau, rel=1e-3)


@given(
    st.integers(0, 0xFFFFFFFF),
    st.lists(st.integers(-int(TOP_COUNTS_S / 100), int(TOP_COUNTS_S / 100)), min_size=1),
)
def test_angles_add_up_over_any_wrap(start, steps):
    wheel = encoder()
    count, total = start, 0
    wheel.update(start, 0.0)
    for tick, step in enumerate(steps, start=1):
        count, total = (count + step) % 2**32, total + step
        assert wheel.update(count, tick * 0.01)
    assert wheel.position_rad == pytest.approx(total / TICKS * math.tau, abs=1e-9)


@pytest.mark.parametrize("period_s", [0.005, 0.01, 0.02])
def test_a_steady_speed_is_right_to_one_count_in_the_window(period_s):
    wheel = encoder()
    speed_rad_s = 7.0
    for tick in range(100):
        stamp_s = tick * period_s
        wheel.update(int(speed_rad_s * stamp_s / math.tau * TICKS), stamp_s)
    one_count_rad_s = math.tau / TICKS / SPEED_WINDOW_S
    assert wheel.speed_rad_s == pytest.approx(speed_rad_s, abs=one_count_rad_s)


def test_a_wheel_that_stopped_reads_zero_once_the_window_has_passed():
    wheel = encoder()
    for tick in range(20):
        wheel.update(tick * 20, tick * 0.01)
    assert wheel.speed_rad_s > 10.0
    for tick in range(20, 26):
        wheel.update(19 * 20, tick * 0.01)
    assert wheel.speed_rad_s == 0.0


def test_a_counter_that_was_reset_moves_no_wheel():
    wheel = encoder()
    wheel.update(1_000_000, 0.0)
    wheel.update(1_000_020, 0.01)
    before = wheel.position_rad
    assert not wheel.update(0, 0.02)
    assert wheel.position_rad == before
    assert wheel.speed_rad_s is None
    assert wheel.update(20, 0.03)
    assert wheel.position_rad == pytest.approx(before + 20 / TICKS * math.tau)
    assert wheel.speed_rad_s is None
    assert wheel.update(60, 0.05)
    assert wheel.speed_rad_s == pytest.approx(20 / TICKS * math.tau / 0.01)


def test_two_counts_within_a_millisecond_tell_no_speed():
    wheel = encoder()
    wheel.update(1000, 0.0)
    for stamp_s, count in ((0.001, 1000), (0.012, 1001)):
        wheel.update(count, stamp_s)
        assert wheel.speed_rad_s is None
    wheel.update(1002, 0.026)
    assert wheel.speed_rad_s == pytest.approx(2 / TICKS * math.tau / 0.026)


def test_forgetting_keeps_the_angle_and_starts_anew():
    wheel = encoder()
    wheel.update(0, 0.0)
    wheel.update(100, 0.1)
    before = wheel.position_rad
    wheel.forget()
    assert wheel.speed_rad_s is None
    assert wheel.update(5_000_000, 0.2)
    assert wheel.position_rad == before
    assert wheel.speed_rad_s is None


def test_no_mean_is_taken_across_a_gap():
    wheel = encoder()
    wheel.update(0, 0.0)
    wheel.update(10, 0.01)
    assert wheel.update(500, 1.0)
    assert wheel.position_rad == pytest.approx(500 / TICKS * math.tau)
    assert wheel.speed_rad_s is None


def test_the_controllers_own_speed():
    wheel = encoder(inverted=True)
    wheel.update(0, 0.0)
    wheel.set_speed(TICKS)
    assert wheel.speed_rad_s == pytest.approx(-math.tau)
