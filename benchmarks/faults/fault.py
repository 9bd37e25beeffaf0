"""What is known of a fault before it is tried: what it is, and how it must end.

One table of these, ``benchmarks.faults.matrix``, serves `make faults`, docs/safety.md and the
tests on the manual clock.
"""

import math
from enum import StrEnum

from msgspec import Struct

from rover.config.sections import DeadlineConfig, LoopConfig, RoboclawConfig
from rover.messages import ArmState

DEADLINES = DeadlineConfig()
TICK_S = 1.0 / LoopConfig().rate_hz
SERIAL_TIMEOUT_S = RoboclawConfig().serial_timeout_s
# The deadlines of those who drive; the pad has one of 100 ms, and a tick and its reading.
PAD_S = 0.15
PHONE_S = 0.3
# Before a wheel that does not do as it is told has done harm.
WHEEL_S = 1.0
# Whatever the process was doing, its tick comes to an end first (a whole one, with readings that
# wait for their deadlines), then three controllers are told, each with its acknowledgement.
AT_ONCE_S = 0.05


class Driver(StrEnum):
    """Who drives when the fault comes."""

    PHONE = "phone"
    PAD = "pad"


BOTH = (Driver.PHONE, Driver.PAD)


class Revival(StrEnum):
    """What it takes until the rover moves again, the fault itself being over."""

    NOTHING = "goes on"
    NEUTRAL = "neutral"
    ARMING = "clear, arm, neutral"


class Group(StrEnum):
    """The kinds of faults, in the order in which they are told."""

    PAD = "gamepad"
    PHONE = "phone"
    WEB = "web process"
    CONTROL = "control process"
    CONTROLLERS = "motor controllers and their wire"
    REPORTED = "what a controller reports"
    WHEELS = "wheels"
    BATTERY = "battery"
    STEERING = "steering"
    ESTOP = "emergency stop"
    SOURCES = "several who drive"
    COMPUTER = "the computer"
    DISK = "disk and sockets"


class Fault(Struct, frozen=True):
    """One row of the matrix.

    ``bound_s`` is the time from the fault until all wheels stand, without the plant's own
    deceleration, which is measured in the same run; None where driving goes on. ``state`` is
    the state afterwards, of a process that has ended the one in which it comes back. ``sources``
    is who drives, empty where that makes no difference. ``live``: measured on the real processes
    too, where ``way_in_s`` is what the way to the rover may add (a browser, an interpreter that
    starts), which does not exist on the manual clock; ``note`` says what it is, or why a fault
    is not live.
    """

    key: str
    group: Group
    what: str
    reaction: str
    bound_s: float | None
    state: ArmState = ArmState.FAULT
    revival: Revival = Revival.ARMING
    sources: tuple[Driver, ...] = ()
    live: bool = True
    way_in_s: float = 0.0
    note: str = ""

    @property
    def ramps(self) -> bool:
        """Whether the rover brakes on its ramp, as an armed one does, and not by zero duty."""
        return self.state is ArmState.ARMED

    @property
    def limit_s(self) -> float:
        """Most time to standstill on the real processes; infinite where driving goes on."""
        return math.inf if self.bound_s is None else self.bound_s + self.way_in_s
