"""The only place where the parts of the control process are joined."""

import gc
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from rover.clock import Clock, SystemClock
from rover.config import Config
from rover.gamepad import Gamepad, GamepadUpdate
from rover.hardware import open_hardware
from rover.health import Watchdog
from rover.link import ControlLink
from rover.loop import ControlLoop, Pad
from rover.messages import Severity
from rover.pacing import Pacer, Waiter
from rover.telemetry import Journal


class NoPad:
    """Stands in where the configuration wants no gamepad."""

    def filenos(self) -> Sequence[int]:
        """Nothing to wait for."""
        return ()

    def poll(self, now_s: float) -> GamepadUpdate:
        """Nothing has happened."""
        return GamepadUpdate()


class Terminator:
    """Turns SIGTERM and SIGINT into a flag, so that a tick is never cut in two."""

    def __init__(self) -> None:
        self.signalled = 0
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.signalled = number

    def __call__(self) -> bool:
        """Whether to end."""
        return self.signalled != 0


def run_control(
    config: Config,
    directory: Path,
    stopping: Callable[[], bool],
    clock: Clock | None = None,
) -> None:
    """Run the control process until ``stopping``; the motors are stopped however it ends.

    Raises LinkError if another control process uses ``directory``.
    """
    clock = clock or SystemClock()
    watchdog = Watchdog(clock)
    with ControlLink(directory) as link:
        pad: Pad = Gamepad(config, clock) if config.gamepad.enabled else NoPad()
        loop = ControlLoop(config, clock, open_hardware(config, clock), link, pad)
        try:
            ask_for_realtime(config.loop.realtime_priority, loop.journal, clock)
            loop.start()
            # What has been made so far lives as long as the process: keep the collector off it.
            gc.collect()
            gc.freeze()
            watchdog.ready()
            pacer = Pacer(1.0 / config.loop.rate_hz, clock.now_s())
            waiter = Waiter(clock, pacer, link.filenos(), link.pending, pad.filenos)
            while not stopping():
                waiter.wait()
                loop.tick(pacer.missed)
                watchdog.ticked()
        finally:
            watchdog.stopping("stopping the motors")
            loop.shut_down()


def ask_for_realtime(priority: int, journal: Journal, clock: Clock) -> None:
    """Run this thread by SCHED_FIFO at ``priority`` where the system grants it; 0 asks for none."""
    if priority == 0:
        return
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
    except (AttributeError, OSError) as error:
        reason = getattr(error, "strerror", None) or "this system has no SCHED_FIFO"
        journal.add(
            clock.now_s(),
            Severity.INFO,
            "realtime",
            f"no real-time priority ({reason}): ticks may come late on a busy computer",
        )
