"""Pads that depart from the kernel's conventions, and where each fact comes from. Pure."""

from collections.abc import Container, Mapping
from enum import IntEnum

from msgspec import Struct

from rover.config.input_codes import PressedWhen
from rover.gamepad.codes import Control


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


class PadException(Struct, frozen=True):
    """One kind of pad that departs from the conventions; None and empty match anything.

    It counts for a pad that has every code named in it. What it names replaces what the
    conventions say; ``absent`` controls are taken away, and if it is ``whole``, nothing of the
    conventions is kept.
    """

    name: str
    source: str
    vendor: int | None = None
    products: frozenset[int] = frozenset()
    bus: int | None = None
    drivers: frozenset[str] = frozenset()
    buttons: Mapping[Control, int] = {}
    sticks: Mapping[Control, int] = {}
    triggers: Mapping[Control, int] = {}
    hats: Mapping[Control, PressedWhen] = {}
    absent: frozenset[Control] = frozenset()
    whole: bool = False

    def fits(self, pad: PadIdentity, keys: Container[int], axes: Container[int]) -> bool:
        """Tell whether ``pad``, with these buttons and axes, is of this kind."""
        return (
            self.vendor in {None, pad.vendor}
            and (not self.products or pad.product in self.products)
            and self.bus in {None, pad.bus}
            and (not self.drivers or pad.driver in self.drivers)
            and all(code in keys for code in self.buttons.values())
            and all(code in axes for code in (*self.sticks.values(), *self.triggers.values()))
            and all(hat.axis in axes for hat in self.hats.values())
        )


EXCEPTIONS: tuple[PadException, ...] = ()


def exception_for(
    pad: PadIdentity, keys: Container[int], axes: Container[int]
) -> PadException | None:
    """Return the first exception that fits, None for a pad that keeps to the conventions."""
    return next((one for one in EXCEPTIONS if one.fits(pad, keys, axes)), None)
