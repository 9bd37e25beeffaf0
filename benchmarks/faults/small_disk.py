"""A disk so small that it can be filled, and made read-only, while a rover runs on it (root)."""

import contextlib
import errno
import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import NotMeasuredError

_SIZE = "4m"
_CHUNK_BYTES = 4096
_FILLER = "filler"


@contextlib.contextmanager
def small_disk(at: Path) -> Iterator[None]:
    """Have a disk of a few megabytes at ``at``. Raises NotMeasuredError where that is forbidden."""
    _do("mount", "-t", "tmpfs", "-o", f"size={_SIZE},mode=700", "rover", str(at))
    try:
        yield
    finally:
        # Its last users may still be ending.
        _do("umount", "--lazy", str(at))


def fill(disk: Path) -> None:
    """Write until nothing more fits."""
    with (disk / _FILLER).open("wb", buffering=0) as filler, contextlib.suppress(_FullError):
        while True:
            try:
                filler.write(bytes(_CHUNK_BYTES))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                raise _FullError from error


def empty(disk: Path) -> None:
    """Make room again."""
    (disk / _FILLER).unlink(missing_ok=True)


def make_read_only(disk: Path) -> None:
    """Let nothing be made or written there any more; files that are open stay so.

    A disk with open files is never made read-only, unless by the kernel when it finds an error:
    a second view of it is laid over it.
    """
    _do("mount", "--bind", str(disk), str(disk))
    _do("mount", "-o", "remount,bind,ro", str(disk))


def make_writable(disk: Path) -> None:
    """Take that view away again."""
    _do("umount", "--lazy", str(disk))


class _FullError(Exception):
    pass


def _do(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise NotMeasuredError(f"no `{command[0]}` on this computer") from error
    if done.returncode != 0:
        raise NotMeasuredError(f"`{' '.join(command)}`: {done.stderr.strip()} (root may)")
