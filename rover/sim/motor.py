"""One geared DC motor with its wheel, driven by one output of a motor controller.

The winding obeys ``V = R i + k w`` (its inductance is left out: it settles within a
millisecond), the shaft ``J dw/dt = k i - friction``. Between two steps of the plant the
controller's output is either a constant voltage or a velocity loop that is linear in the
speed, so that a step is solved exactly with one exponential: any step length and any gain
are stable, and a settled motor can be stepped in large strides.

Assumptions, none of them from a data sheet of the whole rover:

- The wheel table's ``max_speed_rad_s`` is nine tenths of the no-load speed at 15 V (for
  JPL's rover 223 rpm, the speed printed on its gear motors).
- Stall current 9.2 A at 12 V and 0.25 A without load, as sold for that gear motor.
- A mechanical time constant of 0.10 s, wheel and share of the body's mass included.
- Zero duty shorts the winding (both low-side switches on), so it brakes with that time
  constant; the vendor's manual does not say, but names both PWM modes without a coast state.
"""

import math
from dataclasses import dataclass

NOMINAL_SUPPLY_V = 15.0
_MAX_SPEED_PART_OF_NO_LOAD = 0.9
_STALL_OHM = 12.0 / 9.2
_ROLLING_A = 0.2
_HARDLY_ANY = 1e-9


@dataclass(frozen=True, slots=True)
class MotorParameters:
    """Constants of a motor, seen at the wheel.

    ``emf_v_s`` is the voltage it makes per rad/s, ``friction_a`` the current that just
    overcomes gearbox and rolling resistance, ``time_constant_s`` that of its speed with the
    voltage held.
    """

    emf_v_s: float
    winding_ohm: float = _STALL_OHM
    friction_a: float = 0.25 + _ROLLING_A
    time_constant_s: float = 0.10

    @classmethod
    def for_wheel(cls, max_speed_rad_s: float) -> "MotorParameters":
        """Return a motor that reaches the wheel table's ``max_speed_rad_s`` with a margin."""
        no_load_rad_s = max_speed_rad_s / _MAX_SPEED_PART_OF_NO_LOAD
        return cls(emf_v_s=(NOMINAL_SUPPLY_V - _STALL_OHM * 0.25) / no_load_rad_s)

    @property
    def no_load_rad_s(self) -> float:
        """Speed at the nominal supply with the wheel in the air."""
        return (NOMINAL_SUPPLY_V - self.winding_ohm * (self.friction_a - _ROLLING_A)) / (
            self.emf_v_s
        )


class Drive:
    """What a controller's output does with the supply, as the motor needs to know it.

    ``duty = bias + gain_s * (held_rad_s - encoder * speed) + integral``, clipped to +-1. With
    zero gains it is a plain duty cycle. Speeds are those of the *motor* (an inverted wheel's
    controller counts the other way); ``encoder`` is what the loop sees of them: 1 all, 0
    nothing (a dead encoder), -1 the opposite (a reversed one, with which it runs away).
    ``gain_s`` and ``integral_gain`` are per rad/s of error, the latter per second too;
    ``lead_s`` is the derivative gain over the error's rate.
    """

    __slots__ = (
        "bias",
        "current_limit_a",
        "encoder",
        "gain_s",
        "held_rad_s",
        "integral",
        "integral_gain",
        "lead_s",
    )

    def __init__(self) -> None:
        self.current_limit_a = math.inf
        self.encoder = 1.0
        self.hold_duty(0.0)

    def hold_duty(self, duty: float) -> None:
        """Put out a constant duty cycle, -1 to 1."""
        self.bias = duty
        self.gain_s = self.integral_gain = self.lead_s = 0.0
        self.held_rad_s = self.integral = 0.0

    def __repr__(self) -> str:
        return (
            f"Drive(bias={self.bias:.4f}, gain={self.gain_s:.4f}, held={self.held_rad_s:.3f}, "
            f"integral={self.integral:.4f})"
        )


