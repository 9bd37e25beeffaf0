"""Corners: led at a steady rate, and the wheels wait for them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from rover.config import Config
from rover.messages import Arc, Spin
from rover.motion.corners import Corners
from rover.motion.kinematics import Kinematics
from tests.builders import osr_config
from tests.motion.wheel_tables import Row, rover_of

TICK_S = 0.01
SLEW_RAD_S = 2.0
ALL_STRAIGHT = (0.0, 0.0, 0.0)


def tricycle() -> Config:
    """Return a rover with a fixed wheel and two corners, one of which steers by 60 degrees."""
    config = rover_of(
        Row(0.3, 0.2, (-50.0, 60.0)), Row(0.3, -0.2, (-40.0, 40.0)), Row(0.0, 0.0, None)
    )
    return structs.replace(config, steering=structs.replace(config.steering, slew_rad_s=SLEW_RAD_S))


def settled(config: Config) -> Corners:
    """Return corners that have been powered long enough to be straight for certain."""
    corners = Corners(config)
    straight = tuple(0.0 for _ in config.wheels)
    while corners.alignment(straight) < 1.0:
        corners.advance(straight, TICK_S)
    for _ in range(100):
        corners.advance(straight, TICK_S)
    return corners


def test_corners_turn_at_the_configured_rate_and_stop_at_their_targets():
    corners = settled(tricycle())
    target = (0.5, -0.03, 0.0)
    assert corners.advance(target, TICK_S) == pytest.approx((0.02, -0.02, 0.0))
    assert corners.advance(target, TICK_S) == pytest.approx((0.04, -0.03, 0.0))
    for _ in range(23):
        corners.advance(target, TICK_S)
    assert corners.angles_rad == pytest.approx(target)
    assert corners.advance(target, TICK_S) == pytest.approx(target)


@given(
    st.lists(st.tuples(st.floats(-0.7, 0.7), st.floats(-0.7, 0.7)), min_size=1, max_size=30),
    st.floats(0.0, 0.1),
)
def test_no_corner_moves_faster_than_the_rate_or_away_from_its_target(targets, elapsed_s):
    corners = Corners(tricycle())
    for left, right in targets:
        before = corners.angles_rad
        after = corners.advance((left, right, 0.0), elapsed_s)
        for was, now, target in zip(before, after, (left, right, 0.0), strict=True):
            assert abs(now - was) <= SLEW_RAD_S * elapsed_s + 1e-12
            assert min(was, target) - 1e-12 <= now <= max(was, target) + 1e-12


def test_fixed_wheels_are_left_out():
    corners = settled(tricycle())
    assert corners.advance((0.0, 0.0, 1.0), TICK_S)[2] == 0.0
    assert corners.alignment((0.0, 0.0, 1.0)) == 1.0


def test_late_ticks_are_not_caught_up_and_time_does_not_run_backwards():
    corners = settled(tricycle())
    assert corners.advance((0.8, 0.0, 0.0), 5.0)[0] == pytest.approx(SLEW_RAD_S * 0.1)
    assert corners.advance((0.8, 0.0, 0.0), -5.0)[0] == pytest.approx(SLEW_RAD_S * 0.1)


@pytest.mark.parametrize(
    ("astray_deg", "expected"),
    [(0.0, 1.0), (5.99, 1.0), (10.75, 0.84375), (15.5, 0.5), (25.01, 0.0), (60.0, 0.0)],
)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_alignment_falls_from_6_to_25_degrees(astray_deg, expected, sign):
    corners = settled(tricycle())
    target = (0.0, sign * math.radians(astray_deg), 0.0)
    assert corners.alignment(target) == pytest.approx(expected, abs=1e-9)


def test_alignment_is_that_of_the_worst_corner_and_has_no_steps():
    corners = settled(tricycle())
    last = 1.0
    for tenth_deg in range(300):
        worst = math.radians(tenth_deg / 10)
        alignment = corners.alignment((worst / 2, -worst, 0.0))
        assert alignment == corners.alignment((0.0, worst, 0.0))
        assert 0.0 <= last - alignment < 0.01
        last = alignment
    assert last == 0.0


def test_limp_corners_can_be_anywhere_so_the_wheels_wait_for_the_farthest():
    corners = settled(tricycle())
    corners.advance((0.3, 0.3, 0.0), TICK_S)
    corners.reset()
    assert corners.angles_rad == ALL_STRAIGHT
    assert corners.alignment(ALL_STRAIGHT) == 0.0
    # 60 degrees at 2 rad/s take 0.524 s, of which the last 6 degrees are 0.052 s.
    waited = 0
    while corners.alignment(ALL_STRAIGHT) < 1.0:
        corners.advance(ALL_STRAIGHT, TICK_S)
        waited += 1
    assert waited == math.ceil(math.radians(60.0 - 6.0) / (SLEW_RAD_S * TICK_S))


def test_a_rover_without_corners_never_waits():
    corners = Corners(rover_of(Row(0.0, 0.2, None), Row(0.0, -0.2, None)))
    assert corners.alignment((0.0, 0.0)) == 1.0
    assert corners.advance((0.0, 0.0), TICK_S) == (0.0, 0.0)


def test_between_an_arc_and_a_spin_the_wheels_wait_until_the_corners_have_come_round():
    config = osr_config()
    kinematics, corners = Kinematics(config), settled(config)
    arc = kinematics.targets(Arc(0.0, 2.0)).steer_rad
    spin = kinematics.targets(Spin(0.0)).steer_rad
    for _ in range(100):
        corners.advance(arc, TICK_S)
    assert corners.alignment(arc) == 1.0
    assert corners.alignment(spin) == 0.0
    ticks = 0
    while corners.alignment(spin) == 0.0:
        corners.advance(spin, TICK_S)
        ticks += 1
    farthest = max(abs(a - b) for a, b in zip(arc, spin, strict=True))
    assert ticks * TICK_S * config.steering.slew_rad_s >= farthest - math.radians(25.0)
    assert ticks * TICK_S < 0.6
