"""The computer, or the file system of one, that the rover is installed on."""

import contextlib
import os
import shlex
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from installer.errors import InstallError, next_step_for

_TOLD_LINES = 4


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended, and what it said on both streams."""

    code: int
    output: str


class Runner(Protocol):
    """Runs a command in the system and waits for it; ``quiet`` if it only asks something."""

    def __call__(self, command: Sequence[str], *, quiet: bool) -> Outcome:
        """Return how it ended; code 127 if there is no such command."""
        ...


@dataclass(frozen=True, slots=True)
class System:
    """``root`` stands for "/" in the names of all files; commands are run inside of it too.

    ``live`` if systemd runs it: not so in a folder, a container or an image.
    """

    root: Path
    runner: Runner
    live: bool = False
    sleep: Callable[[float], None] = field(default=time.sleep)

    def at(self, path: str) -> Path:
        """Return where the file of this absolute name is."""
        return self.root / path.lstrip("/")

    def text(self, path: str) -> str | None:
        """Return a text file's content, None if there is none that can be read."""
        try:
            return self.at(path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None

    def there(self, path: str) -> bool:
        """Whether there is anything of this name, if only a link that leads nowhere."""
        return os.path.lexists(self.at(path))

    def ask(self, *command: str) -> str | None:
        """Return what a command says that only tells, None if it fails."""
        outcome = self.runner(command, quiet=True)
        return outcome.output.strip() if outcome.code == 0 else None

    def has(self, command: str) -> bool:
        """Whether there is such a command."""
        places = ("usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin")
        return any(self.there(f"{place}/{command}") for place in places)

    def run(self, command: Sequence[str], otherwise: str) -> None:
        """Run a command that changes something; raise InstallError if it fails.

        ``otherwise`` is the next step if what it said does not tell a better one.
        """
        outcome = self.runner(command, quiet=False)
        if outcome.code != 0:
            told = "\n".join(f"  | {line}" for line in _last_lines(outcome.output))
            raise InstallError(
                f"`{shlex.join(command)}` failed (exit code {outcome.code})"
                + (f":\n{told}" if told else ""),
                next_step_for(outcome.output, otherwise),
            )

    def write(self, path: str, content: bytes, mode: int) -> None:
        """Write a file whole or not at all: a loss of power leaves the old one or the new one."""
        place = self.at(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                # The boot partition is FAT, which keeps no modes.
                with contextlib.suppress(PermissionError):
                    os.fchmod(stream.fileno(), mode)
                os.fsync(stream.fileno())
            Path(name).replace(place)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def link(self, path: str, target: str) -> None:
        """Make a symbolic link in one stroke, in the place of whatever file or link is there."""
        place = self.at(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        new = place.with_name(f".{place.name}.new")
        new.unlink(missing_ok=True)
        new.symlink_to(target)
        new.replace(place)


def _last_lines(output: str) -> list[str]:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-_TOLD_LINES:]
