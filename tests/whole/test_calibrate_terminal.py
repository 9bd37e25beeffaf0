"""`rover calibrate` in a real terminal, with real processes: a rover built wrong is put right."""

import contextlib
import os
import pty
import signal
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomlkit

from rover.messages import Arc, ArmState
from tests.whole.real_rover import _HOME, WITHIN_S, RealRover, wait_for

# What a terminal is told to show again what stood there before.
LEAVES_SCREEN = "\x1b[?1049l"
# Longer than one press has a wheel turn.
_AGAIN_S = 4.0
NAMES = (
    *("left_front", "right_front", "left_middle"),
    *("right_middle", "left_rear", "right_rear"),
)


# Ctrl-C is a signal only where the terminal is the process's own.
_IN_ITS_TERMINAL = (
    "import fcntl, runpy, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "runpy.run_module('rover', run_name='__main__', alter_sys=True)"
)


class WrongRover(RealRover):
    """A rover whose first motor turns the other way; control reads a calibration file."""

    def start_hardware(self) -> "subprocess.Popen[str]":
        return self._start("hardware-sim", "--built-wrong", "reversed-motor")

    def start_control(self) -> "subprocess.Popen[str]":
        self.calibration = self.directory / "calibration.toml"
        self.calibration.touch()
        where = ("--calibration", str(self.calibration))
        return self._start("control", "--sim", str(self.directory), *where)


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, *arguments: str) -> None:
        master, slave = pty.openpty()
        self._master = master
        self.process = subprocess.Popen(
            [sys.executable, "-c", _IN_ITS_TERMINAL, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=os.environ | {"HOME": _HOME.name, "TERM": "xterm", "COLUMNS": "100", "LINES": "50"},
            start_new_session=True,
        )
        os.close(slave)
        self._said = ""
        self._more = threading.Condition()
        # A terminal reads all the time: one that does not holds the command up.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        """Take in all that is said, until nobody is left who could say anything."""
        with contextlib.suppress(OSError):
            while content := os.read(self._master, 65536):
                with self._more:
                    self._said += content.decode("utf-8", "replace")
                    self._more.notify_all()

    def press_until(self, key: str, text: str) -> None:
        """Press a key until it says this: a computer that is held up has an order come too late."""
        deadline_s = time.monotonic() + WITHIN_S
        while True:
            self.type(key)
            try:
                self.wait_for(text, _AGAIN_S)
            except AssertionError:
                assert time.monotonic() < deadline_s
            else:
                return

    def wait_for(self, text: str, within_s: float = WITHIN_S) -> str:
        """Wait until it says this, and forget all up to there."""
        with self._more:
            said = self._more.wait_for(lambda: text in self._said, within_s)
            assert said, f"never said {text!r}: {self._said[-2000:]}"
            before, self._said = self._said.split(text, 1)
        return before

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def end(self) -> int:
        """Wait for its end and for all that it said; return its exit code."""
        code = self.process.wait(WITHIN_S)
        self._reader.join(WITHIN_S)
        return code

    def attributes(self) -> list:
        """Return how the terminal is set: echo, lines, and so on."""
        return termios.tcgetattr(self._master)

    @property
    def said(self) -> str:
        return self._said

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join(WITHIN_S)
        os.close(self._master)


@pytest.fixture
def rover(tmp_path_factory) -> Iterator[WrongRover]:
    with tempfile.TemporaryDirectory(prefix="rover-") as name:
        rover = WrongRover(Path(name))
        wait_for(lambda: all(device.ready for device in rover.telemetry().devices), "never came up")
        try:
            yield rover
        finally:
            rover.close()


def calibrate(rover: WrongRover, *arguments: str) -> Terminal:
    where = ("--dir", str(rover.directory), "--config", str(rover.config))
    return Terminal("calibrate", *arguments, *where, "--calibration", str(rover.calibration))


def angles(rover: WrongRover) -> dict[str, float]:
    return {wheel.name: wheel.angle_rad for wheel in rover.truth().wheels}


def turn_one(rover: WrongRover, terminal: Terminal) -> tuple[str, str]:
    """Press the space bar, look at the wheels, and say what a person sees."""
    before = angles(rover)
    terminal.press_until(" ", "Which wheel")
    wait_for(rover.stands, "the wheel went on turning")
    moved = {name: angle - before[name] for name, angle in angles(rover).items()}
    name = max(moved, key=lambda name: abs(moved[name]))
    assert abs(moved[name]) > 1.0
    return name, "f" if moved[name] > 0 else "b"


def answer_one(rover: WrongRover, terminal: Terminal) -> None:
    """Have an output turn, and say which wheel that was and which way."""
    terminal.wait_for("space")
    name, way = turn_one(rover, terminal)
    terminal.type(str(NAMES.index(name) + 1))
    terminal.wait_for("Which way")
    terminal.type(way)


def have_it_turn(rover: WrongRover, terminal: Terminal) -> None:
    """Press the space bar until a wheel turns."""
    terminal.wait_for("space")
    deadline_s = time.monotonic() + WITHIN_S
    while rover.stands():
        assert time.monotonic() < deadline_s, f"it never turned: {terminal.said[-2000:]}"
        terminal.type(" ")
        with contextlib.suppress(AssertionError):
            wait_for(lambda: not rover.stands(), "not yet", _AGAIN_S)


def test_a_motor_that_turns_the_wrong_way_is_put_right(rover):
    terminal = calibrate(rover, "motors")
    try:
        terminal.wait_for("Lift the rover")
        terminal.type("y")
        rover.wait_for_state(ArmState.MAINTENANCE)
        for number in range(1, 7):
            terminal.wait_for(f"{number} of 6")
            answer_one(rover, terminal)
        terminal.wait_for("Write how")
        terminal.type("w")
        assert terminal.end() == 0, terminal.said
        assert "drives with it from now on" in terminal.said
    finally:
        terminal.close()
    written = tomlkit.parse(rover.calibration.read_text()).unwrap()
    assert written == {"wheels": {"left_front": {"motor": {"inverted": True}}}}
    # It has read that anew: all wheels drive the same way.
    rover.driving(Arc(0.4, 0.0))
    assert min(wheel.speed_rad_s for wheel in rover.truth().wheels) > 0.0


def test_a_terminal_that_is_killed_stops_the_wheel(rover):
    terminal = calibrate(rover, "motors")
    try:
        terminal.wait_for("Lift the rover")
        terminal.type("y")
        rover.wait_for_state(ArmState.MAINTENANCE)
        answer_one(rover, terminal)
        have_it_turn(rover, terminal)
        # What has been found is kept already: a power cut does not announce itself.
        assert (rover.calibration.parent / "calibration-history" / "draft-motors.json").exists()
        terminal.process.kill()
        began_s = time.monotonic()
        wait_for(rover.stands, "the wheel went on turning")
        # 0.3 s that an order counts, and what this computer takes to look.
        assert time.monotonic() - began_s < 1.0
        rover.wait_for_state(ArmState.DISARMED)
    finally:
        terminal.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_terminal_that_is_told_to_end_stops_gives_back_and_keeps(rover, number):
    """A service manager's end, and a network that is gone: sshd sends it more than once."""
    terminal = calibrate(rover, "motors")
    try:
        before = terminal.attributes()
        terminal.wait_for("Lift the rover")
        terminal.type("y")
        rover.wait_for_state(ArmState.MAINTENANCE)
        answer_one(rover, terminal)
        have_it_turn(rover, terminal)
        for _ in range(3):
            terminal.process.send_signal(number)
        assert terminal.end() == 128 + number
        wait_for(rover.stands, "the wheel went on turning")
        events = [event.text for event in rover.telemetry().events]
        assert any("disarmed by the terminal" in text for text in events), events
        assert terminal.attributes() == before
        assert LEAVES_SCREEN in terminal.said
    finally:
        terminal.close()
    again = calibrate(rover, "motors")
    try:
        again.wait_for("Goes on after 1 of 6")
    finally:
        again.close()


def test_any_key_stops_the_wheel_and_ctrl_c_leaves(rover):
    terminal = calibrate(rover, "motors")
    try:
        terminal.wait_for("Lift the rover")
        terminal.type("y")
        have_it_turn(rover, terminal)
        terminal.type("x")
        wait_for(rover.stands, "the wheel went on turning")
        terminal.type("\x03")
        assert terminal.end() == 0
        assert "Nothing was written" in terminal.said
        rover.wait_for_state(ArmState.DISARMED)
        assert rover.calibration.read_text() == ""
    finally:
        terminal.close()


def test_without_a_rover_it_says_what_to_start(tmp_path):
    terminal = Terminal("calibrate", "battery", "--dir", str(tmp_path))
    try:
        assert terminal.end() != 0
        assert "no rover runs in" in " ".join(terminal.said.split())
    finally:
        terminal.close()


def test_alone_it_lists_what_is_done_and_what_not(tmp_path):
    calibration = tmp_path / "calibration.toml"
    calibration.touch()
    listed = subprocess.run(
        [sys.executable, "-m", "rover", "calibrate", "--calibration", str(calibration)],
        capture_output=True,
        text=True,
        env=os.environ | {"HOME": str(tmp_path)},
        check=True,
    ).stdout
    for step in ("motors", "steering", "odometry", "battery", "gamepad"):
        assert f"rover calibrate {step}" in listed
    assert "Next: rover calibrate motors" in listed
