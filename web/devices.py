"""The devices that may drive, kept in a file of the state directory.

Of a device's token only the hash is kept: who reads the file cannot drive by it.
"""

import fcntl
import hashlib
import hmac
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct, structs

from rover.errors import ConfigError
from web.private_file import write_private

_log = logging.getLogger(__name__)

# One more, and the one that has been away the longest is forgotten.
MAX_DEVICES = 32
MAX_NAME = 40
# How exactly the file knows when a device was seen last: it is not written for less.
SEEN_EVERY_S = 60.0
_TOKEN_BYTES = 32
_ID_BYTES = 4


class Device(Struct, frozen=True, forbid_unknown_fields=True):
    """A paired device. Times are Unix times, for people to read; nothing is decided by them."""

    id: str
    name: str
    token_sha256: str
    paired_unix_s: float
    seen_unix_s: float


class Added(Struct, frozen=True):
    """A device that has just been paired, with its token, and whom it has replaced."""

    device: Device
    token: str
    forgotten: tuple[Device, ...]


class Devices:
    """The list of paired devices. Any thread may use it, and several processes share the file."""

    def __init__(self, state_dir: Path, wall_s: Callable[[], float] = time.time) -> None:
        """Raises ConfigError if the file in ``state_dir`` cannot be used."""
        self._path = state_dir / "devices.json"
        self._lock_path = state_dir / "devices.lock"
        self._wall_s = wall_s
        self._lock = threading.Lock()
        self._known: dict[str, Device] = {}
        # Those that could not be taken off the list: nobody here knows them any more.
        self._barred: set[str] = set()
        self._read_as: tuple[int, ...] = ()
        try:
            state_dir.mkdir(parents=True, exist_ok=True)
            with self._shared():
                self._write()
        except OSError as error:
            raise ConfigError(
                f"cannot keep the paired devices in {self._path}: {error.strerror}; "
                "choose a state directory that can be written"
            ) from error

    def all(self) -> tuple[Device, ...]:
        """Return all devices, the one that was seen last first."""
        with self._lock:
            self._refresh()
            known = self._known.values()
            return tuple(sorted(known, key=lambda device: -device.seen_unix_s))

    def add(self, name: str) -> Added:
        """Pair a device under ``name``. Raises OSError if that cannot be written."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        now_s = self._wall_s()
        device = Device(secrets.token_hex(_ID_BYTES), name, _digest(token), now_s, now_s)
        with self._lock, self._shared():
            by_age = sorted(self._known.values(), key=lambda device: device.seen_unix_s)
            forgotten = tuple(by_age[: max(0, len(by_age) + 1 - MAX_DEVICES)])
            for one in forgotten:
                del self._known[one.id]
            self._known[device.id] = device
            self._write()
        _log.info("paired %r (%s)", name, device.id)
        return Added(device, token, forgotten)

    def find(self, device_id: str, token: str) -> Device | None:
        """Return the device that has this token, and note that it has been seen."""
        with self._lock:
            self._refresh()
            device = self._known.get(device_id)
            # An unknown device takes as long as a wrong token.
            expected = device.token_sha256 if device else _digest("")
            fits = hmac.compare_digest(expected, _digest(token))
            if device is None or not fits or device_id in self._barred:
                return None
            if self._wall_s() - device.seen_unix_s > SEEN_EVERY_S:
                device = structs.replace(device, seen_unix_s=self._wall_s())
                try:
                    with self._shared():
                        if device.id not in self._known:
                            return None
                        self._known[device.id] = device
                        self._write()
                except OSError as error:
                    # It may drive all the same: only the time is old.
                    _log.warning(
                        "%s: when a device was seen last is not kept: %s", self._path, error
                    )
            return device

    def remove(self, device_id: str) -> Device | None:
        """Forget a device; return it if it was known.

        Raises OSError if that cannot be written: then it is known to nobody here all the same, but
        will be again to the next server.
        """
        with self._lock:
            self._barred.add(device_id)
            with self._shared():
                device = self._known.pop(device_id, None)
                if device is not None:
                    self._write()
                    _log.info("revoked %r (%s)", device.name, device.id)
            # Ids are random and never given again.
            self._barred.discard(device_id)
            return device

    @contextmanager
    def _shared(self) -> Iterator[None]:
        """Keep other processes from the file, and begin with what is in it."""
        with os.fdopen(os.open(self._lock_path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._refresh()
            yield

    def _refresh(self) -> None:
        """Read the file if it is another than the one that was read last."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._known, self._read_as = {}, ()
            return
        read_as = (found.st_ino, found.st_mtime_ns, found.st_size)
        if read_as == self._read_as:
            return
        # Until it has been read, nobody is known.
        self._known, self._read_as = {}, ()
        try:
            devices = msgspec.json.decode(self._path.read_bytes(), type=tuple[Device, ...])
        except msgspec.DecodeError as error:
            raise ConfigError(
                f"{self._path} does not hold the paired devices ({error}): delete it, and pair "
                "them again"
            ) from error
        self._known = {device.id: device for device in devices}
        self._read_as = read_as

    def _write(self) -> None:
        content = msgspec.json.format(msgspec.json.encode(tuple(self._known.values())))
        # What cannot be written has not happened: the file is read anew.
        self._read_as = ()
        found = write_private(self._path, content + b"\n")
        self._read_as = (found.st_ino, found.st_mtime_ns, found.st_size)


def _digest(token: str) -> str:
    """Return a token's hash; it is random and long, so a plain one is as good as a slow one."""
    return hashlib.sha256(token.encode()).hexdigest()
