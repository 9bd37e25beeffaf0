"""A drive as the rover told of it, driven again with other measures of its wheels. Pure.

What odometry would have made of the same turning wheels, had they other radii or another track, is
found by odometry itself: so what is fitted here is what the rover will reckon with.
"""

import math
from collections.abc import Sequence

from msgspec import Struct, structs

from rover.config import Config
from rover.messages import Pose, WheelFeedback, WheelReading
from rover.motion.kinematics import Kinematics
from rover.motion.odometry import Odometry

# Farther from the drawing than this no pair of tyres and no body is.
MOST_UNEVEN, LEAST_WIDE, MOST_WIDE = 0.1, 0.8, 1.25
_ROUNDS = 8
_STEP = 1e-4
_CLOSE = 1e-6
# Less than this the two runs do not tell the two unknowns apart.
_TELLS = 1e-6


class Frame(Struct, frozen=True):
    """All wheels at one moment: how far each has turned, and where it points."""

    stamp_s: float
    turned_rad: tuple[float, ...]
    steer_rad: tuple[float, ...]


class Square(Struct, frozen=True):
    """A drive round a square and where it ended, measured on the floor.

    ``x_m`` forward and ``y_m`` to the left of where the rover stood, as it pointed then.
    """

    frames: tuple[Frame, ...]
    x_m: float
    y_m: float


class Measures(Struct, frozen=True):
    """By how much the right wheels are larger than the left ones, and how wide the rover is.

    ``uneven`` is a part of the radius, ``width`` of the configured track.
    """

    uneven: float = 0.0
    width: float = 1.0


def measured_so(config: Config, measures: Measures) -> Config:
    """Return the rover with wheels and track of these measures."""
    wheels = {}
    for name, wheel in config.wheels.items():
        # Wheels in the middle are nobody's side.
        side = 0.5 * (wheel.y_m < 0.0) - 0.5 * (wheel.y_m > 0.0)
        wheels[name] = structs.replace(
            wheel,
            radius_m=wheel.radius_m * (1.0 + measures.uneven * side),
            y_m=wheel.y_m * measures.width,
        )
    return structs.replace(config, wheels=wheels)


class Heading:
    """By how much a drive has turned in all, over as many turns as it takes."""

    def __init__(self, config: Config) -> None:
        self._odometry = Odometry(Kinematics(config))
        self._last_rad = 0.0
        self.turned_rad = 0.0

    def follow(self, frame: Frame) -> None:
        """Take in the next frame."""
        _update(self._odometry, frame)
        yaw_rad = self._odometry.pose.yaw_rad
        self.turned_rad += math.remainder(yaw_rad - self._last_rad, math.tau)
        self._last_rad = yaw_rad


def replay(config: Config, frames: Sequence[Frame]) -> Pose:
    """Return where a drive ends by odometry, from where it began."""
    odometry = Odometry(Kinematics(config))
    for frame in frames:
        _update(odometry, frame)
    return odometry.pose


def fit(config: Config, squares: Sequence[Square]) -> Measures | None:
    """Return the measures with which all drives end where they did, as nearly as can be.

    Least squares by Gauss and Newton; None where it does not come to an end within what a rover
    can be, or the drives do not tell the two apart: squares of one direction only.
    """
    now = Measures()
    for _ in range(_ROUNDS):
        residuals = _residuals(config, squares, now)
        uneven = _slope(config, squares, Measures(now.uneven + _STEP, now.width), residuals)
        width = _slope(config, squares, Measures(now.uneven, now.width + _STEP), residuals)
        step = _solved(uneven, width, residuals)
        if step is None:
            return None
        now = Measures(now.uneven + step[0], now.width + step[1])
        if not (abs(now.uneven) < MOST_UNEVEN and LEAST_WIDE < now.width < MOST_WIDE):
            return None
        if max(map(abs, step)) < _CLOSE:
            return now
    return None


def _update(odometry: Odometry, frame: Frame) -> None:
    readings = tuple(WheelReading(turned, frame.stamp_s) for turned in frame.turned_rad)
    odometry.update(frame.steer_rad, WheelFeedback(readings))


def _residuals(config: Config, squares: Sequence[Square], measures: Measures) -> list[float]:
    rover = measured_so(config, measures)
    residuals = []
    for square in squares:
        pose = replay(rover, square.frames)
        residuals += [pose.x_m - square.x_m, pose.y_m - square.y_m]
    return residuals


def _slope(
    config: Config, squares: Sequence[Square], beside: Measures, residuals: list[float]
) -> list[float]:
    moved = _residuals(config, squares, beside)
    return [(after - before) / _STEP for after, before in zip(moved, residuals, strict=True)]


def _solved(
    first: list[float], second: list[float], residuals: list[float]
) -> tuple[float, float] | None:
    """Solve the normal equations of two unknowns."""
    aa = _dot(first, first)
    ab, bb = _dot(first, second), _dot(second, second)
    ra, rb = -_dot(first, residuals), -_dot(second, residuals)
    determinant = aa * bb - ab * ab
    if determinant < _TELLS * aa * bb:
        return None
    return (ra * bb - rb * ab) / determinant, (rb * aa - ra * ab) / determinant


def _dot(first: list[float], second: list[float]) -> float:
    return sum(one * other for one, other in zip(first, second, strict=True))
