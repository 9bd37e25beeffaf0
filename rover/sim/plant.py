"""Everything that has mass or charge: motors, servos, battery and body, stepped together.

The plant is lazy. It is told the time (``approach``), steps only when something moves and
enough time has passed, in strides as long as the state allows, and answers for the moments
between by extrapolation. Whoever is about to change something calls ``change`` first, which
brings it exactly to that moment: a command never acts on the past.
"""

from collections import deque
from collections.abc import Callable

from rover.config import Config
from rover.sim.battery import Battery
from rover.sim.body import Body
from rover.sim.motor import Motor, MotorParameters
from rover.sim.servo import Servo

# Longest step while speeds change; the motor's own step is exact, this bounds the error of
# battery sag and of the path between two speeds.
MOVING_STEP_S = 0.005
# Longest step once speeds have settled.
SETTLED_STEP_S = 0.020
# While speeds change, moments closer than this to the last step are extrapolated: at the
# fastest stop (300 rad/s2) that is 0.6 mrad, a fourteenth of an encoder count.
_EXTRAPOLATED_S = 0.002
_SETTLED_RAD_S2 = 0.05
# Raspberry Pi, motor controllers' logic and servo board, from the same battery.
_ELECTRONICS_A = 0.9
# Angles are remembered this often, for long enough to average over a second.
_HISTORY_S = 0.1
_HISTORY_LENGTH = 12
_MEAN_OVER_S = 1.0


class Plant:
    """The moving parts of one rover, in the order of the wheel table."""

    def __init__(self, config: Config, now_s: float) -> None:
        wheels = tuple(config.wheels.values())
        self.names = tuple(config.wheels)
        self.motors = tuple(
            Motor(MotorParameters.for_wheel(wheel.max_speed_rad_s)) for wheel in wheels
        )
        self.servos = tuple(Servo(wheel.steer, config.steering) for wheel in wheels)
        self.battery = Battery(config.power.full_v)
        self.body = Body([(wheel.x_m, wheel.y_m) for wheel in wheels])
        self.time_s = now_s
        self._radii_m = tuple(wheel.radius_m for wheel in wheels)
        self._ramps: list[Callable[[float], bool]] = []
        self._steer_rad = tuple(servo.steer_rad for servo in self.servos)
        self._settled = False
        self._steering = True
        self._history: deque[tuple[float, tuple[float, ...]]] = deque(
            [(now_s, tuple(0.0 for _ in wheels))], maxlen=_HISTORY_LENGTH
        )

    def add_ramp(self, ramp: Callable[[float], bool]) -> None:
        """Call ``ramp(dt_s)`` before every step; it answers whether it is still changing."""
        self._ramps.append(ramp)

    def approach(self, time_s: float) -> bool:
        """Let time pass to about ``time_s``; what is read there may be extrapolated.

        Returns whether it took a step, and so anything has changed.
        """
        if time_s - self.time_s < (SETTLED_STEP_S if self._settled else _EXTRAPOLATED_S):
            return False
        self.advance_to(time_s)
        return True

    def change(self, time_s: float) -> None:
        """Let time pass to exactly ``time_s``, where something is about to change."""
        self.advance_to(time_s)
        self._settled = False
        self._steering = True

    def advance_to(self, time_s: float) -> None:
        """Let time pass to exactly ``time_s``; an earlier time changes nothing."""
        while self.time_s < time_s:
            left_s = time_s - self.time_s
            if self.resting:
                dt_s = left_s
            else:
                dt_s = min(left_s, SETTLED_STEP_S if self._settled else MOVING_STEP_S)
            self._step(dt_s)
            # Reaching the end exactly keeps a remainder of 1e-17 from costing a step.
            self.time_s = time_s if dt_s == left_s else self.time_s + dt_s

    @property
    def resting(self) -> bool:
        """Whether nothing will move until something is changed."""
        if not self._settled:
            return False
        return all(motor.resting for motor in self.motors)

    def angle_rad(self, wheel: int, time_s: float) -> float:
        """Angle of a wheel at ``time_s``, a little after the last step."""
        motor = self.motors[wheel]
        return motor.angle_rad + motor.speed_rad_s * (time_s - self.time_s)

    def mean_speed_rad_s(self, wheel: int, time_s: float) -> float:
        """Speed of a wheel averaged over the last second."""
        start_s = time_s - _MEAN_OVER_S
        earlier_s, earlier_rad = self._history[0]
        start_rad = earlier_rad[wheel]
        for then_s, angles_rad in self._history:
            if then_s >= start_s:
                if then_s > earlier_s:
                    part = max(0.0, start_s - earlier_s) / (then_s - earlier_s)
                    start_rad += part * (angles_rad[wheel] - start_rad)
                break
            earlier_s, start_rad = then_s, angles_rad[wheel]
        return (self.angle_rad(wheel, time_s) - start_rad) / _MEAN_OVER_S

    def _step(self, dt_s: float) -> None:
        ramping = False
        for ramp in self._ramps:
            ramping = ramp(dt_s) or ramping
        if self._steering:
            self._turn_servos(dt_s)
        supply_v = self.battery.voltage_v
        supply_a = _ELECTRONICS_A
        fastest_change = 0.0
        rolling_mps = []
        for motor, radius_m in zip(self.motors, self._radii_m, strict=True):
            change = motor.step(dt_s, supply_v)
            if not -fastest_change <= change <= fastest_change:
                fastest_change = abs(change)
            supply_a += motor.supply_a
            rolling_mps.append(motor.speed_rad_s * radius_m)
        for servo in self.servos:
            supply_a += servo.supply_a
        self.battery.draw(supply_a, dt_s)
        self.body.step(dt_s, self._steer_rad, rolling_mps)
        self._settled = (
            not ramping and not self._steering and fastest_change <= _SETTLED_RAD_S2 * dt_s
        )
        self._remember(dt_s)

    def _turn_servos(self, dt_s: float) -> None:
        for servo in self.servos:
            servo.step(dt_s)
        self._steer_rad = tuple(servo.steer_rad for servo in self.servos)
        self._steering = not all(servo.settled for servo in self.servos)

    def _remember(self, dt_s: float) -> None:
        now_s = self.time_s + dt_s
        if now_s - self._history[-1][0] >= _HISTORY_S:
            self._history.append((now_s, tuple(motor.angle_rad for motor in self.motors)))
