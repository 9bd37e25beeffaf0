"""One driver at a time: the wheel is taken by driving, and given back by letting go of it."""

import math
import threading

from rover.clock import Clock

# A holder that says nothing for this long has left the wheel to the others.
SILENCE_S = 1.0


class Lease:
    """Who has the wheel. Clients are known by their names; any thread may ask."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._holder = ""
        self._heard_s = -math.inf

    @property
    def holder(self) -> str:
        """The client that has the wheel, empty if nobody."""
        with self._lock:
            return self._current()

    def _current(self) -> str:
        if self._clock.now_s() - self._heard_s > SILENCE_S:
            self._holder = ""
        return self._holder

    def take(self, client: str) -> bool:
        """Have the wheel from now on, if nobody else has it; tell whether ``client`` has it."""
        with self._lock:
            if self._current() not in {"", client}:
                return False
            self._holder, self._heard_s = client, self._clock.now_s()
            return True

    def hear(self, client: str) -> bool:
        """Note that ``client`` is still there; tell whether it has the wheel."""
        with self._lock:
            if self._current() != client:
                return False
            self._heard_s = self._clock.now_s()
            return True

    def release(self, client: str) -> bool:
        """Let go of the wheel; tell whether ``client`` had it."""
        with self._lock:
            if self._current() != client:
                return False
            self._holder = ""
            return True
