"""The sign of life that systemd watches."""

import math

import sdnotify

from rover.clock import Clock

# systemd wants a sign of life well within WatchdogSec (1 s).
_NOTIFY_EVERY_S = 0.25


class Watchdog:
    """Tells systemd that ticks are being completed. Without systemd it does nothing.

    Fed only from ticks that ran to their end: a loop that hangs is killed and restarted.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._notifier = sdnotify.SystemdNotifier()
        self._last_s = -math.inf

    def ready(self) -> None:
        """Say that the service has started."""
        self._notifier.notify("READY=1")

    def ticked(self) -> None:
        """Say that a tick has been completed."""
        now_s = self._clock.now_s()
        if now_s - self._last_s >= _NOTIFY_EVERY_S:
            self._last_s = now_s
            self._notifier.notify("WATCHDOG=1")

    def stopping(self, reason: str) -> None:
        """Say that the service is about to end, and why."""
        self._notifier.notify(f"STOPPING=1\nSTATUS={reason}")

    def close(self) -> None:
        """Let go of systemd's socket."""
        if self._notifier.socket is not None:
            self._notifier.socket.close()
