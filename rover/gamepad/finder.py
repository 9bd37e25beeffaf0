"""Finds the gamepad to drive with, at start and when one is plugged in later.

What a node under /dev/input is gets read from sysfs first, so that keyboards and mice are
never opened: opening can wake a sleeping device, and the kernel may take tens of
milliseconds to close one, which is several ticks.
"""

import ctypes
import os
import re
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from rover.errors import DeviceError
from rover.gamepad.device import NotAGamepadError, OpenPad, open_pad
from rover.gamepad.layout import Axis, Key, why_not_gamepad

AUTO = "auto"
NO_PAD = "no gamepad found: plug one in or pair it"
NO_LIBRARY = "no gamepad can be read, the evdev library is missing: sudo apt install python3-evdev"

# The kernel prints sets of codes as words of the reader's own long, the highest first.
_LONG_BITS = 8 * ctypes.sizeof(ctypes.c_long)
_NODE = re.compile(r"event(\d+)")

# A path and its inode: a new device under an old name is a new device.
_Node = tuple[str, int]


class Candidate(Struct, frozen=True):
    """A node that says it is a gamepad."""

    path: str
    name: str


class PadFinder:
    """Looks for gamepads. A look that finds nothing new costs one listing of a directory.

    ``device`` is a path or AUTO. ``open_at`` opens a path: ``open_pad``, or a test's.
    """

    def __init__(
        self,
        device: str = AUTO,
        directory: Path = Path("/dev/input"),
        sysfs: Path = Path("/sys/class/input"),
        open_at: Callable[[str], OpenPad] = open_pad,
    ) -> None:
        self._device = device
        self._directory = directory
        self._sysfs = sysfs
        self._open_at = open_at
        self._candidates: dict[_Node, Candidate | None] = {}
        self._refused: dict[_Node, str] = {}
        # Importing takes many ticks: do it now, not when a pad is plugged in.
        self._library_trouble = "" if _has_library() else NO_LIBRARY

    def find(self) -> tuple[OpenPad | None, str]:
        """Open the first gamepad; return it, or None and one sentence saying why not."""
        if self._library_trouble:
            return None, self._library_trouble
        if self._device != AUTO:
            return self._open_configured()
        troubles = []
        for node, candidate in self._look():
            pad, trouble = self._open(node, candidate.path)
            if pad is not None:
                return pad, ""
            troubles.append(trouble)
        return None, troubles[0] if troubles else NO_PAD

    def others(self, driving: OpenPad) -> str:
        """Return a sentence about gamepads other than the one that drives, empty if none."""
        if self._device != AUTO:
            return ""
        ignored = [
            f"{candidate.name} ({candidate.path})"
            for node, candidate in self._look()
            if candidate.path != driving.path and node not in self._refused
        ]
        if not ignored:
            return ""
        return (
            f"more than one gamepad: {driving.name} ({driving.path}) drives, "
            f"{' and '.join(ignored)} is ignored; set gamepad.device to choose"
        )

    def _open_configured(self) -> tuple[OpenPad | None, str]:
        try:
            node = (self._device, Path(self._device).stat().st_ino)
        except OSError as error:
            return None, (
                f"gamepad.device is {self._device}: {error.strerror}; plug it in, or set "
                f'gamepad.device to "{AUTO}"'
            )
        return self._open(node, self._device)

    def _open(self, node: _Node, path: str) -> tuple[OpenPad | None, str]:
        if node in self._refused:
            return None, self._refused[node]
        try:
            return self._open_at(path), ""
        except NotAGamepadError as error:
            self._refused[node] = str(error)
            return None, str(error)
        except DeviceError as error:
            return None, str(error)

    def _look(self) -> list[tuple[_Node, Candidate]]:
        """Return the nodes that are gamepads as far as sysfs knows, in their order."""
        seen: dict[_Node, Candidate | None] = {}
        try:
            with os.scandir(self._directory) as entries:
                nodes = [(entry.name, entry.inode()) for entry in entries]
        except OSError:
            # No input device at all: the kernel makes the directory with the first one.
            nodes = []
        for node in nodes:
            if _NODE.fullmatch(node[0]):
                known = node in self._candidates
                seen[node] = self._candidates[node] if known else self._examine(node[0])
        self._candidates = seen
        found = [(node, candidate) for node, candidate in seen.items() if candidate is not None]
        return sorted(found, key=lambda item: int(item[0][0].removeprefix("event")))

    def _examine(self, name: str) -> Candidate | None:
        path = str(self._directory / name)
        about = self._sysfs / name / "device"
        try:
            keys = _codes((about / "capabilities" / "key").read_text(), Key)
            axes = _codes((about / "capabilities" / "abs").read_text(), Axis)
            title = (about / "name").read_text(errors="replace").strip()
        except OSError:
            # Sysfs does not know it: opening it will tell.
            return Candidate(path, name)
        return None if why_not_gamepad(keys, axes) else Candidate(path, title)


def _codes(words: str, wanted: type[Key] | type[Axis]) -> set[int]:
    """Return which of the ``wanted`` codes are in a set as sysfs prints it."""
    bits = 0
    for word in words.split():
        bits = bits << _LONG_BITS | int(word, 16)
    return {code for code in wanted if bits >> code & 1}


def _has_library() -> bool:
    try:
        import evdev  # noqa: F401, PLC0415 - Linux only
    except ImportError:
        return False
    return True
