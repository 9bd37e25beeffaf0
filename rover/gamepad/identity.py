"""Which pad this is. Pure."""

from enum import IntEnum

from msgspec import Struct


class Bus(IntEnum):
    """How a pad is connected: BUS_* of linux/input.h."""

    USB = 0x03
    BLUETOOTH = 0x05
    VIRTUAL = 0x06


class PadIdentity(Struct, frozen=True):
    """Which pad this is. ``uniq`` is its own address or serial number, empty if it tells none.

    ``driver`` is the kernel's driver behind the node, such as "xpad", empty if not known.
    """

    bus: int = 0
    vendor: int = 0
    product: int = 0
    version: int = 0
    name: str = ""
    uniq: str = ""
    driver: str = ""

    @property
    def key(self) -> str:
        """The pad's table in ``gamepad.pads``: vendor:product, and the name without a vendor."""
        numbers = f"{self.vendor:04x}:{self.product:04x}"
        return numbers if self.vendor else f"{numbers} {self.name}".rstrip()
