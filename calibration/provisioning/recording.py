"""What was seen of a motor while it turned, and what it means. Pure.

Counts are signed and begin at 0 with the first sample; the time is that since the command.
"""

from collections.abc import Sequence
from dataclasses import dataclass

# A speed is the mean over at least this long: 42 counts at half of JPL's full speed.
_WINDOW_S = 0.03
# What counts as settled: the last part of a step, when its speed is taken.
_LAST_PART = 0.3


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: the motor's own count, the other output's, current and battery."""

    time_s: float
    count: int
    other_count: int
    current_a: float
    supply_v: float


@dataclass(frozen=True, slots=True)
class Speed:
    """A mean speed in counts a second, at the middle of what it is the mean of."""

    time_s: float
    qpps: float


Recording = tuple[Sample, ...]


def speeds(recording: Sequence[Sample]) -> tuple[Speed, ...]:
    """Return the speed over time, each a mean over 30 ms or a little more."""
    found = []
    first = 0
    for last, sample in enumerate(recording):
        while first + 1 < last and sample.time_s - recording[first + 1].time_s >= _WINDOW_S:
            first += 1
        span_s = sample.time_s - recording[first].time_s
        if span_s >= _WINDOW_S:
            rise = sample.count - recording[first].count
            found.append(Speed(sample.time_s - span_s / 2, rise / span_s))
    return tuple(found)


def mean_speed(recording: Sequence[Sample], from_s: float, to_s: float) -> float:
    """Return the mean speed between two times in counts a second, 0 if nothing was seen."""
    within = [sample for sample in recording if from_s <= sample.time_s <= to_s]
    if len(within) < 2:  # noqa: PLR2004 - two ends of a way
        return 0.0
    first, last = within[0], within[-1]
    return (last.count - first.count) / (last.time_s - first.time_s)


def mean_supply(recording: Sequence[Sample], from_s: float) -> float:
    """Return the battery's mean voltage from a time on."""
    within = [sample.supply_v for sample in recording if sample.time_s >= from_s]
    return sum(within) / len(within)


@dataclass(frozen=True, slots=True)
class StepResponse:
    """How a velocity loop takes a step to ``target_qpps``.

    ``overshoot`` is beyond the target as a part of it, 0 if it is not reached; ``rise_s`` until
    nine tenths of it are reached, None if they never are; ``final`` the speed at the end as a part
    of the target.
    """

    target_qpps: float
    trace: tuple[Speed, ...]
    overshoot: float
    rise_s: float | None
    final: float


def step_response(recording: Sequence[Sample], target_qpps: float) -> StepResponse:
    """Return what a recording of a step says."""
    trace = speeds(recording)
    highest = max((speed.qpps for speed in trace), default=0.0)
    rise_s = next((speed.time_s for speed in trace if speed.qpps >= 0.9 * target_qpps), None)
    end_s = recording[-1].time_s if recording else 0.0
    final = mean_speed(recording, (1.0 - _LAST_PART) * end_s, end_s)
    return StepResponse(
        target_qpps,
        trace,
        max(0.0, highest / target_qpps - 1.0),
        rise_s,
        final / target_qpps,
    )
