"""An input device made of a socket: evdev's own reading code, its ioctls answered here."""

import errno
import os
import socket
import struct

from evdev.eventio import EventIO

from rover.gamepad.device import OpenPad
from rover.gamepad.finder import PadFinder
from tests.gamepad.pads import ABS, KEY, SYN, SYN_REPORT, Description

_EVENT = struct.Struct("llHHi")


class SocketDevice(EventIO):
    """Stands in for ``evdev.InputDevice``; its state is whatever the test sets it to."""

    def __init__(self, description: Description) -> None:
        self._description = description
        self._here, self._far = socket.socketpair()
        self._here.setblocking(False)
        self._far.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self.fd = self._here.fileno()
        self.name = description.name
        self.uniq = ""
        self.info = description.info
        self.held = list(description.held)
        self.values = {code: axis.value for code, axis in description.axes.items()}
        self.gone = False

    def send(self, *events: tuple[int, int, int], report: bool = True) -> None:
        """Have these events wait to be read."""
        ending = [(SYN, SYN_REPORT, 0)] if report else []
        self._far.sendall(b"".join(_EVENT.pack(0, 0, *event) for event in [*events, *ending]))

    def drain(self) -> None:
        """Throw away what waits to be read."""
        try:
            while self._here.recv(1 << 16):
                pass
        except BlockingIOError:
            pass

    def end(self) -> None:
        """Have reading come to an end of file."""
        self._far.close()

    def read(self):
        if self.gone:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        return super().read()

    def capabilities(self, absinfo: bool = True) -> dict[int, list[int]]:
        assert not absinfo
        return {
            code: found
            for code, found in (
                (KEY, list(self._description.keys)),
                (ABS, list(self._description.axes)),
            )
            if found
        }

    def active_keys(self) -> list[int]:
        self._require()
        return list(self.held)

    def absinfo(self, axis_num: int):
        self._require()
        axis = self._description.axes[axis_num]
        return type(axis)(self.values[axis_num], axis.min, axis.max, axis.fuzz, axis.flat)

    @property
    def closed(self) -> bool:
        return self._here.fileno() == -1

    def close(self) -> None:
        self._here.close()
        self._far.close()

    def _require(self) -> None:
        if self.gone:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))


class OnlyPad(PadFinder):
    """Finds one pad, at once, or none."""

    def __init__(self, pad: OpenPad | None) -> None:
        super().__init__("auto")
        self._pad = pad

    def find(self) -> tuple[OpenPad | None, str]:
        """Return the pad."""
        return self._pad, ""

    def others(self, driving: OpenPad) -> str:
        """There are none."""
        return ""


class Bench:
    """Nodes by path, and the devices opened at them."""

    def __init__(self) -> None:
        self.descriptions: dict[str, Description] = {}
        self.errors: dict[str, OSError] = {}
        self.opened: list[str] = []
        self.devices: list[SocketDevice] = []

    def open_at(self, path: str) -> OpenPad:
        """Open like ``open_pad``."""
        self.opened.append(path)
        if path in self.errors:
            raise self.errors[path]
        device = SocketDevice(self.descriptions[path])
        self.devices.append(device)
        return OpenPad(device, path)

    def close(self) -> None:
        for device in self.devices:
            device.close()
