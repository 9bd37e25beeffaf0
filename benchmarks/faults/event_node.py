"""A gamepad's event node that fails as a device does that is pulled: with ENODEV, not by ending.

    python -m benchmarks.faults.event_node DIRECTORY DESCRIPTOR

A file system in DIRECTORY (FUSE, so by root) with one file, ``event0``, that answers reads, polls
and ioctls as the kernel's input devices do. Its events are what comes through the pipe
DESCRIPTOR; when that ends, the device is gone.
"""

import errno
import os
import select
import stat
import struct
import sys
import threading
from collections import deque
from ctypes import c_void_p, memmove

import mfusepy

from benchmarks.faults.pads import NODE
from tests.gamepad.pads import ABS, KEY, SYN, XBOX

_EVENT_BYTES = struct.calcsize("llHHi")
_FUSE_POLLIN, _FUSE_POLLERR = select.POLLIN, select.POLLERR | select.POLLHUP
_MESSAGE_BYTES = 64 * _EVENT_BYTES
# The parts of a request's number (asm-generic/ioctl.h) and evdev's own (linux/input.h).
_NUMBER_MASK, _SIZE_SHIFT, _SIZE_MASK = 0xFF, 16, 0x3FFF
_GVERSION, _GID, _GNAME, _GPHYS, _GUNIQ, _GKEY = 0x01, 0x02, 0x06, 0x07, 0x08, 0x18
_GBIT, _GABS, _GEFFECTS = 0x20, 0x40, 0x84
_EV_MAX = 0x1F


class EventNode(mfusepy.Operations):  # type: ignore[misc]  # it comes without types
    """The file system. Times, owners and all that does not matter are left at nothing."""

    use_ns = True

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._events: deque[bytes] = deque()
        self._gone = False
        self._lock = threading.Lock()
        self._waiting: c_void_p | None = None

    def init(self, path: str) -> None:
        """Begin to take in events: the process is what it stays from here on."""
        threading.Thread(target=self._take_in, daemon=True).start()

    def _take_in(self) -> None:
        rest = b""
        while data := os.read(self._pipe, _MESSAGE_BYTES):
            rest += data
            whole = len(rest) - len(rest) % _EVENT_BYTES
            with self._lock:
                for at in range(0, whole, _EVENT_BYTES):
                    self._events.append(rest[at : at + _EVENT_BYTES])
            rest = rest[whole:]
            self._wake()
        self._gone = True
        self._wake()

    def _wake(self) -> None:
        """Tell whoever polls that there is something to read, or nothing ever again."""
        with self._lock:
            waiting, self._waiting = self._waiting, None
        if waiting is not None:
            mfusepy._libfuse.fuse_notify_poll(waiting)
            mfusepy._libfuse.fuse_pollhandle_destroy(waiting)

    def getattr(self, path: str, fh: int | None = None) -> dict[str, int]:
        """Return what the folder and the node are; one that is gone is not there."""
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
        if path != f"/{NODE}" or self._gone:
            raise mfusepy.FuseOSError(errno.ENOENT)
        return {"st_mode": stat.S_IFREG | 0o600, "st_nlink": 1}

    def open(self, path: str, fi: mfusepy.fuse_file_info) -> int:
        """Open the node past every cache."""
        self._require_device()
        fi.direct_io = 1
        fi.nonseekable = 1
        return 0

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        """Return the events that wait, as many as fit."""
        self._require_device()
        with self._lock:
            count = min(len(self._events), size // _EVENT_BYTES)
            data = b"".join(self._events.popleft() for _ in range(count))
        if not data:
            raise mfusepy.FuseOSError(errno.EAGAIN)
        return data

    def poll(self, path: str, fh: int, ph: int | None, reventsp: "mfusepy.c_uint_p") -> int:
        """Tell whether a read would not wait, and remember whom to wake."""
        with self._lock:
            before, self._waiting = self._waiting, c_void_p(ph) if ph else None
            ready = bool(self._events)
        if before is not None:
            mfusepy._libfuse.fuse_pollhandle_destroy(before)
        events = _FUSE_POLLIN if ready or self._gone else 0
        reventsp[0] = events | (_FUSE_POLLERR if self._gone else 0)
        return 0

    def ioctl(  # noqa: PLR0917 - the library's own
        self, path: str, cmd: int, arg: int, fh: int, flags: int, data: int
    ) -> int:
        """Answer what python-evdev asks a device."""
        self._require_device()
        number, size = cmd & _NUMBER_MASK, cmd >> _SIZE_SHIFT & _SIZE_MASK
        answer = _answer(number)
        if answer is None:
            raise mfusepy.FuseOSError(errno.EINVAL)
        answer = answer[:size]
        memmove(data, answer.ljust(size, bytes(1)), size)
        return len(answer) if number == _GNAME else 0

    def _require_device(self) -> None:
        if self._gone:
            raise mfusepy.FuseOSError(errno.ENODEV)


def _answer(number: int) -> bytes | None:
    """Return what the pad answers, to be cut or filled up to the size that is asked for."""
    codes = {0: [SYN, KEY, ABS], KEY: XBOX.keys, ABS: list(XBOX.axes)}
    fixed = {
        _GVERSION: struct.pack("<i", 0x010001),
        _GID: struct.pack("<4H", 3, 0x045E, 0x02EA, 0x0103),
        _GNAME: XBOX.name.encode() + bytes(1),
        _GPHYS: b"",
        _GUNIQ: b"",
        _GKEY: b"",
        _GEFFECTS: b"",
    }
    if number in fixed:
        return fixed[number]
    if _GBIT <= number <= _GBIT + _EV_MAX:
        bits = sum(1 << code for code in codes.get(number - _GBIT, []))
        return bits.to_bytes(96, "little")
    axis = XBOX.axes.get(number - _GABS)
    if axis is None:
        return None
    return struct.pack("<6i", axis.value, axis.min, axis.max, axis.fuzz, axis.flat, axis.resolution)


def main() -> None:
    """Serve the node until the file system is unmounted."""
    directory, pipe = sys.argv[1], int(sys.argv[2])
    mfusepy.FUSE(
        EventNode(pipe), directory, foreground=True, nothreads=True, raw_fi=True, fsname="pad"
    )


if __name__ == "__main__":
    main()
