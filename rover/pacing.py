"""When to tick: the pace of the loop, and the wait until it or input says so."""

import math
import select
from collections.abc import Callable, Sequence

from rover.clock import AWAKE_S, Clock

# A reading takes up to 1.1 ms of wire at 115200 baud; what else a tick does after it, 0.4 ms; the
# rest is for an answer that comes late.
_READING_S = 0.002


class Pacer:
    """When the next tick is due. Missed ticks are skipped and counted, never caught up.

    A tick may start early when input has arrived, though no sooner than half a period after
    the last one, so that a storm of input cannot take the bus away from the feedback. The
    period then counts from the early tick.
    """

    def __init__(self, period_s: float, now_s: float) -> None:
        self._period_s = period_s
        self.due_s = now_s
        self._started_s = -math.inf
        self.missed = 0
        self.lateness_s = 0.0

    @property
    def earliest_s(self) -> float:
        """When input may start the next tick."""
        return self._started_s + self._period_s / 2

    def started(self, now_s: float) -> None:
        """Note that a tick starts at ``now_s``, and how many were missed before it."""
        self._started_s = now_s
        self.lateness_s = max(0.0, now_s - self.due_s)
        missed = int(self.lateness_s / self._period_s)
        self.missed += missed
        if now_s < self.due_s:
            self.due_s = now_s + self._period_s
        else:
            self.due_s += (missed + 1) * self._period_s


class Waiter:
    """Sleeps until a tick is due, or until input arrives and may start it early."""

    def __init__(
        self,
        clock: Clock,
        pacer: Pacer,
        link_filenos: Sequence[int],
        link_pending: Callable[[], bool],
        pad_filenos: Callable[[], Sequence[int]],
    ) -> None:
        """Take the pace to keep, and what becomes readable when input has come.

        The link's descriptors signal edges only, so ``link_pending`` has the last word on
        them; ``pad_filenos`` is asked before each wait, since pads come and go.
        """
        self._clock = clock
        self._pacer = pacer
        self._link_filenos = tuple(link_filenos)
        self._link_pending = link_pending
        self._pad_filenos = pad_filenos

    def wait(self) -> None:
        """Return when the next tick shall start, which the pacer takes note of."""
        pacer = self._pacer
        while (left_s := pacer.due_s - AWAKE_S - self._clock.now_s()) > 0:
            if self._link_pending():
                break
            pads = tuple(self._pad_filenos())
            # select takes microseconds; poll and epoll round up to whole milliseconds.
            readable, _, _ = select.select((*self._link_filenos, *pads), (), (), left_s)
            if any(fileno in pads for fileno in readable):
                break
        else:
            self._clock.sleep_until_s(pacer.due_s)
        # Input came before, perhaps too soon after the last tick.
        self._clock.sleep_until_s(min(pacer.due_s, pacer.earliest_s))
        pacer.started(self._clock.now_s())

    def hurry(self) -> bool:
        """Tell whether a tick under way should come to its end.

        Either input has come that may start the next one now, or the next one is due before
        another reading could be made.
        """
        now_s = self._clock.now_s()
        if now_s > self._pacer.due_s - _READING_S:
            return True
        if now_s < self._pacer.earliest_s:
            return False
        if self._link_pending():
            return True
        pads = self._pad_filenos()
        return bool(pads) and bool(select.select(pads, (), (), 0)[0])
