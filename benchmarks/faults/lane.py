"""Runs one fault again and again, on a rover of its own, in a process of its own.

    python -m benchmarks.faults.lane KEY DRIVER RUNS
    python -m benchmarks.faults.lane plant RUNS

Prints a line for each run, and at the end one with the Result, or the Plant, as JSON.
"""

import random
import sys
import time
from collections.abc import Callable

import msgspec

from benchmarks.faults import (
    acts_computer,
    acts_devices,
    acts_page,
    acts_people,
    acts_processes,
    acts_stops,
)
from benchmarks.faults.act import Act
from benchmarks.faults.fault import Driver
from benchmarks.faults.matrix import BY_KEY
from benchmarks.faults.results import Plant, Result
from benchmarks.faults.stage import Stage, staged
from benchmarks.faults.trial import Trial, run_trial, seconds_to_stand, stop_plainly
from benchmarks.harness import NotMeasuredError
from benchmarks.records import Spread
from rover.errors import RoverError
from rover.messages import RequestKind

ACTS: dict[str, Act] = {
    **acts_people.ACTS,
    **acts_page.ACTS,
    **acts_stops.ACTS,
    **acts_processes.ACTS,
    **acts_devices.ACTS,
    **acts_computer.ACTS,
}
# The watcher comes second to the rover only. Where it saw nothing for so long the computer stood
# still, or was somebody else's: such a run is made again, but not for ever.
_BLIND_S = 0.02
_SPARE_RUNS = 5
PLANT = "plant"
RAN = "ran"


def run_fault(key: str, driver: Driver, runs: int, told: Callable[[], None]) -> Result:
    """Run a fault ``runs`` times; ``told`` is called after each. Never raises for the rover."""
    fault, act = BY_KEY[key], ACTS[key]
    # The same moments at each run of the suite.
    chance = random.Random(f"{key} {driver}")
    trials: list[Trial] = []
    spare, repeated = max(_SPARE_RUNS, runs), 0
    try:
        with staged(
            node_fails=act.node_fails,
            on_small_disk=act.on_small_disk,
            real_margin=act.real_margin,
        ) as stage:
            act.prepare(stage)
            while len(trials) < runs:
                trial = run_trial(stage, fault, act, driver, chance)
                if trial.blind_s > _BLIND_S and spare:
                    spare -= 1
                    repeated += 1
                    continue
                trials.append(trial)
                told()
    except (NotMeasuredError, RoverError, OSError) as error:
        trouble = f"{type(error).__name__}: {error}"
        return Result(key, driver, tuple(trials), trouble, repeated)
    return Result(key, driver, tuple(trials), repeated=repeated)


def run_plant(runs: int, told: Callable[[], None]) -> Plant:
    """Measure the wheels' own time to stand, ``runs`` times on each way to stop."""
    with staged() as stage:

        def by(stop: Callable[[], float]) -> Spread:
            return Spread.of([_stop_once(stage, stop, told) for _ in range(runs)])

        return Plant(
            ramp=by(lambda: stop_plainly(stage, Driver.PHONE)),
            duty=by(lambda: _stop_by_emergency(stage)),
        )


def _stop_once(stage: Stage, stop: Callable[[], float], told: Callable[[], None]) -> float:
    stage.drive(stage.phone)
    took_s = seconds_to_stand(stage, stop())
    told()
    return took_s


def _stop_by_emergency(stage: Stage) -> float:
    asked_s = time.monotonic()
    stage.rig.client.request(RequestKind.STOP, "a person")
    return asked_s


def main() -> None:
    """Run what the arguments say."""
    what, *driver, runs = sys.argv[1:]

    def told() -> None:
        print(RAN, flush=True)

    result: Result | Plant
    if what == PLANT:
        result = run_plant(int(runs), told)
    else:
        result = run_fault(what, Driver(driver[0]), int(runs), told)
    print(msgspec.json.encode(result).decode(), flush=True)


if __name__ == "__main__":
    main()
