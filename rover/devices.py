"""Brings devices up, and again after they have gone, never while the rover drives."""

import logging
import math
from collections.abc import Callable

from rover.clock import Clock
from rover.errors import DeviceError
from rover.hardware import Hardware
from rover.messages import DeviceHealth, Severity
from rover.telemetry import Journal

_log = logging.getLogger(__name__)

_RETRY_EVERY_S = 1.0
# A start that fails slowly keeps everybody waiting, for three silent controllers 0.2 s: it is
# tried half as often each time.
_SLOW_S = 0.05
_LONGEST_PAUSE_S = 5.0


class Bringup:
    """Starts what is not ready, one device at a time, and journals what came of it.

    Each is tried once a second, and more and more seldom if its failure costs time.
    """

    def __init__(self, hardware: Hardware, clock: Clock, journal: Journal) -> None:
        self._clock = clock
        self._drive = _Device("motor controllers", hardware.drive.start, hardware.drive.health)
        self._devices = [
            # First the line that lets the controllers have their motors: with it low they
            # report an emergency stop.
            _Device("panel", hardware.panel.start, hardware.panel.health),
            self._drive,
            _Device("steering", hardware.steering.start, hardware.steering.health),
            _Device("power monitor", hardware.power.start, hardware.power.health, Severity.WARNING),
        ]
        self._journal = journal

    def start(self) -> None:
        """Start all of them, before the first tick."""
        for device in self._devices:
            self._start(device)

    def attempt(self, *, drive_is_away: bool = False) -> None:
        """Start the first that needs it. May take a while: only for a rover that stands.

        Controllers whose bus somebody else has are left alone, and are new when they are back.
        """
        now_s = self._clock.now_s()
        devices = self._devices
        if drive_is_away:
            self._drive.forget()
            devices = [device for device in devices if device is not self._drive]
        due = next((device for device in devices if device.due(now_s)), None)
        if due is not None:
            self._start(due)

    def _start(self, device: "_Device") -> None:
        began_s = self._clock.now_s()
        try:
            device.start()
        except DeviceError as error:
            text = str(error)
        except Exception as error:  # noqa: BLE001 - whatever a library raises, others are there
            text = f"the {device.name} cannot be started: {type(error).__name__}: {error}"
            if text != device.trouble:
                _log.warning("starting the %s", device.name, exc_info=error)
        else:
            text = ""
        now_s = self._clock.now_s()
        if not text:
            ready = f"{device.name} ready{device.firmware()}"
            self._journal.add(now_s, Severity.INFO, "device", ready)
            device.succeeded(now_s)
            return
        # The same trouble at every try is one event.
        if text != device.trouble:
            self._journal.add(now_s, device.severity, "device", text)
        device.failed(text, now_s, took_s=now_s - began_s)


class _Device:
    """One driver as seen by the bring-up."""

    def __init__(
        self,
        name: str,
        start: Callable[[], None],
        health: Callable[[], tuple[DeviceHealth, ...]],
        severity: Severity = Severity.ERROR,
    ) -> None:
        self.name = name
        self.start = start
        self.severity = severity
        self.started = False
        self.trouble = ""
        self._health = health
        self._pause_s = _RETRY_EVERY_S
        self._retry_s = -math.inf

    def due(self, now_s: float) -> bool:
        """Whether it needs a start and the last try is long enough ago."""
        if now_s < self._retry_s:
            return False
        health = self._health()
        gone = bool(health) and not any(entry.ready for entry in health)
        return not self.started or gone

    def succeeded(self, now_s: float) -> None:
        """Note that it has been started."""
        self.started, self.trouble = True, ""
        self._pause_s = _RETRY_EVERY_S
        self._retry_s = now_s + _RETRY_EVERY_S

    def failed(self, trouble: str, now_s: float, took_s: float) -> None:
        """Note that it could not be started, and leave it alone for a while."""
        self.trouble = trouble
        self._retry_s = now_s + self._pause_s
        if took_s > _SLOW_S:
            self._pause_s = min(2.0 * self._pause_s, _LONGEST_PAUSE_S)

    def forget(self) -> None:
        """Have it be started at the next chance, as if it had never been tried."""
        self.started, self.trouble = False, ""
        self._pause_s, self._retry_s = _RETRY_EVERY_S, -math.inf

    def firmware(self) -> str:
        """Return the versions it told, for the event."""
        versions = sorted({entry.firmware for entry in self._health() if entry.firmware})
        return f" ({', '.join(versions)})" if versions else ""
