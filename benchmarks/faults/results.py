"""What the runs of a fault add up to, and whether its promise was kept."""

from msgspec import Struct

from benchmarks.faults.fault import Driver, Fault
from benchmarks.faults.trial import Trial
from benchmarks.records import Spread
from rover.messages import ArmState

# On top of bound and plant: the tick that the fault has just missed, the packets of the next
# one and their acknowledgements (7 ms), two looks at the wheels.
ALLOWANCE_S = 0.025


class Plant(Struct, frozen=True):
    """How long the wheels themselves take to stand from full speed, measured in the same run.

    ``ramp`` is a plain stop, on the stop's ramp; ``duty`` an emergency stop, with no duty at all.
    """

    ramp: Spread
    duty: Spread

    def of(self, fault: Fault) -> Spread:
        """Return the one that the reaction to ``fault`` has in it."""
        return self.ramp if fault.ramps else self.duty


class Result(Struct, frozen=True):
    """One fault with one driver; ``trouble`` is all that was wrong, empty if nothing was.

    ``trials`` may be fewer than were asked for if the rover could not be driven any more;
    ``repeated`` are those that were made again, because the computer stood still meanwhile.
    """

    key: str
    driver: Driver
    trials: tuple[Trial, ...]
    trouble: str = ""
    repeated: int = 0

    @property
    def stop(self) -> Spread | None:
        """How long it took to stand (s), None without a single run that did."""
        times_s = [trial.stop_s for trial in self.trials if trial.stop_s is not None]
        return Spread.of(times_s) if times_s else None

    @property
    def line(self) -> Spread | None:
        """How long until the motor-enable line dropped (s), None if it did not in each run."""
        times_s = [trial.line_s for trial in self.trials if trial.line_s is not None]
        return Spread.of(times_s) if times_s and len(times_s) == len(self.trials) else None

    @property
    def states(self) -> str:
        """The state afterwards, several if they differ."""
        return ", ".join(sorted({trial.state for trial in self.trials}))


def allowed_s(fault: Fault, plant: Plant) -> float:
    """Return how long the wheels may go on turning in all, in a run of ``fault``."""
    # Where driving goes on, it is a plain stop meanwhile that is measured.
    bound_s = fault.limit_s if fault.bound_s is not None else fault.way_in_s
    return bound_s + plant.of(fault).p50 + ALLOWANCE_S


def troubles(result: Result, fault: Fault, plant: Plant | None) -> tuple[str, ...]:
    """Return everything that breaks the promise for ``fault``; empty if it is kept."""
    found = [trial.trouble for trial in result.trials if trial.trouble]
    if result.trouble:
        found.insert(0, result.trouble)
    if result.stop is None:
        found.append("never came to stand")
    elif plant is not None and result.stop.most > allowed_s(fault, plant):
        found.append(f"{result.stop.most:.3f} s, allowed {allowed_s(fault, plant):.3f} s")
    if fault.state is ArmState.ESTOP and result.trials:
        line, allowed_line_s = result.line, fault.limit_s + ALLOWANCE_S
        if line is None:
            found.append("the motor-enable line stayed high")
        elif line.most > allowed_line_s:
            found.append(f"the line low after {line.most:.3f} s, allowed {allowed_line_s:.3f} s")
    return tuple(dict.fromkeys(found))
