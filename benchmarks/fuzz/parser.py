"""Replies of a RoboClaw, fuzzed: the driver's framing and its bus, on a line that says anything."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from benchmarks.fuzz.independent import integers, is_sealed, sealed
from benchmarks.fuzz.target import Family, Target, require
from rover.clock import ManualClock
from rover.errors import BadReplyError, DeviceTimeoutError
from rover.hardware.bus import framing
from rover.hardware.roboclaw_bus import QUIET_AFTER_ERROR_S, RoboclawBus
from rover.hardware.roboclaw_status import decode_status

_T = TypeVar("_T")

_ADDRESS = 0x80
_BAUD = 115200
_MARGIN_S = 0.01
_CRC_BYTES = 2
_HEADER_BYTES = 2
_MAX_VERSION_BYTES = 48
_VERSION_END = b"\n\x00"
# What the second byte of an input does to the reply behind it.
_SEAL, _SPOIL, _OF_ANOTHER = 1, 2, 4
_NARROW_BYTES = 2
# The bit of a wide status that says nothing but that the unit has just come up.
_BOOT = 1 << 29


class _Line:
    """A serial line that answers each request by what has been laid ready."""

    def __init__(self, clock: ManualClock) -> None:
        self.ready = b""
        self.written_s = 0.0
        # When the last byte of the request went out, if nothing has come back since.
        self.silent_since_s: float | None = None
        self._incoming = b""
        self._clock = clock

    def write(self, data: bytes) -> None:
        self.written_s = self._clock.now_s()
        self.silent_since_s = self.written_s + framing.wire_time_s(len(data), _BAUD)
        self._incoming += self.ready
        self.ready = b""

    def read(self, count: int, deadline_s: float) -> bytes:
        got, self._incoming = self._incoming[:count], self._incoming[count:]
        if got:
            self.silent_since_s = None
        if len(got) < count:
            self._clock.advance_to(deadline_s)
        return got

    def flush_input(self) -> None:
        self._incoming = b""

    def discard_output(self) -> int:
        return 0

    def close(self) -> None:
        pass


class _Reading(NamedTuple):
    """A read command, the driver's unpacking of its data, and what the data says."""

    command: int
    size: int
    unpack: Callable[[bytes], object]
    meaning: Callable[[bytes], object]


def _pair(width: int, *, signed: bool) -> Callable[[bytes], object]:
    return lambda data: integers(data, width, signed=signed)


_READINGS = (
    _Reading(15, 1, framing.unpack_u8, lambda data: data[0]),
    _Reading(24, 2, framing.unpack_u16, lambda data: data[0] * 256 + data[1]),
    _Reading(49, 4, framing.unpack_s16_pair, _pair(2, signed=True)),
    _Reading(78, 8, framing.unpack_u32_pair, _pair(4, signed=False)),
    _Reading(79, 8, framing.unpack_s32_pair, _pair(4, signed=True)),
)
_VERSION, _STATUS, _WRITE = 21, 90, 14
# The last reading is the one that must work again after whatever went wrong.
_AFTERWARDS = _READINGS[3]
_AFTERWARDS_DATA = bytes.fromhex("00000102 fffffffe")


