"""One driver at a time: the wheel is taken by driving, and given back by letting go of it.

Who wants it while somebody has it asks; the holder gives it or keeps it. A holder that has gone
or fallen silent has no wheel any more: then it is for whoever pushes a stick first.
"""

import math
import threading
from collections.abc import Callable

from msgspec import Struct

from rover.clock import Clock

# A holder that says nothing for this long has left the wheel to the others.
SILENCE_S = 1.0
# Who has had no answer for this long asks no more.
ASKING_S = 20.0


class _Asker(Struct, frozen=True):
    until_s: float
    refused: Callable[[str], None]


class Lease:
    """Who has the wheel. Clients are known by their names; any thread may ask."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._holder = ""
        self._heard_s = -math.inf
        # In the order in which they asked.
        self._askers: dict[str, _Asker] = {}

    @property
    def holder(self) -> str:
        """The client that has the wheel, empty if nobody."""
        with self._lock:
            return self._current()

    @property
    def asking(self) -> tuple[str, ...]:
        """The clients that ask the holder for the wheel, the first first."""
        with self._lock:
            return tuple(self._current_askers())

    def _current(self) -> str:
        if self._clock.now_s() - self._heard_s > SILENCE_S:
            self._hand_to("")
        return self._holder

    def _current_askers(self) -> dict[str, _Asker]:
        self._current()
        now_s = self._clock.now_s()
        asked = {name: one for name, one in self._askers.items() if one.until_s >= now_s}
        self._askers = asked
        return asked

    def _hand_to(self, client: str) -> None:
        """Give the wheel to ``client``; whoever asked the holder before asks no more."""
        if client != self._holder:
            self._askers.clear()
        self._holder = client

    def take(self, client: str) -> bool:
        """Have the wheel from now on, if nobody else has it; tell whether ``client`` has it."""
        with self._lock:
            if self._current() not in {"", client}:
                return False
            self._hand_to(client)
            self._heard_s = self._clock.now_s()
            return True

    def hear(self, client: str) -> bool:
        """Note that ``client`` is still there; tell whether it has the wheel."""
        with self._lock:
            if self._current() != client:
                return False
            self._heard_s = self._clock.now_s()
            return True

    def release(self, client: str) -> bool:
        """Let go of the wheel, and ask for it no more; tell whether ``client`` had it."""
        with self._lock:
            self._askers.pop(client, None)
            if self._current() != client:
                return False
            self._hand_to("")
            return True

    def ask(self, client: str, refused: Callable[[str], None]) -> bool:
        """Ask for the wheel; tell whether somebody else has it and was asked.

        ``refused`` is called with the holder's name if it keeps the wheel, in any thread.
        """
        with self._lock:
            if self._current() in {"", client}:
                return False
            self._askers[client] = _Asker(self._clock.now_s() + ASKING_S, refused)
            return True

    def give(self, holder: str, client: str) -> bool:
        """Hand the wheel from ``holder`` to ``client``, which asks for it; tell whether it was.

        There is no moment in which both have it, nor one in which a third could take it.
        """
        with self._lock:
            if self._current() != holder or client not in self._current_askers():
                return False
            self._hand_to(client)
            self._heard_s = self._clock.now_s()
            return True

    def refuse(self, holder: str, client: str) -> bool:
        """Keep the wheel, which ``client`` asked for; tell whether it did."""
        with self._lock:
            if self._current() != holder:
                return False
            asker = self._current_askers().pop(client, None)
        if asker is None:
            return False
        asker.refused(holder)
        return True
