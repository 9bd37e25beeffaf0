"""Listening in on the serial line between the driver and the port."""

from collections.abc import Callable

from msgspec import Struct

from rover.clock import Clock
from rover.hardware.bus.serial_line import SerialLine


class Exchange(Struct, frozen=True):
    """A packet that was sent, and how many bytes came back, the last of them at ``end_s``."""

    sent: bytes
    received_bytes: int
    end_s: float

    @property
    def wire_bytes(self) -> int:
        """How many bytes it put on the wire, both ways."""
        return len(self.sent) + self.received_bytes


Hear = Callable[[Exchange], None]


class TappedLine:
    """A SerialLine that tells ``hear`` of every exchange once its reply has been read."""

    def __init__(self, line: SerialLine, clock: Clock, hear: Hear) -> None:
        self._line = line
        self._clock = clock
        self._hear = hear
        self._sent = b""

    def write(self, data: bytes) -> None:
        """Hand ``data`` to the port."""
        self._sent = data
        self._line.write(data)

    def read(self, count: int, deadline_s: float) -> bytes:
        """Return ``count`` bytes, or fewer if the deadline passes first."""
        data = self._line.read(count, deadline_s)
        # A reply of unknown length is read in parts; they belong to what was sent before them.
        self._hear(Exchange(self._sent, len(data), self._clock.now_s()))
        self._sent = b""
        return data

    def flush_input(self) -> None:
        """Throw away what has come in and was not read."""
        self._line.flush_input()

    def discard_output(self) -> int:
        """Throw away what has not left the port; return how many bytes that had not."""
        return self._line.discard_output()

    def close(self) -> None:
        """Let go of the port."""
        self._line.close()
