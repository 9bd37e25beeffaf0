"""How a fault is put into the real processes, and how it is taken out again."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.faults.fault import Driver
from benchmarks.faults.stage import Stage


def nothing(_stage: Stage) -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class Act:
    """One fault on the real processes.

    ``inject`` puts it in, the rover being driven at full speed, and returns when (s, monotonic).
    ``meanwhile`` is what happens after the wheels have come to stand, those who drive asking on;
    ``mend`` takes the fault out so that the rover can be driven again. ``prepare`` is done once,
    before the first run. ``node_fails``: the pad is a node that fails when it is unplugged.
    ``real_margin``: control waits for a reply no longer than for a real controller's.

    Where driving goes on, it is watched for ``lasts_s``, and no wheel may be slower than
    ``slowest_share`` of full speed; one that ``slows`` must be at slow speed in the end.
    ``may_stop``: standing is allowed too. ``alone``: it takes so much of the
    computer that nothing else may be measured meanwhile.
    """

    inject: Callable[[Stage, Driver], float]
    meanwhile: Callable[[Stage], None] = nothing
    mend: Callable[[Stage], None] = nothing
    prepare: Callable[[Stage], None] = nothing
    node_fails: bool = False
    real_margin: bool = False
    on_small_disk: bool = False
    lasts_s: float = 1.5
    slows: bool = False
    slowest_share: float = 0.8
    may_stop: bool = False
    alone: bool = False


def until(time_s: float) -> None:
    """Wait until ``time_s`` (monotonic)."""
    time.sleep(max(0.0, time_s - time.monotonic()))
