"""The real processes over the real pseudo-terminal: driving, and how each of them dies.

Bounds in time are several times what they should be, for a busy test machine; exact ones are
held on the manual clock in ``tests/faults``.
"""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rover.messages import Arc, ArmState, RequestKind, Stop
from rover.motion.arming import LOOK_S
from tests.whole.real_rover import (
    WITHIN_S,
    RealRover,
    end,
    real_rover,
    running_rover,
    start_rover,
    wait_for,
)

pytestmark = pytest.mark.process
FULL = Arc(0.8, 0.0)


@pytest.fixture
def rover() -> Iterator[RealRover]:
    with real_rover() as rover:
        yield rover


def test_drives_stops_and_ends_quietly(rover: RealRover) -> None:
    rover.driving(FULL)

    def governed_as_asked() -> bool:
        return rover.at_speed(FULL).telemetry().governed == FULL

    wait_for(governed_as_asked, "not allowed what was asked")
    rover.say(Stop("test"))
    assert rover.time_to_stand_s() < 1.0
    rover.hush()
    output = end(rover.control)
    assert rover.control.returncode == 0
    assert "Traceback" not in output
    assert not rover.truth().motor_enable


def test_a_phone_that_falls_silent(rover: RealRover) -> None:
    rover.driving(FULL)
    rover.hush()
    assert rover.time_to_stand_s() < 1.5
    assert rover.telemetry().state is ArmState.ARMED


def test_control_terminated_while_driving(rover: RealRover) -> None:
    rover.driving(FULL)
    rover.control.send_signal(signal.SIGTERM)
    assert rover.time_to_stand_s() < 1.0
    wait_for(lambda: not rover.truth().motor_enable, "motor-enable is still up")
    # It was told to stop: no controller had to time out by itself.
    assert not any(controller.timed_out for controller in rover.truth().controllers)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_control_killed_or_stopped_is_stopped_by_the_controllers(
    rover: RealRover, how: signal.Signals
) -> None:
    rover.driving(FULL)
    rover.control.send_signal(how)
    # Serial timeout 0.5 s, and the wheels' own time.
    assert rover.time_to_stand_s() < 1.5
    assert all(controller.timed_out for controller in rover.truth().controllers)
    if how is signal.SIGSTOP:
        # The phone has gone on all the while, and still does.
        rover.control.send_signal(signal.SIGCONT)
        rover.wait_for_state(ArmState.FAULT)
        # At the worst the packet that was being sent went out, for one tick.
        assert rover.time_to_stand_s() < 0.5


def test_control_comes_back_disarmed_and_drives_again(rover: RealRover) -> None:
    rover.driving(FULL)
    rover.control.send_signal(signal.SIGKILL)
    rover.control.communicate(timeout=WITHIN_S)
    rover.time_to_stand_s()
    rover.control = rover.start_control()
    rover.wait_for_state(ArmState.DISARMED)
    rover.say(Arc(0.0, 0.0))
    wait_for(lambda: rover.telemetry().refusals == (), "never ready to arm again")
    assert rover.stands()
    rover.driving(FULL)


def test_the_command_line_stops_and_clears(rover: RealRover) -> None:
    rover.driving(FULL)
    directory = str(rover.directory)
    assert "latched" in start_rover("stop", "--dir", directory).communicate(timeout=WITHIN_S)[0]
    rover.time_to_stand_s()
    rover.wait_for_state(ArmState.ESTOP)
    assert not rover.client.request(RequestKind.ARM, "a test", WITHIN_S).accepted
    time.sleep(LOOK_S)
    assert "disarmed" in start_rover("clear", "--dir", directory).communicate(timeout=WITHIN_S)[0]
    rover.wait_for_state(ArmState.DISARMED)


def test_a_hardware_that_vanishes_is_told_and_found_again(rover: RealRover) -> None:
    rover.driving(FULL)
    rover.hush()
    end(rover.hardware)
    rover.wait_for_state(ArmState.FAULT)
    wait_for(
        lambda: any("RoboClaw" in condition.text for condition in rover.telemetry().conditions),
        "the controllers' silence is not told",
    )
    rover.truths.close()
    rover.hardware = rover.start_hardware()
    wait_for((rover.directory / "truth").exists, "the hardware did not come back")
    rover.truths = type(rover.truths)(str(rover.directory / "truth"))
    rover.clear()
    rover.driving(FULL)


def test_control_without_hardware_says_what_is_missing_and_goes_on() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="rover-") as name,
        running_rover("control", "--dir", name, "--sim", name) as control,
    ):
        said = _heard(control, "serial0")
        assert control.poll() is None
        said += end(control)
    assert "Traceback" not in said


def test_rover_sim_starts_everything_and_leaves_nothing_behind() -> None:
    with running_rover("sim", "--host", "127.0.0.1", "--port", "0", "--no-browser") as process:
        said = _heard(process, "Drive at")
        children = _children(process.pid)
        assert len(children) == 4
        # The web server and the camera stand back for the others.
        own = os.getpriority(os.PRIO_PROCESS, 0)
        assert sorted(os.getpriority(os.PRIO_PROCESS, pid) - own for pid in children) == [
            0,
            0,
            5,
            5,
        ]
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=WITHIN_S)
    assert process.returncode == 0
    assert "No process is left" in output
    assert "Traceback" not in said + output
    for child in children:
        wait_for(lambda child=child: not Path(f"/proc/{child}").exists(), "a process is left")


def _heard(process: subprocess.Popen[str], text: str) -> str:
    """Return what ``process`` says up to the line with ``text``; fail if it ends before."""
    assert process.stdout is not None
    said = ""
    while text not in said:
        line = process.stdout.readline()
        assert line, f"it ended: {said}"
        said += line
    return said


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
