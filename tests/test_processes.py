"""Processes that live and die together. Real ones: small Python programs."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rover.clock import SystemClock
from rover.processes import ProcessEndedError, ProcessGroup

WITHIN_S = 10.0
pytestmark = pytest.mark.process


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie has ended too.
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def wait_for(condition, what: str) -> None:
    deadline_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline_s, what
        time.sleep(0.01)


def test_a_group_ends_its_processes_and_names_one_that_ended_by_itself(tmp_path: Path) -> None:
    with ProcessGroup(SystemClock()) as group:
        pid = group.start("the simulated hardware", "hardware-sim", "--dir", str(tmp_path))
        serial = tmp_path / "serial0"
        group.wait_until(serial.exists, "the serial port", WITHIN_S)
        group.check()
        group.start("a wrong command", "control", "--profile", "nobody's")
        with pytest.raises(ProcessEndedError, match="a wrong command has ended with exit code 1"):
            group.watch(lambda: False)
        assert alive(pid)
    assert not alive(pid)


def test_what_does_not_come_up_in_time_is_an_error() -> None:
    with (
        ProcessGroup(SystemClock()) as group,
        pytest.raises(ProcessEndedError, match=r"control did not come up within 0\.1 s"),
    ):
        group.wait_until(lambda: False, "control", 0.1)


def test_children_end_when_the_parent_is_killed(tmp_path: Path) -> None:
    """As `rover sim` killed by force: nobody is left to end its processes."""
    program = f"""
import sys, time
from rover.clock import SystemClock
from rover.processes import ProcessGroup
group = ProcessGroup(SystemClock())
print(group.start("hardware", "hardware-sim", "--dir", {str(tmp_path)!r}), flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    wait_for((tmp_path / "serial0").exists, "the child did not come up")
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    wait_for(lambda: not alive(child), "the child outlived its parent")
