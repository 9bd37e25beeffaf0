"""The signs of life that systemd watches: fed by ticks that reached the hardware, by no others."""

import math
import os
from collections.abc import Mapping

import sdnotify

from rover.clock import Clock

# Without systemd's word for it: a quarter of the WatchdogSec in systemd/rover-control.service.
_NOTIFY_EVERY_S = 0.25
# So that one late tick, or one message that is lost, is no reason to be killed.
_NOTIFICATIONS_PER_TIMEOUT = 4


class Watchdog:
    """Tells systemd how control is. Without systemd it does nothing. It never waits or raises.

    A loop that hangs is killed and restarted, and so is one that spins without effect. So only
    a tick counts that ran to its end and reached the hardware:

    - armed: a motor controller acknowledged the command that was written to it in this tick;
    - otherwise: every motor controller did that is counted as ready. One that is known to be
      missing is reported as such by everything that control says, and to be killed over and
      over would only keep control from saying it.
    """

    def __init__(self, clock: Clock, environ: Mapping[str, str] = os.environ) -> None:
        self._clock = clock
        self._notify_every_s = _notify_every_s(environ)
        # Without a socket to go to, the notifier would leave one of its own open.
        self._notifier = sdnotify.SystemdNotifier() if os.environ.get("NOTIFY_SOCKET") else None
        if self._notifier is not None and self._notifier.socket is not None:
            # What systemd does not read at once is dropped: no tick waits for it.
            self._notifier.socket.setblocking(False)
        self._last_s = -math.inf
        self._status: tuple[str, str] | None = None

    def ready(self) -> None:
        """Say that the service has started."""
        self._notify("READY=1")

    def ticked(self, *, reached: bool) -> None:
        """Take note of a completed tick; ``reached`` the hardware, or nothing is said."""
        now_s = self._clock.now_s()
        if reached and now_s - self._last_s >= self._notify_every_s:
            self._last_s = now_s
            self._notify("WATCHDOG=1")

    def tell(self, state: str, reason: str) -> None:
        """Have `systemctl status` show the state and why; said once, until either changes."""
        if (state, reason) != self._status:
            self._status = state, reason
            self._notify(f"STATUS={_one_line(f'{state}: {reason}')}")

    def stopping(self, reason: str) -> None:
        """Say that the service is about to end, and why."""
        self._notify(f"STOPPING=1\nSTATUS={_one_line(reason)}")

    def close(self) -> None:
        """Let go of systemd's socket."""
        if self._notifier is not None and self._notifier.socket is not None:
            self._notifier.socket.close()

    def _notify(self, message: str) -> None:
        if self._notifier is not None:
            self._notifier.notify(message)


def _notify_every_s(environ: Mapping[str, str]) -> float:
    """Return a quarter of what systemd allows this process, by sd_watchdog_enabled(3)."""
    try:
        if int(environ.get("WATCHDOG_PID") or os.getpid()) != os.getpid():
            return _NOTIFY_EVERY_S
        timeout_us = int(environ["WATCHDOG_USEC"])
    except (KeyError, ValueError):
        return _NOTIFY_EVERY_S
    return timeout_us / 1e6 / _NOTIFICATIONS_PER_TIMEOUT


def _one_line(text: str) -> str:
    """Keep a person's words out of the protocol, where each line is a message of its own."""
    return " ".join(text.split())
