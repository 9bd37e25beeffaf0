"""From how far the wheels turned, and what was measured on the floor, to radius and track. Pure."""

import math
from collections.abc import Sequence
from statistics import fmean

from msgspec import structs

from rover.config import Config
from rover.messages import Spin
from rover.motion.kinematics import Kinematics

# A tyre or a body that is farther from the drawing than this has been measured wrong.
LEAST, MOST = 0.8, 1.25
# Wheels that roll so differently did not go straight; corners' tyres scrub by a per cent or two.
_STRAIGHT_PART = 0.05
_HALVINGS = 50


def rolled_m(config: Config, turned_rad: Sequence[float]) -> float:
    """Return how far the rover rolled by its wheels' mean, negative backwards."""
    return fmean(
        turned * wheel.radius_m
        for turned, wheel in zip(turned_rad, config.wheels.values(), strict=True)
    )


def why_not_straight(config: Config, turned_rad: Sequence[float]) -> str:
    """Say why that was no straight line, empty if it was one."""
    ways_m = [
        turned * wheel.radius_m
        for turned, wheel in zip(turned_rad, config.wheels.values(), strict=True)
    ]
    mean_m = abs(fmean(ways_m))
    if max(ways_m) - min(ways_m) <= _STRAIGHT_PART * mean_m:
        return ""
    return (
        f"the wheels rolled from {min(ways_m):.2f} to {max(ways_m):.2f} m: that was a curve, or "
        "a wheel slipped"
    )


def yaw_rad(config: Config, turned_rad: Sequence[float], width: float = 1.0) -> float:
    """Return how far the rover turned on the spot by its wheels, were it ``width`` times as wide.

    The corners point as the configuration has it; the body's turn is odometry's own best fit.
    """
    steer_rad = Kinematics(config).targets(Spin(1.0)).steer_rad
    return Kinematics(_wider(config, width)).body_from_wheels(steer_rad, turned_rad).yaw_rate_rad_s


def width_for(config: Config, turned_rad: Sequence[float], turns: float) -> float:
    """Return how much wider than configured the rover is, if it made so many turns.

    Found by halving: the wider it is, the less the same wheels' way turns it. What lies
    outside of LEAST to MOST comes out as the bound.
    """
    wanted_rad = abs(turns) * math.tau
    low, high = LEAST, MOST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if abs(yaw_rad(config, turned_rad, middle)) > wanted_rad:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def may_be(factor: float) -> bool:
    """Whether a wheel or a body can differ so much from how it is configured."""
    return LEAST * 1.001 < factor < MOST / 1.001


def larger_wheels(config: Config, factor: float) -> Config:
    """Return the same rover on wheels ``factor`` times as large."""
    wheels = {
        name: structs.replace(wheel, radius_m=wheel.radius_m * factor)
        for name, wheel in config.wheels.items()
    }
    return structs.replace(config, wheels=wheels)


def _wider(config: Config, factor: float) -> Config:
    wheels = {
        name: structs.replace(wheel, y_m=wheel.y_m * factor)
        for name, wheel in config.wheels.items()
    }
    return structs.replace(config, wheels=wheels)