class Motor:
    """State of one motor: speed, angle, current, and what its controller puts out.

    Positive rolls the wheel forward. ``current_a`` is the winding's, positive when it drives
    forward; ``supply_a`` what it draws from the battery, negative when it gives back.
    """

    __slots__ = (
        "angle_rad",
        "applied_duty",
        "current_a",
        "drive",
        "limited",
        "locked",
        "parameters",
        "speed_rad_s",
        "supply_a",
    )

    def __init__(self, parameters: MotorParameters) -> None:
        self.parameters = parameters
        self.drive = Drive()
        self.speed_rad_s = 0.0
        self.angle_rad = 0.0
        self.current_a = 0.0
        self.supply_a = 0.0
        self.applied_duty = 0.0
        self.limited = False
        self.locked = False

    def step(self, dt_s: float, supply_v: float) -> float:
        """Let ``dt_s`` pass on ``supply_v``; return by how much the speed changed."""
        drive, parameters = self.drive, self.parameters
        before_rad_s = self.speed_rad_s
        error_rad_s = drive.held_rad_s - drive.encoder * before_rad_s
        duty = drive.bias + drive.gain_s * error_rad_s + drive.integral
        saturated = not -1.0 <= duty <= 1.0
        if saturated:
            duty = 1.0 if duty > 1.0 else -1.0
        elif drive.integral_gain:
            drive.integral += drive.integral_gain * error_rad_s * dt_s

        if before_rad_s == 0.0:
            if drive.gain_s and drive.held_rad_s == 0.0:
                # A velocity loop asked to stand, and standing, puts out nothing.
                drive.integral = duty = 0.0
            push_a = duty * supply_v / parameters.winding_ohm
            if self.locked or abs(push_a) <= parameters.friction_a:
                self._rest(duty, push_a, supply_v)
                return 0.0
            friction_a = math.copysign(parameters.friction_a, push_a)
        else:
            friction_a = math.copysign(parameters.friction_a, before_rad_s)

        after_rad_s = self._free_speed(dt_s, supply_v, duty, saturated, friction_a)
        current_a = self._mean_current(before_rad_s, after_rad_s, dt_s, friction_a)
        self.limited = abs(current_a) > drive.current_limit_a
        if self.limited:
            current_a = math.copysign(drive.current_limit_a, current_a)
            gained = (current_a - friction_a) * parameters.winding_ohm * dt_s
            after_rad_s = before_rad_s + gained / (parameters.emf_v_s * parameters.time_constant_s)
        if before_rad_s * after_rad_s < 0.0:
            # Friction turns round with the motion: from standstill the wheel breaks away the
            # other way, or does not.
            part = before_rad_s / (before_rad_s - after_rad_s)
            self.angle_rad += 0.5 * before_rad_s * part * dt_s
            self.speed_rad_s = 0.0
            return self.step((1.0 - part) * dt_s, supply_v) - before_rad_s

        mean_rad_s = 0.5 * (before_rad_s + after_rad_s)
        self.angle_rad += mean_rad_s * dt_s
        self.speed_rad_s = after_rad_s
        self.current_a = current_a
        if self.limited or not (saturated or drive.gain_s == 0.0):
            volts = parameters.emf_v_s * mean_rad_s + parameters.winding_ohm * current_a
            duty = max(-1.0, min(1.0, volts / supply_v)) if supply_v > 0.0 else 0.0
        self.applied_duty = duty
        self.supply_a = self.applied_duty * current_a
        return after_rad_s - before_rad_s

    @property
    def resting(self) -> bool:
        """Whether it stands and nothing asks it to move."""
        drive = self.drive
        return self.speed_rad_s == 0.0 and drive.bias == 0.0 and drive.held_rad_s == 0.0

    def lock(self, locked: bool) -> None:
        """Hold the wheel as an obstacle would, or let go of it."""
        self.locked = locked
        if locked:
            self.speed_rad_s = 0.0

    def _free_speed(
        self, dt_s: float, supply_v: float, duty: float, saturated: bool, friction_a: float
    ) -> float:
        """Return the speed after ``dt_s`` if nothing limited the current."""
        drive, parameters = self.drive, self.parameters
        before_rad_s = self.speed_rad_s
        lost_rad_s = friction_a * parameters.winding_ohm / parameters.emf_v_s
        reach_rad_s = supply_v / parameters.emf_v_s
        if saturated or drive.gain_s == 0.0:
            final_rad_s = duty * reach_rad_s - lost_rad_s
            after_rad_s = final_rad_s + (before_rad_s - final_rad_s) * math.exp(
                -dt_s / parameters.time_constant_s
            )
            error_rad_s = drive.held_rad_s - before_rad_s
            sees = drive.encoder > 0.0
            if drive.gain_s and sees and error_rad_s * (drive.held_rad_s - after_rad_s) < 0.0:
                # The loop would have left saturation on the way and not overshot.
                return drive.held_rad_s
            return after_rad_s
        # Below zero with a reversed encoder: then the speed runs away from what is asked.
        stiffness = 1.0 + reach_rad_s * drive.gain_s * drive.encoder or _HARDLY_ANY
        open_duty = drive.bias + drive.gain_s * drive.held_rad_s + drive.integral
        final_rad_s = (reach_rad_s * open_duty - lost_rad_s) / stiffness
        lead_s = max(0.0, drive.lead_s * drive.encoder)
        settle_s = (parameters.time_constant_s + reach_rad_s * lead_s) / stiffness
        return final_rad_s + (before_rad_s - final_rad_s) * math.exp(-dt_s / settle_s)

    def _mean_current(
        self, before_rad_s: float, after_rad_s: float, dt_s: float, friction_a: float
    ) -> float:
        """Return the mean current that this change of speed took."""
        parameters = self.parameters
        per_accel = parameters.time_constant_s * parameters.emf_v_s / parameters.winding_ohm
        return friction_a + per_accel * (after_rad_s - before_rad_s) / dt_s

    def _rest(self, duty: float, push_a: float, supply_v: float) -> None:
        """Stand still with ``push_a`` through the winding, as far as the limit allows."""
        limit_a = self.drive.current_limit_a
        self.limited = abs(push_a) > limit_a
        if self.limited:
            push_a = math.copysign(limit_a, push_a)
            duty = push_a * self.parameters.winding_ohm / supply_v
        self.current_a = push_a
        self.applied_duty = duty
        self.supply_a = duty * push_a
