"""Where controllers are set up, with whom, and what is wished for."""

import datetime
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rich.console import RenderableType

from calibration.provisioning.kept import Snapshot, differing
from calibration.provisioning.unit import Unit
from calibration.provisioning.wire import Wire
from rover.hardware.base import Panel


class Person(Protocol):
    """Who is asked and told."""

    def say(self, what: RenderableType) -> None:
        """Show something."""
        ...

    def agrees(self, question: str) -> bool:
        """Ask a question whose answer is no unless it is a clear yes."""
        ...

    def chooses(self, question: str, choices: Mapping[int, str], default: int) -> int:
        """Ask for one of several."""
        ...


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asks for.

    An ``address`` of None is asked for; ``loops`` of None are offered where they need measuring.
    """

    port: str
    folder: Path
    address: int | None = None
    dry_run: bool = False
    restore: Path | None = None
    loops: bool | None = None


@dataclass(frozen=True, slots=True)
class Bench:
    """Where it is done, and with whom.

    ``checkpoint`` raises Interrupted to end it; so does what ``dead_man`` yields, for any key too.
    ``panel`` opens the rover's lines.
    """

    wire: Wire
    person: Person
    today: Callable[[], datetime.datetime]
    checkpoint: Callable[[], None]
    panel: Callable[[], Panel]
    dead_man: Callable[[], AbstractContextManager[Callable[[], None]]]


@dataclass(frozen=True, slots=True)
class Plan:
    """One controller, what it keeps and what it should."""

    unit: Unit
    old: Snapshot
    new: Snapshot

    @property
    def differs(self) -> bool:
        """Whether anything is to be written."""
        return bool(differing(self.old, self.new))

    @property
    def name(self) -> str:
        """How people call it before it is changed."""
        return f"{self.unit.name}, {self.unit.firmware}"
