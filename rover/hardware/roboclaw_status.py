"""RoboClaw's status word (command 90) by name, and how serious each bit is.

Errors stop the rover: the controller has cut its motors, or cannot be trusted to drive them.
Cautions slow it down: going on as before would lead to an error. Warnings are only told.
"""

from dataclasses import dataclass

_NARROW_BYTES = 2
_WIDE_BYTES = 4

_E_STOP = "E-stop input (if it stays on with the line released, it latches: cycle the power)"

# Bits 0-15 of the 32-bit word, in order.
_WIDE_ERRORS = (
    _E_STOP,
    "temperature",
    "temperature 2",
    "main battery high",
    "logic battery high",
    "logic battery low",
    "M1 driver fault",
    "M2 driver fault",
    "M1 speed",
    "M2 speed",
    "M1 position",
    "M2 position",
    "M1 current",
    "M2 current",
    "main battery low",
    "main battery high, not recovered yet",
)
# From 85 degrees C (an error from 100), less load cools the board; near its lower limit, less
# load lets the battery recover. An over-current warning comes and goes with every obstacle,
# and says that the controller already holds the current at its limit: it is only told.
_WIDE_CAUTIONS = {
    19: "main battery low",
    20: "temperature",
    21: "temperature 2",
}
# Bits 16-31 without the cautions and the boot bit. Older firmware means speed by 24 and position
# by 25 where newer means the motors' speeds; 26 and above are newer firmware's.
_WIDE_WARNINGS = {
    16: "M1 over-current",
    17: "M2 over-current",
    18: "main battery high",
    22: "S4 input",
    23: "S5 input",
    24: "M1 speed limit",
    25: "M2 speed or position limit",
    26: "M1 position limit",
    27: "M2 position limit",
    28: "CAN bus",
    30: "M1 regeneration",
    31: "M2 regeneration",
}
_BOOT = 1 << 29
_CURRENT_ERRORS = {12: "M1 current since power-up", 13: "M2 current since power-up"}
_CURRENT_ERROR_BITS = sum(1 << bit for bit in _CURRENT_ERRORS)

_NARROW_ERRORS = {
    2: _E_STOP,
    3: "temperature",
    4: "temperature 2",
    5: "main battery high",
    6: "logic battery high",
    7: "logic battery low",
    8: "M1 driver fault",
    9: "M2 driver fault",
}
_NARROW_CAUTIONS = {
    11: "main battery low",
    12: "temperature",
    13: "temperature 2",
}
_NARROW_WARNINGS = {
    0: "M1 over-current",
    1: "M2 over-current",
    10: "main battery high",
    14: "M1 home",
    15: "M2 home",
}


@dataclass(frozen=True, slots=True)
class RoboclawStatus:
    """What a controller says of itself: reasons to stop, to drive slowly, and only to tell."""

    errors: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def left_from_boot(data: bytes) -> int:
    """Return the current errors in a controller's first status that are only left from power-up.

    A healthy unit of newer firmware may say 0x20003000 then: the boot bit and both current
    errors. Nothing is written to clear them.
    """
    word = int.from_bytes(data, "big")
    return word & _CURRENT_ERROR_BITS if len(data) == _WIDE_BYTES and word & _BOOT else 0


def decode_status(data: bytes, leftover: int = 0) -> RoboclawStatus:
    """Decode a status word of 16 bits (older firmware) or 32 bits, told apart by its length.

    The bits in ``leftover``, from ``left_from_boot``, are named as warnings; the caller drops
    each once it has been seen clear, for set again it is an error. Raises ValueError for
    another length.
    """
    word = int.from_bytes(data, "big")
    if len(data) == _NARROW_BYTES:
        return RoboclawStatus(
            _named(word, _NARROW_ERRORS),
            _named(word, _NARROW_CAUTIONS),
            _named(word, _NARROW_WARNINGS),
        )
    if len(data) != _WIDE_BYTES:
        raise ValueError(f"a status word of {len(data)} bytes: 2 or 4 are allowed")
    errors = dict(enumerate(_WIDE_ERRORS))
    warnings = _WIDE_WARNINGS
    for bit, name in _CURRENT_ERRORS.items():
        if leftover >> bit & 1:
            warnings = {**warnings, bit: name}
            del errors[bit]
    return RoboclawStatus(
        _named(word, errors), _named(word, _WIDE_CAUTIONS), _named(word, warnings)
    )


def _named(word: int, names: dict[int, str]) -> tuple[str, ...]:
    return tuple(name for bit, name in names.items() if word >> bit & 1)
