"""A whole bus, fuzzed from both ends: the drive and the simulated units hear anything."""

import functools
import math
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.drives import targets_of
from benchmarks.fuzz.independent import crc16, integers, is_sealed, sealed
from benchmarks.fuzz.target import Family, Target, require
from rover.clock import ManualClock
from rover.errors import DeviceError
from rover.hardware.bus.framing import ACKNOWLEDGED, read_request, write_packet
from rover.hardware.roboclaw import RoboclawDrive
from rover.sim.memory import SimulatedRover
from rover.sim.roboclaw_commands import CLASSIC_COMMANDS
from rover.sim.roboclaw_format import Read, Write
from tests.builders import osr_config

_CONFIG = osr_config()
_ADDRESSES = (0x80, 0x81, 0x82)
_REQUEST_BYTES = 2
_BATTERY, _CURRENTS, _VERSION, _SET_TIMEOUT = 24, 49, 21, 14
_TICKS = 4
_TICK_S = 0.01
# Three bytes before each piece of an input: what is done to it, when, and how long it is.
_HEADER_BYTES = 3
_LONGEST_MS = 25
# More would only take longer.
_MOST_PIECES = 8
_SEAL, _GAP = 1, 2

# What a controller in order says, by command.
_IN_ORDER = {
    15: b"\x03",
    _VERSION: b"RoboClaw 2x15a v4.2.4\n\x00",
    _BATTERY: b"\x00\x94",
    _CURRENTS: bytes.fromhex("0064 ff9c"),
    78: bytes(8),
    79: bytes(8),
    82: b"\x01\x2c",
    90: bytes(4),
}


class _Piece(NamedTuple):
    flags: int
    after: int
    data: bytes


def _pieces(data: bytes) -> Iterator[_Piece]:
    for _ in range(_MOST_PIECES):
        if len(data) < _HEADER_BYTES:
            return
        flags, after, size = data[:_HEADER_BYTES]
        data = data[_HEADER_BYTES:]
        yield _Piece(flags, after, data[:size])
        data = data[size:]


@functools.cache
def _in_order(request: bytes) -> bytes:
    return sealed(request, _IN_ORDER[request[1]])


class _Line:
    """A line to controllers in order, but that some replies are others than they gave.

    ``told`` keeps the data of all replies that came in whole and with the right checksum.
    """

    def __init__(self, clock: ManualClock, pieces: Iterator[_Piece]) -> None:
        self.told: dict[bytes, set[bytes]] = {}
        self._clock = clock
        self._pieces = deque(pieces)
        self._left = self._pieces[0].after if self._pieces else 0
        self._request = b""
        self._incoming = b""

    def write(self, data: bytes) -> None:
        self._request = data
        if not self._pieces or self._left:
            self._left -= 1
            reads = len(data) == _REQUEST_BYTES
            self._incoming += _in_order(data) if reads else ACKNOWLEDGED
            return
        piece = self._pieces.popleft()
        self._left = self._pieces[0].after if self._pieces else 0
        self._incoming += sealed(data, piece.data) if piece.flags & _SEAL else piece.data

    def read(self, count: int, deadline_s: float) -> bytes:
        got, self._incoming = self._incoming[:count], self._incoming[count:]
        if len(got) < count:
            self._clock.advance_to(deadline_s)
        elif is_sealed(self._request, got):
            self.told.setdefault(self._request, set()).add(got[:-2])
        return got

    def flush_input(self) -> None:
        self._incoming = b""

    def discard_output(self) -> int:
        return 0

    def close(self) -> None:
        pass


def _drive(data: bytes) -> bool:
    """Start a drive and let it tick; each piece is the reply to a request ``after`` the last."""
    clock = ManualClock()
    line = _Line(clock, _pieces(data))
    drive = RoboclawDrive(_CONFIG, clock, lambda: line)
    targets = targets_of(_CONFIG, 0.5)
    started = True
    try:
        drive.start()
    except DeviceError:
        started = False
    for _ in range(_TICKS):
        clock.sleep_s(_TICK_S)
        drive.command(targets)
        drive.poll()
        _hold_readings(drive, line)
    ready = started and all(device.ready for device in drive.health())
    drive.close()
    return ready


