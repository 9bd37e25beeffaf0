"""The keys of a terminal by name, arrows too, and without waiting."""

import contextlib
import os
import select
import sys
import termios
import tty
from types import TracebackType
from typing import Self

from rover.errors import RoverError

_SEQUENCES = {
    "\x1b[A": "up",
    "\x1b[B": "down",
    "\x1b[C": "right",
    "\x1b[D": "left",
    "\x1bOA": "up",
    "\x1bOB": "down",
    "\x1bOC": "right",
    "\x1bOD": "left",
}
_NAMES = {
    "\n": "enter",
    "\r": "enter",
    " ": "space",
    "\x7f": "backspace",
    "\x08": "backspace",
    "\x03": "q",
    "\x04": "q",
    "\x1b": "q",
}
_READ_BYTES = 256
# Where tcgetattr has c_lflag.
_LOCAL_MODES = 3


def named(typed: str) -> list[str]:
    """Return what was typed as the keys' names, letters as themselves; Escape and Ctrl-C are q."""
    keys = []
    while typed:
        sequence = next((one for one in _SEQUENCES if typed.startswith(one)), "")
        keys.append(_SEQUENCES[sequence] if sequence else _NAMES.get(typed[0], typed[0]))
        typed = typed[len(sequence) or 1 :]
    return keys


class Keyboard:
    """The keys of this terminal. Raises RoverError where there is no terminal."""

    def __init__(self) -> None:
        if not sys.stdin.isatty():
            raise RoverError(
                "a calibration is a conversation: run it in a terminal, not in a pipe or a service"
            )
        self._descriptor = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._descriptor)

    def pressed(self) -> list[str]:
        """Return the keys that have been pressed since; does not wait. A lost terminal is q."""
        if not select.select([self._descriptor], [], [], 0.0)[0]:
            return []
        try:
            content = os.read(self._descriptor, _READ_BYTES)
        except OSError:
            # Its other end has been closed.
            content = b""
        return named(content.decode("utf-8", "replace")) if content else ["q"]

    def __enter__(self) -> Self:
        # What was typed before is forgotten with this.
        tty.setcbreak(self._descriptor)
        # Ctrl-C and Ctrl-Z are keys like others: they stop what moves, and cut nothing off midway.
        attributes = termios.tcgetattr(self._descriptor)
        attributes[_LOCAL_MODES] &= ~termios.ISIG
        termios.tcsetattr(self._descriptor, termios.TCSANOW, attributes)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Of a terminal that is gone nothing has to be restored.
        with contextlib.suppress(termios.error):
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._before)
