"""Whether the configuration is read anew: a person asks, and it is done between two ticks.

Reading files and making drivers takes longer than a tick may, so a request is kept until its tick
has ended, and looked at as things are then: what came after it in the same tick counts.
"""

import logging
from collections.abc import Callable
from typing import TypeVar

from rover.ends import Link
from rover.errors import RoverError
from rover.link import ReceivedRequest
from rover.messages import Answer, Severity
from rover.motion.arming import Arming
from rover.telemetry import Journal

_log = logging.getLogger(__name__)

_Prepared = TypeVar("_Prepared")


class Reloads:
    """The requests to read the configuration anew that wait for the end of the tick."""

    def __init__(self, link: Link, arming: Arming, journal: Journal) -> None:
        self._link = link
        self._arming = arming
        self._journal = journal
        self._waiting: list[ReceivedRequest] = []

    def keep(self, received: ReceivedRequest) -> None:
        """Have a request wait."""
        self._waiting.append(received)

    def settle(
        self, prepare: Callable[[], _Prepared], lent: tuple[str, ...], now_s: float
    ) -> _Prepared | None:
        """Answer whoever waits; return what ``prepare`` has made, None if all goes on as it was.

        Nothing is prepared unless the rover is DISARMED, and nothing of it is ``lent``: what
        others have of it now, a sentence each. Whatever ``prepare`` raises is answered as
        refusals, a line each.
        """
        if not self._waiting:
            return None
        waiting, self._waiting = self._waiting, []
        allowed = [received for received in waiting if self._allows(received, lent, now_s)]
        if not allowed:
            return None
        who = allowed[0].request.who
        try:
            prepared = prepare()
        except Exception as error:  # noqa: BLE001 - a rover that runs is not ended by a file
            lines = _lines(error)
            more = f", and {len(lines) - 1} more" if len(lines) > 1 else ""
            text = f"{who}: the configuration stays as it was: {lines[0]}{more}"
            self._journal.add(now_s, Severity.WARNING, "refused", text)
            self._answer(allowed, Answer(False, lines))
            return None
        text = f"{who} has the configuration read anew: all devices are brought up again"
        self._journal.add(now_s, Severity.INFO, "configuration", text)
        self._answer(allowed, Answer(True))
        return prepared

    def _allows(self, received: ReceivedRequest, lent: tuple[str, ...], now_s: float) -> bool:
        answer = self._arming.request(received.request, (), (), now_s)
        refusals = answer.refusals + lent
        if refusals:
            self._answer([received], Answer(False, refusals))
        return not refusals

    def _answer(self, requests: list[ReceivedRequest], answer: Answer) -> None:
        for received in requests:
            self._link.answer(received, answer)


def _lines(error: Exception) -> tuple[str, ...]:
    if isinstance(error, RoverError):
        return tuple(str(error).split("\n"))
    _log.warning("using the new configuration", exc_info=error)
    return (f"it cannot be used: {type(error).__name__}: {error}",)
