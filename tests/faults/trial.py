"""One way to put a fault of the matrix into the rover on the manual clock, and to mend it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from rover.config import Config
from tests.builders import osr_config
from tests.faults.rig import FaultRig

Act = Callable[[FaultRig], None]


def nothing(rig: FaultRig) -> None:
    """There is nothing to do."""


@dataclass(frozen=True)
class Trial:
    """How ``break_`` puts the fault in, and what ``mend`` does before the rover is to drive again.

    ``before`` is done on a rover that drives at full speed already. ``then`` is what comes next
    once the wheels stand, the source still asking for full speed. ``reason`` is what a person
    is told of it. ``while_driving``, for faults with which driving goes on, is what must be so a
    few seconds later. ``running_away``: the fault makes a wheel turn faster than it was.
    """

    break_: Act
    mend: Act = nothing
    then: Act = nothing
    before: Act = nothing
    name: str = ""
    reason: str = ""
    while_driving: Act = nothing
    running_away: bool = False
    config: Config = field(default_factory=osr_config)
