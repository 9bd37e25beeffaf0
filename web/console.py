"""The private way into a running web server: `rover pair` asks here for codes.

A Unix socket in the state directory, open to its owner and to root only. One question, one
answer, each a line of JSON.
"""

import contextlib
import fcntl
import logging
import os
import socket
import threading
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from rover.errors import ConfigError, LinkError
from web.access import Access
from web.devices import Device

_log = logging.getLogger(__name__)

_NAME = "pair.sock"
_LOCK_NAME = "pair.lock"
_TIMEOUT_S = 2.0
_MAX_BYTES = 65536
_BACKLOG = 8
_POLL_S = 0.1


class Wish(StrEnum):
    """What can be asked for."""

    INVITE = "invite"
    LIST = "list"
    REVOKE = "revoke"


class Question(Struct, frozen=True, forbid_unknown_fields=True):
    """``device`` is the id, or the name if only one has it, of the device to revoke."""

    wish: Wish
    device: str = ""


class Reply(Struct, frozen=True, omit_defaults=True):
    """What became of a question: ``error`` is empty if it was answered.

    ``origin`` is the page's address, ``fingerprint`` its certificate's if it has one, ``code``
    and ``link`` the invitation.
    """

    error: str = ""
    origin: str = ""
    fingerprint: str = ""
    code: str = ""
    link: str = ""
    devices: tuple[Device, ...] = ()


class Console:
    """Answers in a thread of its own, from ``start`` to ``close``."""

    def __init__(
        self, state_dir: Path, access: Access, where: Callable[[], tuple[str, str]]
    ) -> None:
        """``where`` gives the page's address, and its certificate's fingerprint if it has one.

        Where another server keeps its state in the same directory, `rover pair` stays that one's.
        Raises ConfigError if the socket cannot be made.
        """
        self._access = access
        self._where = where
        self._path = state_dir / _NAME
        self._ending = threading.Event()
        self._lock = _claim(state_dir / _LOCK_NAME)
        if self._lock is None:
            _log.warning(
                "another `rover web` keeps its state in %s: `rover pair` asks that one, not this; "
                "XDG_STATE_HOME names another place",
                state_dir,
            )
            return
        try:
            self._listener = _listen(self._path)
        except ConfigError:
            self._lock.close()
            raise
        self._inode = self._path.stat().st_ino
        self._thread = threading.Thread(target=self._serve, name="console", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        if self._lock is not None:
            self._thread.start()

    def close(self) -> None:
        """Answer no more, and take the socket away if it is still this server's."""
        if self._lock is None:
            return
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        self._listener.close()
        with contextlib.suppress(FileNotFoundError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()
        self._lock.close()

    def _serve(self) -> None:
        self._listener.settimeout(_POLL_S)
        while not self._ending.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError as error:
                # Such as no file descriptor to spare: there will be one again.
                _log.warning("`rover pair` cannot be heard: %s", error)
                self._ending.wait(_POLL_S)
                continue
            with connection:
                try:
                    self._converse(connection)
                except OSError as error:
                    _log.warning("`rover pair` hung up: %s", error)

    def _converse(self, connection: socket.socket) -> None:
        connection.settimeout(_TIMEOUT_S)
        try:
            reply = self._answer(msgspec.json.decode(_read_line(connection), type=Question))
        except msgspec.DecodeError as error:
            reply = Reply(error=f"not a question: {error}")
        except (ConfigError, OSError) as error:
            reply = Reply(error=f"cannot do that: {error}")
        connection.sendall(msgspec.json.encode(reply) + b"\n")

    def _answer(self, question: Question) -> Reply:
        access, (origin, fingerprint) = self._access, self._where()
        if question.wish is Wish.INVITE:
            invitation = access.invitations.make()
            link = f"{origin}/pair?invitation={invitation.token}"
            return Reply(origin=origin, fingerprint=fingerprint, code=invitation.code, link=link)
        devices = access.devices.all()
        if question.wish is Wish.LIST:
            return Reply(origin=origin, devices=tuple(_without_hash(one) for one in devices))
        found = [one for one in devices if question.device in {one.id, one.name}]
        if len(found) != 1:
            how_many = "no device is" if not found else "several devices are"
            return Reply(error=f"{how_many} called {question.device!r}: `rover pair --list`")
        access.revoke(found[0].id)
        return Reply(origin=origin, devices=(_without_hash(found[0]),))


def ask(state_dir: Path, question: Question) -> Reply:
    """Ask the web server that uses ``state_dir``. Raises LinkError if it cannot be asked."""
    path = state_dir / _NAME
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_TIMEOUT_S)
            connection.connect(str(path))
            connection.sendall(msgspec.json.encode(question) + b"\n")
            return msgspec.json.decode(_read_line(connection), type=Reply)
    except PermissionError as error:
        raise LinkError(
            f"{path} belongs to another user: run this as its owner or with sudo"
        ) from error
    except (OSError, msgspec.DecodeError) as error:
        raise LinkError(
            f"no web server answers at {path} ({error}): is `rover web` running? If it keeps its "
            "state elsewhere, name that with --state"
        ) from error


def is_there(state_dir: Path) -> bool:
    """Whether a web server seems to use ``state_dir``, as far as this user may see."""
    return os.access(state_dir, os.X_OK) and (state_dir / _NAME).exists()


def _claim(path: Path) -> IO[bytes] | None:
    """Return the lock of whoever answers here, None if another server has it.

    Raises ConfigError if it cannot be used.
    """
    try:
        lock = path.open("ab")
    except OSError as error:
        raise ConfigError(
            f"cannot use {path}: {error.strerror}; choose another state directory"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    return lock


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    try:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        listener.bind(str(path))
        # Nobody can connect before it listens.
        path.chmod(0o600)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"cannot make {path}, by which `rover pair` asks for codes: {error}; choose another "
            "state directory, with a short path that can be written"
        ) from error
    return listener


def _read_line(connection: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        received = connection.recv(_MAX_BYTES)
        if not received or len(line) + len(received) > _MAX_BYTES:
            raise ConnectionError("the other end hung up in the middle of a line")
        line += received
    return line


def _without_hash(device: Device) -> Device:
    return msgspec.structs.replace(device, token_sha256="")
