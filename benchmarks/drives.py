"""The real drive on a simulated bus, without the loop around it."""

import contextlib
import math
from collections.abc import Iterator

from benchmarks.taps import Hear, TappedLine
from rover.clock import SystemClock
from rover.config import Config
from rover.hardware import open_hardware
from rover.hardware.bus.serial_line import SerialLine, open_serial_line
from rover.hardware.roboclaw import RoboclawDrive
from rover.messages import ArmState, WheelTargets
from rover.motion.gate import Gate, PermittedTargets


@contextlib.contextmanager
def started_drive(config: Config, hear: Hear | None = None) -> Iterator[RoboclawDrive]:
    """Yield a drive on ``config``'s port, ready and with the motors enabled.

    ``hear`` is told of every exchange on the wire. Raises DeviceError.
    """
    clock = SystemClock()

    def open_line() -> SerialLine:
        line = open_serial_line(config.roboclaw.port, config.roboclaw.baud, clock)
        return TappedLine(line, clock, hear) if hear else line

    panel = open_hardware(config, clock).panel
    drive = RoboclawDrive(config, clock, open_line)
    try:
        panel.start()
        panel.enable_motors(True)
        drive.start()
        yield drive
    finally:
        drive.close()
        panel.close()


def targets_of(config: Config, wheel_rad_s: float) -> PermittedTargets:
    """Return permission, which never ages, for all wheels to roll on at ``wheel_rad_s``."""
    still = tuple(0.0 for _ in config.wheels)
    rolling = tuple(wheel_rad_s for _ in config.wheels)
    return Gate(config).permit(WheelTargets(still, rolling), ArmState.ARMED, math.inf)
