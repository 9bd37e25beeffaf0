"""How a RoboClaw's commands are written down: a number's bytes, and what they do.

A ``Write`` carries data and a checksum and is acknowledged, or not answered at all; a
``Read`` carries nothing and is answered by data and a checksum.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from rover.sim.roboclaw import Roboclaw

Values = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Write:
    """A command with ``data`` behind it; ``act`` tells whether it is acknowledged."""

    data: struct.Struct
    act: Callable[[Roboclaw, Values], bool]


@dataclass(frozen=True, slots=True)
class Read:
    """A command that is answered by data."""

    reply: Callable[[Roboclaw], bytes]


Command = Write | Read


def write(form: str, act: Callable[[Roboclaw, Values], object]) -> Write:
    """Return a Write that is acknowledged whatever ``act`` returns, unless that is False."""
    return Write(struct.Struct(">" + form), lambda unit, values: act(unit, values) is not False)


def read(form: str, values: Callable[[Roboclaw], tuple[float, ...]]) -> Read:
    """Return a Read of ``values``, each rounded, in the layout ``form``."""
    layout = struct.Struct(">" + form)
    return Read(lambda unit: layout.pack(*(round(value) for value in values(unit))))
