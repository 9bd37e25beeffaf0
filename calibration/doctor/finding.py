"""What a check found, as people and programs read it."""

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

# Counted up when a field changes its meaning or goes.
REPORT_VERSION = 1


class Verdict(StrEnum):
    """How a step came out, the best first."""

    OK = "ok"
    SKIPPED = "skipped"
    WARN = "warn"
    FAIL = "fail"


class Finding(Struct, frozen=True):
    """One step of the walk.

    ``code`` names what was found: one of ``remedies.REMEDIES`` where something is wrong, else
    the check's own. ``tried`` and ``found`` are sentences or parts of such, ``next_step`` is the
    one thing to do about it, empty where nothing is to be done.
    """

    step: str
    verdict: Verdict
    code: str
    tried: str
    found: str
    next_step: str = ""


class Report(Struct, frozen=True):
    """A whole walk. ``unix_s`` is when it began, ``by_control`` whether control had the bus."""

    version: int
    unix_s: float
    by_control: bool
    findings: tuple[Finding, ...]

    @property
    def failed(self) -> bool:
        """Whether anything failed."""
        return any(finding.verdict is Verdict.FAIL for finding in self.findings)


def counted(findings: Iterable[Finding]) -> dict[Verdict, int]:
    """Return how many findings there are of each verdict."""
    counts = dict.fromkeys(Verdict, 0)
    for finding in findings:
        counts[finding.verdict] += 1
    return counts


def well(step: str, code: str, tried: str, found: str) -> Finding:
    """Return that a step is as it should be."""
    return Finding(step, Verdict.OK, code, tried, found)


def skipped(step: str, code: str, reason: str, next_step: str = "") -> Finding:
    """Return that a step was not taken, and why."""
    return Finding(step, Verdict.SKIPPED, code, "not tried", reason, next_step)
