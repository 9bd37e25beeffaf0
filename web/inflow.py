"""How many frames a client may send. Pure: times are passed in."""

import math


class FrameBudget:
    """A bucket that fills at ``rate_hz`` up to ``burst`` frames."""

    def __init__(self, rate_hz: float, burst: int) -> None:
        self._rate_hz = rate_hz
        self._burst = burst
        self._left = float(burst)
        self._counted_s = math.inf

    def spend(self, now_s: float) -> bool:
        """Take one frame out; tell whether there was one."""
        self._left = min(
            float(self._burst), self._left + max(0.0, now_s - self._counted_s) * self._rate_hz
        )
        self._counted_s = now_s
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
