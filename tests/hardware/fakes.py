"""Devices at the level of bytes, scripted by the tests, with time."""

from collections import deque
from collections.abc import Callable

from rover.clock import ManualClock
from rover.config import Config
from rover.errors import DeviceError
from rover.messages import ArmState, OneTarget, WheelTargets
from rover.motion.gate import Gate, PermittedTargets

BYTE_S = 10 / 115200
ACK = b"\xff"


def crc_by_division(data: bytes) -> int:
    """Divide the message by x^16 + x^12 + x^5 + 1, bit by bit; the remainder is its CRC."""
    remainder = 0
    for bit in "".join(f"{byte:08b}" for byte in data) + "0" * 16:
        remainder = remainder << 1 | int(bit)
        if remainder & 0x10000:
            remainder ^= 0x11021
    return remainder


def with_crc(data: bytes, before: bytes = b"") -> bytes:
    return data + crc_by_division(before + data).to_bytes(2, "big")


class ScriptedLine:
    """A serial line whose far end answers as the test says; time passes as on the wire.

    ``data`` maps (address, read command) to the data of its answer; write commands with a good
    checksum are acknowledged, and 14 sets what 15 reads, but for ``stubborn`` units. ``spoil``
    gives the next answer to such a request instead.
    """

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.data: dict[tuple[int, int], bytes] = {}
        self.silent: set[int] = set()
        self.stubborn: set[int] = set()
        # Called with every write command that is acknowledged.
        self.hear: Callable[[bytes], None] = lambda packet: None
        self.gone = False
        self.closed = False
        # A stuck adapter keeps what is written; not every one can be told to forget it.
        self.stuck = False
        self.gives_back = True
        self.kept: deque[bytes] = deque()
        self.written: list[tuple[float, bytes]] = []
        self.delivered: list[tuple[float, bytes]] = []
        self.flushes: list[float] = []
        self._spoilt: dict[tuple[int, int], deque[bytes]] = {}
        self._incoming = b""
        self._arrived_s = 0.0

    def spoil(self, address: int, command: int, *replies: bytes) -> None:
        self._spoilt.setdefault((address, command), deque()).extend(replies)

    def packets(self, address: int | None = None) -> list[bytes]:
        return [data for _, data in self.written if address is None or data[0] == address]

    def write(self, data: bytes) -> None:
        if self.gone:
            raise DeviceError("the port is gone")
        self.written.append((self.clock.now_s(), data))
        if self.stuck:
            self.kept.append(data)
            return
        self._deliver(data)

    def _deliver(self, data: bytes) -> None:
        self.delivered.append((self.clock.now_s(), data))
        self._arrived_s = self.clock.now_s() + len(data) * BYTE_S
        address, command = data[0], data[1]
        if address in self.silent:
            return
        spoilt = self._spoilt.get((address, command))
        if spoilt:
            self._incoming += spoilt.popleft()
        elif len(data) == 2:
            answer = self.data.get((address, command))
            if answer is not None:
                self._incoming += with_crc(answer, data)
        elif with_crc(data[:-2]) == data:
            self._incoming += ACK
            self.hear(data)
            if command == 14 and address not in self.stubborn:
                self.data[address, 15] = data[2:3]

    def read(self, count: int, deadline_s: float) -> bytes:
        if self.gone:
            raise DeviceError("the port is gone")
        got, self._incoming = self._incoming[:count], self._incoming[count:]
        if len(got) < count:
            self.clock.advance_to(deadline_s)
        else:
            self.clock.advance_to(self._arrived_s)
            self.clock.sleep_s(count * BYTE_S)
        return got

    def flush_input(self) -> None:
        self.flushes.append(self.clock.now_s())
        self._incoming = b""

    def discard_output(self) -> int:
        waiting = sum(map(len, self.kept))
        if self.gives_back:
            self.kept.clear()
        return waiting

    def go_on(self) -> None:
        """Be stuck no longer: whatever is kept goes out, one after the other."""
        self.stuck = False
        while self.kept:
            self._deliver(self.kept.popleft())

    def close(self) -> None:
        self.closed = True


class ScriptedI2c:
    """An I2C bus with registers; ``registers`` maps an address to its 256 bytes or words.

    A write sets registers from the first byte on; a read returns them. ``missing`` devices do
    not acknowledge.
    """

    def __init__(self) -> None:
        self.registers: dict[int, dict[int, int]] = {}
        self.missing: set[int] = set()
        self.transfers: list[tuple[int, bytes, int]] = []
        self.closed = False

    def writes(self) -> list[bytes]:
        return [write for _, write, read_count in self.transfers if read_count == 0]

    def transfer(self, address: int, write: bytes, read_count: int) -> bytes:
        self.transfers.append((address, write, read_count))
        if address in self.missing or address not in self.registers:
            raise DeviceError(f"nothing answers at 0x{address:02X}")
        registers = self.registers[address]
        for offset, value in enumerate(write[1:]):
            registers[write[0] + offset] = value
        return bytes(registers.get(write[0] + offset, 0) for offset in range(read_count))

    def close(self) -> None:
        self.closed = True


INA260_ADDRESS = 0x45


class WordBus:
    """An I2C bus with one INA260: big-endian registers of 16 bits."""

    def __init__(self) -> None:
        self.words = {0x00: 0x6127, 0x01: 0, 0x02: 0, 0xFE: 0x5449, 0xFF: 0x2270}
        self.missing = False
        self.closed = False
        self.reads: list[int] = []

    def transfer(self, address: int, write: bytes, read_count: int) -> bytes:
        if self.missing or address != INA260_ADDRESS:
            raise DeviceError(f"nothing answers at 0x{address:02X}")
        if len(write) == 3:
            self.words[write[0]] = int.from_bytes(write[1:], "big")
        if read_count:
            self.reads.append(write[0])
        return self.words[write[0]].to_bytes(2, "big")[:read_count]

    def close(self) -> None:
        self.closed = True


class MemoryLines:
    """GPIO lines in a dictionary; an open input is pulled up."""

    def __init__(self) -> None:
        self.levels: dict[int, bool] = {}
        self.broken = False

    def set_level(self, line: int, high: bool) -> None:
        if self.broken:
            raise DeviceError("the lines are gone")
        self.levels[line] = high

    def level(self, line: int) -> bool:
        if self.broken:
            raise DeviceError("the lines are gone")
        return self.levels.get(line, True)


def permitted_one(config: Config, target: OneTarget, now_s: float = 0.0) -> PermittedTargets:
    """Have the gate permit one wheel's duty, or one servo's angle; fail if it refuses."""
    allowed = Gate(config).permit_one(target, ArmState.MAINTENANCE, now_s)
    assert allowed.refused == ""
    return allowed


def permitted(
    config: Config,
    wheel_rad_s: tuple[float, ...] | None = None,
    steer_rad: tuple[float, ...] | None = None,
    state: ArmState = ArmState.ARMED,
    now_s: float = 0.0,
) -> PermittedTargets:
    """Have the gate permit these targets (all zero if not given) now; fail if it refuses."""
    still = tuple(0.0 for _ in config.wheels)
    targets = WheelTargets(steer_rad or still, wheel_rad_s or still)
    allowed = Gate(config).permit(targets, state, now_s)
    assert allowed.refused == ""
    return allowed
