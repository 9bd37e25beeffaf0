"""The wheel drive with three scripted controllers, on a clock that is held."""

import math
from collections.abc import Callable

from rover.clock import ManualClock
from rover.config import Config
from rover.errors import DeviceError
from rover.hardware.base import no_hurry
from rover.hardware.roboclaw import RoboclawDrive
from rover.messages import ArmState
from tests.builders import osr_config
from tests.hardware.fakes import ScriptedLine, permitted

VERSION = "RoboClaw 2x15a v4.2.4"
TICK_S = 0.01
# One turn a second: 28 * 26.9 counts a second, rounded.
TURN_RAD_S = math.tau
TURN_COUNTS = 753


class Rig:
    """Three controllers on a scripted line, and the drive that talks to them."""

    def __init__(self, config: Config | None = None) -> None:
        self.clock = ManualClock()
        self.line = ScriptedLine(self.clock)
        self.opened: list[float] = []
        self.port_error = ""
        self.state = ArmState.ARMED
        for address in (0x80, 0x81, 0x82):
            self.line.data |= {
                (address, 21): VERSION.encode() + b"\n\x00",
                (address, 15): b"\x00",
                (address, 24): (148).to_bytes(2, "big"),
                (address, 49): bytes(4),
                (address, 78): bytes(8),
                (address, 79): bytes(8),
                (address, 82): (315).to_bytes(2, "big"),
                (address, 90): bytes(4),
            }
        self.config = config or osr_config()
        self.drive = RoboclawDrive(self.config, self.clock, self._open)
        self.next_s = self.clock.now_s()

    def _open(self) -> ScriptedLine:
        self.opened.append(self.clock.now_s())
        if self.port_error:
            raise DeviceError(self.port_error)
        self.line.gone = self.line.closed = False
        return self.line

    def counts(self, address: int, first: int, second: int) -> None:
        self.line.data[address, 78] = b"".join(
            (count % 2**32).to_bytes(4, "big") for count in (first, second)
        )

    def tick(
        self,
        wheel_rad_s: tuple[float, ...] | None = None,
        hurry: Callable[[], bool] = no_hurry,
    ) -> float:
        """Command and poll; return how long it took. Ticks begin every 10 ms or late."""
        self.clock.advance_to(self.next_s)
        before_s = self.clock.now_s()
        self.next_s = before_s + TICK_S
        speeds = wheel_rad_s or (TURN_RAD_S,) * 6
        self.drive.command(permitted(self.config, speeds, state=self.state, now_s=before_s))
        self.drive.poll(hurry)
        return self.clock.now_s() - before_s

    def ticks(self, duration_s: float) -> None:
        end_s = self.clock.now_s() + duration_s
        while self.clock.now_s() < end_s:
            self.tick()

    def recover(self) -> None:
        """Take the power away, as the loop does, until every controller is ready; give it back."""
        self.state = ArmState.FAULT
        end_s = self.clock.now_s() + 2.0
        while not all(self.ready().values()):
            assert self.clock.now_s() < end_s, "a controller is not made ready again"
            self.tick()
        self.state = ArmState.ARMED

    def ready(self) -> dict[str, bool]:
        return {entry.name[-4:]: entry.ready for entry in self.drive.health()}

    def sent_since(self, mark: int, address: int) -> list[bytes]:
        return [data for _, data in self.line.written[mark:] if data[0] == address]
