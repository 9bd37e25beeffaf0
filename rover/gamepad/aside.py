"""What may wait for a pad, done aside by a thread: battery, lamps, rumble.

Sysfs may ask a pad by radio before it answers, and so may writing to it. The loop hands over
what it wants shown and goes on; a thread that is stuck is left behind with its pad.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from msgspec import Struct

from rover.config import GamepadConfig
from rover.gamepad.battery import PadBattery, read_battery
from rover.gamepad.feedback import Lamp, PadLamps, Rumble

_log = logging.getLogger(__name__)

# A battery lasts for hours.
BATTERY_EVERY_S = 60.0
_MOST_NOTES = 4


class _Wanted(Struct, frozen=True):
    armed: bool = False
    fault: bool = False
    # Counts up; who has shown less has a rumble to make.
    rumbles: int = 0


class Aside:
    """The thread of one pad. Its methods never wait; they belong to the loop.

    ``device`` is the pad's folder in sysfs. A thing that has failed once is not tried again.
    """

    def __init__(
        self,
        name: str,
        path: str,
        device: Path,
        config: GamepadConfig,
        *,
        can_rumble: bool,
        open_rumble: Callable[[str], Rumble] = Rumble,
    ) -> None:
        self._name, self._path, self._device = name, path, device
        self._can_light = config.lamps
        self._can_rumble = config.rumble and can_rumble
        self._open_rumble = open_rumble
        self._wanted = _Wanted()
        self._notes: deque[str] = deque(maxlen=_MOST_NOTES)
        self._battery: PadBattery | None = None
        self._closed = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pad", daemon=True)
        self._thread.start()

    def show(self, *, armed: bool, fault: bool) -> None:
        """Have the pad show this soon, and rumble if a fault or a stop is new."""
        before = self._wanted
        rumbles = before.rumbles + (fault and not before.fault)
        self._wanted = _Wanted(armed, fault, rumbles)
        self._wake.set()

    def trouble(self) -> str:
        """Return a sentence about a battery that is nearly empty, empty if it is not."""
        battery = self._battery
        if battery is None or not battery.low:
            return ""
        return f"{self._name}: its battery is {battery.text}: charge it, or it will switch off"

    def notes(self) -> tuple[str, ...]:
        """Return what has been given up since the last call, a sentence each."""
        found = []
        with suppress(IndexError):
            while True:
                found.append(self._notes.popleft())
        return tuple(found)

    def close(self) -> None:
        """Have the thread end as soon as it can; nobody waits for it."""
        self._closed = True
        self._wake.set()

    def _run(self) -> None:
        be_ordinary()
        lamps = PadLamps(self._device)
        rumble: Rumble | None = None
        shown: Lamp | None = None
        rumbled = 0
        battery_due_s = time.monotonic()
        try:
            while not self._closed:
                # First of all, so that what is wanted while this is done wakes it again.
                self._wake.clear()
                now_s = time.monotonic()
                if now_s >= battery_due_s:
                    battery_due_s = now_s + BATTERY_EVERY_S
                    was_low = self._battery is not None and self._battery.low
                    self._battery = read_battery(self._device, was_low=was_low)
                wanted = self._wanted
                lamp = self._lamp(wanted)
                if self._can_light and lamp is not shown:
                    shown = lamp
                    self._can_light = self._attempt("lamps", partial(lamps.show, lamp))
                if self._can_rumble and wanted.rumbles > rumbled:
                    rumbled = wanted.rumbles
                    if rumble is None:
                        rumble = self._opened_rumble()
                    if rumble is not None:
                        self._can_rumble = self._attempt("rumble", rumble.play)
                if not self._closed:
                    self._wake.wait(max(0.0, battery_due_s - time.monotonic()))
        finally:
            if rumble is not None:
                with suppress(OSError):
                    rumble.close()

    def _lamp(self, wanted: _Wanted) -> Lamp:
        if wanted.fault:
            return Lamp.FAULT
        if self._battery is not None and self._battery.low:
            return Lamp.LOW_BATTERY
        return Lamp.ARMED if wanted.armed else Lamp.DISARMED

    def _opened_rumble(self) -> Rumble | None:
        opened: list[Rumble] = []
        self._can_rumble = self._attempt("rumble", lambda: opened.append(self._open()))
        return opened[0] if opened else None

    def _open(self) -> Rumble:
        return self._open_rumble(self._path)

    def _attempt(self, what: str, do: Callable[[], None]) -> bool:
        """Do it; note once why it cannot be done, and return whether it can."""
        try:
            do()
        except Exception as error:  # noqa: BLE001 - whatever a library raises, it is only for show
            why = (error.strerror if isinstance(error, OSError) else None) or repr(error)
            self._notes.append(f"{self._name}: no {what}, it was refused: {why}")
            return False
        return True


def be_ordinary() -> None:
    """Give up the loop's priority, which a thread inherits."""
    try:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    except OSError as error:
        _log.warning("the gamepad's thread keeps the loop's priority: %s", error.strerror)
