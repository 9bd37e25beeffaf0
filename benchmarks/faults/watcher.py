"""Watches the simulated wheels, several hundred times a second, by the simulator's own clock."""

import threading
import time
from bisect import bisect_left
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from rover.errors import DeviceError
from rover.realtime import ask_for_realtime
from rover.sim.truth import TruthClient

SAMPLE_EVERY_S = 0.002
# A wheel turns slower than a millimetre a second at its rim.
STANDING_RAD_S = 0.015
_PRIORITY = 40
# Standing counts once it has lasted so long: not the moment in which a wheel turns round.
_SETTLED_S = 0.03


class Sample(NamedTuple):
    """All wheels at ``time_s`` (s, monotonic): the fastest and the slowest of six, no signs."""

    time_s: float
    fastest_rad_s: float
    slowest_rad_s: float
    motor_enable: bool


class Watcher(threading.Thread):
    """A thread that looks as long as it is entered. Raises DeviceError without a simulator."""

    def __init__(self, directory: Path) -> None:
        super().__init__(name="watcher", daemon=True)
        self._client = TruthClient(str(directory / "truth"))
        self._samples: list[Sample] = []
        self._ended = False

    @property
    def newest(self) -> Sample:
        """The last look. Waits for the first one."""
        while not self._samples:
            time.sleep(SAMPLE_EVERY_S)
        return self._samples[-1]

    def forget(self) -> None:
        """Begin a new record."""
        self._samples = self._samples[-1:]

    def since(self, time_s: float) -> list[Sample]:
        """Return what was seen from ``time_s`` on."""
        samples = self._samples
        return samples[bisect_left(samples, (time_s,)) :]

    def run(self) -> None:
        """Look until told to end, or until the simulator ends."""
        # Below the rover's own: when it is late, so may be what it watches.
        ask_for_realtime(_PRIORITY)
        due_s = time.monotonic()
        try:
            while not self._ended:
                truth = self._client.truth()
                speeds = [abs(wheel.speed_rad_s) for wheel in truth.wheels]
                self._samples.append(
                    Sample(truth.time_s, max(speeds), min(speeds), truth.motor_enable)
                )
                due_s = max(due_s + SAMPLE_EVERY_S, time.monotonic())
                time.sleep(max(0.0, due_s - time.monotonic()))
        except DeviceError:
            return

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended = True
        self.join()
        self._client.close()


def stood_s(samples: list[Sample]) -> float | None:
    """Return when all wheels came to stand (s, monotonic); None if they did not for 30 ms."""
    since_s: float | None = None
    for sample in samples:
        if sample.fastest_rad_s >= STANDING_RAD_S:
            since_s = None
            continue
        since_s = sample.time_s if since_s is None else since_s
        if sample.time_s - since_s >= _SETTLED_S:
            return since_s
    return None


def line_dropped_s(samples: list[Sample]) -> float | None:
    """Return when the motor-enable line went low (s, monotonic), None if it did not."""
    return next((sample.time_s for sample in samples if not sample.motor_enable), None)


def moved(samples: list[Sample]) -> float:
    """Return the fastest that any wheel turned, in rad/s."""
    return max((sample.fastest_rad_s for sample in samples), default=0.0)


def longest_gap_s(samples: list[Sample]) -> float:
    """Return the longest time between two looks."""
    return max((b.time_s - a.time_s for a, b in pairwise(samples)), default=0.0)
