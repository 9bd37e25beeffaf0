"""One motor output of a RoboClaw: what it was told, the loop that does it, the encoder.

Everything here is in the controller's own frame: encoder counts, positive counting up. An
inverted wheel's motor turns the other way.

The vendor does not publish the velocity loop. Assumed here: the duty is the asked speed as
a part of QPPS (what QPPS is there for), plus P times the error, I times its integral and D
times its rate, all as parts of QPPS. Nor does the vendor say more of the two bits that reverse
than their names: each is taken to turn round its own, motor or encoder.
"""

import math
from typing import TYPE_CHECKING

from rover.sim.motor import Motor, MotorParameters
from rover.sim.plant import Plant

if TYPE_CHECKING:
    from rover.sim.roboclaw_settings import OutputSettings

MAX_DUTY = 32767
_PID_ONE = 65536.0
_COUNTER_MODULUS = 1 << 32

# Bits of an encoder's mode.
REVERSED_ENCODER = 0x40
REVERSED_MOTOR = 0x20


class Output:
    """A motor output; ``wheel`` is its place in the plant, None if no wheel is connected."""

    def __init__(
        self,
        plant: Plant,
        wheel: int | None,
        *,
        inverted: bool,
        ticks_per_turn: float,
        settings: "OutputSettings",
    ) -> None:
        self._plant = plant
        self.wheel = wheel
        # An output with nothing connected reads a motor that never turns.
        self._motor = Motor(_unconnected()) if wheel is None else plant.motors[wheel]
        self._sign = -1.0 if inverted else 1.0
        self._ticks_per_rad = ticks_per_turn / math.tau
        # What the encoder makes of the motor's turning, as it is wired.
        self._encoder = 1
        self._duty_sign = self._counts_sign = self._sign
        self._offset = 0
        self._wraps = 0
        self.settings = settings
        self._regulating = False
        self._target = 0.0
        self._setpoint = 0.0
        self._rate_per_s = math.inf
        self.configure(settings)
        plant.add_ramp(self._ramp)

    def configure(self, settings: "OutputSettings") -> None:
        """Work with ``settings`` from now on; the plant must have been brought up to now."""
        self.settings = settings
        self._motor.drive.current_limit_a = settings.max_current / 100.0
        self._see_encoder(self._plant.time_s)
        self._apply()

    def asks(self, *, regulating: bool, target: float, rate_per_s: float = math.inf) -> bool:
        """Tell whether ``command`` with these would change anything."""
        return (
            regulating != self._regulating
            or target != self._target
            or (rate_per_s != self._rate_per_s and self._setpoint != target)
        )

    def command(self, *, regulating: bool, target: float, rate_per_s: float = math.inf) -> None:
        """Hold a speed (``regulating``, qpps) or put out a duty (+-32767), ramped or at once.

        ``rate_per_s`` is in the target's unit per second. The plant must have been brought up
        to now.
        """
        if regulating != self._regulating:
            self._setpoint = self._qpps() if regulating else self.pwm()
            self._motor.drive.integral = 0.0
        self._regulating = regulating
        self._target = target
        self._rate_per_s = rate_per_s
        if math.isinf(rate_per_s):
            self._setpoint = target
        self._apply()

    @property
    def idle(self) -> bool:
        """Whether it is asked for nothing but zero duty."""
        return not self._regulating and self._target == 0.0 and self._setpoint == 0.0

    def count(self, now_s: float) -> int:
        """Return the encoder as the counter holds it, 0 to 2**32 - 1."""
        return self._total(now_s) % _COUNTER_MODULUS

    def wrapped(self, now_s: float) -> int:
        """Return 1 if the counter overflowed since last asked, -1 if it underflowed, else 0."""
        wraps = self._total(now_s) // _COUNTER_MODULUS
        change = wraps - self._wraps
        self._wraps = wraps
        return (change > 0) - (change < 0)

    def set_count(self, count: int, now_s: float) -> None:
        """Let the counter go on from ``count``."""
        self._offset += count - self._total(now_s)
        self._wraps = 0

    def set_encoder(self, sign: int, now_s: float) -> None:
        """Let the encoder count with the motor (1), against it (-1), or not at all (0)."""
        self._encoder = sign
        self._see_encoder(now_s)

    def speed_qpps(self) -> int:
        """Return the present speed."""
        return round(self._qpps())

    def mean_speed_qpps(self, now_s: float) -> int:
        """Return the speed averaged over the last second."""
        if self.wheel is None:
            return 0
        mean_rad_s = self._plant.mean_speed_rad_s(self.wheel, now_s)
        return round(self._counts_sign * mean_rad_s * self._ticks_per_rad)

    def pwm(self) -> int:
        """Return the duty that is put out, +-32767."""
        return round(self._duty_sign * self._motor.applied_duty * MAX_DUTY)

    def current_10ma(self) -> int:
        """Return the current, positive when it drives and negative when it brakes [?]."""
        motor = self._motor
        amperes = motor.current_a
        if motor.speed_rad_s:
            amperes = math.copysign(1.0, motor.speed_rad_s) * amperes
        else:
            amperes = abs(amperes)
        return max(-0x8000, min(0x7FFF, round(amperes * 100.0)))

    @property
    def overcurrent(self) -> bool:
        """Whether the current is being held at its limit."""
        return self._motor.limited

    def _qpps(self) -> float:
        return self._counts_sign * self._motor.speed_rad_s * self._ticks_per_rad

    def _total(self, now_s: float) -> int:
        motor = self._motor
        angle_rad = motor.angle_rad + motor.speed_rad_s * (now_s - self._plant.time_s)
        return round(self._counts_sign * angle_rad * self._ticks_per_rad) + self._offset

    def _see_encoder(self, now_s: float) -> None:
        """Have duty and counts go their ways from now on; what has been counted stays [?]."""
        count = self._total(now_s)
        mode = self.settings.encoder_mode
        # Which way a positive duty turns the wheel, and a wheel that rolls forward counts.
        self._duty_sign = -self._sign if mode & REVERSED_MOTOR else self._sign
        counts_sign = self._sign * self._encoder
        self._counts_sign = -counts_sign if mode & REVERSED_ENCODER else counts_sign
        self._motor.drive.encoder = self._duty_sign * self._counts_sign
        self._offset += count - self._total(now_s)

    def _ramp(self, dt_s: float) -> bool:
        """Move the setpoint on; tell whether it is still on its way."""
        ahead = self._target - self._setpoint
        if ahead == 0.0:
            return False
        reach = self._rate_per_s * dt_s
        self._setpoint = (
            self._target if abs(ahead) <= reach else self._setpoint + math.copysign(reach, ahead)
        )
        self._apply()
        return True

    def _apply(self) -> None:
        """Hand the setpoint to the motor, in the motor's frame."""
        drive, settings = self._motor.drive, self.settings
        if not self._regulating:
            drive.hold_duty(self._duty_sign * self._setpoint / MAX_DUTY)
            return
        if settings.qpps == 0:
            drive.hold_duty(0.0)
            return
        gain = self._ticks_per_rad / settings.qpps / _PID_ONE
        drive.bias = self._duty_sign * self._setpoint / settings.qpps
        drive.held_rad_s = self._duty_sign * self._setpoint / self._ticks_per_rad
        drive.gain_s = settings.velocity_p * gain
        drive.integral_gain = settings.velocity_i * gain
        drive.lead_s = settings.velocity_d * gain


def _unconnected() -> MotorParameters:
    return MotorParameters.for_wheel(1.0)
