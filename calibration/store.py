"""The calibration file: what was found out is put into it, whole or not at all, and can be undone.

Comments and everything else in the file stay as they are. What stood there before is kept in the
folder ``calibration-history`` beside it.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import tomlkit
from msgspec import structs
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from calibration.whole_file import replace_file
from rover.config.files import MAX_FILE_BYTES, usual_places
from rover.config.layers import Layer, LayerFile, faults_in
from rover.config.pads import PadConfig
from rover.config.toml_lines import key_lines
from rover.errors import ConfigError

# What is kept to be undone.
_MOST_KEPT = 20
_HISTORY = "calibration-history"
_ADVICE = "name a file that may be with --calibration, or run this as the user who owns it"


def calibration_path(named: Path | None, environ: Mapping[str, str]) -> Path:
    """Return the calibration file that control reads, or the place for a new one.

    Where none exists yet, that is the computer's own place if this user may write there, as where
    the services are installed; else one in the user's home folder.
    """
    if named is not None:
        return named
    if environ.get("ROVER_CALIBRATION"):
        return Path(environ["ROVER_CALIBRATION"])
    places = usual_places(environ).calibration_files
    for place in places:
        with contextlib.suppress(OSError):
            if place.exists():
                return place
    for place in reversed(places):
        if os.access(place.parent, os.W_OK):
            return place
    return places[0]


class CalibrationStore:
    """The calibration file at ``path``, which need not exist yet.

    Everything raises ConfigError with what to do if the file cannot be used or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._history = path.parent / _HISTORY

    def put_pad(self, key: str, pad: PadConfig) -> None:
        """Write what was found out about the pad ``key`` in the place of what was known."""
        with self._locked():
            document = self._read()
            pads = _table(_table(document, "gamepad"), "pads")
            self._remember(key, pads.get(key))
            pads[key] = _plain(pad)
            self._write(document)

    def undo_pad(self) -> str:
        """Take the latest calibration of a pad back; return one sentence about it."""
        with self._locked():
            latest = max(self._kept(), default=None)
            if latest is None:
                raise ConfigError(
                    f"there is nothing to undo: no calibration of a gamepad is in {self._history}"
                )
            try:
                before = tomlkit.parse(latest.read_text(encoding="utf-8"))
                key = str(before["pad"])
            except (OSError, ValueError, KeyError, TOMLKitError) as error:
                raise ConfigError(f"{latest} cannot be read: {error}; remove it") from error
            document = self._read()
            pads = _table(_table(document, "gamepad"), "pads")
            if "before" in before:
                pads[key] = before["before"].unwrap()
                said = f"{key} is again as it was calibrated before"
            else:
                pads.pop(key, None)
                said = f"{key} is not calibrated any more"
            self._write(document)
            latest.unlink()
        return said

    def _read(self) -> tomlkit.TOMLDocument:
        try:
            content = self.path.read_bytes()
            if len(content) > MAX_FILE_BYTES:
                raise ConfigError(f"{self.path} is too large to be a calibration")
            return tomlkit.parse(content.decode("utf-8-sig").replace("\r\n", "\n"))
        except FileNotFoundError:
            return tomlkit.document()
        except OSError as error:
            raise ConfigError(f"{self.path} cannot be read: {error.strerror}") from error
        except (ValueError, TOMLKitError) as error:
            raise ConfigError(
                f"{self.path} is not valid TOML: {error}; mend it first, nothing was changed"
            ) from error

    def _write(self, document: tomlkit.TOMLDocument) -> None:
        text = tomlkit.dumps(document)
        file = LayerFile(Layer.CALIBRATION, str(self.path), document.unwrap(), key_lines(text))
        problems = faults_in(file)
        if problems:
            raise ConfigError(
                "\n".join((*problems, "mend the calibration file first, nothing was changed"))
            )
        replace_file(self.path, text, _ADVICE)

    def _kept(self) -> list[Path]:
        return list(self._history.glob("[0-9]*-gamepad.toml"))

    def _remember(self, key: str, before: object) -> None:
        """Keep what stood there. It is written first: an undo too many is better than none."""
        record = tomlkit.document()
        record["pad"] = key
        if before is not None:
            record["before"] = before
        self._make_history()
        kept = sorted(self._kept())
        number = int(kept[-1].name.split("-")[0]) + 1 if kept else 1
        replace_file(self._history / f"{number:06d}-gamepad.toml", tomlkit.dumps(record), _ADVICE)
        for old in kept[: max(0, len(kept) + 1 - _MOST_KEPT)]:
            old.unlink(missing_ok=True)

    def _make_history(self) -> None:
        """Make the folder for whoever may write the file: a page's server and people alike."""
        try:
            self._history.mkdir()
            self._history.chmod(self.path.parent.stat().st_mode & 0o7777)
        except FileExistsError:
            pass
        except OSError as error:
            text = f"{self._history} cannot be made: {error.strerror}; {_ADVICE}"
            raise ConfigError(text) from error

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one process at a time change the file."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.path.parent, os.O_RDONLY)
        except OSError as error:
            raise ConfigError(f"{self.path.parent} cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _plain(pad: PadConfig) -> Table:
    """Return a pad as TOML, without what is the default."""
    table = tomlkit.table()
    for name, part in structs.asdict(pad).items():
        if part is None:
            continue
        values = {key: value for key, value in structs.asdict(part).items() if value is not None}
        if values:
            inner = tomlkit.table()
            inner.update(values)
            table[name] = inner
    return table


def _table(outer: tomlkit.TOMLDocument | Table, key: str) -> Table:
    found = outer.get(key)
    if found is None:
        outer[key] = tomlkit.table(is_super_table=True)
        found = outer[key]
    if not isinstance(found, Table):
        # Such as a table in one line, or out of order: as a plain one it can be added to.
        plain = tomlkit.table()
        plain.update(found)
        outer[key] = plain
        found = outer[key]
    return found
