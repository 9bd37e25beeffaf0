"""The calibration file: what was found out is put into it, whole or not at all, and can be undone.

Comments and everything else in the file stay as they are. What stood there before is kept beside it
(``calibration.history``).
"""

import contextlib
import datetime
import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import tomlkit
from msgspec import structs
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from calibration.history import ADVICE, History
from calibration.whole_file import replace_file
from rover.clock import Clock, SystemClock
from rover.config.files import MAX_FILE_BYTES, usual_places
from rover.config.layers import Layer, LayerFile, faults_in
from rover.config.pads import PadConfig
from rover.config.toml_lines import KeyPath, key_lines
from rover.errors import ConfigError

_GAMEPAD = "gamepad"
# Writing takes some milliseconds.
_OTHERS_WRITE_S, _LOOK_S = 5.0, 0.02


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

    ``judge`` raises ConfigError if the file as it would be does not fit the rest of the
    configuration. Everything raises ConfigError with what to do if the file cannot be used or
    written.
    """

    def __init__(
        self,
        path: Path,
        judge: Callable[[LayerFile], object] = lambda file: None,
        now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC),
        clock: Clock | None = None,
    ) -> None:
        self.path = path
        self.history = History(path)
        self._judge = judge
        self._now = now
        self._clock = clock or SystemClock()

    def require_writable(self) -> None:
        """Raise ConfigError if it is plain already that nothing can be written; it writes nothing.

        Else that would be told at the end of a long conversation.
        """
        try:
            self._look_for_room()
        except OSError as error:
            raise ConfigError(
                f"{self.path} cannot be looked at: {error.strerror}; {ADVICE}"
            ) from error

    def _look_for_room(self) -> None:
        if self.path.is_dir():
            raise ConfigError(f"{self.path} is a folder: {ADVICE}")
        for folder in (self.path.resolve().parent, self.history.folder):
            there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
            if not there.is_dir():
                raise ConfigError(f"{there} is no folder, so {self.path} cannot be: {ADVICE}")
            if not os.access(there, os.W_OK | os.X_OK):
                raise ConfigError(f"nothing may be written into {there} by this user: {ADVICE}")

    def put_pad(self, key: str, pad: PadConfig) -> None:
        """Write what was found out about the pad ``key`` in the place of what was known."""
        self.put(_GAMEPAD, {(_GAMEPAD, "pads", key): _plain(pad)})

    def undo_pad(self) -> str:
        """Take the latest calibration of a pad back; return one sentence about it."""
        before = self.undo(_GAMEPAD)
        (path, value), *_ = before.items()
        if value is None:
            return f"{path[-1]} is not calibrated any more"
        return f"{path[-1]} is again as it was calibrated before"

    def put(self, step: str, changes: Mapping[KeyPath, object]) -> None:
        """Write what a step has found, by key, and remember what stood there before.

        Without any changes it is remembered that the step has been done.
        """
        with self._locked():
            document = self._read()
            before = {path: _get(document, path) for path in changes}
            for path, value in changes.items():
                _set(document, path, value)
            text = self._checked(document) if changes else ""
            self.history.remember(step, before, self._now())
            if changes:
                replace_file(self.path, text, ADVICE)

    def undo(self, step: str) -> Mapping[KeyPath, object]:
        """Take the latest calibration of a step back; return what stands there again, by key.

        A value of None does not stand there any more.
        """
        with self._locked():
            record = self.history.latest(step)
            if record is None:
                raise ConfigError(
                    f"there is nothing to undo: no calibration of the {step} is in "
                    f"{self.history.folder}"
                )
            document = self._read()
            for path, value in record.before.items():
                if value is None:
                    _remove(document, path)
                else:
                    _set(document, path, value)
            if record.before:
                replace_file(self.path, self._checked(document), ADVICE)
            record.path.unlink()
        return record.before

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

    def _checked(self, document: tomlkit.TOMLDocument) -> str:
        """Return the file as it will be, once it is known to be right."""
        text = tomlkit.dumps(document)
        file = LayerFile(Layer.CALIBRATION, str(self.path), document.unwrap(), key_lines(text))
        problems = faults_in(file)
        if problems:
            raise ConfigError(
                "\n".join((*problems, "mend the calibration file first, nothing was changed"))
            )
        try:
            self._judge(file)
        except ConfigError as error:
            raise ConfigError(f"{error}\nmend that first, nothing was changed") from error
        return text

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one process at a time change the file.

        The folder of the records is locked: others may use the file's own for a lock of theirs.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.history.make_folder()
            lock = os.open(self.history.folder, os.O_RDONLY)
        except OSError as error:
            raise ConfigError(f"{self.path.parent} cannot be used: {error.strerror}") from error
        try:
            self._take(lock)
            yield
        finally:
            os.close(lock)

    def _take(self, lock: int) -> None:
        end_s = self._clock.now_s() + _OTHERS_WRITE_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if self._clock.now_s() > end_s:
                    raise ConfigError(
                        f"another program has been changing {self.path} for "
                        f"{_OTHERS_WRITE_S:g} s: end it, nothing was changed"
                    ) from error
            else:
                return
            self._clock.sleep_s(_LOOK_S)


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


def _get(document: tomlkit.TOMLDocument, path: KeyPath) -> object:
    """Return what stands there, None if nothing does."""
    found: object = document.unwrap()
    for part in path:
        if not isinstance(found, dict) or part not in found:
            return None
        found = found[part]
    return found


def _set(document: tomlkit.TOMLDocument, path: KeyPath, value: object) -> None:
    table: tomlkit.TOMLDocument | Table = document
    for part in path[:-1]:
        table = _table(table, part)
    table[path[-1]] = value


def _remove(document: tomlkit.TOMLDocument, path: KeyPath) -> None:
    """Take a key away, and the tables around it that are empty then."""
    tables: list[tomlkit.TOMLDocument | Table] = [document]
    for part in path[:-1]:
        if part not in tables[-1]:
            return
        tables.append(_table(tables[-1], part))
    tables[-1].pop(path[-1], None)
    for depth in range(len(tables) - 1, 0, -1):
        if len(tables[depth]):
            return
        tables[depth - 1].pop(path[depth - 1], None)


def _table(outer: tomlkit.TOMLDocument | Table, key: str) -> Table:
    found = outer.get(key)
    if found is None:
        outer[key] = tomlkit.table()
        found = outer[key]
    if not isinstance(found, Table):
        # Such as a table in one line, or out of order: as a plain one it can be added to.
        plain = tomlkit.table()
        plain.update(found)
        outer[key] = plain
        found = outer[key]
    return found
