"""How old a client's frames are, and how many it may send. Pure: times are passed in."""

import math

# The two clocks may drift apart by a part in a thousand before a frame is taken for late.
_DRIFT = 1e-3


class PageClock:
    """Judges how late a frame is, by the page's own clock.

    The offset between the page's clock and ours is not known, but the smallest that was ever
    seen on a connection belongs to the frame that was quickest on its way; what a frame's
    offset exceeds it by is how much longer that frame took.
    """

    def __init__(self) -> None:
        self._best_s = math.inf
        self._seen_s = 0.0

    def lateness_s(self, page_ms: float, arrived_s: float) -> float:
        """Return how much later than the quickest frame this one came; zero for the first."""
        offset_s = arrived_s - page_ms / 1000
        drifted_s = self._best_s + max(0.0, arrived_s - self._seen_s) * _DRIFT
        self._best_s = min(offset_s, drifted_s)
        self._seen_s = max(self._seen_s, arrived_s)
        return offset_s - self._best_s


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
