"""What no sequence of targets may do, judged by the wheels alone.

The body's speed is taken from the wheels on the middle axle, which cannot steer: another way
than the governor's, which has the body's speed and makes wheels of it.
"""

import math

from rover.config import Config
from rover.messages import ArmState
from rover.motion.gate import PermittedTargets

ROUNDING = 1e-6
# A longer pause counts as no more.
LONGEST_S = 0.1
SLOW_FOR_S = 2.0


class WheelRules:
    """Shown every tick's targets in turn; raises AssertionError."""

    def __init__(self, config: Config) -> None:
        self._config = config
        names, self._wheels = tuple(config.wheels), tuple(config.wheels.values())
        self._ranges = tuple(
            (w.steer.min_rad, w.steer.max_rad) if w.steer else (0.0, 0.0) for w in self._wheels
        )
        self._left, self._right = names.index("left_middle"), names.index("right_middle")
        left, right = self._wheels[self._left], self._wheels[self._right]
        self._radius_m, self._track_m = left.radius_m, left.y_m - right.y_m
        self._reach_m = max(math.hypot(wheel.x_m, wheel.y_m) for wheel in self._wheels)
        # The tightest turn of a rover whose outer corner stands at its limit: from the geometry.
        self._tightest_per_m = min(
            config.motion.max_curvature_per_m,
            *(
                1.0 / (abs(w.x_m) / math.tan(min(w.steer.max_rad, -w.steer.min_rad)) + abs(w.y_m))
                for w in self._wheels
                if w.steer
            ),
        )
        self.last: PermittedTargets | None = None
        self.last_s = -math.inf
        self.slow_until_s = -math.inf
        # For how long the servos have had power; until they have, corners can be anywhere.
        self._powered_s = 0.0
        farthest_rad = max(max(high, -low) for low, high in self._ranges)
        self._unsure_s = (farthest_rad - math.radians(25.0)) / config.steering.slew_rad_s

    def slowed(self, now_s: float) -> None:
        """Note that something was wrong at ``now_s`` that the rover must be slow for."""
        self.slow_until_s = now_s + SLOW_FOR_S

    def body(self, permitted: PermittedTargets | None) -> tuple[float, float]:
        """Return speed (m/s) and yaw rate (rad/s)."""
        if permitted is None:
            return 0.0, 0.0
        left, right = permitted.wheel_rad_s[self._left], permitted.wheel_rad_s[self._right]
        return self._radius_m * (left + right) / 2.0, self._radius_m * (
            right - left
        ) / self._track_m

    def gate(self, permitted: PermittedTargets, state: ArmState, now_s: float) -> None:
        """The gate's own promises, whoever asks for what; the next targets follow on these."""
        last, elapsed_s = self.last, min(now_s - self.last_s, LONGEST_S)
        self.last, self.last_s = permitted, now_s
        wheels, steer = permitted.wheel_rad_s, permitted.steer_rad
        assert len(steer) == len(wheels) == len(self._wheels)
        assert all(map(math.isfinite, (*steer, *wheels))), "a target is not a number"
        if state is not ArmState.ARMED:
            assert not permitted.power, "power though it is not armed"
            # In maintenance one servo may have pulses: ``what_one_thing_may_do`` judges it.
            assert permitted.release or state is ArmState.MAINTENANCE
        if not permitted.power:
            assert not any(wheels), "a speed without power"
        limp = permitted.release or permitted.only_servo is not None
        self._powered_s = 0.0 if limp else self._powered_s + elapsed_s
        accel, rate = (
            self._config.gate.max_wheel_accel_rad_s2,
            self._config.gate.max_steer_rate_rad_s,
        )
        for i, (low, high) in enumerate(self._ranges):
            assert permitted.only_servo == i or (
                low - 2 * ROUNDING <= steer[i] <= high + 2 * ROUNDING
            ), "a corner out of its range"
            top = self._wheels[i].max_speed_rad_s
            assert abs(wheels[i]) <= top + 2 * ROUNDING, "a wheel beyond its limit"
            # Slowing down is free; what counts is what is gained the way that it now turns.
            way = math.copysign(1.0, wheels[i])
            gained = abs(wheels[i]) - max(0.0, way * (last.wheel_rad_s[i] if last else 0.0))
            assert gained <= accel * elapsed_s + 2 * ROUNDING, "a wheel is sped up at once"
            if last is not None and not (last.release or limp or last.only_servo is not None):
                step_rad = abs(steer[i] - last.steer_rad[i])
                assert step_rad <= rate * elapsed_s + 2 * ROUNDING, "a corner is turned at once"

    def governor(self, last: PermittedTargets | None, elapsed_s: float) -> None:
        """What the body does from ``last`` to the newest targets: limits, ramps, its circle."""
        motion, now = self._config.motion, self.last
        assert now is not None
        if not now.power:
            return
        elapsed_s = min(elapsed_s, LONGEST_S)
        if self._powered_s < self._unsure_s - LONGEST_S:
            assert not any(now.wheel_rad_s), "it starts before its corners are known"
        was_mps, was_rad_s = self.body(last)
        speed_mps, yaw_rad_s = self.body(now)
        assert abs(speed_mps) <= motion.turbo_speed_mps + ROUNDING
        assert speed_mps * was_mps >= -ROUNDING, "it turns round without having stood"
        gain_mps = motion.accel_mps2 * elapsed_s + ROUNDING
        assert abs(speed_mps) <= abs(was_mps) + gain_mps, "faster than the ramp"
        standing, stood = abs(speed_mps) < ROUNDING, abs(was_mps) < ROUNDING
        rim_mps, was_rim_mps = abs(yaw_rad_s) * self._reach_m, abs(was_rad_s) * self._reach_m
        if standing and stood:
            assert abs(yaw_rad_s) <= motion.max_yaw_rate_rad_s + ROUNDING
            assert rim_mps <= was_rim_mps + gain_mps, "spins faster than the ramp"
        elif standing or stood:
            # Between a spin and anything else the rover stands, all wheels of it.
            assert min(abs(speed_mps) + rim_mps, abs(was_mps) + was_rim_mps) <= 1e-3
        elif min(abs(speed_mps), abs(was_mps)) > 0.01:
            curvature, was = yaw_rad_s / speed_mps, was_rad_s / was_mps
            assert abs(curvature) <= self._tightest_per_m + ROUNDING, "a turn too tight"
            step_per_m = motion.curvature_rate_per_m_s * elapsed_s + 1e-4
            assert abs(curvature - was) <= step_per_m, "the circle changes at once"
        if self.last_s < self.slow_until_s - ROUNDING:
            braked_mps = motion.decel_mps2 * elapsed_s
            slow_mps = motion.slow_speed_mps
            assert abs(speed_mps) <= max(slow_mps, abs(was_mps) - braked_mps) + ROUNDING
            if standing:
                assert rim_mps <= max(slow_mps, was_rim_mps - braked_mps) + ROUNDING
        if last is not None and not last.release:
            for angle_rad, before_rad in zip(now.steer_rad, last.steer_rad, strict=True):
                step_rad = abs(angle_rad - before_rad)
                assert step_rad <= self._config.steering.slew_rad_s * elapsed_s + ROUNDING
        self._corners_first(now)

    def slows(self, last: PermittedTargets | None, elapsed_s: float, decel_mps2: float) -> None:
        """From ``last`` to the newest targets the rover has braked as it must, or it stands."""
        (was_mps, was_rad_s), (mps, rad_s) = self.body(last), self.body(self.last)
        braked_mps = decel_mps2 * min(elapsed_s, LONGEST_S)
        assert abs(mps) <= max(0.0, abs(was_mps) - braked_mps) + ROUNDING, "it does not brake"
        if abs(mps) < ROUNDING:
            rim_mps, was_rim_mps = abs(rad_s) * self._reach_m, abs(was_rad_s) * self._reach_m
            assert rim_mps <= max(0.0, was_rim_mps - braked_mps) + ROUNDING, "it does not brake"

    def _corners_first(self, now: PermittedTargets) -> None:
        """No corner may be dragged: a wheel that turns points about where its contact goes."""
        speed_mps, yaw_rad_s = self.body(now)
        for wheel, steer_rad, wheel_rad_s in zip(
            self._wheels, now.steer_rad, now.wheel_rad_s, strict=True
        ):
            if wheel.steer is None or abs(wheel_rad_s) < 0.05:
                continue
            vx, vy = speed_mps - yaw_rad_s * wheel.y_m, yaw_rad_s * wheel.x_m
            astray = abs(math.remainder(math.atan2(vy, vx) - steer_rad, math.pi))
            # At 25 degrees off the rover waits; the ramp of letting go follows for a while.
            assert astray <= math.radians(60.0), "a corner is dragged across"


def faster(before: PermittedTargets | None, after: PermittedTargets) -> bool:
    """Whether any wheel turns faster than before, or the other way."""
    if before is None:
        return any(after.wheel_rad_s)
    return any(
        abs(now) > abs(last) + ROUNDING or now * last < 0.0
        for now, last in zip(after.wheel_rad_s, before.wheel_rad_s, strict=True)
    )
