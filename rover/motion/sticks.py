"""From sticks to a motion: deadband, expo and limits, the same for gamepad and phone."""

import math
from enum import StrEnum

from msgspec import Struct

from rover.config import StickConfig
from rover.errors import BadMessageError
from rover.messages import Arc, Crab, Motion, Spin


class DriveMode(StrEnum):
    """What the sticks mean."""

    ARC = "arc"
    SPIN = "spin"
    CRAB = "crab"


class StickInput(Struct, frozen=True):
    """Where a person holds the sticks, each within -1 to 1, before any shaping.

    ``drive`` is positive forward, ``turn`` positive to the left; in CRAB the two are the
    forward and sideways parts of one stick.
    """

    drive: float
    turn: float
    mode: DriveMode = DriveMode.ARC


class StickLimits(Struct, frozen=True):
    """What a stick at its end asks for; all positive."""

    max_speed_mps: float
    max_curvature_per_m: float
    max_yaw_rate_rad_s: float


def shape(value: float, feel: StickConfig) -> float:
    """Return what the stick position ``value`` (-1 to 1) asks for, in the same range.

    Nothing within the deadband, growing from zero at its edge to exactly 1 at the end, by a
    mix of straight and cubic that ``feel.expo`` sets. Odd, continuous and never falling;
    positions beyond the ends count as the ends. Raises BadMessageError if ``value`` is not
    finite.
    """
    return _expo(_beyond_deadband(value, feel.deadband), feel.expo)


def motion_from_sticks(sticks: StickInput, feel: StickConfig, limits: StickLimits) -> Motion:
    """Return the motion that the sticks ask for; sticks at rest give a neutral one.

    ARC: ``drive`` is the speed and ``turn`` the curvature. Curvature is steering, not yaw
    rate: the front wheels follow the stick in reverse and standing still too. The faster, the
    gentler: see ``tightest_at``.
    SPIN: ``turn`` is the yaw rate and ``drive`` means nothing.
    CRAB: the stick's direction is the heading and its distance the speed. The heading stays
    within +-pi/2 and the speed turns negative behind it, so that pulling the stick straight
    back reverses instead of swinging the heading round.

    Raises BadMessageError if a stick's position is not finite.
    """
    match sticks.mode:
        case DriveMode.ARC:
            speed_mps = shape(sticks.drive, feel) * limits.max_speed_mps
            most_per_m = tightest_at(speed_mps, feel, limits.max_curvature_per_m)
            return Arc(speed_mps, shape(sticks.turn, feel) * most_per_m)
        case DriveMode.SPIN:
            return Spin(shape(sticks.turn, feel) * limits.max_yaw_rate_rad_s)
        case DriveMode.CRAB:
            return _crab(sticks, feel, limits.max_speed_mps)


def tightest_at(speed_mps: float, feel: StickConfig, max_curvature_per_m: float) -> float:
    """Return the curvature that a stick at its end asks for at this speed, in 1/m, positive.

    It is ``max_curvature_per_m`` as long as that pulls sideways by no more than
    ``feel.max_lateral_accel_mps2``, and less beyond: never zero, continuous, falling with speed.
    """
    # Multiplied rather than divided first: the square of a very small speed may be zero.
    if speed_mps * speed_mps * max_curvature_per_m <= feel.max_lateral_accel_mps2:
        return max_curvature_per_m
    return feel.max_lateral_accel_mps2 / (speed_mps * speed_mps)


def _crab(sticks: StickInput, feel: StickConfig, max_speed_mps: float) -> Crab:
    # The deadband of each axis holds the heading still near straight ahead and square to the
    # side; the expo works on the distance, so that the diagonal is as fast as the axes.
    forward = _beyond_deadband(sticks.drive, feel.deadband)
    left = _beyond_deadband(sticks.turn, feel.deadband)
    speed_mps = _expo(min(1.0, math.hypot(forward, left)), feel.expo) * max_speed_mps
    if speed_mps == 0.0:
        return Crab(0.0, 0.0)
    if forward < 0.0:
        # Adding zero makes a negative zero positive.
        return Crab(-speed_mps, math.atan2(-left, -forward) + 0.0)
    return Crab(speed_mps, math.atan2(left, forward))


def _beyond_deadband(value: float, deadband: float) -> float:
    """Return how far ``value`` is past the deadband, on a scale that ends at exactly 1."""
    if not math.isfinite(value):
        raise BadMessageError(f"a stick is at {value}: send a finite number within -1 to 1")
    size = min(1.0, abs(value))
    if size <= deadband:
        return 0.0
    return math.copysign((size - deadband) / (1.0 - deadband), value)


def _expo(value: float, expo: float) -> float:
    """Bend ``value`` (-1 to 1): straight at ``expo`` 0, its cube at 1."""
    # This form of (1 - expo) * value + expo * value**3 rounds to exactly 1 at the end and
    # never falls on the way; adding zero makes a negative zero positive.
    return value * (1.0 - expo * (1.0 - value * value)) + 0.0
