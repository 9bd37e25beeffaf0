"""Shapes the selected motion: deadlines, limits, ramps, and waiting for the corners.

It never lets the rover change its kind of motion at speed: the wheels come to rest, the
corners turn, the wheels start again. A stop keeps the turning circle it is on.
"""

import math
from dataclasses import dataclass
from typing import assert_never

from rover.config import Config
from rover.errors import GeometryError
from rover.messages import Arc, Crab, GovernedMotion, Limit, Motion, Selected, Source, Spin, Stop
from rover.motion.corners import Corners
from rover.motion.kinematics import Kinematics

# Slower than this the rover stands: below one encoder count a second on JPL's wheels.
_STANDING_MPS = 1e-4
# What makes the rover slow may come and go with the load that it causes.
_SLOW_ON_S = 2.0
_NOT_ARMED = GovernedMotion(Stop("not armed"), (Limit.NOT_ARMED,))
_TOO_OLD = Stop("a command that is nobody's or too old")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A motion as its shape (speed zero), a speed along it, and how fast it may slow down.

    ``speed_mps`` of a Spin is that of the outermost wheel.
    """

    shape: Arc | Spin | Crab
    speed_mps: float
    decel_mps2: float


class Governor:
    """One step a tick. Its memory is the motion that it last allowed."""

    def __init__(self, config: Config, kinematics: Kinematics, corners: Corners) -> None:
        self._limits = config.motion
        self._deadline_s = {
            Source.GAMEPAD: config.deadlines.gamepad_s,
            Source.WEB: config.deadlines.web_s,
        }
        self._kinematics = kinematics
        self._corners = corners
        # Turns a yaw rate into the speed of the outermost wheel, so that one ramp serves all.
        self._reach_m = max(math.hypot(w.x_m, w.y_m) for w in config.wheels.values())
        self._shape: Arc | Spin | Crab = Arc(0.0, 0.0)
        self._speed_mps = 0.0
        self._slow_for_s = 0.0

    def reset(self) -> None:
        """Forget the motion: the rover stands, wheels straight."""
        self._shape, self._speed_mps = Arc(0.0, 0.0), 0.0

    def step(
        self, selected: Selected, *, armed: bool, elapsed_s: float, slow: bool = False
    ) -> GovernedMotion:
        """Return what the rover may do for the next tick.

        ``elapsed_s`` is the time since the last step. While not armed that is Stop, and the
        governor starts anew from standing. ``slow`` tells that something is wrong with the
        rover for which it must not go faster than ``motion.slow_speed_mps``, now and for two
        seconds more.
        """
        self._slow_for_s = _SLOW_ON_S if slow else max(0.0, self._slow_for_s - elapsed_s)
        if not armed:
            self.reset()
            return _NOT_ARMED
        limited: list[Limit] = []
        wanted = self._limit(self._in_time(selected), limited)
        wanted = self._reshape(wanted, elapsed_s, limited)
        self._speed_mps = self._ramp(wanted, elapsed_s, limited)
        fraction = self._kinematics.speed_fraction(self._motion())
        if fraction < 1.0:
            self._speed_mps *= fraction
            limited.append(Limit.WHEEL_SPEED)
        return GovernedMotion(self._motion(), tuple(limited))

    def _in_time(self, selected: Selected) -> Motion:
        """Return the motion, or a Stop if it is nobody's or older than its source's deadline.

        The arbiter has forgotten such a source already; this does not rely on it.
        """
        # Written so that an age that is not a number is too old.
        if selected.source is None or not selected.age_s <= self._deadline_s[selected.source]:
            return _TOO_OLD
        return selected.motion

    def _limit(self, motion: Motion, limited: list[Limit]) -> _Wanted:
        """Bound the motion to what the configuration and the geometry allow."""
        top_mps = self._limits.turbo_speed_mps
        match motion:
            case Stop():
                return _Wanted(self._shape, 0.0, self._limits.stop_decel_mps2)
            case Arc(speed, asked_per_m):
                tightest = self._kinematics.max_curvature_per_m
                curvature = _within(asked_per_m, tightest)
                if curvature != asked_per_m:
                    limited.append(Limit.CURVATURE)
                shape: Arc | Spin | Crab = Arc(0.0, curvature)
            case Spin(yaw_rate):
                speed = yaw_rate * self._reach_m
                top_mps = self._limits.max_yaw_rate_rad_s * self._reach_m
                shape = Spin(0.0)
            case Crab(speed, heading):
                shape = Crab(0.0, heading)
            case _:
                assert_never(motion)
        try:
            self._kinematics.check(shape)
        except GeometryError:
            limited.append(Limit.CANNOT)
            return _Wanted(self._shape, 0.0, self._limits.decel_mps2)
        allowed = _within(speed, top_mps)
        if allowed != speed:
            limited.append(Limit.SPEED)
        if self._slow_for_s > 0.0 and abs(allowed) > self._limits.slow_speed_mps:
            allowed = _within(allowed, self._limits.slow_speed_mps)
            limited.append(Limit.TROUBLE)
        return _Wanted(shape, allowed, self._limits.decel_mps2)

    def _reshape(self, wanted: _Wanted, elapsed_s: float, limited: list[Limit]) -> _Wanted:
        """Move the shape towards the wanted one; return what speed that leaves."""
        standing = abs(self._speed_mps) < _STANDING_MPS
        if not standing and not self._goes_on_as(wanted.shape):
            limited.append(Limit.CORNERS)
            return _Wanted(self._shape, 0.0, wanted.decel_mps2)
        if isinstance(wanted.shape, Arc) and isinstance(self._shape, Arc) and not standing:
            step = self._limits.curvature_rate_per_m_s * elapsed_s
            change = wanted.shape.curvature_per_m - self._shape.curvature_per_m
            self._shape = Arc(0.0, self._shape.curvature_per_m + _within(change, step))
        else:
            self._shape = wanted.shape
        alignment = self._corners.alignment(self._kinematics.targets(self._shape).steer_rad)
        if alignment < 1.0 and wanted.speed_mps != 0.0:
            limited.append(Limit.CORNERS)
        return _Wanted(self._shape, wanted.speed_mps * alignment, wanted.decel_mps2)

    def _goes_on_as(self, shape: Arc | Spin | Crab) -> bool:
        """Whether the rover may take on ``shape`` without standing first.

        It must be of the same kind, and no wheel may turn round: one that slides along another
        heading may have to, its corner or not.
        """
        if type(shape) is not type(self._shape):
            return False
        if not isinstance(shape, Crab) or shape == self._shape:
            return True
        now, then = (
            self._kinematics.targets(Crab(self._reach_m, crab.heading_rad)).wheel_rad_s
            for crab in (self._shape, shape)
            if isinstance(crab, Crab)
        )
        return all(a * b >= 0.0 for a, b in zip(now, then, strict=True))

    def _ramp(self, wanted: _Wanted, elapsed_s: float, limited: list[Limit]) -> float:
        """Return the next speed: towards the wanted one, through zero if it turns round."""
        now, target = self._speed_mps, wanted.speed_mps
        if now * target < 0.0:
            target = 0.0
        slowing = abs(target) < abs(now)
        rate = wanted.decel_mps2 if slowing else self._limits.accel_mps2
        speed = now + _within(target - now, rate * elapsed_s)
        if speed != wanted.speed_mps:
            limited.append(Limit.ACCELERATION)
        return speed

    def _motion(self) -> Motion:
        match self._shape:
            case Arc(_, curvature):
                return Arc(self._speed_mps, curvature)
            case Spin():
                return Spin(self._speed_mps / self._reach_m)
            case Crab(_, heading):
                return Crab(self._speed_mps, heading)
            case _:
                assert_never(self._shape)


def _within(value: float, bound: float) -> float:
    """Return ``value`` bounded to +-``bound``; what is not a number becomes zero."""
    if math.isnan(value):
        return 0.0
    return max(-bound, min(bound, value))
