"""The `rover` command, in which something can be broken from outside while it runs.

    python -m benchmarks.faults.breakable FILE MARGIN_S control ROVER_OPTION...

A simulated controller's reply may take MARGIN_S beyond its time on the wire: more than a real one's
on a busy computer, and as much where it is the waiting for lost replies that is tried.
At SIGUSR1 it reads from FILE what shall break: "raise STAGE" (of control's tick), "burn SECONDS"
(in each tick), or "clock SECONDS" (the wall clock as Python tells it, off by so much). When an
exception is raised on purpose, the time is left in FILE with ".raised" behind its name.
"""

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn
from unittest import mock

from rover.cli import main as rover
from rover.hearing import Hearing
from rover.loop import ControlLoop
from rover.messages import Condition

HEAR = "hear"
_time_s, _time_ns = time.time, time.time_ns


class BrokenOnPurposeError(Exception):
    """An error that nobody has thought of: not one of the rover's own."""


class BreakableLoop(ControlLoop):
    """The control loop, one of which runs in this process."""

    running: "BreakableLoop | None" = None

    def start(self) -> None:
        """Remember which one it is."""
        BreakableLoop.running = self
        super().start()

    def break_stage(self, stage: str, broken: Callable[..., NoReturn]) -> None:
        """Have a stage of the tick run ``broken`` instead."""
        hearing: Hearing = self._hearing
        whose, name = (hearing, HEAR) if stage == HEAR else (self, f"_{stage}")
        if not hasattr(whose, name):
            raise AttributeError(f"a tick has no stage {stage}")
        setattr(whose, name, broken)

    def burn(self, duration_s: float) -> None:
        """Spend so much processor time in each tick, on top."""
        hearing = self._hearing

        def burn_and_hear(conditions: tuple[Condition, ...]) -> None:
            end_s = time.monotonic() + duration_s
            while time.monotonic() < end_s:
                pass
            Hearing.hear(hearing, conditions)

        setattr(hearing, HEAR, burn_and_hear)


def turn_clock(by_s: float) -> None:
    """Have Python's wall clock be wrong by ``by_s``; no monotonic clock is touched."""
    setattr(time, "time", lambda: _time_s() + by_s)  # noqa: B010 - mypy knows it as a function
    setattr(time, "time_ns", lambda: _time_ns() + int(by_s * 1e9))  # noqa: B010


def raised_at(path: Path) -> Path:
    """Return where the time is left at which an exception was raised."""
    return path.with_suffix(".raised")


def main() -> None:
    """Run the command to its end; break it when told to."""
    path, margin_s, arguments = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]

    def raise_it(*_arguments: object) -> NoReturn:
        now_s = time.monotonic()
        raised_at(path).write_text(repr(now_s), encoding="ascii")
        raise BrokenOnPurposeError("broken on purpose")

    def break_it(_number: int, _frame: FrameType | None) -> None:
        what, value = path.read_text(encoding="ascii").split()
        if what == "clock":
            turn_clock(float(value))
            return
        loop = BreakableLoop.running
        if loop is None:
            raise RuntimeError("nothing runs that could break")
        if what == "raise":
            loop.break_stage(value, raise_it)
        else:
            loop.burn(float(value))

    signal.signal(signal.SIGUSR1, break_it)
    with (
        mock.patch("rover.app.ControlLoop", BreakableLoop),
        mock.patch("rover.simulated._REPLY_MARGIN_S", margin_s),
    ):
        rover(args=arguments, prog_name="rover")


if __name__ == "__main__":
    main()
