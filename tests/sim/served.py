"""A `rover hardware-sim` process to talk to."""

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from rover.sim.truth import TruthClient

READY = "simulated devices in"


class Served:
    """The process and its directory; ``end`` asks it to end and returns its exit code."""

    def __init__(self, directory: Path, *options: str, wait: bool = True) -> None:
        self.directory = directory
        self.process = subprocess.Popen(
            [sys.executable, "-m", "rover", "hardware-sim", "--dir", str(directory), *options],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "ROVER_CONFIG": "", "ROVER_CALIBRATION": ""},
        )
        if wait:
            assert READY in self.line(), "it did not come up"

    @property
    def port(self) -> str:
        return str(self.directory / "serial0")

    def line(self) -> str:
        """Return the next line it says, empty when it has ended."""
        assert self.process.stderr is not None
        ready, _, _ = select.select((self.process.stderr,), (), (), 20.0)
        assert ready, "it said nothing for 20 s"
        return self.process.stderr.readline()

    def truth(self) -> TruthClient:
        return TruthClient(str(self.directory / "truth"))

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        try:
            return self.process.wait(10.0)
        finally:
            self.close()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()


def until(condition, within_s: float = 5.0):
    """Return what ``condition`` does as soon as that is true; fail after ``within_s``."""
    deadline_s = time.monotonic() + within_s
    while not (result := condition()):
        assert time.monotonic() < deadline_s, "it did not come about"
        time.sleep(0.002)
    return result
