"""The feel of the sticks, and the motions they ask for."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from rover.config import StickConfig
from rover.errors import BadMessageError
from rover.messages import Arc, Crab, Motion, Spin, is_neutral
from rover.motion.sticks import (
    DriveMode,
    StickInput,
    StickLimits,
    motion_from_sticks,
    shape,
    tightest_at,
)
from tests.builders import osr_config

LIMITS = StickLimits(max_speed_mps=1.2, max_curvature_per_m=2.0, max_yaw_rate_rad_s=1.5)
STRAIGHT = StickConfig(deadband=0.0, expo=0.0, max_lateral_accel_mps2=100.0)

feels = st.builds(
    StickConfig,
    deadband=st.floats(0.0, 0.5),
    expo=st.floats(0.0, 1.0),
)
positions = st.floats(-1.0, 1.0)
finite = st.floats(allow_nan=False, allow_infinity=False)
modes = st.sampled_from(DriveMode)


def numbers(motion: Motion) -> list[float]:
    return [getattr(motion, name) for name in motion.__struct_fields__]


def is_negative_zero(value: float) -> bool:
    return value == 0.0 and math.copysign(1.0, value) < 0.0


@given(finite, feels)
def test_shape_stays_within_one_and_is_odd(value, feel):
    assert -1.0 <= shape(value, feel) <= 1.0
    assert shape(-value, feel) == -shape(value, feel)
    assert not is_negative_zero(shape(value, feel))


@given(positions, positions, feels)
def test_shape_never_falls(first, second, feel):
    low, high = sorted((first, second))
    assert shape(low, feel) <= shape(high, feel)


@given(positions, positions, feels)
def test_shape_has_no_jump(first, second, feel):
    # The derivative of the cubic part is at most 1 + 2 expo, and the deadband stretches it.
    steepest = (1.0 + 2.0 * feel.expo) / (1.0 - feel.deadband)
    change = abs(shape(first, feel) - shape(second, feel))
    assert change <= steepest * abs(first - second) + 1e-12


@given(feels, st.floats(0.0, 1.0))
def test_nothing_happens_within_the_deadband(feel, part):
    assert shape(part * feel.deadband, feel) == 0.0
    assert shape(-part * feel.deadband, feel) == 0.0


@given(feels, st.floats(1.0, 1e9))
def test_the_ends_and_beyond_are_exactly_one(feel, value):
    assert shape(value, feel) == 1.0
    assert shape(-value, feel) == -1.0


def test_the_feel_by_numbers():
    assert shape(0.5, STRAIGHT) == 0.5
    assert shape(0.5, StickConfig(deadband=0.0, expo=1.0)) == 0.125
    # 0.6 is halfway from 0.2 to 1; half straight, half cubic: (0.5 + 0.125) / 2.
    assert shape(0.6, StickConfig(deadband=0.2, expo=0.5)) == pytest.approx(0.3125)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_position_that_is_no_number_is_refused(value):
    with pytest.raises(BadMessageError, match="finite"):
        shape(value, StickConfig())
    for mode in DriveMode:
        with pytest.raises(BadMessageError, match="finite"):
            motion_from_sticks(StickInput(0.0, value, mode), StickConfig(), LIMITS)


def test_arc_is_speed_and_curvature():
    assert motion_from_sticks(StickInput(1.0, 0.5), STRAIGHT, LIMITS) == Arc(1.2, 1.0)
    assert motion_from_sticks(StickInput(0.5, -1.0), STRAIGHT, LIMITS) == Arc(0.6, -2.0)


@given(positions, positions, feels)
def test_steering_is_the_same_in_reverse_and_standing_still(drive, turn, feel):
    curvatures = {
        motion_from_sticks(StickInput(position, turn), feel, LIMITS).curvature_per_m
        for position in (drive, -drive)
    }
    assert len(curvatures) == 1
    # As fast as these limits are, the steering is not made gentler below this bound.
    unbound = structs.replace(feel, max_lateral_accel_mps2=3.0)
    curvatures = {
        motion_from_sticks(StickInput(position, turn), unbound, LIMITS).curvature_per_m
        for position in (drive, -drive, 0.0)
    }
    assert len(curvatures) == 1


def test_spin_turns_left_with_the_stick_to_the_left_and_does_not_drive():
    assert motion_from_sticks(StickInput(1.0, 1.0, DriveMode.SPIN), STRAIGHT, LIMITS) == Spin(1.5)
    assert motion_from_sticks(StickInput(0.0, -0.5, DriveMode.SPIN), STRAIGHT, LIMITS) == Spin(
        -0.75
    )


@pytest.mark.parametrize(
    ("drive", "turn", "speed_mps", "heading_rad"),
    [
        (1.0, 0.0, 1.2, 0.0),
        (-1.0, 0.0, -1.2, 0.0),
        (0.0, 1.0, 1.2, math.pi / 2),
        (0.0, -1.0, 1.2, -math.pi / 2),
        (0.3, 0.4, 0.6, math.atan2(4, 3)),
        (-0.3, 0.4, -0.6, -math.atan2(4, 3)),
        (1.0, 1.0, 1.2, math.pi / 4),
    ],
)
def test_crab_slides_where_the_stick_points(drive, turn, speed_mps, heading_rad):
    motion = motion_from_sticks(StickInput(drive, turn, DriveMode.CRAB), STRAIGHT, LIMITS)
    assert isinstance(motion, Crab)
    assert motion.speed_mps == pytest.approx(speed_mps)
    assert motion.heading_rad == pytest.approx(heading_rad)


@given(positions, positions, feels)
def test_crab_moves_along_the_stick_and_never_turns_past_a_right_angle(drive, turn, feel):
    motion = motion_from_sticks(StickInput(drive, turn, DriveMode.CRAB), feel, LIMITS)
    assert isinstance(motion, Crab)
    assert abs(motion.heading_rad) <= math.pi / 2
    # The velocity has no part against either axis of the stick.
    assert motion.speed_mps * math.cos(motion.heading_rad) * drive >= -1e-9
    assert motion.speed_mps * math.sin(motion.heading_rad) * turn >= -1e-9


@given(st.floats(-0.1, 0.1))
def test_a_trembling_thumb_slides_square_to_the_side(tremble):
    feel = StickConfig(deadband=0.1)
    motion = motion_from_sticks(StickInput(tremble, 1.0, DriveMode.CRAB), feel, LIMITS)
    assert motion == Crab(1.2, math.pi / 2)


@given(modes, feels, st.floats(-1.0, 1.0), st.floats(-1.0, 1.0))
def test_sticks_at_rest_are_exactly_neutral(mode, feel, drive_part, turn_part):
    sticks = StickInput(drive_part * feel.deadband, turn_part * feel.deadband, mode)
    motion = motion_from_sticks(sticks, feel, LIMITS)
    assert is_neutral(motion)
    assert numbers(motion) == [0.0] * len(numbers(motion))


@given(modes, feels, finite, finite)
def test_no_motion_is_beyond_the_limits_or_has_a_negative_zero(mode, feel, drive, turn):
    motion = motion_from_sticks(StickInput(drive, turn, mode), feel, LIMITS)
    assert not any(is_negative_zero(number) for number in numbers(motion))
    match motion:
        case Arc(speed_mps, curvature_per_m):
            assert abs(speed_mps) <= LIMITS.max_speed_mps
            assert abs(curvature_per_m) <= LIMITS.max_curvature_per_m
        case Spin(yaw_rate_rad_s):
            assert abs(yaw_rate_rad_s) <= LIMITS.max_yaw_rate_rad_s
        case Crab(speed_mps, heading_rad):
            assert abs(speed_mps) <= LIMITS.max_speed_mps
            assert abs(heading_rad) <= math.pi / 2


speeds = st.floats(0.0, 5.0)
bounds = st.floats(0.1, 50.0)
# What is smaller still is next to zero: something gentler may be zero.
_SMALLEST_PER_M = 1e-300


@given(positions, positions, feels, bounds, speeds)
def test_the_faster_the_gentler_the_steering(drive, turn, feel, bound_mps2, max_speed_mps):
    feel = structs.replace(feel, max_lateral_accel_mps2=bound_mps2)
    limits = structs.replace(LIMITS, max_speed_mps=max_speed_mps)
    motion = motion_from_sticks(StickInput(drive, turn), feel, limits)
    plain = shape(turn, feel) * limits.max_curvature_per_m
    # Gentler, to the same side, and straight only if the stick is.
    assert 0.0 <= motion.curvature_per_m * plain <= plain * plain
    if plain == 0.0 or abs(plain) > _SMALLEST_PER_M:
        assert (motion.curvature_per_m == 0.0) is (plain == 0.0)
    lateral_mps2 = motion.speed_mps**2 * abs(motion.curvature_per_m)
    assert lateral_mps2 <= bound_mps2 * (1.0 + 1e-9)


@given(speeds, speeds, bounds)
def test_the_tightest_circle_only_widens_with_speed_and_without_a_jump(first, second, bound_mps2):
    feel = StickConfig(max_lateral_accel_mps2=bound_mps2)
    low_mps, high_mps = sorted((first, second))
    at_low, at_high = tightest_at(low_mps, feel, 2.0), tightest_at(high_mps, feel, 2.0)
    assert 2.0 == tightest_at(0.0, feel, 2.0) >= at_low >= at_high > 0.0
    assert tightest_at(-high_mps, feel, 2.0) == at_high
    # Falling as the inverse square, it is steepest where it begins to fall.
    steepest = 2.0 * 2.0 / math.sqrt(bound_mps2 / 2.0)
    assert at_low - at_high <= steepest * (high_mps - low_mps) + 1e-9


def test_the_steering_is_as_tight_as_it_gets_up_to_the_speed_without_turbo():
    motion = osr_config().motion
    feel = osr_config().sticks
    tightest_per_m = motion.max_curvature_per_m
    assert tightest_at(motion.max_speed_mps, feel, tightest_per_m) == tightest_per_m
    assert tightest_at(motion.turbo_speed_mps, feel, tightest_per_m) == pytest.approx(2.5 / 2.25)
