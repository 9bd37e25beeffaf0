"""RoboClaw packet serial as bytes: packets, checksums and the integers in them. Pure.

A write command is ``[address][command][data][crc]``, acknowledged by the single byte 0xFF; a
read command is ``[address][command]``, answered by ``[data][crc]``. Integers and checksums are
big-endian; the checksum of a reply starts with the two bytes that were sent.
"""

import binascii
import struct

from rover.errors import BadReplyError

# The one byte that acknowledges a write command; anything else does not.
ACKNOWLEDGED = b"\xff"
CRC_BYTES = 2
# Bits on the wire for a byte: a start bit, eight of data, a stop bit.
BITS_PER_BYTE = 10

_U8 = struct.Struct(">B")
_U16 = struct.Struct(">H")
_U32_PAIR = struct.Struct(">II")
_S16_PAIR = struct.Struct(">hh")
_S32_PAIR = struct.Struct(">ii")

_S32_MAX = 0x7FFFFFFF


def crc16(data: bytes, crc: int = 0) -> int:
    """Return the CRC-16 of ``data``, going on from ``crc``.

    Polynomial 0x1021, initial value 0, most significant bit first, no reflection, no final xor
    (CRC-16/XMODEM: "123456789" gives 0x31C3). The table lookup is the standard library's.
    """
    return binascii.crc_hqx(data, crc)


def write_packet(address: int, command: int, payload: bytes = b"") -> bytes:
    """Return a whole write command, checksum included; send it in one write."""
    body = bytes((address, command)) + payload
    return body + crc16(body).to_bytes(CRC_BYTES, "big")


def read_request(address: int, command: int) -> bytes:
    """Return a read command, which carries no checksum."""
    return bytes((address, command))


def check_reply(request: bytes, reply: bytes) -> bytes:
    """Return the data of ``reply`` to ``request``, its checksum verified and taken off.

    Raises BadReplyError, naming both checksums, if they differ or the reply is too short.
    """
    if len(reply) < CRC_BYTES:
        raise BadReplyError(f"a reply of {len(reply)} bytes to {request.hex(' ')}: too short")
    # Without a final xor, the checksum of a message with its own checksum behind it is zero.
    if binascii.crc_hqx(reply, binascii.crc_hqx(request, 0)):
        data = reply[:-CRC_BYTES]
        got = int.from_bytes(reply[-CRC_BYTES:], "big")
        raise BadReplyError(
            f"checksum 0x{got:04X} in the reply to {request.hex(' ')}, "
            f"0x{crc16(request + data):04X} expected"
        )
    return reply[:-CRC_BYTES]


def wire_time_s(count: int, baud: int) -> float:
    """Return how long ``count`` bytes take on the wire (8N1)."""
    return count * BITS_PER_BYTE / baud


def pack_u8(value: int) -> bytes:
    """Pack an unsigned byte. Raises struct.error if it does not fit."""
    return _U8.pack(value)


def pack_s16_pair(first: int, second: int) -> bytes:
    """Pack two duties. Raises struct.error if one does not fit."""
    return _S16_PAIR.pack(first, second)


def pack_s32_pair(first: int, second: int) -> bytes:
    """Pack two speeds, each bounded to what 32 bits hold."""
    return _S32_PAIR.pack(
        max(-_S32_MAX, min(_S32_MAX, first)), max(-_S32_MAX, min(_S32_MAX, second))
    )


def unpack_u8(data: bytes) -> int:
    """Unpack an unsigned byte."""
    return data[0]


def unpack_u16(data: bytes) -> int:
    """Unpack an unsigned 16-bit integer."""
    return int(_U16.unpack(data)[0])


def unpack_u32_pair(data: bytes) -> tuple[int, int]:
    """Unpack both encoder counts (command 78)."""
    first, second = _U32_PAIR.unpack(data)
    return first, second


def unpack_s16_pair(data: bytes) -> tuple[int, int]:
    """Unpack both currents (command 49)."""
    first, second = _S16_PAIR.unpack(data)
    return first, second


def unpack_s32_pair(data: bytes) -> tuple[int, int]:
    """Unpack both speeds (command 79)."""
    first, second = _S32_PAIR.unpack(data)
    return first, second


def count_difference(new: int, old: int) -> int:
    """Return how far an unsigned 32-bit counter went from ``old`` to ``new``, by the shorter way.

    A counter below zero wraps to the top and one above the top to zero; the sign tells which
    way it went.
    """
    return ((new - old + 0x80000000) & 0xFFFFFFFF) - 0x80000000
