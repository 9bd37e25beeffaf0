"""Which controllers there are: every address at the rover's rate, and if need be at the others.

The first packet to each address is zero duty: wheels that a killed program has left turning
would be kept turning by any question.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from calibration.provisioning.kept import (
    BAUDS,
    FACTORY_BAUD,
    FIRST_ADDRESS,
    LAST_ADDRESS,
)
from calibration.provisioning.unit import Unit
from calibration.provisioning.wire import Wire
from rover.errors import BadReplyError, DeviceError, DeviceTimeoutError

ADDRESSES = range(FIRST_ADDRESS, LAST_ADDRESS + 1)
# A version is long, and on a noisy wire seldom right.
_TRIES = 8


def search(
    wire: Wire, baud: int, wanted: frozenset[int], checkpoint: Callable[[], None]
) -> tuple[Unit, ...]:
    """Return who answers at ``baud``, and at other rates if ``wanted`` are not all there.

    They come in the order of addresses; over its own USB port it is one. ``checkpoint`` raises to
    end it. Raises DeviceError if nobody answers, or somebody whose answers are never right.
    """
    units: list[Unit] = []
    for rate in _rates(baud):
        here = list(_at_rate(wire, rate, checkpoint))
        if _is_usb(here):
            return (replace(here[0], usb=True),)
        units += [unit for unit in here if unit.address not in {other.address for other in units}]
        if wanted <= {unit.address for unit in units}:
            break
    if not units:
        raise DeviceError(
            f"no RoboClaw answers, asked 0x{ADDRESSES[0]:02X} to 0x{ADDRESSES[-1]:02X} at "
            f"{', '.join(str(rate) for rate in _rates(baud))} baud: check its power, and TX to S1 "
            "and RX to S2. One that is set to RC or analogue mode answers over its USB alone: plug "
            "that in and name it with --port, such as /dev/ttyACM0"
        )
    return tuple(sorted(units, key=lambda unit: unit.address))


def _rates(baud: int) -> list[int]:
    """Return all rates, the likelier first."""
    likely = dict.fromkeys((baud, FACTORY_BAUD, 115200))
    return [*likely, *(rate for rate in BAUDS if rate not in likely)]


def _at_rate(wire: Wire, baud: int, checkpoint: Callable[[], None]) -> Iterator[Unit]:
    for address in ADDRESSES:
        checkpoint()
        unit = Unit(wire, address, baud)
        before = wire.received
        version = _version(unit)
        if version is not None:
            yield replace(unit, firmware=version)
        elif wire.received > before:
            raise DeviceError(
                f"what answers at 0x{address:02X} at {baud} baud is never right: two controllers "
                "have this address, or the wire is bad. Leave one controller connected and set "
                "them up one after the other"
            )


def _version(unit: Unit) -> str | None:
    """Stop a controller and return its version; who says nothing at all is asked twice."""
    bus = unit.wire.bus(unit.baud)
    before = unit.wire.received
    for tried in range(_TRIES):
        try:
            if tried == 0:
                unit.stop_once()
            return bus.read_version(unit.address)
        except (DeviceTimeoutError, BadReplyError):
            if unit.wire.received == before and tried:
                return None
    return None


def _is_usb(units: list[Unit]) -> bool:
    """Whether it is one controller that answers to every address, as over its own USB port."""
    if len(units) < len(ADDRESSES):
        return False
    return len({unit.word() for unit in units}) == 1
