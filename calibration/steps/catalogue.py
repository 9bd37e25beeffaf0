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

    ``begin`` makes it out of the configuration and a draft.
    """

    name: str
    what: str
    begin: Callable[[Config, bytes], Step]


def _battery(config: Config, _draft: bytes) -> Step:
    return BatteryStep(config)


CATALOGUE = (
    Entry("motors", "which output turns which wheel, and which way", MotorsStep),
    Entry("steering", "where straight ahead is, and how far the wheels go", SteeringStep),
    Entry("odometry", "the wheels' radius and the track", OdometryStep),
    Entry("battery", "what is measured of it, and its capacity", _battery),
)
BY_NAME = {entry.name: entry for entry in CATALOGUE}
# It has a conversation of its own: with a pad, not with a rover.
_GAMEPAD = ("gamepad", "what a gamepad's controls send")


class StepStatus(Struct, frozen=True):
    """Whether a step has been done: when, in ISO 8601, empty if never.

    ``begun``: it has been left in the middle.
    """

    name: str
    what: str
    done: str
    begun: bool


def statuses(config: Config, history: History) -> tuple[StepStatus, ...]:
    """Return every step's status. Raises ConfigError if a record cannot be read."""
    steps = (*((entry.name, entry.what) for entry in CATALOGUE), _GAMEPAD)
    return tuple(_status(name, what, config, history) for name, what in steps)


def _status(name: str, what: str, config: Config, history: History) -> StepStatus:
    record = history.latest(name)
    when = "" if record is None else _when(record.when)
    if name == "steering" and config.steering.calibrated and not when:
        when = "in a file"
    return StepStatus(
        name=name,
        what=what,
        done=when,
        begun=bool(history.draft(name)),
    )


def _when(when: datetime.datetime | None) -> str:
    return "at some time" if when is None else when.isoformat(timespec="minutes")
