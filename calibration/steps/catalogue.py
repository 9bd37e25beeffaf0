"""Every step of the calibration, in the order in which they are done, and which have been."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass

from msgspec import Struct, structs

from calibration.history import History
from calibration.steps.battery import BatteryStep
from calibration.steps.motors import MotorsStep
from calibration.steps.odometry import OdometryStep
from calibration.steps.square import SquareStep
from calibration.steps.steering import SteeringStep
from calibration.steps.step import Step
from rover.config import Config


@dataclass(frozen=True, slots=True)
class Entry:
    """A step: its name on the command line, and ``what`` it finds out.

    ``begin`` makes it out of the configuration and a draft; a rover drives well without one that is
    ``optional``.
    """

    name: str
    what: str
    begin: Callable[[Config, bytes], Step]
    optional: bool = False


def _battery(config: Config, _draft: bytes) -> Step:
    return BatteryStep(config)


def _square(config: Config, _draft: bytes) -> Step:
    return SquareStep(config)


CATALOGUE = (
    Entry("motors", "which output turns which wheel, and which way", MotorsStep),
    Entry("steering", "where straight ahead is, and how far the wheels go", SteeringStep),
    Entry("odometry", "the wheels' radius and the track", OdometryStep),
    Entry("square", "left wheels against right ones, by UMBmark's square", _square, optional=True),
    Entry("battery", "what is measured of it, and its capacity", _battery),
)
BY_NAME = {entry.name: entry for entry in CATALOGUE}
# It has a conversation of its own: with a pad, not with a rover.
_GAMEPAD = ("gamepad", "what a gamepad's controls send", False)


class StepStatus(Struct, frozen=True):
    """Whether a step has been done: when, in ISO 8601, empty if never.

    ``begun``: it has been left in the middle. ``optional``: a rover drives well without.
    """

    name: str
    what: str
    done: str
    begun: bool
    optional: bool


def statuses(config: Config, history: History) -> tuple[StepStatus, ...]:
    """Return every step's status. Raises ConfigError if a record cannot be read."""
    steps = (*((entry.name, entry.what, entry.optional) for entry in CATALOGUE), _GAMEPAD)
    return tuple(
        _status(StepStatus(name, what, "", begun=False, optional=optional), config, history)
        for name, what, optional in steps
    )


def _status(empty: StepStatus, config: Config, history: History) -> StepStatus:
    record = history.latest(empty.name)
    when = "" if record is None else _when(record.when)
    if empty.name == "steering" and config.steering.calibrated and not when:
        when = "in a file"
    begun = bool(history.draft(empty.name))
    return structs.replace(empty, done=when, begun=begun)


def _when(when: datetime.datetime | None) -> str:
    return "at some time" if when is None else when.isoformat(timespec="minutes")
