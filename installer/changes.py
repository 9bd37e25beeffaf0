"""What the installer can do to a system. Each change tells itself in one line before it is done.

Nothing else changes anything: what `--dry-run` prints is what would be done.
"""

import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from installer.boot_files import with_line, without_console, without_line
from installer.errors import from_os_error
from installer.system import System

_AGAIN = "Read what it says above, mend that, then run this again."


class Change(Protocol):
    """One thing that is done, whole or not at all."""

    @property
    def told(self) -> str:
        """One line about it, as an order."""
        ...

    def apply(self, system: System) -> None:
        """Do it; raises InstallError or OSError."""
        ...


def apply(change: Change, system: System) -> None:
    """Do it; raise InstallError if that fails."""
    try:
        change.apply(system)
    except OSError as error:
        raise from_os_error(change.told, error) from error


@dataclass(frozen=True, slots=True)
class WriteFile:
    """Make or replace a file; ``about`` says what it is for."""

    path: str
    content: str
    about: str = ""
    mode: int = 0o644

    @property
    def told(self) -> str:
        """Name the file."""
        return f"write {self.path}" + (f": {self.about}" if self.about else "")

    def apply(self, system: System) -> None:
        """Write it whole or not at all."""
        system.write(self.path, self.content.encode(), self.mode)


@dataclass(frozen=True, slots=True)
class BootLine:
    """Have a line in the boot loader's config.txt, whatever wrote it there."""

    path: str
    line: str

    @property
    def told(self) -> str:
        """Name file and line."""
        return f"have `{self.line}` in {self.path}"

    def apply(self, system: System) -> None:
        """Add it unless it is in force already."""
        before = system.text(self.path) or ""
        after = with_line(before, self.line)
        if after != before:
            system.write(self.path, after.encode(), 0o755)


@dataclass(frozen=True, slots=True)
class NoBootLine:
    """Take a line that the rover's installer has added out of config.txt again."""

    path: str
    line: str

    @property
    def told(self) -> str:
        """Name file and line."""
        return f"take `{self.line}` out of {self.path}"

    def apply(self, system: System) -> None:
        """Take it out if it is there."""
        before = system.text(self.path) or ""
        after = without_line(before, self.line)
        if after != before:
            system.write(self.path, after.encode(), 0o755)


@dataclass(frozen=True, slots=True)
class NoConsole:
    """Take Linux's console off serial ports, in the boot loader's cmdline.txt."""

    path: str
    ports: tuple[str, ...]

    @property
    def told(self) -> str:
        """Name file and words."""
        words = ", ".join(f"`console={port}`" for port in self.ports)
        return f"have no {words} in {self.path}"

    def apply(self, system: System) -> None:
        """Take the words out that are still there."""
        before = system.text(self.path) or ""
        after = without_console(before, self.ports)
        if after != before:
            system.write(self.path, after.encode(), 0o755)


@dataclass(frozen=True, slots=True)
class Link:
    """Make a symbolic link, in the place of a file or link of that name."""

    path: str
    target: str

    @property
    def told(self) -> str:
        """Name both ends."""
        return f"link {self.path} to {self.target}"

    def apply(self, system: System) -> None:
        """Do it in one stroke."""
        system.link(self.path, self.target)


@dataclass(frozen=True, slots=True)
class Move:
    """Give a file or folder another name on the same disk."""

    path: str
    to: str

    @property
    def told(self) -> str:
        """Name both."""
        return f"move {self.path} to {self.to}"

    def apply(self, system: System) -> None:
        """Do it in one stroke."""
        system.at(self.to).parent.mkdir(parents=True, exist_ok=True)
        system.at(self.path).rename(system.at(self.to))


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove a file, a link, or a folder with all that is in it."""

    path: str

    @property
    def told(self) -> str:
        """Name it."""
        return f"remove {self.path}"

    def apply(self, system: System) -> None:
        """Remove it if it is there."""
        place = system.at(self.path)
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Copy:
    """Copy files from the checkout into a new folder."""

    source: Path
    files: tuple[str, ...]
    path: str

    @property
    def told(self) -> str:
        """Count and name."""
        return f"copy {len(self.files)} files to {self.path}"

    def apply(self, system: System) -> None:
        """Copy them with their modes, but not their owner."""
        for name in self.files:
            place = system.at(self.path) / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.source / name, place)
            runs = (self.source / name).stat().st_mode & 0o100
            place.chmod(0o755 if runs else 0o644)


@dataclass(frozen=True, slots=True)
class Run:
    """Run a command; ``otherwise`` is the next step if it fails for no reason that is known."""

    command: Sequence[str]
    otherwise: str = _AGAIN

    @property
    def told(self) -> str:
        """Show it as it could be typed."""
        return f"run `{shlex.join(self.command)}`"

    def apply(self, system: System) -> None:
        """Run it and wait."""
        system.run(self.command, self.otherwise)
