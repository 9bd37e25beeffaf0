"""Plays a drive of the simulated rover back to the drivers, byte for byte.

First the drive takes place on the simulator in memory and what its devices answer is written
down; then the same drive takes place again with the answers read off, so that the simulator
costs nothing. On a manual clock the second drive asks exactly what the first did, or fails.
"""

from collections import deque

from rover.clock import ManualClock
from rover.hardware.bus.i2c import I2cBus
from rover.hardware.bus.serial_line import SerialLine


class ReplayError(Exception):
    """The second drive has asked for something else than the first."""


class Tape:
    """What the serial line and the I2C bus were asked, what they answered, and when."""

    def __init__(self) -> None:
        self.serial: deque[tuple[bytes, bytes, float]] = deque()
        self.i2c: deque[tuple[bytes, bytes]] = deque()


class TapingLine:
    """A SerialLine that writes down what another answers."""

    def __init__(self, line: SerialLine, clock: ManualClock, tape: Tape) -> None:
        self._line = line
        self._clock = clock
        self._tape = tape
        self._asked = b""

    def write(self, data: bytes) -> None:
        """Pass ``data`` on."""
        self._asked = data
        self._line.write(data)

    def read(self, count: int, deadline_s: float) -> bytes:
        """Pass the answer on, and keep it with the time at which it was there."""
        data = self._line.read(count, deadline_s)
        self._tape.serial.append((self._asked, data, self._clock.now_s()))
        return data

    def flush_input(self) -> None:
        """Throw away what has come in and was not read."""
        self._line.flush_input()

    def discard_output(self) -> int:
        """Throw away what has not left the port; return how many bytes that had not."""
        return self._line.discard_output()

    def close(self) -> None:
        """Let go of the line."""
        self._line.close()


class ReplayingLine:
    """A SerialLine that answers from the tape at once."""

    def __init__(self, clock: ManualClock, tape: Tape) -> None:
        self._clock = clock
        self._tape = tape
        self._asked = b""

    def write(self, data: bytes) -> None:
        """Take ``data``, which must be what is on the tape."""
        self._asked = data

    def read(self, count: int, deadline_s: float) -> bytes:
        """Return the next answer; the clock goes on to when it was there."""
        asked, data, there_s = self._tape.serial.popleft()
        if asked != self._asked:
            raise ReplayError(f"{self._asked.hex(' ')} instead of {asked.hex(' ')}")
        self._clock.advance_to(there_s)
        return data

    def flush_input(self) -> None:
        """Nothing has come in."""

    def discard_output(self) -> int:
        """Nothing waits."""
        return 0

    def close(self) -> None:
        """Nothing to let go of."""


class TapingI2c:
    """An I2cBus that writes down what another answers."""

    def __init__(self, bus: I2cBus, tape: Tape) -> None:
        self._bus = bus
        self._tape = tape

    def transfer(self, address: int, write: bytes, read_count: int) -> bytes:
        """Pass the transfer on, and keep its answer."""
        data = self._bus.transfer(address, write, read_count)
        self._tape.i2c.append((write, data))
        return data

    def close(self) -> None:
        """Let go of the bus."""
        self._bus.close()


class ReplayingI2c:
    """An I2cBus that answers from the tape."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def transfer(self, address: int, write: bytes, read_count: int) -> bytes:
        """Return the next answer."""
        written, data = self._tape.i2c.popleft()
        if written != write:
            raise ReplayError(f"{write.hex(' ')} instead of {written.hex(' ')}")
        return data

    def close(self) -> None:
        """Nothing to let go of."""


class StillLines:
    """GPIO lines that nobody looks at: outputs take any level, inputs stay at their pull-up."""

    def set_level(self, line: int, high: bool) -> None:
        """Drive ``line``."""

    def level(self, line: int) -> bool:
        """Tell that ``line`` is high."""
        return True
