"""One reader of control's telemetry; its newest frame, encoded once, for every socket."""

import logging
import threading
from collections.abc import Callable
from typing import Protocol

import msgspec
from msgspec import Raw, Struct

from rover.clock import Clock
from rover.errors import BadMessageError
from rover.messages import ArmState, Telemetry

_log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode

# How often the reader looks whether it shall end.
_POLL_S = 0.1


class TelemetrySource(Protocol):
    """Where telemetry comes from; rover.link.ControlClient is one."""

    def telemetry(self, timeout_s: float) -> Telemetry | None:
        """Wait for the next frame; None if none came in time. Raises BadMessageError."""
        ...


class Picture(Struct, frozen=True):
    """One telemetry frame as JSON (infinite ages are null), counted from 1."""

    number: int
    telemetry: Raw
    stamp_s: float
    state: ArmState


class Hub:
    """Reads in a thread of its own and wakes the sockets; they take what is newest then."""

    def __init__(self, source: TelemetrySource, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._newest: Picture | None = None
        self._telemetry: Telemetry | None = None
        self._trouble = ""
        self._listeners: frozenset[Callable[[], None]] = frozenset()
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._read, name="telemetry", daemon=True)

    @property
    def newest(self) -> Picture | None:
        """The newest frame; None before the first."""
        return self._newest

    @property
    def telemetry(self) -> Telemetry | None:
        """The newest frame as it came; None before the first."""
        return self._telemetry

    @property
    def trouble(self) -> str:
        """Why control's frames cannot be read, empty if they can."""
        return self._trouble

    def age_s(self) -> float | None:
        """How old the newest frame is; None before the first."""
        newest = self._newest
        return None if newest is None else max(0.0, self._clock.now_s() - newest.stamp_s)

    def listen(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` after every new frame, from the reader's thread; it must not wait."""
        with self._lock:
            self._listeners |= {wake}

    def ignore(self, wake: Callable[[], None]) -> None:
        """Undo ``listen``."""
        with self._lock:
            self._listeners -= {wake}

    def show(self, telemetry: Telemetry) -> None:
        """Make ``telemetry`` the newest frame. The reader does this with all that it reads."""
        number = 1 if self._newest is None else self._newest.number + 1
        self._trouble = ""
        self._telemetry = telemetry
        self._newest = Picture(number, Raw(_encode(telemetry)), telemetry.stamp_s, telemetry.state)
        for wake in self._listeners:
            wake()

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def close(self) -> None:
        """Stop reading; after this the source is not used any more."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def _read(self) -> None:
        while not self._ending.is_set():
            try:
                telemetry = self._source.telemetry(_POLL_S)
            except BadMessageError as error:
                if str(error) != self._trouble:
                    _log.warning("%s", error)
                self._trouble = str(error)
                continue
            if telemetry is not None:
                self.show(telemetry)
