"""The command at a real terminal, over a real serial port: a key stops a wheel that turns."""

import time

import pytest

from calibration.provisioning.bench import Wishes
from calibration.provisioning.terminal import converse
from rover.clock import SystemClock
from rover.errors import DeviceError, InUseError
from rover.hardware.bus.serial_line import open_serial_line
from rover.link import claim
from rover.simulated import simulated
from tests.builders import osr_config
from tests.provisioning.at_a_terminal import Terminal
from tests.sim.served import Served

pytestmark = pytest.mark.process


def test_a_key_stops_a_wheel_that_turns(tmp_path) -> None:
    served = Served(tmp_path / "sim", "--unpaced", "--built-wrong", "factory-loop")
    try:
        terminal = Terminal(served.directory, tmp_path / "state", "--loops")
        terminal.until("off the ground")
        assert terminal.is_line_by_line()
        terminal.says("y\n")
        with served.truth() as truth:
            terminal.until("does it turn")
            deadline_s = time.monotonic() + 20.0
            while not any(wheel.speed_rad_s > 2.0 for wheel in truth.truth().wheels):
                assert time.monotonic() < deadline_s
            assert truth.truth().motor_enable
            assert not terminal.is_line_by_line()
            terminal.says("x")
            terminal.until("a key was pressed: the wheels were stopped")
            assert terminal.ends() == 1
            seen = truth.truth()
            assert not seen.motor_enable
            assert [unit.nvm_writes for unit in seen.controllers] == [0, 0, 0]
            # Put back: their timeout was off.
            assert [unit.timeout_s for unit in seen.controllers] == [0.0, 0.0, 0.0]
            while any(wheel.speed_rad_s != 0.0 for wheel in truth.truth().wheels):
                assert time.monotonic() < deadline_s
    finally:
        served.end()


def test_a_controllers_own_usb_is_not_used_while_somebody_has_the_rovers_port(tmp_path) -> None:
    """Whoever has it may drive the wheels of the controller that would be told otherwise."""
    served = Served(tmp_path / "sim", "--unpaced")
    config = simulated(osr_config(), served.directory)
    usb = Wishes(str(tmp_path / "usb"), tmp_path, dry_run=True)
    try:
        line = open_serial_line(served.port, 115200, SystemClock())
        with pytest.raises(DeviceError, match=r"serial0 .*another program uses it"):
            converse(config, usb, tmp_path / "elsewhere")
        line.close()
        with pytest.raises(DeviceError, match=r"usb .*no such port"):
            converse(config, usb, tmp_path / "elsewhere")
    finally:
        served.end()


def test_who_has_the_hardware_and_says_nothing_is_told(tmp_path) -> None:
    wishes = Wishes(str(tmp_path / "no-such-port"), tmp_path)
    with claim(tmp_path), pytest.raises(InUseError, match=r"does not answer.*another `rover setup"):
        converse(osr_config(), wishes, tmp_path)
