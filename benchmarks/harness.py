"""What measurements share: how much to measure, telling how far they are, time, priority."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from benchmarks.machine import describe_load
from benchmarks.records import Outcome, Record
from rover.errors import RoverError
from rover.realtime import ask_for_realtime

# Told how many of how many samples are there.
Progress = Callable[[int, int], None]


class NotMeasuredError(Exception):
    """Something that a measurement needs is missing, or did not do what it should."""


class Effort(Enum):
    """How much to measure."""

    FULL = "full"
    # For the benchmarks' own tests: whether it works, not how fast.
    TINY = "tiny"

    def count(self, full: int, tiny: int) -> int:
        """Return one or the other."""
        return full if self is Effort.FULL else tiny


@dataclass(frozen=True, slots=True)
class Measurement:
    """Something to measure. ``run`` raises NotMeasuredError where it cannot be."""

    name: str
    title: str
    run: Callable[[Effort, Progress], list[Record]]


@contextlib.contextmanager
def realtime(priority: int) -> Iterator[str]:
    """Give this thread SCHED_FIFO meanwhile; yields why it was refused, empty if it was not."""
    refused = ask_for_realtime(priority)
    try:
        yield refused
    finally:
        if priority and not refused:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def wait_until(condition: Callable[[], bool], what: str, within_s: float = 20.0) -> None:
    """Return once ``condition`` holds; raise NotMeasuredError with ``what`` if it never does."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline_s:
            raise NotMeasuredError(f"{what} (waited {within_s:g} s)")
        time.sleep(0.005)


def measure(measurement: Measurement, effort: Effort, progress: Progress) -> Outcome:
    """Run ``measurement``; what keeps it from being measured becomes part of the outcome."""
    conditions = describe_load()
    try:
        records = measurement.run(effort, progress)
    except (NotMeasuredError, RoverError, ConnectionError) as error:
        return Outcome(measurement.name, measurement.title, conditions, trouble=str(error))
    return Outcome(measurement.name, measurement.title, conditions, tuple(records))
