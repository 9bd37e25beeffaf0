"""Controllers set up at a terminal."""

import contextlib
import datetime
import os
import select
import signal
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType

import click
from rich.console import Console, RenderableType

from calibration.lent_bus import BorrowedBus, BusRefusedError, LentPanel, borrowed_bus
from calibration.provisioning.bench import Bench, Wishes
from calibration.provisioning.change import Interrupted
from calibration.provisioning.session import set_up
from calibration.provisioning.wire import REPLY_MARGIN_S, Wire
from rover.clock import Clock, SystemClock
from rover.config import Config
from rover.errors import InUseError, LinkError, RoverError
from rover.gamepad.listing import terminal
from rover.hardware import open_hardware
from rover.hardware.bus.serial_line import open_serial_line
from rover.link import claim, in_use

# What the thread that keeps the loan sends to the one that may be asking a question.
_BUS_ASKED_BACK = signal.SIGUSR1
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, _BUS_ASKED_BACK)
_WHO = "rover setup roboclaw"
# How long a signal may wait that comes just before the terminal is waited for.
_AWAKE_EVERY_S = 0.5


class _Checkpoint:
    """Raises Interrupted once a signal has come or the bus is asked back; ends a question then."""

    def __init__(self) -> None:
        self._signal = 0
        self.asking = False
        # The bus, where control has lent it.
        self.bus: BorrowedBus | None = None

    def note(self, number: int, _frame: FrameType | None) -> None:
        """Note a signal."""
        if number != _BUS_ASKED_BACK:
            self._signal = number
        if self.asking:
            raise KeyboardInterrupt

    def __call__(self) -> None:
        if self._signal:
            raise Interrupted(f"ended by {signal.Signals(self._signal).name}")
        if self.bus is not None and self.bus.ended:
            raise Interrupted(f"control has taken the serial bus back: {self.bus.ended}")


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
            self._checkpoint()
            with _awake():
                yield
        except click.Abort as error:
            self._checkpoint()
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

    Where control runs in ``directory`` the bus is borrowed of it. Raises BusRefusedError if it
    does not lend it, InUseError if something else has the hardware.
    """
    clock = SystemClock()
    checkpoint = _Checkpoint()
    margin_s = max(REPLY_MARGIN_S, config.roboclaw.reply_margin_s)
    wire = Wire(lambda baud: open_serial_line(wishes.port, baud, clock), clock, margin_s)
    person = TerminalPerson(terminal(), checkpoint)
    with contextlib.ExitStack() as ends:
        ends.enter_context(_noted(checkpoint))
        bus = ends.enter_context(_bus_of_our_own(directory, config, clock))
        if bus is not None:
            checkpoint.bus = bus
            person.say("Control lends the serial bus; the rover cannot be armed until this ends.")
        # Closed before the bus is given back.
        ends.enter_context(_rovers_port_kept(config, wishes, clock))
        ends.enter_context(contextlib.closing(wire))
        bench = Bench(
            wire,
            person,
            lambda: datetime.datetime.now(datetime.UTC),
            checkpoint,
            lambda: open_hardware(config, clock).panel if bus is None else LentPanel(bus),
            person.dead_man,
        )
        return set_up(config, wishes, bench)


@contextlib.contextmanager
def _bus_of_our_own(directory: Path, config: Config, clock: Clock) -> Iterator[BorrowedBus | None]:
    """Keep control out, or borrow the bus of the one that runs; yield what is borrowed."""
    lock = None
    if not in_use(directory):
        # If it is by now, control has only just started.
        with contextlib.suppress(InUseError):
            lock = claim(directory)
    if lock is None:
        with _borrowed(directory, config, clock) as bus:
            yield bus
    else:
        with lock:
            yield None


@contextlib.contextmanager
def _borrowed(directory: Path, config: Config, clock: Clock) -> Iterator[BorrowedBus]:
    main_thread = threading.get_ident()

    def ask_back() -> None:
        signal.pthread_kill(main_thread, _BUS_ASKED_BACK)

    borrowing = borrowed_bus(directory, _WHO, config.roboclaw.port, clock, ask_back)
    with contextlib.ExitStack() as ends:
        try:
            bus = ends.enter_context(borrowing)
        except BusRefusedError:
            raise
        except LinkError as error:
            raise InUseError(
                f"something has the motor controllers, and control does not answer in {directory}: "
                "another `rover setup roboclaw`, the alarm, or a control that hangs; end it first "
                "(`sudo systemctl stop rover-control rover-alarm`)"
            ) from error
        yield bus


@contextlib.contextmanager
def _rovers_port_kept(config: Config, wishes: Wishes, clock: Clock) -> Iterator[None]:
    """Have nobody drive over the rover's own port while its controllers are told by another.

    Raises DeviceError if somebody has it.
    """
    roboclaw = config.roboclaw
    port = Path(roboclaw.port)
    if not port.exists() or port.resolve() == Path(wishes.port).resolve():
        yield
        return
    with contextlib.closing(open_serial_line(roboclaw.port, roboclaw.baud, clock)):
        yield


@contextlib.contextmanager
def _awake() -> Iterator[None]:
    """Interrupt what waits for a key, again and again, so that signals are noticed.

    Python notes a signal and looks at it later; one that comes just before the terminal is waited
    for would wait for a key, and the bus that is asked back with it.
    """
    before = signal.signal(signal.SIGALRM, lambda *_: None)
    timer = signal.setitimer(signal.ITIMER_REAL, _AWAKE_EVERY_S, _AWAKE_EVERY_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _noted(checkpoint: _Checkpoint) -> Iterator[None]:
    """Have signals end this between two transactions, not within one."""
    before = {number: signal.signal(number, checkpoint.note) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
