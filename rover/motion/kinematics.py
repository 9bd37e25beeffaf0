"""Body motion to wheels, and wheels back to body motion, for any table of wheels.

A wheel's contact point at (x, y) of a body that moves with (vx, vy) and turns with w has
the velocity (vx - w*y, vy + w*x). Everything here follows from that; nothing assumes
symmetry or a number of wheels. Fixed wheels roll on every turn without being dragged only
if they stand on the y axis, so a wheel table puts its origin on their axle, as JPL's does.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rover.config import Config
from rover.errors import GeometryError
from rover.messages import Arc, Crab, Motion, Spin, Stop, Twist, WheelTargets
from rover.motion.wheel import Wheel
from rover.units import deg_from_rad

# Sliding sideways by less than this part of the motion is rounding, not a wish to slide.
_SIDEWAYS = 1e-9
# How much "does not slip sideways" counts for a fixed wheel that must slip in turns: enough
# to decide what no other wheel does, too little to be felt beside one that does.
_DRAGGED_WEIGHT = 1e-9
# Wheels spread less than this, about a millimetre squared, cannot tell a turn. It is more
# than what wheels with the weight above add up to.
_MIN_SPREAD_M2 = 1e-6


class _Shape(NamedTuple):
    """A motion as the body's velocity at unit speed, and that speed with its sign.

    The unit is 1 m/s along an Arc or a Crab, 1 rad/s of a Spin.
    """

    vx: float
    vy: float
    yaw: float
    rate: float


class _Plan(NamedTuple):
    """What the wheels do for a shape: speeds at its unit rate, and the rate they allow."""

    steer_rad: tuple[float, ...]
    unit_rad_s: tuple[float, ...]
    rate: float
    max_rate: float


class Kinematics:
    """The geometry of one rover. It remembers no motion: the same question, the same answer.

    Raises GeometryError if the wheels do not stand at two different places at least.
    """

    def __init__(self, config: Config) -> None:
        self._wheels = tuple(Wheel.from_config(n, w) for n, w in config.wheels.items())
        self._fixed = tuple(wheel.name for wheel in self._wheels if not wheel.steerable)
        self._fits: dict[tuple[bool, ...], _Fit] = {}
        self._fit = self._fit_over((True,) * len(self._wheels))
        if not self._fit.suffices:
            raise GeometryError(
                f"wheels {', '.join(config.wheels) or '(none)'}: a rover needs wheels at two"
                " different places or more; set their x_m and y_m"
            )
        self._max_curvature_per_m = min(
            config.motion.max_curvature_per_m,
            *(wheel.tightest_per_m() for wheel in self._wheels),
        )

    @property
    def max_curvature_per_m(self) -> float:
        """The tightest Arc, to either side, that corners and configuration allow."""
        return self._max_curvature_per_m

    @property
    def max_wheel_rad_s(self) -> tuple[float, ...]:
        """Every wheel's top speed, in the order of the wheel table."""
        return tuple(wheel.max_speed_rad_s for wheel in self._wheels)

    @property
    def can_crab(self) -> bool:
        """Whether the rover can slide along any heading besides straight ahead and back."""
        low = max(wheel.low_rad for wheel in self._wheels)
        high = min(wheel.high_rad for wheel in self._wheels)
        # A fixed wheel steers from 0 to 0 and leaves nothing between the two.
        return low < high

    def body_twist(self, motion: Motion) -> Twist:
        """Return the body's velocity in ``motion`` as it is given; nothing is limited here."""
        vx, vy, yaw, rate = _shape_of(motion)
        return Twist(rate * vx, rate * vy, rate * yaw)

    def check(self, motion: Motion) -> None:
        """Raise GeometryError, naming every wheel that is in the way, if ``targets`` would.

        It does so for a Spin or Crab that needs angles out of a wheel's range, a Crab that
        would drag fixed wheels sideways, and numbers that are not finite. An Arc is always
        possible: ``targets`` makes it no tighter than ``max_curvature_per_m``.
        """
        self._plan(motion)

    def targets(self, motion: Motion) -> WheelTargets:
        """Return steering and speed for every wheel, scaled by ``speed_fraction``.

        Steering follows from the shape of the motion alone. It is the same at any speed, in
        reverse and at zero, so that corners can turn before the rover moves. Stop is zero
        speed with the wheels straight; to stop on the turning circle that the rover is on,
        ask for its motion at zero speed. Raises GeometryError as ``check`` does.
        """
        steer_rad, unit_rad_s, rate, max_rate = self._plan(motion)
        rate = max(-max_rate, min(max_rate, rate))
        return WheelTargets(steer_rad, tuple([rate * speed for speed in unit_rad_s]))

    def speed_fraction(self, motion: Motion) -> float:
        """Return the largest factor, at most 1, by which to multiply the motion as a whole.

        Below 1 the fastest wheel then turns at its ``max_speed_rad_s``, on the same turning
        circle. Raises GeometryError as ``check`` does.
        """
        plan = self._plan(motion)
        rate = abs(plan.rate)
        return 1.0 if rate <= plan.max_rate else plan.max_rate / rate

    def knows_body(self, known: tuple[bool, ...]) -> bool:
        """Tell whether the wheels marked True suffice for ``body_from_wheels``."""
        return self._fit_over(known).suffices

    def body_from_wheels(
        self, steer_rad: Sequence[float], wheel_rad_s: Sequence[float | None]
    ) -> Twist:
        """Return the body motion that fits all wheels best; a wheel with None is left out.

        A wheel with the speed s, radius r and steering d rolls by r*s along its heading and
        slips by nothing across it. Its contact moves with (ux, uy) = (vx - w*y, vy + w*x), so

            cos d * ux + sin d * uy = r*s   and   -sin d * ux + cos d * uy = 0.

        Weighted alike, these two can be turned into ux = r*s*cos d =: p and
        uy = r*s*sin d =: q, which makes the normal equations independent of the steering.
        With a weight m for the second, X the mean of x weighted by m, and Y the mean of y:

            w  = sum(m*(x - X)*q - (y - Y)*p) / sum((y - Y)^2 + m*(x - X)^2)
            vx = mean(p) + w*Y
            vy = mean(q) weighted by m - w*X

        m is 1 for a wheel that rolls freely on every turn (steerable, or on the y axis) and
        next to nothing for other fixed wheels, which slip whenever the rover turns. Equal
        weights suit: 2 degrees of error in a servo do as much harm as 3 % of wheel slip.
        The formula is linear in the speeds; for angles rolled it gives displacements.
        Raises GeometryError if the known wheels stand at fewer than two places.
        """
        fit = self._fit
        if None in wheel_rad_s:
            fit = self._fit_over(tuple([speed is not None for speed in wheel_rad_s]))
            if not fit.suffices:
                raise GeometryError(
                    "the body's motion does not show in fewer than two wheels: read more of them"
                )
        return fit.solve(steer_rad, wheel_rad_s)

    def _plan(self, motion: Motion) -> _Plan:
        vx, vy, yaw, rate = _shape_of(motion)
        if not math.isfinite(vx + vy + yaw + rate):
            raise GeometryError(f"{motion}: send finite numbers")
        if isinstance(motion, Arc):
            yaw = max(-self._max_curvature_per_m, min(self._max_curvature_per_m, yaw))
        elif isinstance(motion, Crab) and self._fixed and abs(vy) > _SIDEWAYS:
            raise GeometryError(
                f"cannot crab at {deg_from_rad(motion.heading_rad):.1f} deg:"
                f" {', '.join(self._fixed)} cannot steer; crab at 0 or 180 deg, or drive an arc"
            )
        steer_rad = []
        unit_rad_s = []
        max_rate = math.inf
        for wheel in self._wheels:
            aim = wheel.aim(vx - yaw * wheel.y_m, vy + yaw * wheel.x_m)
            if aim is None:
                raise GeometryError(self._refusal(motion, vx, vy, yaw))
            angle, speed = aim
            speed /= wheel.radius_m
            steer_rad.append(angle)
            unit_rad_s.append(speed)
            if speed != 0.0:
                max_rate = min(max_rate, wheel.max_speed_rad_s / abs(speed))
        return _Plan(tuple(steer_rad), tuple(unit_rad_s), rate, max_rate)

    def _refusal(self, motion: Motion, vx: float, vy: float, yaw: float) -> str:
        """Name every wheel that cannot point the way ``motion`` needs."""
        objections = []
        for wheel in self._wheels:
            ux, uy = vx - yaw * wheel.y_m, vy + yaw * wheel.x_m
            if wheel.aim(ux, uy) is None:
                objections.append(wheel.objection(ux, uy))
        what = "turn on the spot"
        if isinstance(motion, Crab):
            what = f"crab at {deg_from_rad(motion.heading_rad):.1f} deg"
        return f"cannot {what}: {'; '.join(objections)}"

    def _fit_over(self, known: tuple[bool, ...]) -> "_Fit":
        fit = self._fits.get(known)
        if fit is None:
            fit = self._fits[known] = _Fit.over(self._wheels, known)
        return fit


