"""`rover setup roboclaw` on a pseudo-terminal, with somebody who answers."""

import contextlib
import os
import pty
import select
import signal
import sys
import termios
import time
from pathlib import Path


class EndedError(AssertionError):
    """It ended before it said what it was to say."""


class Terminal:
    """`rover setup roboclaw --sim DIRECTORY`, keeping its backups in ``state``."""

    def __init__(self, directory: Path, state: Path, *options: str) -> None:
        where = str(directory)
        arguments = [sys.executable, "-m", "rover", "setup", "roboclaw", "--sim", where]
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ |= {
                "XDG_STATE_HOME": str(state),
                "ROVER_CONFIG": "",
                "ROVER_CALIBRATION": "",
            }
            os.execv(sys.executable, [*arguments, "--dir", where, *options])
        self.text = ""
        self._ended = False

    def until(self, words: str) -> None:
        """Read on until ``words`` have come."""
        deadline_s = time.monotonic() + 30.0
        while words not in self.text:
            left_s = deadline_s - time.monotonic()
            assert left_s > 0, self.text
            if select.select([self.fd], [], [], left_s)[0]:
                try:
                    self.text += os.read(self.fd, 65536).decode()
                except OSError:
                    raise EndedError(self.text) from None

    def says(self, answer: str) -> None:
        os.write(self.fd, answer.encode())

    def is_line_by_line(self) -> bool:
        return bool(termios.tcgetattr(self.fd)[3] & termios.ICANON)

    def signalled(self, number: int) -> None:
        os.kill(self.pid, number)

    def killed(self) -> None:
        """Have it be gone, if it is not."""
        if not self._ended:
            self.signalled(signal.SIGKILL)
            self.ends()

    def ends(self) -> int:
        """Wait until it has ended, hear it out, and return its exit code."""
        with contextlib.suppress(OSError):
            while part := os.read(self.fd, 65536):
                self.text += part.decode()
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        self._ended = True
        return code
