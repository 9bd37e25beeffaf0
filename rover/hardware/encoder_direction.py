"""Which way a RoboClaw takes an encoder to count: a bit of that encoder's mode.

By the vendor's user manual, command 91: bit 6 reverses the encoder's direction against the
motor's, bit 5 the motor's, bit 7 is RC and analogue input, bit 0 an absolute encoder. Only bit 6
is written here, and in memory only: flash goes on holding what the controller was set up with.
"""

from collections.abc import Sequence

from rover.errors import BadReplyError
from rover.hardware.bus import framing
from rover.hardware.roboclaw_bus import RoboclawBus

_READ_MODES = 91
# Of the first output; the second's comes after it.
_SET_MODE = 92
_REVERSED = 0x40
_PAIR_OF_8_BYTES = 2


def confirm_directions(
    bus: RoboclawBus, address: int, wanted: Sequence[tuple[str, bool] | None]
) -> None:
    """Have the encoders count as ``wanted``, and see that they do.

    ``wanted`` has a place for each output: the wheel's name, and whether its encoder is reversed;
    None leaves it as it is, and where all are None nothing is sent. Raises BadReplyError if the
    controller does not keep a direction, and what ``bus`` raises.
    """
    if not any(wanted):
        return
    request = framing.read_request(address, _READ_MODES)
    before = after = bus.read(request, _PAIR_OF_8_BYTES)
    for output, mode in enumerate(_with_directions(before, wanted)):
        if mode != before[output]:
            packet = framing.write_packet(address, _SET_MODE + output, framing.pack_u8(mode))
            bus.send(packet)
            after = bus.read(request, _PAIR_OF_8_BYTES)
    for mode, wish in zip(after, wanted, strict=True):
        if wish is not None and bool(mode & _REVERSED) is not wish[1]:
            wheel, _ = wish
            raise BadReplyError(
                f"encoder mode 0x{mode:02X} of {wheel} stays as it is: the controller's firmware "
                f"cannot reverse encoders. Swap the two signal wires of {wheel}'s encoder "
                f'instead, and set wheels.{wheel}.motor.encoder_reversed = "none"'
            )


def _with_directions(modes: bytes, wanted: Sequence[tuple[str, bool] | None]) -> tuple[int, ...]:
    return tuple(
        mode if wish is None else mode | _REVERSED if wish[1] else mode & ~_REVERSED
        for mode, wish in zip(modes, wanted, strict=True)
    )
