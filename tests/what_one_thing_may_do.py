"""What no sequence of orders may do in MAINTENANCE, judged by what goes to the drivers alone.

The limits are worked out from the configuration another way than the gate does.
"""

import math

from msgspec import structs

from rover.config import Config, MaintenanceConfig
from rover.messages import ArmState
from rover.motion.gate import PermittedTargets

ROUNDING = 1e-6
LONGEST_S = 0.1


class OneThingRules:
    """Shown every tick's targets in turn, in every state; raises AssertionError."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._count = len(config.wheels)
        self._duty = 0.0
        self._angles = [0.0] * self._count
        self.moved: tuple[str, int] | None = None
        self._moved_s = self._last_s = -math.inf

    def gate(self, permitted: PermittedTargets, state: ArmState, now_s: float) -> None:
        """The gate's own promises, whoever asks for what."""
        gate = self._config.gate
        slow = structs.replace(
            self._config.maintenance,
            duty=gate.maintenance_duty,
            duty_rate_per_s=gate.maintenance_duty_rate_per_s,
            steer_rate_rad_s=gate.maintenance_steer_rate_rad_s,
            pause_s=gate.maintenance_pause_s,
        )
        self._hold(permitted, state, now_s, slow)

    def orders(self, permitted: PermittedTargets, state: ArmState, now_s: float) -> None:
        """What comes of orders: slower still."""
        self._hold(permitted, state, now_s, self._config.maintenance)

    def _hold(
        self, permitted: PermittedTargets, state: ArmState, now_s: float, slow: MaintenanceConfig
    ) -> None:
        wheels = [i for i, duty in enumerate(permitted.duty) if duty]
        if state is not ArmState.MAINTENANCE:
            assert not wheels, "a duty outside of maintenance"
            assert permitted.only_servo is None
            self._duty, self._angles = 0.0, [0.0] * self._count
            self._last_s = now_s
            return
        assert not permitted.power, "a velocity loop in maintenance"
        assert not any(permitted.wheel_rad_s)
        assert permitted.release is (permitted.only_servo is None), "servos that nobody asked for"
        servos = [] if permitted.only_servo is None else [permitted.only_servo]
        assert len(wheels) + len(servos) <= 1, "two things move"
        elapsed_s, self._last_s = min(now_s - self._last_s, LONGEST_S), now_s
        moving = ("wheel", wheels[0]) if wheels else ("servo", servos[0]) if servos else None
        if moving is None:
            self._duty = 0.0
            return
        if moving != self.moved:
            assert now_s - self._moved_s >= slow.pause_s - ROUNDING, "one straight after the other"
        if wheels:
            duty = permitted.duty[wheels[0]]
            assert math.isfinite(duty)
            assert abs(duty) <= slow.duty + 2 * ROUNDING, "too much power"
            way = math.copysign(1.0, duty)
            gained = abs(duty) - max(0.0, way * self._duty)
            assert gained <= slow.duty_rate_per_s * elapsed_s + 2 * ROUNDING, "a wheel is jerked"
            self._duty = duty
        else:
            self._servo(
                servos[0], permitted.steer_rad[servos[0]], slow.steer_rate_rad_s * elapsed_s
            )
        self.moved, self._moved_s = moving, now_s

    def _servo(self, i: int, angle: float, step: float) -> None:
        wheel = list(self._config.wheels.values())[i]
        assert wheel.steer is not None, "a servo that is not there"
        assert abs(angle) <= self._config.gate.maintenance_steer_rad + 2 * ROUNDING
        servo_deg = wheel.steer.centre_deg + wheel.steer.direction * math.degrees(angle)
        assert -0.001 <= servo_deg <= self._config.steering.servo_range_deg + 0.001
        assert abs(angle - self._angles[i]) <= step + 2 * ROUNDING, "a servo is jerked"
        self._angles[i] = angle
