"""From two runs at constant duty to a motor's constants. Pure.

A motor on a duty ``d`` of a supply ``V`` settles at ``gain * d * V - friction`` in counts a second,
and gets there with a time constant. The duty is ramped, so that the current stays small: the
wheel then lags behind by its time constant and by the middle of the part of the ramp that is
beyond friction.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from calibration.provisioning.recording import Recording, mean_speed, mean_supply
from rover.errors import DeviceError

# Between the two last quarters of a run the speed may differ by so much and count as settled: the
# last quarter is then a fifth of that from where the speed would end.
_SETTLED_PART = 0.06
_QUARTER = 0.25


@dataclass(frozen=True, slots=True)
class DutyRun:
    """A run at ``duty`` (0 to 1), reached on a ramp of ``ramp_s``."""

    duty: float
    ramp_s: float
    recording: Recording


@dataclass(frozen=True, slots=True)
class MotorFit:
    """A motor's constants: counts a second per volt, lost to friction, and its time constant."""

    qpps_per_v: float
    friction_qpps: float
    time_constant_s: float

    def full_speed_qpps(self, supply_v: float) -> float:
        """Return the speed at full duty: what QPPS is."""
        return self.qpps_per_v * supply_v - self.friction_qpps


def identify(runs: Sequence[DutyRun]) -> MotorFit:
    """Return the constants from two runs at different duties.

    Raises DeviceError if the runs make no motor's sense.
    """
    first, second = sorted(runs, key=lambda run: run.duty)
    volts = [run.duty * mean_supply(run.recording, _settled_s(run)) for run in (first, second)]
    settled = [_settled_speed(run) for run in (first, second)]
    gain = (settled[1] - settled[0]) / (volts[1] - volts[0])
    friction = max(0.0, gain * volts[0] - settled[0])
    if gain <= 0.0 or friction >= 0.9 * gain * volts[0]:
        raise DeviceError(
            f"at {first.duty:.0%} duty the wheel turns at {settled[0]:.0f} counts a second and at "
            f"{second.duty:.0%} at {settled[1]:.0f}: that is no motor that turns freely; look for "
            "what it rubs on, and for a weak battery"
        )
    lags = [
        _lag_s(run, speed, friction / (gain * volt))
        for run, speed, volt in zip((first, second), settled, volts, strict=True)
    ]
    return MotorFit(gain, friction, max(0.005, sum(lags) / len(lags)))


def _settled_s(run: DutyRun) -> float:
    end_s = run.recording[-1].time_s
    return end_s * (1.0 - 2 * _QUARTER)


def _settled_speed(run: DutyRun) -> float:
    end_s = run.recording[-1].time_s
    middle_s = end_s * (1.0 - _QUARTER)
    before = mean_speed(run.recording, _settled_s(run), middle_s)
    after = mean_speed(run.recording, middle_s, end_s)
    if after <= 0.0 or abs(after - before) > _SETTLED_PART * after:
        raise DeviceError(
            f"at {run.duty:.0%} duty the speed has not settled after {end_s:.1f} s "
            f"({before:.0f}, then {after:.0f} counts a second): does the wheel rub, or touch the "
            "ground?"
        )
    return after


def _lag_s(run: DutyRun, settled_qpps: float, friction_part: float) -> float:
    """Return the time constant, from how far the wheel is behind one that turned at once."""
    last = run.recording[-1]
    behind_s = last.time_s - last.count / settled_qpps
    return behind_s - run.ramp_s * (1.0 + friction_part) / 2
