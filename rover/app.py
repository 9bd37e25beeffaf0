"""The only place where the parts of the control process are joined."""

import gc
import signal
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from rover.clock import Clock, SystemClock
from rover.config import Config
from rover.ends import Pad
from rover.gamepad import GamepadUpdate
from rover.gamepad.lending import LendablePad
from rover.hardware import open_hardware
from rover.health import Watchdog
from rover.link import ControlLink
from rover.loop import ControlLoop
from rover.messages import RequestKind, Severity
from rover.pacing import Pacer, Waiter
from rover.realtime import ask_for_realtime
from rover.telemetry import Journal


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


@dataclass(frozen=True, slots=True)
class _Joined:
    """A loop that has been made of a configuration, with its pad; nothing is started yet."""

    config: Config
    loop: ControlLoop
    pad: Pad


def run_control(
    config: Config,
    directory: Path,
    stopping: Callable[[], bool],
    load: Callable[[], Config],
    clock: Clock | None = None,
) -> None:
    """Run the control process until ``stopping``; the motors are stopped however it ends.

    It begins with ``config``; ``load`` reads the configuration anew when a person asks for that.
    Raises LinkError if another control process uses ``directory``.
    """
    clock = clock or SystemClock()
    # Before the link, whose own thread then has it too.
    refused = ask_for_realtime(config.loop.realtime_priority)
    with closing(Watchdog(clock)) as watchdog, ControlLink(directory) as link:
        journal = Journal()
        if refused:
            text = f"no real-time priority ({refused}): a busy computer makes ticks late"
            journal.add(clock.now_s(), Severity.INFO, "realtime", text)

        def join(config: Config) -> _Joined:
            # What a reload does not touch: the sockets, and the journal that pages follow.
            return _join(config, clock, link, journal)

        joined: _Joined | None = join(config)
        try:
            while joined is not None:
                joined = _run(
                    joined,
                    lambda: join(load()),
                    clock=clock,
                    link=link,
                    watchdog=watchdog,
                    stopping=stopping,
                )
        finally:
            watchdog.stopping("the motors have been stopped")


def _join(config: Config, clock: Clock, link: ControlLink, journal: Journal) -> _Joined:
    hardware = open_hardware(config, clock)
    lender = LendablePad(config, clock) if config.gamepad.enabled else None
    pad: Pad = lender or NoPad()
    loop = ControlLoop(config, clock, hardware, link, pad, lender=lender, journal=journal)
    return _Joined(config, loop, pad)


def _run(
    joined: _Joined,
    prepare: Callable[[], _Joined],
    *,
    clock: Clock,
    link: ControlLink,
    watchdog: Watchdog,
    stopping: Callable[[], bool],
) -> _Joined | None:
    """Run one loop to its end; return the one that is to go on, None if none is.

    Its motors are stopped and its devices let go of in any case.
    """
    loop, pad = joined.loop, joined.pad
    try:
        loop.start()
        # What has been made so far lives as long as the loop: keep the collector off it. What
        # was kept from it before may have been an earlier loop's.
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        watchdog.ready()
        pacer = Pacer(1.0 / joined.config.loop.rate_hz, clock.now_s())
        waiter = Waiter(clock, pacer, link.filenos(), link.pending, pad.filenos)
        while not stopping():
            waiter.wait()
            reached = loop.tick(pacer.missed, waiter.hurry)
            watchdog.ticked(reached=reached)
            watchdog.tell(loop.arming.state, loop.arming.reason)
            following = loop.reload(prepare)
            if following is not None:
                # Pressed since this pad was last looked at, and before the next one was there.
                if RequestKind.STOP in pad.poll(clock.now_s()).requests:
                    following.loop.arming.stop("the gamepad", clock.now_s())
                return following
        return None
    finally:
        loop.shut_down()
        pad.close()