def _hold_readings(drive: RoboclawDrive, line: _Line) -> None:
    currents = {
        value * 0.01
        for address in _ADDRESSES
        for told in line.told.get(read_request(address, _CURRENTS), ())
        for value in integers(told, 2, signed=True)
    }
    volts = {
        int.from_bytes(told, "big") * 0.1
        for address in _ADDRESSES
        for told in line.told.get(read_request(address, _BATTERY), ())
    }
    for wheel in drive.feedback().wheels:
        require(wheel.current_a is None or wheel.current_a in currents, "a current was told so")
        for value in (wheel.position_rad, wheel.speed_rad_s):
            require(value is None or math.isfinite(value), "a wheel's reading is finite")
    power = drive.power()
    require(power is None or power.voltage_v in volts, "a voltage was told so")


def _units(data: bytes) -> bool:
    """Let the simulated units hear each piece, and hold every reply against the commands heard."""
    clock = ManualClock()
    rover = SimulatedRover(_CONFIG, clock)
    bus = rover.devices.bus
    replies = []
    for piece in _pieces(data):
        if piece.flags & _GAP:
            clock.sleep_s(0.05)
        sent = piece.data
        if piece.flags & _SEAL:
            sent += crc16(sent).to_bytes(2, "big")
        bus.write(sent, clock.now_s())
        clock.sleep_s(piece.after % _LONGEST_MS * 1e-3)
        rover.truth()
        replies += [reply.data for reply in bus.replies]
        bus.replies.clear()
    truth = rover.truth()
    numbers = [truth.battery_v, truth.battery_a, truth.pose.x_m, truth.pose.y_m]
    numbers += [wheel.speed_rad_s for wheel in truth.wheels]
    require(all(map(math.isfinite, numbers)), "the simulated rover's state is finite")
    for reply in replies:
        require(reply == ACKNOWLEDGED or _is_some_reply(reply), "a reply carries its checksum")
    return bool(replies)


def _is_some_reply(reply: bytes) -> bool:
    """Tell whether ``reply`` carries the checksum of one to some read command of some unit."""
    data, checksum = reply[:-2], int.from_bytes(reply[-2:], "big")
    return any(crc16(data, begun) == checksum for begun in _BEGUN.get(len(data), ()))


def _begun() -> dict[int, set[int]]:
    """Return the checksums of all requests that are answered by so many bytes."""
    rover = SimulatedRover(_CONFIG, ManualClock())
    begun: dict[int, set[int]] = {}
    for unit, address in zip(rover.devices.bus.units, _ADDRESSES, strict=True):
        for number, command in CLASSIC_COMMANDS.items():
            if isinstance(command, Read):
                size = len(command.reply(unit))
                begun.setdefault(size, set()).add(crc16(read_request(address, number)))
    return begun


_BEGUN = _begun()


def _piece(flags: int, after: int, data: bytes) -> bytes:
    return bytes((flags, after, len(data))) + data


def _spoilt_starts() -> tuple[bytes, ...]:
    """Return inputs of one piece: each of the first replies, right and with other data."""
    whole = (*_IN_ORDER.values(), ACKNOWLEDGED)
    return tuple(
        _piece(flags, after, data) for after, data in enumerate(whole) for flags in (0, _SEAL)
    ) + tuple(_piece(_SEAL, 21 + after, bytes.fromhex("ffffff00 00001000")) for after in range(9))


def _packets() -> tuple[bytes, ...]:
    """Return inputs of one packet for every command of the simulated units."""
    packets = [_piece(0, 20, write_packet(0x82, _SET_TIMEOUT, b"\x03"))]
    for number, command in CLASSIC_COMMANDS.items():
        if isinstance(command, Write):
            values = bytes(range(1, command.data.size + 1))
            packets.append(_piece(_SEAL | _GAP, 20, bytes((0x80, number)) + values))
        else:
            packets.append(_piece(_GAP, 20, bytes((0x81, number))))
    return tuple(packets)


TARGETS = (
    Target(
        "the whole drive",
        Family.PARSER,
        _drive,
        _spoilt_starts(),
        (b"\x00\x00\x01\xff", b"\x01\x00\x08", b"\x01\x01\x04", b"\n\x00"),
        weight=0.2,
    ),
    Target(
        "simulated units",
        Family.PARSER,
        _units,
        _packets(),
        tuple(bytes((address, number)) for address in (0x80, 0x83, 0x87) for number in range(32)),
        weight=0.2,
    ),
)
