"""Runs all that was chosen, two faults at a time, and collects what came out."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec

from benchmarks.faults.fault import Driver, Fault
from benchmarks.faults.lane import ACTS, PLANT, RAN
from benchmarks.faults.results import Plant, Result
from benchmarks.harness import NotMeasuredError

_ROOT = Path(__file__).parents[2]
_TOLD_CHARACTERS = 800
Kind = TypeVar("Kind", Result, Plant)


def drivers_of(fault: Fault) -> tuple[Driver, ...]:
    """Return who drives: where that makes no difference, the phone."""
    return fault.sources or (Driver.PHONE,)


def run_plant(runs: int, told: Callable[[], None]) -> Plant:
    """Measure the plant. Raises NotMeasuredError if that fails."""
    return _run((PLANT, str(runs)), Plant, told)


def run_faults(
    faults: Sequence[Fault], runs: int, lanes: int, told: Callable[[], None]
) -> list[Result]:
    """Run every fault with each of its drivers, in ``lanes`` processes at a time."""

    def run(job: tuple[Fault, Driver]) -> Result:
        fault, driver = job
        try:
            return _run((fault.key, driver.value, str(runs)), Result, told)
        except NotMeasuredError as error:
            return Result(fault.key, driver, (), str(error))

    jobs = [(fault, driver) for fault in faults for driver in drivers_of(fault)]
    with ThreadPoolExecutor(lanes) as pool:
        results = list(pool.map(run, [job for job in jobs if not ACTS[job[0].key].alone]))
    return results + [run(job) for job in jobs if ACTS[job[0].key].alone]


def _run(arguments: Sequence[str], kind: type[Kind], told: Callable[[], None]) -> Kind:
    command = (sys.executable, "-m", "benchmarks.faults.lane", *arguments)
    with subprocess.Popen(
        command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        if process.stdout is None or process.stderr is None:
            raise NotMeasuredError("no pipe from the process that runs the fault")
        last = ""
        for line in process.stdout:
            last = line.strip()
            if last == RAN:
                told()
        complaint = process.stderr.read()
    try:
        return msgspec.json.decode(last, type=kind)
    except msgspec.DecodeError as error:
        raise NotMeasuredError(complaint[-_TOLD_CHARACTERS:]) from error
