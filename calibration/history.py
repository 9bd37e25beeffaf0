"""What stood in the calibration file before, and what is not finished yet, beside that file.

Each calibration leaves a record ``NNNNNN-STEP.toml``: when it was written, and every key that it
changed with what stood there before. Drafts are conversations that were left in the middle.
"""

import contextlib
import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError

from calibration.whole_file import replace_file
from rover.config.toml_lines import KeyPath
from rover.errors import ConfigError

# What is kept of each step to be undone.
_MOST_KEPT = 20
_FOLDER = "-history"
ADVICE = "name a file that may be with --calibration, or run this as the user who owns it"


@dataclass(frozen=True, slots=True)
class Record:
    """A calibration that was written: ``before`` has None for a key that did not stand there."""

    path: Path
    when: datetime.datetime | None
    before: Mapping[KeyPath, object]


class History:
    """The records beside the calibration file at ``file``. Raises ConfigError."""

    def __init__(self, file: Path) -> None:
        # One for each file: what was written to another is not undone here.
        self.folder = file.parent / f"{file.stem}{_FOLDER}"

    def remember(
        self, step: str, before: Mapping[KeyPath, object], when: datetime.datetime
    ) -> None:
        """Keep what stood there. Written first: an undo too many is better than none."""
        document = tomlkit.document()
        document["when"] = when.replace(microsecond=0)
        keys = tomlkit.aot()
        for path, value in before.items():
            entry = tomlkit.table()
            entry["key"] = list(path)
            if value is not None:
                entry["before"] = value
            keys.append(entry)
        document["changed"] = keys
        self.make_folder()
        everybody = sorted(self.folder.glob("[0-9]*-*.toml"))
        number = int(everybody[-1].name.split("-")[0]) + 1 if everybody else 1
        replace_file(self.folder / f"{number:06d}-{step}.toml", tomlkit.dumps(document), ADVICE)
        for old in self._kept(step)[:-_MOST_KEPT]:
            old.unlink(missing_ok=True)

    def latest(self, step: str) -> Record | None:
        """Return the newest record of a step, None if there is none."""
        kept = self._kept(step)
        if not kept:
            return None
        path = kept[-1]
        try:
            document = tomlkit.parse(path.read_text(encoding="utf-8")).unwrap()
            before = {
                tuple(str(part) for part in entry["key"]): entry.get("before")
                for entry in document["changed"]
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError, TOMLKitError) as error:
            raise ConfigError(f"{path} cannot be read: {error}; remove it") from error
        when = document.get("when")
        return Record(path, when if isinstance(when, datetime.datetime) else None, before)

    def save_draft(self, step: str, content: bytes) -> None:
        """Keep a conversation that is left in the middle; nothing if there is nothing in it."""
        if content:
            self.make_folder()
            replace_file(self._draft(step), content.decode(), ADVICE)
        else:
            self.drop_draft(step)

    def draft(self, step: str) -> bytes:
        """Return what was left in the middle, empty if nothing was."""
        try:
            return self._draft(step).read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise ConfigError(
                f"{self._draft(step)} cannot be read: {error.strerror}; remove it"
            ) from error

    def drop_draft(self, step: str) -> None:
        """Forget what was left in the middle."""
        with contextlib.suppress(FileNotFoundError):
            try:
                self._draft(step).unlink()
            except PermissionError as error:
                raise ConfigError(f"{self._draft(step)} cannot be removed: {ADVICE}") from error

    def _draft(self, step: str) -> Path:
        return self.folder / f"draft-{step}.json"

    def _kept(self, step: str) -> list[Path]:
        return sorted(self.folder.glob(f"[0-9]*-{step}.toml"))

    def make_folder(self) -> None:
        """Make the folder for whoever may write the file: a page's server and people alike."""
        try:
            self.folder.mkdir()
            self.folder.chmod(self.folder.parent.stat().st_mode & 0o7777)
        except FileExistsError:
            pass
        except OSError as error:
            text = f"{self.folder} cannot be made: {error.strerror}; {ADVICE}"
            raise ConfigError(text) from error
