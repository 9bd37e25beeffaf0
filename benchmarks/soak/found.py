"""Rules that did not hold, and when."""

from collections import Counter

from msgspec import Struct

_MOST_VIOLATIONS = 10
# Of what goes on for long, the beginning says enough.
_TOLD_OF_ONE_RULE = 2


class Violation(Struct, frozen=True):
    """A rule that did not hold: when (simulated s), which, and what was so."""

    time_s: float
    rule: str
    detail: str


class Found:
    """All violations of a run: each rule's number in ``broken``, the first ones whole."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self.broken = Counter[str]()

    @property
    def too_many(self) -> bool:
        """Whether enough has been found to look at."""
        return len(self.violations) >= _MOST_VIOLATIONS

    def add(self, now_s: float, rule: str, detail: str) -> None:
        """Note that ``rule`` did not hold at ``now_s``."""
        self.broken[rule] += 1
        if self.broken[rule] <= _TOLD_OF_ONE_RULE and not self.too_many:
            self.violations.append(Violation(now_s, rule, detail))
