"""Finds the gamepad to drive with, at start and when one is plugged in later."""

import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from msgspec import Struct

from rover.config import GamepadConfig
from rover.errors import DeviceError
from rover.gamepad.device import NotAGamepadError, OpenPad, open_pad
from rover.gamepad.identity import PadIdentity
from rover.gamepad.nodes import DEVICES, SYSFS, about_node, why_not_gamepad

AUTO = "auto"
NO_PAD = "no gamepad found: plug one in or pair it"
NO_LIBRARY = "no gamepad can be read, the evdev library is missing: sudo apt install python3-evdev"

_NODE = re.compile(r"event(\d+)")

# A path and its inode: a new device under an old name is a new device.
_Node = tuple[str, int]


class Candidate(Struct, frozen=True):
    """A node that says it is a gamepad; ``identity`` is None where sysfs does not know it."""

    path: str
    name: str
    identity: PadIdentity | None = None


class PadFinder:
    """Looks for gamepads. A look that finds nothing new costs one listing of a directory.

    ``device`` is AUTO or what ``gamepad.device`` may be: a path, vendor:product, a unique
    address, a name. ``open_at`` opens a path: ``open_pad``, or a test's.
    """

    def __init__(
        self,
        device: str = AUTO,
        directory: Path = DEVICES,
        sysfs: Path = SYSFS,
        open_at: Callable[[str], OpenPad] | None = None,
        config: GamepadConfig | None = None,
    ) -> None:
        self._config = config or GamepadConfig()
        self._device = device
        self._directory = directory
        self._sysfs = sysfs
        self._open_at = open_at or partial(open_pad, config=self._config, sysfs=sysfs)
        self._candidates: dict[_Node, Candidate | None] = {}
        self._refused: dict[_Node, str] = {}
        # Importing takes many ticks: do it now, not when a pad is plugged in.
        self._library_trouble = "" if _has_library() else NO_LIBRARY

    def find(self) -> tuple[OpenPad | None, str]:
        """Open the first gamepad; return it, or None and one sentence saying why not."""
        if self._library_trouble:
            return None, self._library_trouble
        if self._device.startswith("/"):
            return self._open_configured()
        troubles = []
        for node, candidate in self._wanted():
            pad, trouble = self._open(node, candidate.path)
            if pad is not None:
                return pad, ""
            troubles.append(trouble)
        return None, troubles[0] if troubles else self._none_found()

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

    def _wanted(self) -> list[tuple[_Node, Candidate]]:
        """Return the candidates that ``gamepad.device`` means."""
        found = self._look()
        if self._device == AUTO:
            return found
        wanted = self._device.lower()
        return [(node, one) for node, one in found if wanted in _names(one)]

    def _none_found(self) -> str:
        if self._device == AUTO:
            return NO_PAD
        there = [f"{one.name} ({_known_as(one)})" for _, one in self._look()]
        have = f"there is {' and '.join(there)}" if there else "there is none at all"
        return (
            f'gamepad.device is "{self._device}", and no such gamepad is there; {have}: plug it '
            f'in or pair it, or set gamepad.device to "{AUTO}"'
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
        about = about_node(name, self._sysfs)
        if about is None:
            # Sysfs does not know it: opening it will tell.
            return Candidate(path, name)
        if why_not_gamepad(about.identity, about, self._config):
            return None
        return Candidate(path, about.identity.name, about.identity)


def _names(candidate: Candidate) -> tuple[str, ...]:
    """Return what ``gamepad.device`` may call a pad, in small letters."""
    one = candidate.identity
    if one is None:
        return (candidate.name.lower(),)
    numbers = f"{one.vendor:04x}:{one.product:04x}"
    return tuple(name.lower() for name in (numbers, one.key, one.uniq, one.name) if name)


def _known_as(candidate: Candidate) -> str:
    one = candidate.identity
    return candidate.path if one is None else one.uniq or one.key


def _has_library() -> bool:
    try:
        import evdev  # noqa: F401, PLC0415 - Linux only
    except ImportError:
        return False
    return True
