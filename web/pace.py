"""Which size of picture a link carries, found by how long pictures take to be seen. Pure.

One picture is under way at a time: the next is sent when the page has drawn the last. So there is
never a backlog, and the time between is what the link and the page need for that size.
"""

from rover.camera_messages import Rung

LADDER = (Rung.FULL, Rung.HALF, Rung.THIRD)
# A picture that takes longer to be seen is too large for its link; it would be driven by.
_SLOW_S = 0.25
_SLOW_IN_A_ROW = 3
# One that is so late shows it by itself.
_STUCK_S = 0.8
# Below this the next larger one, with some four times the bytes, is worth a try.
_QUICK_S = 0.07
_QUICK_FOR_S = 3.0
# A size that proved too large is tried again, each time after twice as long.
_LONGEST_WAIT_S = 60.0


class Pace:
    """The size for one page: ``rung``. Told of every picture that was seen."""

    def __init__(self, now_s: float) -> None:
        self._place = 1
        self._slow = 0
        self._quick_since_s = now_s
        self._wait_s = _QUICK_FOR_S
        self._raised_s = -_LONGEST_WAIT_S

    @property
    def rung(self) -> Rung:
        """The size to send next."""
        return LADDER[self._place]

    def seen(self, took_s: float, now_s: float) -> None:
        """Take note that a picture was drawn ``took_s`` after it was sent."""
        self._slow = self._slow + 1 if took_s > _SLOW_S else 0
        if took_s > _QUICK_S:
            self._quick_since_s = now_s
        if took_s > _STUCK_S or self._slow >= _SLOW_IN_A_ROW:
            self._lower(now_s)
        elif now_s - self._quick_since_s >= self._wait_s and self._place > 0:
            self._place -= 1
            self._raised_s = self._quick_since_s = now_s

    def _lower(self, now_s: float) -> None:
        self._slow = 0
        self._quick_since_s = now_s
        if self._place + 1 < len(LADDER):
            self._place += 1
        if now_s - self._raised_s < self._wait_s:
            self._wait_s = min(_LONGEST_WAIT_S, 2.0 * self._wait_s)
        else:
            self._wait_s = _QUICK_FOR_S
