"""Every step of the calibration, in the order in which they are done, and which have been."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass

from msgspec import Struct

from calibration.history import History
from calibration.steps.battery import BatteryStep
from calibration.steps.motors import MotorsStep
from calibration.steps.odometry import OdometryStep
from calibration.steps.steering import SteeringStep
from calibration.steps.step import Step
from rover.config import Config


@dataclass(frozen=True, slots=True)
class Entry:
    """A step: its name on the command line, and ``what`` it finds out.

    ``make`` makes it out of the configuration and a draft; None for the gamepad's, which has a
    conversation of its own.
    """

    name: str
    what: str
    make: Callable[[Config, bytes], Step] | None


CATALOGUE = (
    Entry("motors", "which output turns which wheel, and which way", MotorsStep),
    Entry("steering", "where straight ahead is, and how far the wheels go", SteeringStep),
    Entry("odometry", "the wheels' radius and the track", OdometryStep),
    Entry("battery", "what is measured of it, and its capacity", lambda config, _: BatteryStep(config)),
    Entry("gamepad", "what a gamepad's controls send", None),
)
BY_NAME = {entry.name: entry for entry in CATALOGUE}


class StepStatus(Struct, frozen=True):
    """Whether a step has been done: when, in ISO 8601, empty if never.

    ``begun``: it has been left in the middle. ``needed``: nothing arms before it is done.
    """

    name: str
    what: str
    done: str
    begun: bool
    needed: bool


def statuses(config: Config, history: History) -> tuple[StepStatus, ...]:
    """Return every step's status. Raises ConfigError if a record cannot be read."""
    return tuple(_status(entry, config, history) for entry in CATALOGUE)


def _status(entry: Entry, config: Config, history: History) -> StepStatus:
    record = history.latest(entry.name)
    when = "" if record is None else _when(record.when)
    if entry.name == "steering" and config.steering.calibrated and not when:
        when = "in a file"
    return StepStatus(
        name=entry.name,
        what=entry.what,
        done=when,
        begun=bool(history.draft(entry.name)),
        needed=entry.name == "steering" and not config.steering.calibrated,
    )


def _when(when: datetime.datetime | None) -> str:
    return "at some time" if when is None else when.isoformat(timespec="minutes")
