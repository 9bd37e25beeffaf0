"""Bringing devices up: each on its own, again after it has gone, once told."""

from dataclasses import dataclass, field
from typing import cast

import pytest

from rover.clock import ManualClock
from rover.devices import Bringup
from rover.errors import DeviceError
from rover.hardware import Hardware
from rover.hardware.base import Panel, PowerMonitor, Steering, WheelDrive
from rover.messages import DeviceHealth, Severity
from rover.telemetry import Journal


@dataclass
class FlakyDevice:
    """A device whose presence the test decides."""

    name: str
    present: bool = True
    takes_s: float = 0.0
    bug: Exception | None = None
    clock: ManualClock = field(default_factory=ManualClock)
    starts: int = 0
    up: bool = field(default=False, init=False)

    def start(self) -> None:
        self.starts += 1
        self.clock.sleep_s(self.takes_s)
        if self.bug:
            raise self.bug
        if not self.present:
            raise DeviceError(f"{self.name} does not answer: is it plugged in?")
        self.up = True

    def health(self) -> tuple[DeviceHealth, ...]:
        return (DeviceHealth(self.name, self.up and self.present, 0.0, firmware="v4.3.6"),)


class Rig:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.journal = Journal()
        self.drive, self.steering = FlakyDevice("RoboClaw"), FlakyDevice("PCA9685")
        self.power, self.panel = FlakyDevice("INA260"), FlakyDevice("GPIO")
        hardware = Hardware(
            drive=cast(WheelDrive, self.drive),
            steering=cast(Steering, self.steering),
            power=cast(PowerMonitor, self.power),
            panel=cast(Panel, self.panel),
        )
        self.bringup = Bringup(hardware, self.clock, self.journal)

    def run_for(self, duration_s: float) -> None:
        end_s = self.clock.now_s() + duration_s
        while self.clock.now_s() < end_s:
            self.bringup.attempt()
            self.clock.sleep_s(0.01)

    def told(self, severity: Severity) -> list[str]:
        return [event.text for event in self.journal.events() if event.severity is severity]


def test_what_is_there_is_started_once() -> None:
    rig = Rig()
    rig.run_for(5.0)
    assert [d.starts for d in (rig.drive, rig.steering, rig.power, rig.panel)] == [1, 1, 1, 1]
    assert "motor controllers ready (v4.3.6)" in rig.told(Severity.INFO)


def test_one_missing_device_keeps_no_other_and_is_tried_once_a_second() -> None:
    rig = Rig()
    rig.drive.present = False
    rig.run_for(4.5)
    assert rig.drive.starts == 5
    assert rig.steering.up
    assert rig.told(Severity.ERROR) == ["RoboClaw does not answer: is it plugged in?"]
    rig.drive.present = True
    rig.run_for(1.1)
    assert rig.drive.up


def test_all_are_started_before_the_first_tick() -> None:
    rig = Rig()
    rig.drive.present = False
    rig.bringup.start()
    assert [d.starts for d in (rig.drive, rig.steering, rig.power, rig.panel)] == [1, 1, 1, 1]
    rig.bringup.attempt()
    assert rig.drive.starts == 1


def test_one_device_is_started_at_a_time_the_panel_first() -> None:
    rig = Rig()
    devices = (rig.panel, rig.drive, rig.steering, rig.power)
    for started in range(1, 5):
        rig.bringup.attempt()
        assert [device.starts for device in devices] == [1] * started + [0] * (4 - started)


def test_slow_failures_become_rare_and_quick_ones_do_not() -> None:
    rig = Rig()
    rig.drive.present = rig.steering.present = False
    rig.drive.takes_s, rig.drive.clock = 0.2, rig.clock
    rig.run_for(30.0)
    assert rig.steering.starts == pytest.approx(30, abs=2)
    # After 1, 2, 4 s and then every 5 s.
    assert rig.drive.starts == pytest.approx(3 + 23 / 5, abs=2)
    rig.drive.present = True
    rig.run_for(5.5)
    assert rig.drive.up
    rig.drive.up = False
    rig.run_for(1.5)
    assert rig.drive.up


def test_a_library_that_raises_what_it_likes_costs_only_its_own_device(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig = Rig()
    rig.panel.bug = KeyError("gpiochip7")
    rig.run_for(3.0)
    assert rig.drive.up
    assert rig.told(Severity.ERROR) == ["the panel cannot be started: KeyError: 'gpiochip7'"]
    # Its traceback once, not at every try.
    assert len([record for record in caplog.records if record.exc_info]) == 1
    rig.panel.bug = None
    rig.run_for(1.5)
    assert rig.panel.up


def test_a_device_that_goes_is_started_again() -> None:
    rig = Rig()
    rig.run_for(2.0)
    rig.steering.up = False
    rig.run_for(1.5)
    assert rig.steering.starts == 2
    assert rig.steering.up


def test_a_missing_power_monitor_is_only_a_warning() -> None:
    rig = Rig()
    rig.power.present = False
    rig.run_for(0.1)
    assert rig.told(Severity.ERROR) == []
    assert rig.told(Severity.WARNING) == ["INA260 does not answer: is it plugged in?"]
