"""A velocity loop for a motor whose constants are known, and what to do if it behaves otherwise.

The vendor does not publish the loop. That QPPS is what the speed is fed forward by is known from
its support; that the gains are parts of QPPS is assumed, as in the simulator. Therefore a loop
found here is tried on the wheel, and changed by what is seen. Pure.
"""

from dataclasses import dataclass

from calibration.provisioning.identify import MotorFit
from calibration.provisioning.kept import GAIN_ONE, Loop
from calibration.provisioning.recording import StepResponse

# What is allowed when it is tried on the wheel, and what is aimed at.
MOST_OVERSHOOT = 0.10
_AIM = 0.05
# How fast the loop is to be. Faster than this it would act on its own delays, which the vendor
# does not tell; it measures speed from single edges and acts some hundred times a second [?].
_LOOP_TIME_CONSTANT_S = 0.02
_LEAST_P, _MOST_P = 0.5, 4.0
# Without some of the integral a loop does not hold its speed under load.
_LEAST_I_S, _MOST_I_S = 4.0, 40.0
# The step that is tried, in the model as on the wheel, as a part of QPPS.
STEP_PART = 0.5
# In the model a small one too, in which the integral has to overcome friction first.
_SMALL_STEP_PART = 0.15
_MODEL_STEP_S = 0.002
_MODEL_TIME_CONSTANTS = 15.0
_HALVINGS = 7
# A loop that needs so much longer than its model to rise has too little gain.
_SLUGGISH = 3.0
_LATE_S = 0.05
_SOFTER, _HARDER = 0.5, 1.6


@dataclass(frozen=True, slots=True)
class Gains:
    """Gains as parts of QPPS: ``p`` per error, ``i_per_s`` per error and second."""

    p: float
    i_per_s: float

    def loop(self, qpps: float) -> Loop:
        """Return them as a controller keeps them."""
        return Loop(round(self.p * GAIN_ONE), round(self.i_per_s * GAIN_ONE), 0, round(qpps))


@dataclass(frozen=True, slots=True)
class Supply:
    """The battery: the voltage for which QPPS holds, and the ends of its range."""

    nominal_v: float
    low_v: float
    full_v: float


def design(motor: MotorFit, supply: Supply) -> Gains:
    """Return gains that overshoot by 5 % at most on any charge of the battery.

    P speeds the wheel up to a time constant of 20 ms, as far as its bounds allow; I is the
    largest with which the model does not overshoot by more, or the least that holds a speed.
    """
    p = min(_MOST_P, max(_LEAST_P, motor.time_constant_s / _LOOP_TIME_CONSTANT_S - 1.0))
    low, high = _LEAST_I_S, _MOST_I_S
    if _worst_overshoot(motor, supply, Gains(p, high)) <= _AIM:
        return Gains(p, high)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _worst_overshoot(motor, supply, Gains(p, middle)) <= _AIM:
            low = middle
        else:
            high = middle
    return Gains(p, low)


def modelled_step(
    motor: MotorFit, supply: Supply, gains: Gains, supply_v: float, step: float = STEP_PART
) -> tuple[float, float]:
    """Return overshoot (as a part) and time to nine tenths of a step in the model, in seconds.

    ``step`` is a part of QPPS.
    """
    qpps = motor.full_speed_qpps(supply.nominal_v)
    reach = motor.qpps_per_v * supply_v / qpps
    friction = motor.friction_qpps / qpps
    tau_s = motor.time_constant_s
    # Long for the loop, whose slowest part is the motor's own; short for the computer.
    dt_s = min(_MODEL_STEP_S, tau_s / 20)
    speed = integral = highest = 0.0
    rise_s = tau_s * _MODEL_TIME_CONSTANTS
    time_s = 0.0
    while time_s < tau_s * _MODEL_TIME_CONSTANTS:
        error = step - speed
        duty = step + gains.p * error + integral
        if -1.0 <= duty <= 1.0:
            integral += gains.i_per_s * error * dt_s
        else:
            duty = 1.0 if duty > 0.0 else -1.0
        speed = max(0.0, speed + (reach * duty - friction - speed) * dt_s / tau_s)
        time_s += dt_s
        highest = max(highest, speed)
        if speed >= 0.9 * step:
            rise_s = min(rise_s, time_s)
    return max(0.0, highest / step - 1.0), rise_s


def _worst_overshoot(motor: MotorFit, supply: Supply, gains: Gains) -> float:
    return max(
        modelled_step(motor, supply, gains, volts, step)[0]
        for volts in (supply.low_v, supply.full_v)
        for step in (_SMALL_STEP_PART, STEP_PART)
    )


def revised(gains: Gains, seen: StepResponse, modelled_rise_s: float) -> Gains | None:
    """Return gains to try instead of those with which ``seen`` was seen, None if they will do."""
    if seen.overshoot > MOST_OVERSHOOT:
        return Gains(gains.p * _SOFTER, gains.i_per_s * _SOFTER * _SOFTER)
    late_s = _SLUGGISH * modelled_rise_s + _LATE_S
    if (seen.rise_s is None or seen.rise_s > late_s) and seen.overshoot <= _AIM:
        return Gains(gains.p * _HARDER, gains.i_per_s * _HARDER)
    return None
