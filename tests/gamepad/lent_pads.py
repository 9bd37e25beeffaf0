"""Pads that control could lend: sockets in the place of the kernel's devices, the rest real."""

from rover.config import Config
from rover.errors import DeviceError
from rover.gamepad.lending import LendablePad
from rover.gamepad.lent import LentPads
from rover.gamepad.pilot import Gamepad
from rover.gamepad.raw_pad import RawPad
from tests.builders import osr_config
from tests.gamepad.pads import Description
from tests.gamepad.socket_device import OnlyPad, OpenPad, SocketDevice


class Shelf:
    """Pads by path. The rover drives with the one that is plugged in first."""

    def __init__(self) -> None:
        self.descriptions: dict[str, Description] = {}
        self.devices: list[SocketDevice] = []
        self.errors: dict[str, Exception] = {}
        # How often the rover has opened a pad for itself, and with which configuration.
        self.made: list[Config] = []
        self.lent: list[LentPads] = []
        self._open: dict[str, SocketDevice] = {}

    def plug(self, description: Description, path: str = "/dev/input/event7") -> None:
        self.descriptions[path] = description

    def device(self, path: str = "/dev/input/event7") -> SocketDevice:
        """The device that was opened last at a path."""
        return self._open[path]

    def unplug(self, path: str = "/dev/input/event7") -> None:
        del self.descriptions[path]
        device = self._open[path]
        device.gone = True
        # What is gone is readable: reading it fails.
        device.end()

    def lendable(self, clock, config: Config | None = None) -> LendablePad:
        return LendablePad(config or osr_config(), clock, self._make, self._lend)

    def find(self) -> list[str]:
        return list(self.descriptions)

    def open_raw(self, path: str) -> RawPad:
        if path in self.errors:
            raise self.errors[path]
        return RawPad(self._opened(path), path)

    def close(self) -> None:
        for lent in self.lent:
            lent.close()
            lent.wait()
        for device in self.devices:
            device.close()

    def _make(self, config: Config, clock) -> Gamepad:
        self.made.append(config)
        path = next(iter(self.descriptions), "")
        if not path:
            return Gamepad(config, clock, OnlyPad(None))
        try:
            pad = OpenPad(self._opened(path), path, config.gamepad)
        except DeviceError:
            # As the real finder does with what cannot drive.
            return Gamepad(config, clock, OnlyPad(None))
        return Gamepad(config, clock, OnlyPad(pad))

    def _lend(self) -> LentPads:
        self.lent.append(LentPads(self.find, self.open_raw))
        return self.lent[-1]

    def _opened(self, path: str) -> SocketDevice:
        device = SocketDevice(self.descriptions[path])
        self.devices.append(device)
        self._open[path] = device
        return device
