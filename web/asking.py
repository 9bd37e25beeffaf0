"""Requests to control, without making the one who asks wait."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from rover.clock import Clock
from rover.link import ControlClient
from rover.messages import Answer, RequestKind, Source, Stop

_log = logging.getLogger(__name__)

# Control answers within a tick; what takes longer than this has gone wrong.
_TIMEOUT_S = 0.6


class Asker:
    """Passes requests on to control, one after the other."""

    def __init__(self, client: ControlClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="requests")

    def ask(self, kind: RequestKind, who: str) -> "Future[Answer]":
        """Have ``kind`` asked for; the future holds control's answer, or a LinkError.

        A stop takes the motion away at once, before any request that still waits; the
        emergency stop that latches follows.
        """
        if kind is RequestKind.STOP:
            self._client.drive(Source.WEB, Stop(f"stopped by {who}"), self._clock.now_s())
        return self._worker.submit(self._client.request, kind, who, _TIMEOUT_S)

    def ask_then(self, kind: RequestKind, who: str, tell: Callable[[Answer], None]) -> None:
        """Ask; ``tell`` gets the answer, in another thread. No answer is a refusal too."""

        def done(future: "Future[Answer]") -> None:
            if future.cancelled():
                return
            error = future.exception()
            if error is None:
                tell(future.result())
            else:
                _log.warning("%s by %s: %s", kind, who, error)
                tell(Answer(False, (str(error),)))

        self.ask(kind, who).add_done_callback(done)

    def close(self) -> None:
        """Finish the request that is under way, drop the others."""
        self._worker.shutdown(cancel_futures=True)
