"""The simulated I2C bus: who acknowledges, and what is moved."""

from collections.abc import Sequence
from typing import Protocol


class I2cDevice(Protocol):
    """A device as its registers."""

    def answers(self, address: int) -> bool:
        """Tell whether it acknowledges ``address``."""
        ...

    def write(self, data: bytes) -> None:
        """Take a write transfer."""
        ...

    def read(self, count: int) -> bytes:
        """Return ``count`` bytes."""
        ...


class I2cWires:
    """Devices on one bus, some of which may be unplugged or out of sorts."""

    def __init__(self, devices: Sequence[I2cDevice]) -> None:
        self._devices = tuple(devices)
        self.unplugged: set[int] = set()
        # Transfers still to be left without an acknowledgement, by address.
        self.nacks: dict[int, int] = {}

    def remove(self, index: int) -> None:
        """Take a device off the bus for good, by its place in the order they were given in."""
        self._devices = self._devices[:index] + self._devices[index + 1 :]

    def transfer(self, address: int, write: bytes, read_count: int) -> bytes | None:
        """Write, then read with a repeated start; None if nobody acknowledges."""
        if address in self.unplugged:
            return None
        if self.nacks.get(address, 0) > 0:
            self.nacks[address] -= 1
            return None
        devices = [device for device in self._devices if device.answers(address)]
        if not devices:
            return None
        if write:
            for device in devices:
                device.write(write)
        return devices[0].read(read_count) if read_count else b""
