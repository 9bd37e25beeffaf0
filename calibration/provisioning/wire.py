"""The port on which controllers are looked for, at one rate after the other."""

from collections.abc import Callable

from rover.clock import Clock
from rover.hardware.bus.serial_line import SerialLine
from rover.hardware.roboclaw_bus import RoboclawBus

# Time is not short here as it is while driving.
REPLY_MARGIN_S = 0.02


class Wire:
    """A serial port; ``open_line`` opens it at a rate. Raises DeviceError as that does.

    ``margin_s`` is what a reply may take beyond its time on the wire.
    """

    def __init__(
        self,
        open_line: Callable[[int], SerialLine],
        clock: Clock,
        margin_s: float = REPLY_MARGIN_S,
    ) -> None:
        self._open_line = open_line
        self._margin_s = margin_s
        self.clock = clock
        self._bus: RoboclawBus | None = None
        self._baud = 0
        # Bytes that came in since the port was opened: somebody is there, understood or not.
        self.received = 0

    def bus(self, baud: int) -> RoboclawBus:
        """Return the bus at ``baud``."""
        if self._bus is None or self._baud != baud:
            self.close()
            line = _Counted(self._open_line(baud), self)
            self._bus = RoboclawBus(line, baud, self._margin_s, self.clock)
            self._baud = baud
        return self._bus

    def close(self) -> None:
        """Let go of the port."""
        if self._bus is not None:
            bus, self._bus = self._bus, None
            bus.close()


class _Counted:
    """A SerialLine that tells its wire how much has come in."""

    def __init__(self, line: SerialLine, wire: Wire) -> None:
        self._line = line
        self._wire = wire

    def write(self, data: bytes) -> None:
        self._line.write(data)

    def read(self, count: int, deadline_s: float) -> bytes:
        data = self._line.read(count, deadline_s)
        self._wire.received += len(data)
        return data

    def flush_input(self) -> None:
        self._line.flush_input()

    def discard_output(self) -> int:
        return self._line.discard_output()

    def close(self) -> None:
        self._line.close()
