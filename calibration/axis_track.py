"""What one axis of a pad has done of late: where it is held, where it rests. Pure."""

from collections import deque

# Longer than any question about the past.
_KEPT_S = 2.5
# What is added to the half of the places at which an axis was seen to rest.
_MARGIN = 1.25
# However near one of its ends an axis rests, this part of its range counts as the way there.
_LEAST_SIDE = 0.2


class AxisTrack:
    """One axis over the last seconds, in the pad's own numbers.

    The kernel tells changes only: between two of them an axis stands where it was told last.
    """

    def __init__(self, minimum: int, maximum: int, raw: int, now_s: float) -> None:
        self.minimum = minimum
        self.maximum = maximum
        self.way = max(1, maximum - minimum)
        # Where it rests now, which may drift; and every place at which it was seen to rest.
        self.rest: float = raw
        self.noise = 0
        self._lowest = self._highest = raw
        self._told: deque[tuple[float, int]] = deque([(now_s, raw)])

    @property
    def raw(self) -> int:
        """Where the axis is."""
        return self._told[-1][1]

    def hear(self, raw: int, now_s: float) -> None:
        """Take in where the axis is now."""
        self._told.append((now_s, raw))
        # The one before the window says where the axis was as the window began.
        while len(self._told) > 1 and self._told[1][0] <= now_s - _KEPT_S:
            self._told.popleft()

    def between(self, last_s: float, now_s: float) -> tuple[int, int]:
        """Return the lowest and the highest place within the last ``last_s`` seconds."""
        since_s = now_s - last_s
        low = high = self.raw
        for at_s, raw in reversed(self._told):
            low, high = min(low, raw), max(high, raw)
            if at_s <= since_s:
                break
        return low, high

    def reach(self, last_s: float, now_s: float) -> float:
        """Return how far of the way to its end the axis has been all the time, at least.

        Negative below the rest; 0 if it was on both sides or came near the rest.
        """
        low, high = self.between(last_s, now_s)
        nearest = max(low - self.rest, 0.0) + min(high - self.rest, 0.0)
        side = self.maximum - self.rest if nearest > 0 else self.rest - self.minimum
        return nearest / max(side, self.way * _LEAST_SIDE)

    def steady(self, low: int, high: int, part: float) -> bool:
        """Tell whether these places are one, but for the axis's own noise."""
        return high - low <= part * self.way + self.noise

    def measure_rest(self, low: int, high: int) -> None:
        """Take these places for all that is known of where it rests."""
        self._lowest, self._highest = low, high
        self.rest, self.noise = (low + high) / 2, high - low

    def rests_between(self, low: int, high: int) -> None:
        """Take in that it rests at these places too, now."""
        self._lowest, self._highest = min(self._lowest, low), max(self._highest, high)
        self.rest, self.noise = (low + high) / 2, max(self.noise, high - low)

    @property
    def centre(self) -> float:
        """The middle of all places at which it was seen to rest."""
        return (self._lowest + self._highest) / 2

    @property
    def deadband(self) -> float:
        """How far from the centre it may rest: all that was seen, and a quarter more."""
        return (self._highest - self._lowest) / 2 * _MARGIN + 1.0