@dataclass(frozen=True, slots=True)
class _Fit:
    """``Kinematics.body_from_wheels``, prepared for one set of wheels.

    A row is (index, r, y - Y, m*(x - X), m) of the formula there; ``suffices`` is False for
    wheels from which a turn cannot be told.
    """

    rows: tuple[tuple[int, float, float, float, float], ...]
    mean_x_m: float
    mean_y_m: float
    weights: float
    spread_m2: float

    @classmethod
    def over(cls, wheels: Iterable[Wheel], known: Iterable[bool]) -> "_Fit":
        used = [
            (i, w, 1.0 if w.steerable or w.x_m == 0.0 else _DRAGGED_WEIGHT)
            for i, (w, is_known) in enumerate(zip(wheels, known, strict=True))
            if is_known
        ]
        if not used:
            return cls((), 0.0, 0.0, 0.0, 0.0)
        weights = math.fsum(m for _, _, m in used)
        mean_x = math.fsum(m * w.x_m for _, w, m in used) / weights
        mean_y = math.fsum(w.y_m for _, w, _ in used) / len(used)
        return cls(
            rows=tuple(
                (i, w.radius_m, w.y_m - mean_y, m * (w.x_m - mean_x), m) for i, w, m in used
            ),
            mean_x_m=mean_x,
            mean_y_m=mean_y,
            weights=weights,
            spread_m2=math.fsum(
                (w.y_m - mean_y) ** 2 + m * (w.x_m - mean_x) ** 2 for _, w, m in used
            ),
        )

    @property
    def suffices(self) -> bool:
        return self.spread_m2 > _MIN_SPREAD_M2

    def solve(self, steer_rad: Sequence[float], wheel_rad_s: Sequence[float | None]) -> Twist:
        sum_x = sum_y = moment = 0.0
        for i, radius_m, from_y, from_x, weight in self.rows:
            rolled = radius_m * (wheel_rad_s[i] or 0.0)
            along = rolled * math.cos(steer_rad[i])
            across = rolled * math.sin(steer_rad[i])
            sum_x += along
            sum_y += weight * across
            moment += from_x * across - from_y * along
        yaw_rate = moment / self.spread_m2
        return Twist(
            vx_mps=sum_x / len(self.rows) + yaw_rate * self.mean_y_m,
            vy_mps=sum_y / self.weights - yaw_rate * self.mean_x_m,
            yaw_rate_rad_s=yaw_rate,
        )


def _shape_of(motion: Motion) -> _Shape:
    match motion:
        case Arc(speed_mps, curvature_per_m):
            return _Shape(1.0, 0.0, curvature_per_m, speed_mps)
        case Spin(yaw_rate_rad_s):
            return _Shape(0.0, 0.0, 1.0, yaw_rate_rad_s)
        case Crab(speed_mps, heading_rad):
            if not math.isfinite(heading_rad):
                return _Shape(math.nan, math.nan, 0.0, speed_mps)
            return _Shape(math.cos(heading_rad), math.sin(heading_rad), 0.0, speed_mps)
        case Stop():
            return _Shape(1.0, 0.0, 0.0, 0.0)
