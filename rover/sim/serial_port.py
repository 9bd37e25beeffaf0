"""A pseudo-terminal whose far end is the simulated serial wire."""

import os
import termios
import tty

# Speeds that a RoboClaw can be set to, as termios names them.
_SPEEDS = {
    getattr(termios, f"B{baud}"): baud
    for baud in (2400, 9600, 19200, 38400, 57600, 115200, 230400, 460800)
}
_SPEED_CODES = {baud: code for code, baud in _SPEEDS.items()}
_OUTPUT_SPEED = 5
_READ_BYTES = 4096


class PseudoTerminal:
    """Both ends of a raw pty: ``path`` is what a serial library opens.

    The near end is kept open here too, so that the port survives its clients.
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
