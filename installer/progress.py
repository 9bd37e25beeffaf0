"""What a person sees: the steps, each change before it is made, and how far it is."""

import sys
import time
from collections.abc import Callable
from typing import TextIO

_BAR = 24
_TO_LINE_START = "\r\x1b[2K"


class Progress:
    """Writes lines; in a terminal the last one is a bar that moves while a command runs."""

    def __init__(
        self, stream: TextIO | None = None, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream or sys.stdout
        self._now_s = now_s
        self._moves = self._stream.isatty()
        self._number = self._total = 0
        self._title = ""
        self._since_s = 0.0

    def say(self, text: str = "") -> None:
        """Write a line of its own."""
        self._wipe()
        self._stream.write(f"{text}\n")
        self._draw()

    def step(self, number: int, total: int, title: str, *, to_do: bool) -> None:
        """Begin a step; ``to_do`` if anything is to be changed."""
        self._number, self._total, self._title = number, total, title
        self._since_s = self._now_s()
        self.say(f"[{number:2}/{total}] {title}" + ("" if to_do else ": nothing to do"))

    def change(self, told: str) -> None:
        """Tell one change, before it is made."""
        self._since_s = self._now_s()
        self.say(f"        - {told}")

    def waiting(self) -> None:
        """Show that a command runs still."""
        self._wipe()
        self._draw()

    def end(self) -> None:
        """Take the bar away."""
        self._wipe()
        self._total = 0

    def _wipe(self) -> None:
        if self._moves and self._total:
            self._stream.write(_TO_LINE_START)

    def _draw(self) -> None:
        if self._moves and self._total:
            full = round(_BAR * (self._number - 1) / self._total)
            bar = "#" * full + "." * (_BAR - full)
            passed_s = self._now_s() - self._since_s
            self._stream.write(f"[{bar}] {self._title}, {passed_s:.0f} s")
        self._stream.flush()
