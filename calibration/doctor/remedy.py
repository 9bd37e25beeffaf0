"""What can be wrong and what is to be done about it, as a row of the doctor's table."""

from dataclasses import dataclass

from calibration.doctor.finding import Verdict


@dataclass(frozen=True, slots=True)
class Remedy:
    """How a trouble looks, how bad it is, and what to do; ``next_step`` has places to fill."""

    code: str
    symptom: str
    verdict: Verdict
    next_step: str


def fail(code: str, symptom: str, next_step: str) -> Remedy:
    """Return a trouble with which the rover does not drive, or not safely."""
    return Remedy(code, symptom, Verdict.FAIL, next_step)


def warn(code: str, symptom: str, next_step: str) -> Remedy:
    """Return a trouble to look at before it becomes worse."""
    return Remedy(code, symptom, Verdict.WARN, next_step)
