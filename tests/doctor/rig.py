"""A Raspberry Pi in a folder, a rover in memory, and the doctor that walks over both."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import structs

from calibration.doctor.bench import Bench
from calibration.doctor.examination import examination
from calibration.doctor.finding import Finding, Verdict
from calibration.doctor.surroundings import Disk, Person, Surroundings
from calibration.doctor.walk import walk
from rover.clock import ManualClock
from rover.config import Config, GamepadConfig
from rover.errors import DeviceError
from rover.gamepad.survey import Entry, Survey
from rover.hardware.bus.serial_line import SerialLine
from rover.messages import Telemetry
from rover.sim.memory import SimulatedRover
from tests.builders import osr_config

NOW_UNIX_S = 1_780_000_000.0
CONTROL, WEB, ALARM = "rover-control.service", "rover-web.service", "rover-alarm.service"
TARGET = "rover.target"
PI = Person("pi", frozenset({"pi", "dialout", "i2c", "gpio", "input"}), False)
PAD = Entry("/dev/input/event0", "Pad", "usb-1", "gamepad", drives=True)


class Tap:
    """A serial line that keeps what is written, and when."""

    def __init__(self, line: SerialLine, baud: int, clock: ManualClock) -> None:
        self._line = line
        self._baud = baud
        self._clock = clock
        self.written: list[tuple[float, int, bytes]] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written.append((self._clock.now_s(), self._baud, data))
        self._line.write(data)

    def read(self, count: int, deadline_s: float) -> bytes:
        return self._line.read(count, deadline_s)

    def flush_input(self) -> None:
        self._line.flush_input()

    def discard_output(self) -> int:
        return self._line.discard_output()

    def close(self) -> None:
        self.closed = True


@dataclass
class Patient:
    """A healthy Raspberry Pi 4 with JPL's rover; a test makes something wrong with it.

    ``commands`` is what the commands say, ``wrong`` what is built wrong in the rover.
    """

    root: Path
    wrong: str = ""
    config: Config = field(default_factory=osr_config)
    clock: ManualClock = field(default_factory=ManualClock)
    unix_s: float = NOW_UNIX_S
    free_mb: int = 9000
    read_only: bool = False
    modules_missing: tuple[str, ...] = ()
    python: tuple[int, int] = (3, 11)
    person: Person = PI
    config_trouble: str = ""
    telemetry: Telemetry | None = None
    in_use: bool = False
    borrow: Callable[[str], AbstractContextManager[Callable[[], None]]] | None = None
    open_error: DeviceError | None = None
    pins_error: DeviceError | None = None
    pads: tuple[Entry, ...] = (PAD,)
    commands: dict[tuple[str, ...], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rover = SimulatedRover(self.config, self.clock, wrong=self.wrong)
        for unit in self.rover.devices.units:
            # As `rover setup roboclaw` leaves it.
            unit.settings.timeout = 3
        self.taps: list[Tap] = []
        self.write("/proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\0")
        self.write("/sys/devices/platform/soc/soc:firmware/get_throttled", "0\n")
        self.write("/boot/firmware/cmdline.txt", "console=tty1 root=PARTUUID=1-02 rootwait\n")
        self.write("/boot/firmware/config.txt", "enable_uart=1\ndtoverlay=disable-bt\n")
        self.write("/dev/ttyAMA0", "")
        self.link("/dev/serial0", "ttyAMA0")
        self.write("/dev/i2c-1", "")
        self.write("/proc/4711/cmdline", "/usr/bin/something\0--else")
        self.link("/proc/4711/fd/3", "/dev/null")
        self.commands |= {
            ("systemctl", "is-system-running"): "running",
            ("systemctl", "is-active", ALARM): "inactive",
            ("timedatectl", "show", "--property=NTPSynchronized"): "NTPSynchronized=yes",
        }
        self.commands["systemctl", "is-enabled", TARGET] = "enabled"
        for unit_name in (CONTROL, WEB):
            self.commands["systemctl", "is-enabled", unit_name] = "enabled"
            self.commands["systemctl", "is-active", unit_name] = "active"

    def write(self, path: str, text: str) -> None:
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")

    def link(self, path: str, target: str) -> None:
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        os.symlink(target, place)

    def remove(self, path: str) -> None:
        (self.root / path.lstrip("/")).unlink()

    def set_config(self, section: str, **changes: object) -> None:
        """Change the configuration, not the rover."""
        changed = structs.replace(getattr(self.config, section), **changes)
        self.config = structs.replace(self.config, **{section: changed})

    def surroundings(self) -> Surroundings:
        return Surroundings(
            config=self.config,
            config_trouble=self.config_trouble,
            root=self.root,
            clock=self.clock,
            telemetry=self.telemetry,
            run=lambda command: self.commands.get(tuple(command)),
            unix_s=lambda: self.unix_s,
            disk=lambda _path: Disk(self.free_mb * 1024**2, self.read_only),
            has_module=lambda name: name not in self.modules_missing,
            person=self.person,
            python=self.python,
        )

    def bench(self) -> Bench:
        return Bench(
            lambda: self.in_use,
            self._open_line,
            self._open_i2c,
            self._pins,
            self._survey,
            self.borrow,
        )

    def findings(self) -> list[Finding]:
        """Walk, and return all that was found."""
        return list(walk(self.surroundings(), examination(self.bench())))

    def troubles(self) -> list[Finding]:
        """Walk, and return what is wrong."""
        return [f for f in self.findings() if f.verdict in (Verdict.WARN, Verdict.FAIL)]

    @property
    def sent(self) -> list[tuple[float, int, bytes]]:
        """All that went over the serial line: when, at which rate, what."""
        return [entry for tap in self.taps for entry in tap.written]

    def _open_line(self, port: str, baud: int) -> SerialLine:
        assert not self.in_use
        assert port == self.config.roboclaw.port
        assert all(tap.closed for tap in self.taps), "the port was opened twice"
        if self.open_error is not None:
            raise self.open_error
        self.rover.devices.bus.set_host_baud(baud)
        self.taps.append(Tap(self.rover.serial_line, baud, self.clock))
        return self.taps[-1]

    def _open_i2c(self, _spec: str):
        assert not self.in_use
        return self.rover.i2c

    def _pins(self, _spec: str) -> str:
        if self.pins_error is not None:
            raise self.pins_error
        return "LGPIOFactory"

    def _survey(self, _config: GamepadConfig) -> Survey:
        return Survey(self.pads, "" if self.pads else "No gamepad is there: plug the pad in.")
