"""The same bytes decoded by other means than the rover's: what its answers are held against."""

import math
from collections.abc import Mapping

from msgspec import NODEFAULT, Struct, structs

_POLYNOMIAL, _TOP_BIT, _ALL_BITS = 0x1021, 0x8000, 0xFFFF


def crc16(data: bytes, crc: int = 0) -> int:
    """Return the CRC-16/XMODEM of ``data``, a bit at a time, going on from ``crc``."""
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ _POLYNOMIAL if crc & _TOP_BIT else crc << 1) & _ALL_BITS
    return crc


def sealed(request: bytes, data: bytes) -> bytes:
    """Return ``data`` with the checksum of a reply to ``request``."""
    return data + crc16(request + data).to_bytes(2, "big")


def is_sealed(request: bytes, reply: bytes) -> bool:
    """Tell whether ``reply`` ends in its checksum."""
    return len(reply) > 1 and sealed(request, reply[:-2]) == reply


def integers(data: bytes, width: int, *, signed: bool) -> tuple[int, ...]:
    """Return the big-endian integers of ``width`` bytes that ``data`` consists of."""
    pieces = (data[at : at + width] for at in range(0, len(data), width))
    return tuple(int.from_bytes(piece, "big", signed=signed) for piece in pieces)


def agrees(decoded: object, plain: object) -> bool:
    """Tell whether a decoded message is what another decoder has made of the same bytes.

    ``plain`` consists of dictionaries, lists, texts and numbers; fields that are not there have
    their defaults.
    """
    if isinstance(decoded, Struct):
        return isinstance(plain, Mapping) and _struct_agrees(decoded, plain)
    if isinstance(decoded, tuple):
        return (
            isinstance(plain, list | tuple)
            and len(decoded) == len(plain)
            and all(agrees(one, other) for one, other in zip(decoded, plain, strict=True))
        )
    if isinstance(decoded, float) and isinstance(plain, int | float):
        # A whole number where a float is wanted means that float.
        return decoded == float(plain) or (math.isnan(decoded) and math.isnan(plain))
    return bool(decoded == plain) and isinstance(decoded, bool) == isinstance(plain, bool)


def _struct_agrees(decoded: Struct, plain: Mapping[object, object]) -> bool:
    config = decoded.__struct_config__
    if config.tag_field is not None and plain.get(config.tag_field) != config.tag:
        return False
    for field in structs.fields(decoded):
        value = getattr(decoded, field.name)
        if field.encode_name in plain:
            if not agrees(value, plain[field.encode_name]):
                return False
        elif not _is_default(value, field):
            return False
    return True


def _is_default(value: object, field: structs.FieldInfo) -> bool:
    if field.default_factory is not NODEFAULT:
        return bool(value == field.default_factory())
    return field.default is not NODEFAULT and _same(value, field.default)


def _same(value: object, default: object) -> bool:
    return value == default or (value != value and default != default)  # noqa: PLR0124 - NaN