class _Bench:
    """One bus with its line, and the exchanges that can be made on it.

    Each tells whether the reply was accepted, after holding that against what must be.
    """

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.line = _Line(self.clock)
        self.bus = RoboclawBus(self.line, _BAUD, _MARGIN_S, self.clock)

    def read(self, reading: _Reading, flags: int, body: bytes) -> bool:
        request = bytes((_ADDRESS, reading.command))
        reply = _reply(request, flags, body[: reading.size].ljust(reading.size, b"\0"), body)
        data = self._expect(
            lambda: self.bus.read(request, reading.size), request, reply, reading.size
        )
        if data is None:
            return False
        require(reading.unpack(data) == reading.meaning(data), "a number is what its bytes say")
        return True

    def acknowledge(self, reply: bytes) -> bool:
        packet = framing.write_packet(_ADDRESS, _WRITE, b"\x03")
        require(sealed(b"", packet[:-_CRC_BYTES]) == packet, "a packet carries its checksum")
        self.line.ready = reply
        accepted = _accepted(lambda: self._send(packet), timed_out=not reply) is not None
        require(accepted == (reply[:1] == b"\xff"), "0xFF alone acknowledges")
        return accepted

    def _send(self, packet: bytes) -> bytes:
        self.bus.send(packet)
        return packet

    def version(self, flags: int, body: bytes) -> bool:
        request = bytes((_ADDRESS, _VERSION))
        reply = _reply(request, flags, body[:40].replace(b"\0", b"") + _VERSION_END, body)
        self.line.ready = reply
        end = reply.find(_VERSION_END) + len(_VERSION_END)
        whole = len(_VERSION_END) <= end <= _MAX_VERSION_BYTES
        too_short = end + _CRC_BYTES > len(reply) if whole else len(reply) <= _MAX_VERSION_BYTES
        text = _accepted(lambda: self.bus.read_version(_ADDRESS), timed_out=too_short)
        right = whole and not too_short and is_sealed(request, reply[: end + _CRC_BYTES])
        require((text is not None) == right, "a version is accepted by its checksum alone")
        require(text is None or text.isascii() or "\ufffd" in text, "a version is text")
        return text is not None

    def status(self, flags: int, body: bytes, width: int | None) -> bool:
        request = bytes((_ADDRESS, _STATUS))
        size = width or (2, 4)[flags >> 3 & 1]
        reply = _reply(request, flags, body[:size].ljust(size, b"\0"), body)
        if width is None:
            got = reply[: 4 + _CRC_BYTES]
            self.line.ready = reply
            whole = len(got) in {2 + _CRC_BYTES, 4 + _CRC_BYTES}
            word = _accepted(lambda: self.bus.read_status(_ADDRESS, None), timed_out=not whole)
            right = whole and is_sealed(request, got)
            require((word is not None) == right, "a status is accepted by its checksum alone")
            require(word is None or word == got[:-_CRC_BYTES], "a status is what was sent")
        else:
            word = self._expect(
                lambda: self.bus.read_status(_ADDRESS, width), request, reply, width
            )
        if word is None:
            return False
        decoded = decode_status(word)
        lists = (decoded.errors, decoded.cautions, decoded.warnings)
        bits = int.from_bytes(word, "big")
        if len(word) > _NARROW_BYTES:
            bits &= ~_BOOT
        # Of error and warning of one name each has a bit of its own.
        named = sum(len(set(names)) for names in lists)
        require(named == sum(map(len, lists)) == bits.bit_count(), "every bit has one name")
        return True

    def works_again(self, failed_s: float | None) -> None:
        """See that the bus reads a good reply, after its silence if the last one was not."""
        request = bytes((_ADDRESS, _AFTERWARDS.command))
        self.line.ready = sealed(request, _AFTERWARDS_DATA)
        since_s = failed_s if self.line.silent_since_s is None else self.line.silent_since_s
        if failed_s is None:
            # What a reply had too much was never asked for; the next request clears nothing.
            self.line.flush_input()
        data = self.bus.read(request, _AFTERWARDS.size)
        require(data == _AFTERWARDS_DATA, "after a failure the next reply is read whole")
        quiet_s = QUIET_AFTER_ERROR_S if failed_s is not None else 0.0
        waited_s = self.line.written_s - (since_s or 0.0)
        require(waited_s >= quiet_s - 1e-9, "the bus is quiet for 10 ms after a failure")

    def _expect(
        self, read: Callable[[], bytes], request: bytes, reply: bytes, count: int
    ) -> bytes | None:
        """Read ``count`` bytes of data, as the checksum allows; None if that was refused."""
        self.line.ready = reply
        got = reply[: count + _CRC_BYTES]
        short = len(got) < count + _CRC_BYTES
        data = _accepted(read, timed_out=short)
        right = not short and is_sealed(request, got)
        require((data is not None) == right, "a reply is accepted by its checksum alone")
        require(data is None or data == got[:-_CRC_BYTES], "data is what was sent")
        return data


