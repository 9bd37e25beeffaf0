"""What the doctor looks at: this computer's files, commands and time, all of them replaceable."""

import grp
import importlib.util
import os
import pwd
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rover.clock import Clock, SystemClock
from rover.config import Config
from rover.messages import Telemetry

_COMMAND_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system as it is now."""

    free_bytes: int
    read_only: bool


@dataclass(frozen=True, slots=True)
class Person:
    """Who runs the doctor."""

    name: str
    groups: frozenset[str]
    is_root: bool


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a check looks; frozen, so that no check depends on what another did to it.

    ``root`` stands for "/" in the names of all files. ``run`` returns a command's output, or
    None if there is no such command, it says nothing or takes too long. ``config_trouble`` says
    why the files could not be used; ``config`` is then the built-in one. ``telemetry`` is what
    control said just now, None if it says nothing.
    """

    config: Config
    config_trouble: str
    root: Path
    clock: Clock
    telemetry: Telemetry | None
    run: Callable[[Sequence[str]], str | None]
    unix_s: Callable[[], float]
    disk: Callable[[Path], Disk]
    has_module: Callable[[str], bool]
    person: Person
    python: tuple[int, int]

    def text(self, path: str) -> str | None:
        """Return a text file's content, None if it cannot be read."""
        try:
            return self.under_root(path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None

    def under_root(self, path: str) -> Path:
        """Return where the file of this absolute name is."""
        return self.root / path.lstrip("/")


def this_computer(config: Config, config_trouble: str, telemetry: Telemetry | None) -> Surroundings:
    """Return the surroundings as they are."""
    return Surroundings(
        config=config,
        config_trouble=config_trouble,
        root=Path("/"),
        clock=SystemClock(),
        telemetry=telemetry,
        run=_run,
        unix_s=time.time,
        disk=_disk,
        has_module=lambda name: importlib.util.find_spec(name) is not None,
        person=_person(),
        python=sys.version_info[:2],
    )


def _run(command: Sequence[str]) -> str | None:
    """Run a command that only tells; what it says counts, whatever its exit status."""
    try:
        done = subprocess.run(  # noqa: S603 - the doctor's own words
            command,
            capture_output=True,
            text=True,
            timeout=_COMMAND_TIMEOUT_S,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def _disk(path: Path) -> Disk:
    found = os.statvfs(path)
    return Disk(found.f_bavail * found.f_frsize, bool(found.f_flag & os.ST_RDONLY))


def _person() -> Person:
    names = set()
    for number in {os.getegid(), *os.getgroups()}:
        try:
            names.add(grp.getgrgid(number).gr_name)
        except KeyError:
            names.add(str(number))  # a group without a name has no rights that matter here
    try:
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        name = str(os.geteuid())
    return Person(name, frozenset(names), os.geteuid() == 0)
