"""How much a client may send. Pure: times are passed in."""

import math
import threading


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


class Budgets:
    """A budget for each address, of those that have asked lately. Any thread may spend."""

    def __init__(self, rate_hz: float, burst: int, most: int) -> None:
        """``most`` addresses are remembered."""
        self._rate_hz = rate_hz
        self._burst = burst
        self._most = most
        self._lock = threading.Lock()
        # The one that has not asked for the longest time comes first.
        self._budgets: dict[str, FrameBudget] = {}

    def spend(self, address: str, now_s: float) -> bool:
        """Take one out of what ``address`` may send; tell whether there was one."""
        with self._lock:
            budget = self._budgets.pop(address, None) or FrameBudget(self._rate_hz, self._burst)
            if len(self._budgets) >= self._most:
                del self._budgets[next(iter(self._budgets))]
            self._budgets[address] = budget
            return budget.spend(now_s)
