"""What a measurement yields: figures, the limits they are held against, and what they mean."""

import math
from collections.abc import Sequence

from msgspec import Struct


class Check(Struct, frozen=True):
    """One figure against its limit; neither is negative, less is better."""

    what: str
    measured: float
    limit: float

    @property
    def ratio(self) -> float:
        """The figure as a part of its limit; above 1 it is missed."""
        if self.limit == 0.0:
            return 0.0 if self.measured == 0.0 else math.inf
        return self.measured / self.limit

    @property
    def met(self) -> bool:
        """Whether the limit holds."""
        # Written so that a figure that is not a number meets nothing.
        return self.measured <= self.limit


class Spread(Struct, frozen=True):
    """How a figure spreads over ``count`` samples, in its record's unit."""

    count: int
    mean: float
    p50: float
    p99: float
    most: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> "Spread":
        """Return the spread of ``samples``. Raises ValueError for none."""
        if not samples:
            raise ValueError("no samples: nothing was measured")
        ordered = sorted(samples)
        return cls(
            len(ordered),
            math.fsum(ordered) / len(ordered),
            percentile(ordered, 0.50),
            percentile(ordered, 0.99),
            ordered[-1],
        )

    @classmethod
    def single(cls, value: float) -> "Spread":
        """Return the spread of a figure that was taken once."""
        return cls(1, value, value, value, value)

    def scaled(self, factor: float) -> "Spread":
        """Return the same spread in another unit."""
        return Spread(
            self.count,
            self.mean * factor,
            self.p50 * factor,
            self.p99 * factor,
            self.most * factor,
        )


def percentile(ordered: Sequence[float], part: float) -> float:
    """Return the smallest of ``ordered`` that ``part`` (0 to 1) of all do not exceed."""
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]


class Record(Struct, frozen=True):
    """One line of a measurement; without ``checks`` it is there to compare with."""

    name: str
    unit: str
    spread: Spread
    meaning: str
    checks: tuple[Check, ...] = ()

    @property
    def met(self) -> bool:
        """Whether every limit holds."""
        return all(check.met for check in self.checks)


class Outcome(Struct, frozen=True):
    """What became of one measurement: its records, or why there are none.

    ``conditions`` says how busy the computer was.
    """

    name: str
    title: str
    conditions: str
    records: tuple[Record, ...] = ()
    trouble: str = ""

    @property
    def met(self) -> bool:
        """Whether it was measured and every limit holds."""
        return not self.trouble and all(record.met for record in self.records)
