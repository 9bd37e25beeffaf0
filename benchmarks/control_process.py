"""`rover control` that remembers how punctual its ticks were.

    python -m benchmarks.control_process FILE control ROVER_OPTION...

What runs is the `rover` command itself; only its pacer is one that also writes down each tick
and, when control has ended, leaves them in FILE.
"""

import sys
from array import array
from pathlib import Path
from unittest import mock

from msgspec import Struct

from rover.cli import main as rover
from rover.pacing import Pacer

_FIELDS = 4


class Tick(Struct, frozen=True):
    """One tick: when it started, how late, whether input brought it early, how many were lost.

    ``started_s`` is SystemClock's; ``missed`` counts all from the start on.
    """

    started_s: float
    lateness_s: float
    early: bool
    missed: int


class RememberingPacer(Pacer):
    """A pacer that keeps what it was told, flat, so that remembering costs a tick nothing."""

    kept = array("d")

    def started(self, now_s: float) -> None:
        """Note that a tick starts, and remember it."""
        early = now_s < self.due_s
        super().started(now_s)
        self.kept.extend((now_s, self.lateness_s, early, self.missed))


def read_ticks(path: Path) -> list[Tick]:
    """Return the ticks that a control process has left in ``path``. Raises OSError."""
    values = array("d")
    values.frombytes(path.read_bytes())
    return [
        Tick(values[i], values[i + 1], bool(values[i + 2]), int(values[i + 3]))
        for i in range(0, len(values), _FIELDS)
    ]


def main() -> None:
    """Run control to its end and leave its ticks in the file."""
    path, arguments = Path(sys.argv[1]), sys.argv[2:]
    with mock.patch("rover.app.Pacer", RememberingPacer):
        rover(args=arguments, standalone_mode=False)
    path.write_bytes(RememberingPacer.kept.tobytes())


if __name__ == "__main__":
    main()
