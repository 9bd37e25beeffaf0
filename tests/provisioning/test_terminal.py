"""The command at a real terminal, over a real serial port: a key stops a wheel that turns."""

import os
import pty
import select
import signal
import sys
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


# Asks, with a thread beside it that is sent a signal: what waits for the terminal is not woken by
# that, as it is not by a signal that comes just before it waits.
ASKS = """
import os, signal, sys, threading
from rich.console import Console
from calibration.provisioning.change import Interrupted
from calibration.provisioning.terminal import TerminalPerson, _Checkpoint, _noted

def beside():
    os.read(int(sys.argv[1]), 1)
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

threading.Thread(target=beside, daemon=True).start()
checkpoint = _Checkpoint()
with _noted(checkpoint):
    try:
        TerminalPerson(Console(), checkpoint).agrees("Sure?")
    except Interrupted as error:
        print(error)
"""


def test_a_signal_just_before_it_waits_for_an_answer_ends_the_question() -> None:
    started, sign = os.pipe()
    pid, terminal = pty.fork()
    if pid == 0:
        os.set_inheritable(started, True)
        os.execv(sys.executable, [sys.executable, "-c", ASKS, str(started)])
    said = ""
    try:
        for words, then in (("Sure?", lambda: os.write(sign, b"!")), ("ended by SIGTERM", None)):
            while words not in said:
                assert select.select([terminal], [], [], 20.0)[0], said
                said += os.read(terminal, 4096).decode()
            if then is not None:
                then()
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        for descriptor in (terminal, started, sign):
            os.close(descriptor)
