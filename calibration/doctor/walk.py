"""The walk: one check after the other, those left out whose ground has given way."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from calibration.doctor.finding import Finding, Verdict, skipped
from calibration.doctor.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class Check:
    """One step of the walk: what to look at, and which steps must have succeeded before.

    ``look`` may give several findings, one after the other, and none if there is nothing of
    the kind on this rover. ``doing`` is shown while it looks.
    """

    step: str
    doing: str
    look: Callable[[Surroundings], Iterable[Finding]]
    needs: tuple[str, ...] = ()


def walk(
    surroundings: Surroundings,
    checks: Sequence[Check],
    tell: Callable[[str], None] = lambda doing: None,
) -> Iterator[Finding]:
    """Take every step in order; ``tell`` hears what is being done.

    A step that needs one which failed, or was left out, is left out with the reason.
    """
    broken: dict[str, str] = {}
    for check in checks:
        missing = next((need for need in check.needs if need in broken), None)
        if missing is not None:
            reason = f"not tried, because of {missing}: {broken[missing]}"
            broken[check.step] = broken[missing]
            yield skipped(check.step, "not-tried", reason)
            continue
        tell(check.doing)
        for finding in check.look(surroundings):
            if finding.verdict is Verdict.FAIL:
                broken.setdefault(check.step, finding.found)
            yield finding
