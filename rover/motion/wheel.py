"""One wheel of the table: which way it can point, and what that allows the body."""

import math
from dataclasses import dataclass

from rover.config import WheelConfig
from rover.units import deg_from_rad

# A wheel nearer than this to the y axis is taken to stand on it: a micrometre is beyond
# measuring, and would have the wheel swing half round as the turning centre passes it.
_ON_AXIS_M = 1e-6
# Rounding at the end of a steering range; far below what the gate tolerates.
_ROUNDING_RAD = 1e-7


@dataclass(frozen=True, slots=True)
class Wheel:
    """Where a wheel stands, its size and limits; a fixed one can steer from 0 to 0."""

    name: str
    x_m: float
    y_m: float
    radius_m: float
    max_speed_rad_s: float
    steerable: bool
    low_rad: float
    high_rad: float

    @classmethod
    def from_config(cls, name: str, wheel: WheelConfig) -> "Wheel":
        """Make the wheel called ``name`` in the wheel table."""
        steer = wheel.steer
        return cls(
            name=name,
            x_m=0.0 if abs(wheel.x_m) < _ON_AXIS_M else wheel.x_m,
            y_m=wheel.y_m,
            radius_m=wheel.radius_m,
            max_speed_rad_s=wheel.max_speed_rad_s,
            steerable=steer is not None,
            low_rad=steer.min_rad if steer else 0.0,
            high_rad=steer.max_rad if steer else 0.0,
        )

    def aim(self, vx: float, vy: float) -> tuple[float, float] | None:
        """Return steering (rad) and signed speed for the contact's velocity (vx, vy).

        The wheel is turned round and rolls backwards where that brings the angle into its
        range; None if neither way does. A fixed wheel takes the part along its heading. A
        contact that stands still has angle and speed zero. Units are those of the velocity.
        """
        if not self.steerable:
            return 0.0, vx
        length = math.hypot(vx, vy)
        angle = math.atan2(vy, vx)
        if not self._reaches(angle):
            angle, length = _turned_round(angle), -length
            if not self._reaches(angle):
                return None
        return max(self.low_rad, min(self.high_rad, angle)), length

    def objection(self, vx: float, vy: float) -> str:
        """Say why ``aim`` has no answer: the angle it would take, and what is allowed."""
        angle = math.atan2(vy, vx)
        if abs(angle) > math.pi / 2:
            angle = _turned_round(angle)
        return (
            f"{self.name} would have to steer to {deg_from_rad(angle):.1f} deg, allowed"
            f" {deg_from_rad(self.low_rad):.1f} to {deg_from_rad(self.high_rad):.1f}"
        )

    def tightest_per_m(self) -> float:
        """Return the largest curvature, to either side, that the steering range reaches.

        With the turning centre on the left the angle is atan2(k*x, 1 - k*y). It stays within
        the limit A of that side while k * (abs(x)*cos A + y*sin A) <= sin A. With the centre
        on the right, y changes its sign and the other limit holds. Only curvatures that are
        reached from straight ahead count: those beyond a gap, near the spin, would have the
        wheel swing round on the way.
        """
        if self.x_m == 0.0 or not self.steerable:
            return math.inf
        tightest = math.inf
        for side in (1.0, -1.0):
            limit = self.high_rad if side * self.x_m > 0.0 else -self.low_rad
            slope = abs(self.x_m) * math.cos(limit) + side * self.y_m * math.sin(limit)
            if slope > 0.0:
                tightest = min(tightest, math.sin(limit) / slope)
        return tightest

    def _reaches(self, angle_rad: float) -> bool:
        return self.low_rad - _ROUNDING_RAD <= angle_rad <= self.high_rad + _ROUNDING_RAD


def _turned_round(angle_rad: float) -> float:
    return angle_rad - math.pi if angle_rad > 0.0 else angle_rad + math.pi
