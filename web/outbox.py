"""What waits to go to one client: a few frames, and the newest telemetry when its turn comes.

Only the outbox's own thread writes to the socket, so that a slow phone can hold up neither
the reading of its commands nor another phone.
"""

import threading
from collections import deque
from collections.abc import Callable

from rover.clock import Clock
from web.frames import ServerFrame, StateFrame, encode
from web.hub import Hub

# Answers and reasons that wait; a client that reads none of them loses the oldest.
_MAX_WAITING = 64
# Without news from control the client is told so this often.
IDLE_S = 0.25

StateFrameMaker = Callable[[bool], StateFrame]


class Outbox:
    """Sends to one client until it is closed or the client has gone."""

    def __init__(
        self,
        hub: Hub,
        clock: Clock,
        write: Callable[[str], None],
        state_frame: StateFrameMaker,
    ) -> None:
        """``state_frame`` is asked for the state, with telemetry or without.

        ``write`` may wait; an OSError or ConnectionError from it ends the sending.
        """
        self._hub = hub
        self._clock = clock
        self._write = write
        self._state_frame = state_frame
        self._waiting: deque[ServerFrame] = deque(maxlen=_MAX_WAITING)
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._send, name="outbox", daemon=True)

    def put(self, frame: ServerFrame) -> None:
        """Have ``frame`` sent soon. Never waits; any thread may call it."""
        self._waiting.append(frame)
        self._wake.set()

    def start(self) -> None:
        """Begin to send."""
        self._hub.listen(self._wake.set)
        self._thread.start()

    def close(self, timeout_s: float) -> bool:
        """Send what waits, then end; tell whether that was done within ``timeout_s``."""
        self._ending.set()
        self._wake.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _send(self) -> None:
        try:
            self._send_until_ending()
        except OSError:
            # The client has gone: its reader notices too, and closes everything.
            self._waiting.clear()
        finally:
            self._hub.ignore(self._wake.set)

    def _send_until_ending(self) -> None:
        sent_number, told_s = 0, self._clock.now_s()
        while True:
            self._wake.wait(IDLE_S)
            self._wake.clear()
            # Read before the frames are sent: what was put before closing still goes out.
            ending = self._ending.is_set()
            while self._waiting:
                self._write(encode(self._waiting.popleft()))
            if ending:
                return
            newest = self._hub.newest
            if newest is not None and newest.number != sent_number:
                sent_number = newest.number
                self._write(encode(self._state_frame(True)))
            elif self._clock.now_s() - told_s < IDLE_S:
                continue
            else:
                self._write(encode(self._state_frame(False)))
            told_s = self._clock.now_s()
