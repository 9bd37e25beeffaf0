"""A pseudo-terminal whose far end is the simulated serial wire."""

import os
import termios
import time
import tty

# Speeds that a RoboClaw can be set to, as termios names them.
_SPEEDS = {
    getattr(termios, f"B{baud}"): baud
    for baud in (2400, 9600, 19200, 38400, 57600, 115200, 230400, 460800)
}
_SPEED_CODES = {baud: code for code, baud in _SPEEDS.items()}
_OUTPUT_SPEED = 5
_READ_BYTES = 4096
_TRIALS = 32
# The least of the trials on any computer so far was 6 us; more is the others' load.
_LONGEST_TRANSIT_S = 20e-6


class PseudoTerminal:
    """Both ends of a raw pty: ``path`` is what a serial library opens.

    The near end is kept open here too, so that the port survives its clients.
    ``transit_s`` is the least time that bytes take from one end to the other, which a real
    port's do not: measured at the start, to be taken off again.
    """

    def __init__(self, baud: int) -> None:
        self._far_fd, self._near_fd = os.openpty()
        self.path = os.ttyname(self._near_fd)
        self._baud = baud
        tty.setraw(self._near_fd)
        # A client that sets no speed gets the configured one.
        attributes = termios.tcgetattr(self._near_fd)
        code = _SPEED_CODES.get(baud)
        if code is not None:
            attributes[4] = attributes[_OUTPUT_SPEED] = code
            termios.tcsetattr(self._near_fd, termios.TCSANOW, attributes)
        os.set_blocking(self._far_fd, False)
        self.transit_s = self._measure_transit()

    def fileno(self) -> int:
        """Return what to wait for."""
        return self._far_fd

    def read(self) -> bytes:
        """Return what the client has written, empty if nothing."""
        try:
            return os.read(self._far_fd, _READ_BYTES)
        except BlockingIOError:
            return b""

    def write(self, data: bytes) -> None:
        """Give the client ``data``; what its buffer cannot hold is lost, as on a real port."""
        try:
            os.write(self._far_fd, data)
        except BlockingIOError:
            return

    def baud(self) -> int:
        """Return the speed that the client has set, the configured one if it is odd."""
        return _SPEEDS.get(termios.tcgetattr(self._near_fd)[_OUTPUT_SPEED], self._baud)

    def close(self) -> None:
        """Close both ends; a client finds the port gone."""
        os.close(self._far_fd)
        os.close(self._near_fd)

    def _measure_transit(self) -> float:
        """Return the least time that a byte has taken to the near end."""
        os.set_blocking(self._near_fd, False)
        least_s = _LONGEST_TRANSIT_S
        for _ in range(_TRIALS):
            start_s = time.monotonic()
            self.write(b"?")
            while not _arrived(self._near_fd):
                # The kernel moves the bytes, and may need this very core for it.
                os.sched_yield()
            least_s = min(least_s, time.monotonic() - start_s)
        os.set_blocking(self._near_fd, True)
        return least_s


def _arrived(fd: int) -> bool:
    try:
        return bool(os.read(fd, 1))
    except BlockingIOError:
        return False
