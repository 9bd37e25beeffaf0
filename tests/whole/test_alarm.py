"""What is left when control has failed for good: motors off, one lamp blinking, a sentence."""

import logging
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from rover.alarm import SENTENCE, run_alarm, show_alarm
from rover.clock import ManualClock
from rover.config.files import NOWHERE, load_config
from rover.errors import ConfigError, DeviceError, InUseError
from rover.hardware import Hardware
from rover.hardware.absent import NoPanel
from rover.hardware.bus.lines import EndpointFactory
from rover.hardware.gpio import GpioPanel
from rover.hardware.roboclaw import RoboclawDrive
from rover.link import ControlLink
from rover.messages import Arc
from rover.sim.faults import Silence
from tests.builders import osr_config
from tests.whole.memory_rover import MemoryRover

Lamps = tuple[bool, bool, bool]


def never_mind() -> None:
    """Let time pass without doing anything."""


class Watching:
    """Ends the alarm after a while of the clock; notes the lamps at each look meanwhile."""

    def __init__(
        self, rover: MemoryRover, duration_s: float, meanwhile: Callable[[], None] = never_mind
    ) -> None:
        self._rover = rover
        self._end_s = rover.clock.now_s() + duration_s
        self._meanwhile = meanwhile
        self.lamps: list[Lamps] = []
        self.enabled: list[bool] = []

    def __call__(self) -> bool:
        self._meanwhile()
        panel, level = self._rover.config.panel, self._rover.simulated.lines.level
        lines = (panel.led_armed, panel.led_fault, panel.led_link)
        armed, fault, link = (level(line) for line in lines if line is not None)
        self.lamps.append((armed, fault, link))
        self.enabled.append(self._rover.truth().motor_enable)
        return self._rover.clock.now_s() >= self._end_s


def left_driving() -> MemoryRover:
    """Return a rover at full speed whose control has just gone, without a word to anybody."""
    rover = MemoryRover()
    rover.driving(Arc(1.0, 0.0))
    return rover


def alarm_hardware(rover: MemoryRover) -> Hardware:
    """Return drivers of the alarm's own, as its process makes them."""
    simulated = rover.simulated
    return with_other(
        rover.hardware,
        drive=RoboclawDrive(rover.config, rover.clock, lambda: simulated.serial_line),
        panel=GpioPanel(rover.config, lambda: EndpointFactory(simulated.lines)),
    )


def with_other(hardware: Hardware, **changed: object) -> Hardware:
    return Hardware(
        **{
            name: changed.get(name, getattr(hardware, name))
            for name in ("drive", "steering", "power", "panel")
        }
    )


def test_the_motors_are_stopped_and_the_line_is_held_low() -> None:
    rover = left_driving()
    watching = Watching(rover, 2.0)
    show_alarm(alarm_hardware(rover), watching, rover.clock)
    assert watching.enabled
    assert not any(watching.enabled)
    assert not rover.truth().motor_enable
    assert rover.stands()


def test_the_fault_lamp_blinks_once_a_second_and_goes_out_at_the_end() -> None:
    rover = left_driving()
    watching = Watching(rover, 5.05)
    show_alarm(alarm_hardware(rover), watching, rover.clock)
    lamps = watching.lamps[1:]
    assert all(not armed and not link for armed, _, link in lamps)
    lit = [fault for _, fault, _ in lamps]
    rises = sum(now and not before for before, now in pairwise(lit))
    assert rises in {4, 5}
    assert 0.4 < sum(lit) / len(lit) < 0.6
    after = Watching(rover, 0.0)
    after()
    assert after.lamps == [(False, False, False)]


def test_it_blinks_with_a_dead_bus_too(caplog: pytest.LogCaptureFixture) -> None:
    rover = left_driving()
    for controller in rover.truth().controllers:
        rover.simulated.inject(Silence(controller.address))
    watching = Watching(rover, 2.0)
    show_alarm(alarm_hardware(rover), watching, rover.clock)
    assert any(fault for _, fault, _ in watching.lamps)
    assert "no RoboClaw answers" in caplog.text


def test_lines_that_are_taken_are_asked_for_again_and_told_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rover = left_driving()
    taken_until_s = rover.clock.now_s() + 5.0

    def open_factory() -> EndpointFactory:
        if rover.clock.now_s() < taken_until_s:
            raise DeviceError("somebody else has the lines")
        return EndpointFactory(rover.simulated.lines)

    watching = Watching(rover, 8.0)
    hardware = with_other(alarm_hardware(rover), panel=GpioPanel(rover.config, open_factory))
    show_alarm(hardware, watching, rover.clock)
    assert caplog.text.count("the fault lamp cannot be lit") == 1
    assert any(fault for _, fault, _ in watching.lamps)


def test_a_rover_without_lines_has_its_motors_stopped_all_the_same() -> None:
    rover = left_driving()
    gone_s = rover.clock.now_s()
    hardware = with_other(alarm_hardware(rover), panel=NoPanel())
    show_alarm(hardware, Watching(rover, 1.0), rover.clock)
    assert rover.stands()
    # Told to, over the bus, before their own timeout did it.
    for controller in rover.truth().controllers:
        assert gone_s < controller.asked_s < gone_s + controller.timeout_s


def soon(clock: ManualClock) -> Callable[[], bool]:
    end_s = clock.now_s() + 3.0
    return lambda: clock.now_s() >= end_s


def test_it_says_what_to_do_as_an_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    run_alarm(None, tmp_path, soon(clock), clock)
    said = [entry for entry in caplog.records if entry.getMessage() == SENTENCE]
    assert [entry.levelno for entry in said] == [logging.ERROR]
    for part in ("journalctl -u rover-control", "reset-failed", "start rover-control"):
        assert part in SENTENCE


def test_where_control_is_running_the_hardware_is_controls(tmp_path: Path) -> None:
    clock = ManualClock()
    with ControlLink(tmp_path), pytest.raises(InUseError, match="another `rover control`"):
        run_alarm(osr_config(), tmp_path, soon(clock), clock)


def test_control_does_not_come_up_beside_it(tmp_path: Path) -> None:
    clock = ManualClock()
    refused = []

    def stopping() -> bool:
        with pytest.raises(InUseError):
            ControlLink(tmp_path)
        refused.append(True)
        return True

    run_alarm(None, tmp_path, stopping, clock)
    assert refused


def test_a_runtime_directory_that_cannot_be_used_does_not_keep_it_quiet(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Control may have failed for the very same reason."""
    in_the_way = tmp_path / "rover"
    in_the_way.write_text("")
    clock = ManualClock()
    run_alarm(None, in_the_way, soon(clock), clock)
    assert SENTENCE in caplog.text


def test_the_lines_are_known_from_a_configuration_that_control_cannot_use(tmp_path: Path) -> None:
    file = tmp_path / "rover.toml"
    file.write_text("[motion]\nmax_speed_mps = -3\nturbo = 1\n[panel]\nled_fault = 12\n")
    with pytest.raises(ConfigError):
        load_config(user_file=file, places=NOWHERE)
    config = load_config(user_file=file, places=NOWHERE, sections=("panel", "roboclaw")).config
    assert config.panel.led_fault == 12
    file.write_text("[panel]\nled_fault = -12\n")
    with pytest.raises(ConfigError):
        load_config(user_file=file, places=NOWHERE, sections=("panel", "roboclaw"))
