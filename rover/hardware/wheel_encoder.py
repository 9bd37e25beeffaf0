"""From a controller's 32-bit encoder counts to a wheel's angle and speed."""

import math
from collections import deque

from rover import units
from rover.hardware.bus.framing import count_difference

# Speed is the mean over at least this long. One count in 10 ms is 0.83 rad/s on JPL's wheels
# (753 counts a turn), in 50 ms 0.17 rad/s; the price is that speed is 25 ms old on average.
SPEED_WINDOW_S = 0.05
# Less than half of it tells no speed: a controller that is brought back may be asked twice within
# a millisecond, in which one count is 8 rad/s.
_SHORTEST_S = SPEED_WINDOW_S / 2
# Samples further apart than this are not averaged over: a mean across a gap is no speed.
_LONGEST_GAP_S = 0.25
# A wheel pushed downhill may outrun its motor; twice as fast as it can go is a counter reset.
_IMPLAUSIBLE = 2.0
_SLACK_COUNTS = 50


class WheelEncoder:
    """One wheel's encoder.

    ``position_rad`` is accumulated since the first count, positive rolling forward;
    ``speed_rad_s`` is its mean over the last SPEED_WINDOW_S, None until counts have come for half
    of that. ``since_s`` is when the count began of which nothing has been missed.
    """

    def __init__(self, ticks_per_turn: float, *, inverted: bool, max_speed_rad_s: float) -> None:
        self.position_rad: float | None = None
        self.speed_rad_s: float | None = None
        self.stamp_s = -math.inf
        self.since_s: float | None = None
        self._rad_per_count = units.rad_from_ticks(-1.0 if inverted else 1.0, ticks_per_turn)
        self._max_counts_s = units.qpps_from_rad_s(max_speed_rad_s, ticks_per_turn) * _IMPLAUSIBLE
        self._raw: int | None = None
        self._total = 0
        self._samples: deque[tuple[float, int]] = deque()

    def update(self, raw: int, stamp_s: float) -> bool:
        """Take in the count that was read at ``stamp_s``.

        Returns False for a count that no wheel can have reached since the last one: the counter
        was reset, so the angle stays and counting starts anew from here.
        """
        last, self._raw = self._raw, raw
        plausible = True
        if last is None:
            self._samples.clear()
            self.since_s = stamp_s
        else:
            step = count_difference(raw, last)
            elapsed_s = stamp_s - self.stamp_s
            if abs(step) <= self._max_counts_s * elapsed_s + _SLACK_COUNTS:
                self._total += step
                if elapsed_s > _LONGEST_GAP_S:
                    self._samples.clear()
            else:
                plausible = False
                self._samples.clear()
                self.since_s = stamp_s
        self.stamp_s = stamp_s
        self.position_rad = self._total * self._rad_per_count
        self._average(stamp_s)
        return plausible

    def set_speed(self, counts_s: float) -> None:
        """Take the controller's own speed instead of the mean, until the next ``update``."""
        self.speed_rad_s = counts_s * self._rad_per_count

    def forget(self) -> None:
        """Start anew from the next count; what the wheel did until then is not known."""
        self._raw = None
        self.speed_rad_s = None

    def _average(self, stamp_s: float) -> None:
        samples = self._samples
        samples.append((stamp_s, self._total))
        while len(samples) > 2 and stamp_s - samples[1][0] >= SPEED_WINDOW_S:  # noqa: PLR2004
            samples.popleft()
        first_s, first_total = samples[0]
        span_s = stamp_s - first_s
        if span_s >= _SHORTEST_S:
            self.speed_rad_s = (self._total - first_total) * self._rad_per_count / span_s
        else:
            self.speed_rad_s = None
