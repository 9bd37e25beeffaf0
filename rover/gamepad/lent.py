"""Every device that may be a pad, open and read by a thread while they are lent.

Opening and looking for them may take many ticks, so the loop does neither: it takes what the
thread has read.
"""

import logging
import select
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from rover.errors import DeviceError
from rover.gamepad.aside import be_ordinary
from rover.gamepad.raw_pad import Event, RawPad, open_raw
from rover.gamepad.survey import nodes_that_may_be_pads
from rover.pad_messages import LentAxis, LentEvent, LentPad

_log = logging.getLogger(__name__)

# A pad at 8 kHz fills it in half a second; then the oldest is lost.
_KEPT_EVENTS = 4096
_WAIT_S = 0.05
_LOOK_EVERY_S = 1.0


class LentPads:
    """Begins to open pads when it is made, and lets go of them at ``close``."""

    def __init__(
        self,
        find: Callable[[], Sequence[str]] = nodes_that_may_be_pads,
        open_at: Callable[[str], RawPad] = open_raw,
    ) -> None:
        self._find, self._open_at = find, open_at
        self._lock = threading.Lock()
        self._shown: tuple[LentPad, ...] = ()
        self._events: deque[LentEvent] = deque(maxlen=_KEPT_EVENTS)
        self._troubles: dict[str, str] = {}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lent pads", daemon=True)
        self._thread.start()

    def take(self, most: int) -> tuple[tuple[LentPad, ...], tuple[LentEvent, ...]]:
        """Return the pads as they are now, and up to ``most`` events; never waits for a pad."""
        with self._lock:
            count = min(most, len(self._events))
            return self._shown, tuple(self._events.popleft() for _ in range(count))

    def troubles(self) -> tuple[str, ...]:
        """Return which pads cannot be had, and why, a sentence each."""
        with self._lock:
            return tuple(self._troubles.values())

    def close(self) -> None:
        """Have the thread let go of the pads as soon as it can; control does not wait for it."""
        self._ending.set()

    def wait(self) -> None:
        """Wait until the pads have been let go of."""
        self._thread.join()

    def _run(self) -> None:
        be_ordinary()
        pads: dict[str, RawPad] = {}
        look_s = time.monotonic()
        try:
            while not self._ending.is_set():
                if time.monotonic() >= look_s:
                    look_s = time.monotonic() + _LOOK_EVERY_S
                    self._open_new(pads)
                if pads:
                    ready, _, _ = select.select(list(pads.values()), (), (), _WAIT_S)
                    self._read(pads, ready)
                else:
                    self._ending.wait(_WAIT_S)
        except Exception as error:  # noqa: BLE001 - a borrower must be told, whatever a library raises
            _log.exception("the gamepads cannot be read any more")
            with self._lock:
                self._shown = ()
                self._troubles[""] = f"the gamepads cannot be read: {error!r}"
        finally:
            for pad in pads.values():
                pad.close()

    def _open_new(self, pads: dict[str, RawPad]) -> None:
        for path in self._find():
            if path in pads:
                continue
            try:
                pads[path] = self._open_at(path)
            except DeviceError as error:
                with self._lock:
                    self._troubles[path] = str(error)
        self._show(pads, ())

    def _read(self, pads: dict[str, RawPad], ready: Sequence[RawPad]) -> None:
        heard: list[LentEvent] = []
        for pad in ready:
            try:
                heard += [_lent(pad.path, event) for event in pad.read()]
            except DeviceError as error:
                del pads[pad.path]
                pad.close()
                with self._lock:
                    self._troubles[pad.path] = str(error)
        if ready:
            self._show(pads, heard)

    def _show(self, pads: dict[str, RawPad], heard: Sequence[LentEvent]) -> None:
        shown = tuple(_as_it_is(pad) for pad in pads.values())
        with self._lock:
            self._shown = shown
            self._events.extend(heard)
            for path in pads:
                self._troubles.pop(path, None)


def _lent(path: str, event: Event) -> LentEvent:
    return LentEvent(path, event.kind, event.code, event.value)


def _as_it_is(pad: RawPad) -> LentPad:
    identity = pad.identity
    return LentPad(
        pad.path,
        identity.bus,
        identity.vendor,
        identity.product,
        identity.version,
        identity.name,
        identity.uniq,
        tuple(sorted(pad.capabilities.keys)),
        tuple(
            LentAxis(code, told.minimum, told.maximum, told.flat, pad.raws[code])
            for code, told in pad.capabilities.axes.items()
        ),
        tuple(sorted(pad.down)),
    )
