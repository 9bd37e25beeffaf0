"""Requests to control, without making the one who asks wait."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from rover.clock import Clock
from rover.errors import LinkError
from rover.link import ControlClient
from rover.messages import Answer, RequestKind, Source, Stop

_log = logging.getLogger(__name__)

# Control answers within a tick; what takes longer than this has gone wrong.
TIMEOUT_S = 0.6
# What must not be done later than the person meant it; stopping and disarming may be.
_IN_TIME_ONLY = frozenset({RequestKind.ARM, RequestKind.CLEAR})


class Asker:
    """Passes requests on to control, one after the other; stops on a way of their own.

    Every request is stamped with the time at which it was asked for.
    """

    def __init__(self, client: ControlClient, stop_client: ControlClient, clock: Clock) -> None:
        """``stop_client`` must be another than ``client``, whose requests wait for each other."""
        self._client = client
        self._stop_client = stop_client
        self._clock = clock
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="requests")
        self._stop_worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="stops")
        self._lock = threading.Lock()
        # The stop that has not been sent yet: whoever asks for another meanwhile shares it.
        self._waiting_stop: Future[Answer] | None = None

    def ask(self, kind: RequestKind, who: str) -> "Future[Answer]":
        """Have ``kind`` asked for; the future holds control's answer, or a LinkError.

        A stop takes the motion away at once; the emergency stop that latches follows, past
        all other requests. Arming and clearing that have waited too long are refused unsent.
        """
        asked_s = self._clock.now_s()
        if kind is not RequestKind.STOP:
            return self._worker.submit(self._request, kind, who, asked_s)
        self._client.drive(Source.WEB, Stop(f"stopped by {who}"), asked_s)
        with self._lock:
            if self._waiting_stop is None:
                self._waiting_stop = self._stop_worker.submit(self._stop, who, asked_s)
            return self._waiting_stop

    def _request(self, kind: RequestKind, who: str, asked_s: float) -> Answer:
        waited_s = self._clock.now_s() - asked_s
        if kind in _IN_TIME_ONLY and waited_s > TIMEOUT_S:
            return Answer(False, (f"{kind} waited too long ({waited_s:.1f} s): ask again",))
        return _pass_on(self._client, kind, who, asked_s)

    def _stop(self, who: str, asked_s: float) -> Answer:
        with self._lock:
            self._waiting_stop = None
        return _pass_on(self._stop_client, RequestKind.STOP, who, asked_s)

    def ask_then(self, kind: RequestKind, who: str, tell: Callable[[Answer], None]) -> None:
        """Ask; ``tell`` gets the answer, in another thread. No answer is a refusal too."""

        def done(future: "Future[Answer]") -> None:
            if future.cancelled():
                return
            error = future.exception()
            tell(future.result() if error is None else Answer(False, (str(error),)))

        self.ask(kind, who).add_done_callback(done)

    def close(self) -> None:
        """Finish the request that is under way and all stops, drop the others."""
        self._worker.shutdown(wait=False, cancel_futures=True)
        self._stop_worker.shutdown()
        self._worker.shutdown()


def _pass_on(client: ControlClient, kind: RequestKind, who: str, asked_s: float) -> Answer:
    try:
        return client.request(kind, who, TIMEOUT_S, asked_s)
    except LinkError as error:
        _log.warning("%s by %s: %s", kind, who, error)
        raise
