"""Brings devices up, and again after they have gone, without ever holding up an armed rover."""

import math
from collections.abc import Callable

from rover.clock import Clock
from rover.errors import DeviceError
from rover.hardware import Hardware
from rover.messages import DeviceHealth, Severity
from rover.telemetry import Journal

_RETRY_EVERY_S = 1.0


class Bringup:
    """Starts what is not ready, at most once a second each, and journals what came of it."""

    def __init__(self, hardware: Hardware, clock: Clock, journal: Journal) -> None:
        self._clock = clock
        self._devices = [
            # First the line that lets the controllers have their motors: with it low they
            # report an emergency stop.
            _Device("panel", hardware.panel.start, hardware.panel.health),
            _Device("motor controllers", hardware.drive.start, hardware.drive.health),
            _Device("steering", hardware.steering.start, hardware.steering.health),
            _Device("power monitor", hardware.power.start, hardware.power.health, Severity.WARNING),
        ]
        self._journal = journal

    def attempt(self) -> None:
        """Start what needs it. May take tens of milliseconds: only for a rover that stands."""
        for device in self._devices:
            if not device.due(self._clock.now_s()):
                continue
            try:
                device.start()
            except DeviceError as error:
                text = str(error)
                # The same trouble every second is one event.
                if text != device.trouble:
                    self._journal.add(self._clock.now_s(), device.severity, "device", text)
                device.trouble = text
            else:
                text = f"{device.name} ready{device.firmware()}"
                self._journal.add(self._clock.now_s(), Severity.INFO, "device", text)
                device.started, device.trouble = True, ""
            device.tried_s = self._clock.now_s()


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
        self.tried_s = -math.inf
        self._health = health

    def due(self, now_s: float) -> bool:
        """Whether it needs a start and the last try is long enough ago."""
        if now_s - self.tried_s < _RETRY_EVERY_S:
            return False
        health = self._health()
        gone = bool(health) and not any(entry.ready for entry in health)
        return not self.started or gone

    def firmware(self) -> str:
        """Return the versions it told, for the event."""
        versions = sorted({entry.firmware for entry in self._health() if entry.firmware})
        return f" ({', '.join(versions)})" if versions else ""
