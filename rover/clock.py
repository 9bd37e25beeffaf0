"""Monotonic time, always passed in, so that a test can hold it in its hand."""

import time
from typing import Protocol


class Clock(Protocol):
    """What every timed part of the rover asks the time of."""

    def now_s(self) -> float:
        """Seconds since an arbitrary start; never goes back, unmoved by the wall clock."""
        ...

    def sleep_s(self, duration_s: float) -> None:
        """Let ``duration_s`` pass; zero or less returns at once."""
        ...

    def sleep_until_s(self, time_s: float) -> None:
        """Let time pass to ``time_s``, as punctually as the system can."""
        ...


# A sleep ends a tenth of a millisecond late, or later on a busy computer: the last part of a wait
# for a moment is not slept. At 100 Hz that costs 2 % of a core.
AWAKE_S = 0.0002

# Linux's CLOCK_MONOTONIC stands still while the machine is suspended: a command from before
# would look fresh afterwards. CLOCK_BOOTTIME goes on; other systems' monotonic clocks do too.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock:
    """The machine's monotonic clock, one and the same in every process of the computer."""

    def now_s(self) -> float:
        """Seconds since the machine started, those suspended included."""
        return time.clock_gettime(_CLOCK)

    def sleep_s(self, duration_s: float) -> None:
        """Block the calling thread for ``duration_s``."""
        if duration_s > 0:
            time.sleep(duration_s)

    def sleep_until_s(self, time_s: float) -> None:
        """Block the calling thread until ``time_s``, awake for the last AWAKE_S."""
        self.sleep_s(time_s - AWAKE_S - self.now_s())
        while self.now_s() < time_s:
            pass


class ManualClock:
    """A clock that moves only when it is told to: an hour of driving in seconds."""

    def __init__(self, start_s: float = 100.0) -> None:
        self._now_s = start_s

    def now_s(self) -> float:
        """Return the time that has been set."""
        return self._now_s

    def sleep_s(self, duration_s: float) -> None:
        """Advance by ``duration_s`` without waiting."""
        if duration_s > 0:
            self._now_s += duration_s

    def sleep_until_s(self, time_s: float) -> None:
        """Advance to ``time_s`` without waiting."""
        self.advance_to(time_s)

    def advance_to(self, time_s: float) -> None:
        """Move on to ``time_s``; an earlier time changes nothing."""
        self._now_s = max(self._now_s, time_s)
