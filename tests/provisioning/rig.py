"""A rover in memory, somebody who answers, and the table on which controllers are set up."""

import contextlib
import datetime
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console, RenderableType

from calibration.provisioning.bench import Bench, Wishes
from calibration.provisioning.change import Interrupted
from calibration.provisioning.session import set_up
from calibration.provisioning.unit import Unit
from calibration.provisioning.wire import Wire
from rover.clock import ManualClock
from rover.config import Config
from rover.hardware.base import Panel
from rover.hardware.bus.lines import EndpointFactory
from rover.hardware.bus.serial_line import SerialLine
from rover.hardware.gpio import GpioPanel
from rover.sim.memory import SimulatedRover
from rover.sim.roboclaw import Roboclaw
from rover.sim.roboclaw_settings import CLASSIC, Firmware, Settings
from tests.builders import osr_config

TODAY = datetime.datetime(2026, 5, 4, 3, 2, 1, tzinfo=datetime.UTC)
# Packet serial at 38400 baud, 0x80, battery automatic: how a new one comes [?].
NEW_WORD = 0x0067


@dataclass
class Somebody:
    """Answers what a test has written down, and keeps what is said."""

    answers: Mapping[str, bool] = field(default_factory=dict)
    choice: int | None = None
    said: list[RenderableType] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def say(self, what: RenderableType) -> None:
        self.said.append(what)

    def agrees(self, question: str) -> bool:
        self.asked.append(question)
        return next((yes for part, yes in self.answers.items() if part in question), True)

    def chooses(self, question: str, choices: Mapping[int, str], default: int) -> int:
        self.asked.append(question)
        return default if self.choice is None else self.choice

    @property
    def words(self) -> str:
        """What was said in sentences: cheaper than everything."""
        return "\n".join(what for what in self.said if isinstance(what, str))

    @property
    def text(self) -> str:
        console = Console(width=200)
        with console.capture() as capture:
            for what in self.said:
                console.print(what, markup=False)
        return capture.get()


class WatchedClock(ManualClock):
    """A clock that calls ``passed`` whenever time has passed."""

    def __init__(self) -> None:
        super().__init__()
        self.passed: Callable[[], None] | None = None

    def sleep_s(self, duration_s: float) -> None:
        super().sleep_s(duration_s)
        if self.passed is not None:
            self.passed()


class Table:
    """The controllers of a rover, how they come out of their boxes or as they are in the rover."""

    def __init__(
        self,
        folder: Path,
        *,
        new: bool = False,
        wrong: str = "",
        firmware: Firmware = CLASSIC,
        config: Config | None = None,
    ) -> None:
        self.config = config or osr_config()
        self.clock = WatchedClock()
        self.rover = SimulatedRover(self.config, self.clock, wrong=wrong, firmware=firmware)
        self.units: tuple[Roboclaw, ...] = self.rover.devices.units
        self.folder = folder
        self.somebody = Somebody()
        self.usb: int | None = None
        self.stopping = False
        # Called before each look at a wheel that turns, by how many there have been.
        self.at_look: Callable[[int], None] = lambda _number: None
        self.looks = 0
        if new:
            for unit in self.units:
                unit.set_settings(Settings.factory(NEW_WORD))
                unit.save()
                unit.nvm_writes = 0
        self.wire = Wire(self._open, self.clock)

    def only(self, index: int) -> None:
        """Leave one controller connected."""
        for other, unit in enumerate(self.units):
            silent = self.rover.devices.bus.silent
            (silent.discard if other == index else silent.add)(unit)

    def all(self) -> None:
        """Connect them all."""
        self.rover.devices.bus.silent.clear()

    def plug_usb(self, index: int) -> None:
        """Plug in a controller's USB instead of the bus."""
        self.usb = index

    def keep(self) -> None:
        """Have what a test has set in them kept in their flash, as if it had come so."""
        for unit in self.units:
            unit.settings_changed()
            unit.save()
            unit.nvm_writes = 0

    def power_cycle(self) -> None:
        """Switch them all off and on."""
        for unit in self.units:
            unit.power_cycle(self.clock.now_s())

    def set_up(self, **wishes: object) -> bool:
        """Run `rover setup roboclaw` with the options ``wishes``."""
        asked = Wishes(port="/dev/ttyTEST", folder=self.folder, **{"loops": False, **wishes})
        bench = Bench(
            self.wire, self.somebody, lambda: TODAY, self.checkpoint, self._panel, self._dead_man
        )
        return set_up(self.config, asked, bench)

    def unit(self, index: int = 0) -> Unit:
        """Return a way to a controller, as it is found."""
        settings = self.units[index].settings
        return Unit(self.wire, settings.address, settings.baud, self.units[index].firmware.version)

    @property
    def backups(self) -> list[Path]:
        return sorted(self.folder.glob("*.toml"))

    @property
    def text(self) -> str:
        return self.somebody.text

    def _open(self, baud: int) -> SerialLine:
        if self.usb is not None:
            return self.rover.usb_line(self.usb)
        self.rover.devices.bus.set_host_baud(baud)
        return self.rover.serial_line

    def speeds(self) -> dict[str, float]:
        """Return the true speeds of the wheels that turn."""
        return {
            wheel.name: wheel.speed_rad_s
            for wheel in self.rover.truth().wheels
            if abs(wheel.speed_rad_s) > 0.015
        }

    def _panel(self) -> Panel:
        return GpioPanel(self.config, lambda: EndpointFactory(self.rover.lines))

    @contextlib.contextmanager
    def _dead_man(self) -> Iterator[Callable[[], None]]:
        yield self._guard

    def _guard(self) -> None:
        self.looks += 1
        self.at_look(self.looks)
        self.checkpoint()

    def checkpoint(self) -> None:
        """End it once a signal has come."""
        if self.stopping:
            raise Interrupted("ended by SIGTERM")