def _reply(request: bytes, flags: int, data: bytes, body: bytes) -> bytes:
    """Return ``data`` with a checksum that is right or nearly so, or the ``body`` as it is."""
    if not flags & _SEAL:
        return body
    reply = sealed(bytes((request[0] ^ 1, request[1])) if flags & _OF_ANOTHER else request, data)
    if flags & _SPOIL:
        reply = reply[:-1] + bytes((reply[-1] ^ 1 << (flags >> 4 & 7),))
    return reply


def _accepted(exchange: Callable[[], _T], *, timed_out: bool) -> _T | None:
    """Return what the exchange gives; None if it was refused in one of the two ways it may be."""
    try:
        return exchange()
    except DeviceTimeoutError:
        require(timed_out, "only what is too short is late")
    except BadReplyError:
        require(not timed_out, "what is too short is late, not bad")
    return None


_STATUS_WIDTHS = (None, 2, 4)
_ACKNOWLEDGE = len(_READINGS)
_READ_VERSION = _ACKNOWLEDGE + 1
_READ_STATUS = _READ_VERSION + 1
_KINDS = _READ_STATUS + len(_STATUS_WIDTHS)


def _replies(data: bytes) -> bool:
    """Make one exchange, and a good one after it.

    The first byte says which, the second what is done to the reply, which is the rest.
    """
    if len(data) < _HEADER_BYTES:
        return False
    kind, flags, body = data[0] % _KINDS, data[1], data[_HEADER_BYTES:]
    bench = _Bench()
    if kind < len(_READINGS):
        accepted = bench.read(_READINGS[kind], flags, body)
    elif kind == _ACKNOWLEDGE:
        accepted = bench.acknowledge(body)
    elif kind == _READ_VERSION:
        accepted = bench.version(flags, body)
    else:
        accepted = bench.status(flags, body, _STATUS_WIDTHS[kind - _READ_STATUS])
    bench.works_again(None if accepted else bench.clock.now_s())
    return accepted


def _checksums(data: bytes) -> bool:
    """Hold check_reply alone against its rule: any request, a reply of any length."""
    if len(data) < _HEADER_BYTES:
        return False
    request, reply = data[:_HEADER_BYTES], data[_HEADER_BYTES:]
    try:
        got = framing.check_reply(request, reply)
    except BadReplyError:
        require(not is_sealed(request, reply), "what is refused has no right checksum")
        return False
    require(is_sealed(request, reply), "what is accepted has its right checksum")
    require(got == reply[:-_CRC_BYTES], "data is what was sent")
    return True


_BODIES = {
    _ACKNOWLEDGE: b"\xff",
    _READ_VERSION: b"RoboClaw 2x15a v4.2.4\n\x00",
    _READ_STATUS: bytes.fromhex("20003000"),
}

TARGETS = (
    Target(
        "replies on the bus",
        Family.PARSER,
        _replies,
        tuple(
            bytes((kind, flags)) + _BODIES.get(kind, _AFTERWARDS_DATA)
            for kind in range(_KINDS)
            for flags in (0, _SEAL, _SEAL | 8, _SEAL | _SPOIL, _SEAL | _OF_ANOTHER)
        ),
        (b"\xff", _VERSION_END, *(bytes((kind, _SEAL)) for kind in range(_KINDS))),
        weight=1.0,
    ),
    Target(
        "checksums",
        Family.PARSER,
        _checksums,
        tuple(
            bytes((_ADDRESS, command)) + sealed(bytes((_ADDRESS, command)), data)
            for command, data in ((24, b"\x00\x94"), (78, _AFTERWARDS_DATA), (90, b"\0" * 4))
        ),
        weight=0.5,
    ),
)
