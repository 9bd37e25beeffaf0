"""Controllers set up at a terminal."""

import contextlib
import datetime
import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType

import click
from rich.console import Console, RenderableType

from calibration.provisioning.bench import Bench, Wishes
from calibration.provisioning.change import Interrupted
from calibration.provisioning.session import set_up
from calibration.provisioning.wire import REPLY_MARGIN_S, Wire
from rover.clock import SystemClock
from rover.config import Config
from rover.errors import InUseError, RoverError
from rover.gamepad.listing import terminal
from rover.hardware import open_hardware
from rover.hardware.bus.serial_line import open_serial_line
from rover.link import claim

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Checkpoint:
    """Raises Interrupted once a signal has come, and ends a question at once."""

    def __init__(self) -> None:
        self._signal = 0
        self.asking = False

    def note(self, number: int, _frame: FrameType | None) -> None:
        """Note a signal."""
        self._signal = number
        if self.asking:
            raise KeyboardInterrupt

    def __call__(self) -> None:
        if self._signal:
            raise Interrupted(f"ended by {signal.Signals(self._signal).name}")


class TerminalPerson:
    """Whoever sits at this terminal."""

    def __init__(self, console: Console, checkpoint: _Checkpoint) -> None:
        self._console = console
        self._checkpoint = checkpoint

    def say(self, what: RenderableType) -> None:
        """Print it."""
        self._console.print(what, markup=False, highlight=False, soft_wrap=isinstance(what, str))

    def agrees(self, question: str) -> bool:
        """Ask; return, an end of the input and anything but yes are a no."""
        with self._asking():
            return click.confirm(question, default=False, err=True)

    def chooses(self, question: str, choices: Mapping[int, str], default: int) -> int:
        """Ask for one of several, by number."""
        self.say(question)
        addresses = list(choices)
        for number, (address, what) in enumerate(choices.items(), 1):
            self.say(f"  {number}: 0x{address:02X}, {what}")
        with self._asking():
            number = click.prompt(
                "Number",
                type=click.IntRange(1, len(addresses)),
                default=addresses.index(default) + 1,
                err=True,
            )
        return addresses[number - 1]

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        """Let a signal end a question. Raises RoverError where nobody can answer."""
        self._require_terminal()
        self._checkpoint.asking = True
        try:
            yield
        except click.Abort as error:
            raise Interrupted("left; nothing was written") from error
        finally:
            self._checkpoint.asking = False

    @contextlib.contextmanager
    def dead_man(self) -> Iterator[Callable[[], None]]:
        """Yield what raises Interrupted once any key is pressed, or the terminal is gone."""
        self._require_terminal()
        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)

        def guard() -> None:
            self._checkpoint()
            if select.select([descriptor], [], [], 0.0)[0]:
                os.read(descriptor, 1024)
                raise Interrupted("a key was pressed: the wheels were stopped")

        tty.setcbreak(descriptor)
        try:
            termios.tcflush(descriptor, termios.TCIFLUSH)
            yield guard
        finally:
            termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)

    def _require_terminal(self) -> None:
        if not sys.stdin.isatty():
            raise RoverError(
                "this asks before it writes: run it in a terminal, or with --dry-run to look only"
            )


def converse(config: Config, wishes: Wishes, directory: Path) -> bool:
    """Set up what is there; whether all is as it should be.

    Raises InUseError while control runs in ``directory``: the bus is its own then.
    """
    clock = SystemClock()
    checkpoint = _Checkpoint()
    margin_s = max(REPLY_MARGIN_S, config.roboclaw.reply_margin_s)
    wire = Wire(lambda baud: open_serial_line(wishes.port, baud, clock), clock, margin_s)
    person = TerminalPerson(terminal(), checkpoint)
    bench = Bench(
        wire,
        person,
        lambda: datetime.datetime.now(datetime.UTC),
        checkpoint,
        lambda: open_hardware(config, clock).panel,
        person.dead_man,
    )
    with _bus_of_our_own(directory), _noted(checkpoint), contextlib.closing(wire):
        return set_up(config, wishes, bench)


@contextlib.contextmanager
def _bus_of_our_own(directory: Path) -> Iterator[None]:
    try:
        lock = claim(directory)
    except InUseError as error:
        raise InUseError(
            "control runs, and the controllers are its own: stop it first (`sudo systemctl stop "
            "rover-control`, or end it where it was started), then run this again"
        ) from error
    with lock:
        yield


@contextlib.contextmanager
def _noted(checkpoint: _Checkpoint) -> Iterator[None]:
    """Have signals end this between two transactions, not within one."""
    before = {number: signal.signal(number, checkpoint.note) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
