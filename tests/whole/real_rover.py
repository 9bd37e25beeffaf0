"""The rover's real processes: simulated hardware and control, driven through the real link."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rover.clock import SystemClock
from rover.link import ControlClient
from rover.messages import Arc, ArmState, Motion, RequestKind, Source, Telemetry
from rover.sim.truth import Truth, TruthClient

# Generous: two cores under a whole suite. Bounds on stopping are the tests' own.
WITHIN_S = 20.0
STANDING_RAD_S = 0.05
_HOME = tempfile.TemporaryDirectory(prefix="rover-home-")
# The test machine may not run a process for a while: that is not what is tested here.
_PATIENT = """
[loop]
rate_hz = 50.0
[roboclaw]
serial_timeout_s = 0.5
[deadlines]
web_s = 0.5
controller_s = 0.5
feedback_s = 0.5
steering_s = 0.5
"""


def start_rover(*arguments: str) -> subprocess.Popen[str]:
    """Start the `rover` command with its messages in a pipe, whatever this user has set up."""
    return subprocess.Popen(
        [sys.executable, "-m", "rover", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"HOME": _HOME.name, "PYTHONUNBUFFERED": "1"},
    )


@contextlib.contextmanager
def running_rover(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start the `rover` command; whatever becomes of the test, no process of it is left."""
    process = start_rover(*arguments)
    try:
        yield process
    finally:
        if process.poll() is None:
            end(process)


def wait_for(condition: Callable[[], bool], what: str, within_s: float = WITHIN_S) -> None:
    """Wait until ``condition``; fail with ``what`` if it does not come true in time."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, what
        time.sleep(0.005)


class RealRover:
    """Hardware and control in ``directory``; ``say`` goes on until ``hush``, as a page does."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.config = directory / "patient.toml"
        self.config.write_text(_PATIENT)
        self.calibration = directory / "calibration.toml"
        self.calibration.write_text("")
        self.hardware = self.start_hardware()
        wait_for((directory / "truth").exists, "the simulated hardware did not come up")
        self.control = self.start_control()
        self.client = ControlClient(directory)
        self.truths = TruthClient(str(directory / "truth"))
        self._motion: Motion | None = None
        self._ended = threading.Event()
        self._speaker = threading.Thread(target=self._speak)
        self._speaker.start()

    def start_hardware(self) -> subprocess.Popen[str]:
        return self._start("hardware-sim")

    def start_control(self) -> subprocess.Popen[str]:
        return self._start("control", "--sim", str(self.directory))

    def _start(self, command: str, *options: str) -> subprocess.Popen[str]:
        files = ("--config", str(self.config), "--calibration", str(self.calibration))
        return start_rover(command, "--dir", str(self.directory), *files, *options)

    def _speak(self) -> None:
        clock = SystemClock()
        while not self._ended.wait(0.02):
            motion = self._motion
            if motion is not None:
                self.client.drive(Source.WEB, motion, clock.now_s())

    def say(self, motion: Motion) -> None:
        self._motion = motion

    def hush(self) -> None:
        self._motion = None

    def truth(self) -> Truth:
        return self.truths.truth()

    def telemetry(self) -> Telemetry:
        telemetry = self.client.telemetry(WITHIN_S)
        assert telemetry is not None, "no telemetry"
        return telemetry

    def wait_for_state(self, state: ArmState) -> None:
        wait_for(lambda: self.telemetry().state is state, f"never came to be {state}")

    def armed(self) -> "RealRover":
        self.ask_until_accepted(RequestKind.ARM)
        self.say(Arc(0.0, 0.0))
        self.wait_for_state(ArmState.ARMED)
        wait_for(lambda: self.telemetry().source is None, "never at rest")
        return self

    def ask_until_accepted(self, kind: RequestKind) -> None:
        """Ask as soon as a person may: devices come back, and are looked at, in their own time."""

        def accepted() -> bool:
            return self.client.request(kind, "a test", WITHIN_S).accepted

        wait_for(accepted, f"control never accepted to {kind}")

    def clear(self) -> None:
        """Clear what is latched."""
        self.ask_until_accepted(RequestKind.CLEAR)

    def driving(self, motion: Arc) -> "RealRover":
        """Be armed and come up to speed."""
        self.armed()
        return self.at_speed(motion)

    def at_speed(self, motion: Arc) -> "RealRover":
        """Come up to speed on a rover that is armed; after a hiccup from neutral again."""
        self.say(motion)
        deadline_s = time.monotonic() + WITHIN_S
        while self.truth().twist.vx_mps < 0.9 * motion.speed_mps:
            assert time.monotonic() < deadline_s, "it never came up to speed"
            if self.telemetry().source is None:
                self.say(Arc(0.0, 0.0))
                wait_for(lambda: not self.telemetry().refusals, "neutral was never heard")
                self.say(motion)
                wait_for(lambda: self.telemetry().asked == motion, "motion was never heard")
        return self

    def stands(self) -> bool:
        return all(abs(wheel.speed_rad_s) < STANDING_RAD_S for wheel in self.truth().wheels)

    def time_to_stand_s(self) -> float:
        start_s = time.monotonic()
        wait_for(self.stands, "the wheels go on turning")
        return time.monotonic() - start_s

    def close(self) -> None:
        self._ended.set()
        self._speaker.join()
        self.client.close()
        self.truths.close()
        for process in (self.control, self.hardware):
            end(process)


def end(process: subprocess.Popen[str]) -> str:
    """Ask ``process`` to end, wait, and return what it said."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        output, _ = process.communicate(timeout=WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        raise AssertionError(f"did not end on SIGTERM; said: {output}") from None
    return output


@contextlib.contextmanager
def real_rover() -> Iterator[RealRover]:
    """Start a rover's processes in a folder of their own and end them afterwards."""
    with tempfile.TemporaryDirectory(prefix="rover-") as name:
        rover = RealRover(Path(name))
        try:
            yield rover
        finally:
            rover.close()
