"""The ways to the devices, replaceable; and a serial line over which nothing but questions goes."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from calibration.lent_bus import borrowed_bus
from rover.clock import Clock
from rover.config import GamepadConfig
from rover.gamepad.survey import Survey, survey
from rover.hardware.bus.bus_locks import BusLocks
from rover.hardware.bus.i2c import I2cBus, open_i2c_bus
from rover.hardware.bus.serial_line import SerialLine, open_serial_line
from rover.link import in_use

# Commands that only tell: serial timeout, version, batteries, velocity loops, voltage
# limits, pins, encoders, temperature, status, encoder modes, configuration word, current limits.
QUESTIONS = frozenset({15, 21, 24, 25, 55, 56, 59, 75, 78, 82, 90, 91, 99, 135, 136})
ADDRESSES = range(0x80, 0x88)
_QUESTION_BYTES = 2


@dataclass(frozen=True, slots=True)
class Bench:
    """How the doctor reaches what it asks.

    ``in_use`` tells whether a control has the hardware; the openers raise DeviceError as the
    rover's own do. ``pins`` opens the GPIO library, claims no line, and returns the library's
    name. ``borrow`` has control lend the serial bus, and yields what raises DeviceError once that
    is over; it is None where that is not wished for.
    """

    in_use: Callable[[], bool]
    open_line: Callable[[str, int], SerialLine]
    open_i2c: Callable[[str], I2cBus]
    pins: Callable[[str], str]
    survey: Callable[[GamepadConfig], Survey]
    borrow: Callable[[str], AbstractContextManager[Callable[[], None]]] | None = None


class NotAQuestionError(Exception):
    """Something else than a question was about to be sent: a mistake in the doctor itself."""


class QuestionLine:
    """A SerialLine that lets questions pass and nothing else; counts what comes back.

    ``allowed`` is asked before each and raises DeviceError if the bus is not to be used any more.
    """

    def __init__(self, line: SerialLine, allowed: Callable[[], None] = lambda: None) -> None:
        self._line = line
        self._allowed = allowed
        self.received = 0

    def write(self, data: bytes) -> None:
        """Send a question: two bytes, an address and one of QUESTIONS. Raises NotAQuestionError."""
        if len(data) != _QUESTION_BYTES or data[0] not in ADDRESSES or data[1] not in QUESTIONS:
            raise NotAQuestionError(f"{data.hex(' ')} is no question: the doctor only asks")
        self._allowed()
        self._line.write(data)

    def read(self, count: int, deadline_s: float) -> bytes:
        """Return what comes back, as SerialLine."""
        data = self._line.read(count, deadline_s)
        self.received += len(data)
        return data

    def flush_input(self) -> None:
        """Throw away what has come in."""
        self._line.flush_input()

    def discard_output(self) -> int:
        """Throw away what has not left the port."""
        return self._line.discard_output()

    def close(self) -> None:
        """Let go of the port."""
        self._line.close()


def this_bench(directory: Path, clock: Clock, *, borrows: bool = False) -> Bench:
    """Return the ways to this computer's own devices; control's sockets are in ``directory``.

    ``borrows``: of a control that runs the serial bus is borrowed.
    """
    locks = BusLocks()
    return Bench(
        # A control that is started during a scan finds the port taken and tries again by itself;
        # without its lock it would end, over and over, until systemd gave it up.
        in_use=lambda: in_use(directory),
        open_line=lambda port, baud: open_serial_line(port, baud, clock),
        open_i2c=lambda spec: open_i2c_bus(spec, locks),
        pins=_pins,
        survey=survey,
        borrow=partial(_borrowed, directory, clock) if borrows else None,
    )


@contextmanager
def _borrowed(directory: Path, clock: Clock, port: str) -> Iterator[Callable[[], None]]:
    with borrowed_bus(directory, "rover doctor", port, clock) as bus:
        yield bus.require


def _pins(spec: str) -> str:
    from rover.hardware.bus.lines import open_pin_factory  # noqa: PLC0415 - 60 ms to import

    factory = open_pin_factory(spec)
    try:
        return type(factory).__name__
    finally:
        factory.close()
