"""The only place where the parts of the control process are joined."""

import gc
import signal
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from types import FrameType

from rover.clock import Clock, SystemClock
from rover.config import Config
from rover.gamepad import GamepadUpdate
from rover.gamepad.lending import LendablePad
from rover.hardware import open_hardware
from rover.health import Watchdog
from rover.hearing import Pad
from rover.link import ControlLink
from rover.loop import ControlLoop
from rover.messages import Severity
from rover.pacing import Pacer, Waiter
from rover.realtime import ask_for_realtime


class NoPad:
    """Stands in where the configuration wants no gamepad."""

    def filenos(self) -> Sequence[int]:
        """Nothing to wait for."""
        return ()

    def poll(self, now_s: float) -> GamepadUpdate:
        """Nothing has happened."""
        return GamepadUpdate()

    def show(self, *, armed: bool, fault: bool) -> None:
        """Nobody to show it to."""

    def close(self) -> None:
        """Nothing to let go of."""


class Terminator:
    """Turns SIGTERM, SIGINT and SIGHUP into a flag, so that a tick is never cut in two."""

    def __init__(self) -> None:
        self.signalled = 0
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
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
    # Before the link, whose own thread then has it too.
    refused = ask_for_realtime(config.loop.realtime_priority)
    with closing(Watchdog(clock)) as watchdog, ControlLink(directory) as link:
        lender = LendablePad(config, clock) if config.gamepad.enabled else None
        pad: Pad = lender or NoPad()
        loop = ControlLoop(config, clock, open_hardware(config, clock), link, pad, lender=lender)
        try:
            if refused:
                text = f"no real-time priority ({refused}): a busy computer makes ticks late"
                loop.journal.add(clock.now_s(), Severity.INFO, "realtime", text)
            loop.start()
            # What has been made so far lives as long as the process: keep the collector off it.
            gc.collect()
            gc.freeze()
            watchdog.ready()
            pacer = Pacer(1.0 / config.loop.rate_hz, clock.now_s())
            waiter = Waiter(clock, pacer, link.filenos(), link.pending, pad.filenos)
            while not stopping():
                waiter.wait()
                reached = loop.tick(pacer.missed, waiter.hurry)
                watchdog.ticked(reached=reached)
                watchdog.tell(loop.arming.state, loop.arming.reason)
        finally:
            loop.shut_down()
            pad.close()
            watchdog.stopping("the motors have been stopped")
