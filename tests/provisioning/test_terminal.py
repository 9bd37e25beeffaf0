"""The command at a real terminal, over a real serial port: a key stops a wheel that turns."""

import os
import pty
import select
import sys
import termios
import time

import pytest

from calibration.provisioning.bench import Wishes
from calibration.provisioning.terminal import converse
from rover.errors import InUseError
from rover.link import claim
from tests.builders import osr_config
from tests.sim.served import Served

pytestmark = pytest.mark.process


class Terminal:
    """`rover setup roboclaw` on a pseudo-terminal."""

    def __init__(self, served: Served, state: str, *options: str) -> None:
        where = str(served.directory)
        arguments = [sys.executable, "-m", "rover", "setup", "roboclaw", "--sim", where]
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ |= {"XDG_STATE_HOME": state, "ROVER_CONFIG": "", "ROVER_CALIBRATION": ""}
            os.execv(sys.executable, [*arguments, "--dir", where, *options])
        self.text = ""

    def until(self, words: str) -> None:
        """Read on until ``words`` have come."""
        deadline_s = time.monotonic() + 30.0
        while words not in self.text:
            left_s = deadline_s - time.monotonic()
            assert left_s > 0, self.text
            if select.select([self.fd], [], [], left_s)[0]:
                try:
                    self.text += os.read(self.fd, 65536).decode()
                except OSError:
                    raise AssertionError(self.text) from None

    def says(self, answer: str) -> None:
        os.write(self.fd, answer.encode())

    def is_line_by_line(self) -> bool:
        return bool(termios.tcgetattr(self.fd)[3] & termios.ICANON)

    def ends(self) -> int:
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        return code


def test_a_key_stops_a_wheel_that_turns(tmp_path) -> None:
    served = Served(tmp_path / "sim", "--unpaced", "--built-wrong", "factory-loop")
    try:
        terminal = Terminal(served, str(tmp_path / "state"), "--loops")
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


def test_where_control_runs_the_bus_is_its_own(tmp_path) -> None:
    wishes = Wishes(str(tmp_path / "no-such-port"), tmp_path)
    with claim(tmp_path), pytest.raises(InUseError, match=r"control runs.*stop rover-control"):
        converse(osr_config(), wishes, tmp_path)
