"""A step of the installation: what it would change, and what takes that back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from installer.changes import Change
from installer.choices import Before, Choices
from installer.system import System


@dataclass(frozen=True, slots=True)
class Job:
    """What all steps are told: where, from which checkout, what was chosen, what was there."""

    system: System
    source: Path
    choices: Choices
    before: Before


@dataclass(frozen=True, slots=True)
class Step:
    """``plan`` looks at the system and returns what is still to be changed, nothing if all is done.

    So a step that was cut off in the middle goes on from there. ``undo`` returns what takes it
    back. ``reboot`` if what it changes counts only after one.
    """

    title: str
    plan: Callable[[Job], Sequence[Change]]
    undo: Callable[[Job], Sequence[Change]]
    reboot: bool = False


def files_differ(job: Job, wanted: Sequence[Change]) -> list[Change]:
    """Return those of these files that are not there already as they shall be."""
    return [
        change
        for change in wanted
        if job.system.text(getattr(change, "path", "")) != getattr(change, "content", None)
    ]


def still_there(job: Job, *paths: str) -> list[str]:
    """Return those of these paths at which there is something."""
    return [path for path in paths if job.system.there(path)]
