"""One serial wire with several RoboClaws on it: who hears which byte when.

The wire is half duplex, one byte at a time: bytes that the host writes while another packet
or a reply is on the wire come after it. (On the real TTL pair both directions could overlap;
a host that waits for each reply, as it must, sees no difference.) All times are absolute, so
that no error adds up: a request of n bytes ends n byte times after it was written or after
the wire became free, and its reply starts right there.

Framing is the units' own: a packet begins with an address, its command tells its length, a
gap of more than 10 ms between two of its bytes discards it, and one that is not understood
makes the units deaf until such a gap.
"""

import itertools
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from rover.hardware.bus.framing import ACKNOWLEDGED, BITS_PER_BYTE, CRC_BYTES, crc16
from rover.sim.roboclaw import Roboclaw
from rover.sim.roboclaw_commands import CLASSIC_COMMANDS, commands_of
from rover.sim.roboclaw_format import Command, Read, Write

GAP_S = 0.010
_FIRST_ADDRESS, _LAST_ADDRESS = 0x80, 0x87
_HEADER_BYTES = 2
_MOST_STRAY_BYTES = 4


class Reply(NamedTuple):
    """Bytes on their way to the host, one after the other from ``start_s`` on."""

    start_s: float
    byte_s: float
    data: bytes

    @property
    def end_s(self) -> float:
        """When its last byte is there."""
        return self.start_s + len(self.data) * self.byte_s


class _Packet(NamedTuple):
    address: int
    command: int
    data: bytes


class _Framer:
    """Cuts the host's bytes into packets."""

    def __init__(self, commands: Callable[[int], Mapping[int, Command]]) -> None:
        self._commands = commands
        self._held = b""
        self._length = 0
        self._deaf = False

    @property
    def amid(self) -> bool:
        """Whether a gap now would change anything."""
        return self._deaf or bool(self._held)

    def wants(self, data: bytes) -> int:
        """Return how many bytes of ``data`` to take at once, to stop at a packet's end."""
        if self._deaf:
            return len(data)
        held = len(self._held)
        if held >= _HEADER_BYTES:
            return min(self._length - held, len(data))
        if held == 0 and len(data) > 1 and _FIRST_ADDRESS <= data[0] <= _LAST_ADDRESS:
            return _HEADER_BYTES
        return 1

    def forget(self) -> None:
        """Drop what was begun: the line has been quiet."""
        self._held = b""
        self._deaf = False

    def take(self, data: bytes) -> _Packet | None:
        """Take as many bytes as it ``wants``; return the packet that they complete."""
        if self._deaf:
            return None
        if not self._held and not _FIRST_ADDRESS <= data[0] <= _LAST_ADDRESS:
            return None
        self._held += data
        if len(self._held) < _HEADER_BYTES:
            return None
        address, number = self._held[0], self._held[1]
        if len(self._held) == _HEADER_BYTES:
            command = self._commands(address).get(number)
            if command is None:
                self._held = b""
                self._deaf = True
                return None
            extra = command.data.size + CRC_BYTES if isinstance(command, Write) else 0
            self._length = _HEADER_BYTES + extra
        if len(self._held) < self._length:
            return None
        packet, self._held = self._held, b""
        if self._length == _HEADER_BYTES:
            return _Packet(address, number, b"")
        body, checksum = packet[:-CRC_BYTES], packet[-CRC_BYTES:]
        if crc16(body).to_bytes(CRC_BYTES, "big") != checksum:
            return None
        return _Packet(address, number, body[_HEADER_BYTES:])


class Noise:
    """What happens to bytes on the wire. The same noise at every run.

    ``share`` of all bytes get a bit flipped, and so does the last byte of each of the next
    ``requests`` writes of the host and of the next ``replies``; a part ``stray`` of all replies
    comes with up to four bytes before it that nobody has sent. Raises ValueError.
    """

    def __init__(
        self, share: float = 0.0, requests: int = 0, replies: int = 0, stray: float = 0.0
    ) -> None:
        if not (0.0 <= share <= 1.0 and 0.0 <= stray <= 1.0 and requests >= 0 and replies >= 0):
            raise ValueError(
                "noise: allowed are a share and a part stray of 0 to 1, and counts from 0 up"
            )
        self._share = share
        self._requests = requests
        self._replies = replies
        self._stray = stray
        self._random = random.Random(1)  # noqa: S311 - noise, not a secret

    def on_request(self, data: bytes) -> bytes:
        """Return what the units hear of ``data``."""
        if self._requests and data:
            self._requests -= 1
            data = _last_byte_flipped(data)
        return self._sprinkled(data)

    def on_reply(self, data: bytes) -> bytes:
        """Return what the host hears of ``data``."""
        if self._replies and data:
            self._replies -= 1
            data = _last_byte_flipped(data)
        if self._stray and self._random.random() < self._stray:
            data = self._random.randbytes(self._random.randint(1, _MOST_STRAY_BYTES)) + data
        return self._sprinkled(data)

    def _sprinkled(self, data: bytes) -> bytes:
        if self._share == 0.0:
            return data
        chance = self._random
        return bytes(
            byte ^ (1 << chance.randrange(8)) if chance.random() < self._share else byte
            for byte in data
        )


class RoboclawBus:
    """The wire, its units, and the time it takes.

    ``elapse`` brings everything else to a time; it is called before a unit acts. ``paced``
    False makes the wire infinitely fast. ``usb`` makes it a unit's own USB port, over which it
    answers to every address, at any rate and in any control mode (manual).
    """

    def __init__(
        self,
        units: Sequence[Roboclaw],
        host_baud: int,
        elapse: Callable[[float], None],
        *,
        paced: bool = True,
        usb: bool = False,
    ) -> None:
        self.units = tuple(units)
        self._usb = usb
        self.replies: deque[Reply] = deque()
        self.silent: set[Roboclaw] = set()
        # Units that stick in the midst of a reply, and after how many bytes.
        self.sticking: dict[Roboclaw, int] = {}
        # Whether the host's cable has been pulled.
        self.cut = False
        self.noise = Noise()
        self._elapse = elapse
        self._paced = paced
        self._framer = _Framer(self._commands_at)
        self._written: deque[tuple[float, bytes]] = deque()
        self._free_s = self._heard_s = float("-inf")
        self._host_baud = host_baud
        self._byte_s = 0.0
        self.set_host_baud(host_baud)

    def set_host_baud(self, baud: int) -> None:
        """Let the host talk at ``baud``; units set to another rate do not understand it."""
        self._host_baud = baud
        self._byte_s = BITS_PER_BYTE / baud if self._paced else 0.0

    def write(self, data: bytes, now_s: float) -> None:
        """Take bytes that the host writes at ``now_s``."""
        if data and not self.cut:
            self._written.append((now_s, self.noise.on_request(data)))

    def next_event_s(self) -> float | None:
        """Return when the next of the host's bytes will have been heard; None if none is due."""
        if not self._written:
            return None
        written_s, data = self._written[0]
        start_s = max(written_s, self._free_s)
        return start_s + self._wanted(data, start_s) * self._byte_s

    def run_to(self, time_s: float) -> None:
        """Let the units hear and answer everything that ends by ``time_s``."""
        while self._written:
            written_s, data = self._written[0]
            start_s = max(written_s, self._free_s)
            count = self._wanted(data, start_s)
            end_s = start_s + count * self._byte_s
            if end_s > time_s:
                return
            if self._quiet_until(start_s):
                self._framer.forget()
            if count < len(data):
                self._written[0] = (written_s, data[count:])
            else:
                self._written.popleft()
            self._free_s = self._heard_s = end_s
            packet = self._framer.take(data[:count])
            if packet is not None:
                self._hear(packet, end_s)

    def arrival_s(self, count: int) -> float | None:
        """Return when the host will have ``count`` bytes of the replies known so far."""
        for reply in self.replies:
            if count <= len(reply.data):
                return reply.start_s + count * reply.byte_s
            count -= len(reply.data)
        return None

    def take(self, count: int, now_s: float) -> bytes:
        """Return and remove up to ``count`` bytes that have reached the host by ``now_s``."""
        taken = b""
        while self.replies and len(taken) < count:
            reply = self.replies[0]
            size = len(reply.data)
            there = size if now_s >= reply.end_s else _arrived(reply, now_s)
            part = min(there, count - len(taken))
            taken += reply.data[:part]
            if part < size:
                if part:
                    rest_s = reply.start_s + part * reply.byte_s
                    self.replies[0] = Reply(rest_s, reply.byte_s, reply.data[part:])
                break
            self.replies.popleft()
        return taken

    def discard_received(self, now_s: float) -> None:
        """Throw away what has reached the host by ``now_s`` and was not read."""
        self.take(1 << 30, now_s)

    def _commands_at(self, address: int) -> Mapping[int, Command]:
        for unit in self.units:
            if self._usb or unit.settings.address == address:
                return commands_of(unit)
        return CLASSIC_COMMANDS

    def _quiet_until(self, start_s: float) -> bool:
        return self._framer.amid and start_s - self._heard_s > GAP_S

    def _wanted(self, data: bytes, start_s: float) -> int:
        return 1 if self._quiet_until(start_s) else self._framer.wants(data)

    def _hear(self, packet: _Packet, now_s: float) -> None:
        self._elapse(now_s)
        answers = [
            self._answer(unit, packet, now_s)
            for unit in self.units
            if unit not in self.silent and self._reaches(unit, packet.address)
        ]
        data = _collided([answer for answer in answers if answer])
        if self.cut or not data:
            return
        reply = Reply(now_s, self._byte_s, self.noise.on_reply(data))
        self._free_s = reply.end_s
        self.replies.append(reply)

    def _reaches(self, unit: Roboclaw, address: int) -> bool:
        settings = unit.settings
        return self._usb or (
            settings.packet_serial
            and settings.address == address
            and settings.baud == self._host_baud
        )

    def _answer(self, unit: Roboclaw, packet: _Packet, now_s: float) -> bytes:
        """Let ``unit`` do what it is told; return what it puts on the wire, perhaps nothing."""
        command = commands_of(unit)[packet.command]
        unit.heard(now_s)
        if isinstance(command, Read):
            data = command.reply(unit)
            checksum = crc16(data, crc16(bytes((packet.address, packet.command))))
            data += checksum.to_bytes(CRC_BYTES, "big")
        elif command.act(unit, command.data.unpack(packet.data)):
            data = ACKNOWLEDGED
        else:
            return b""
        return data[: self.sticking.get(unit, len(data))]


def _collided(answers: Sequence[bytes]) -> bytes:
    """Return what the host hears of units of one address that all answer at once.

    Whoever pulls the wire low wins, and no two are alike to the bit time: each further one is
    taken to be a bit late.
    """
    heard = answers[0] if answers else b""
    for late in answers[1:]:
        shifted = (int.from_bytes(late, "big") >> 1).to_bytes(len(late), "big")
        heard = bytes(a & b for a, b in itertools.zip_longest(heard, shifted, fillvalue=0xFF))
    return heard


def _arrived(reply: Reply, now_s: float) -> int:
    """Return how many bytes of ``reply`` are there at ``now_s``, before its end."""
    if now_s < reply.start_s or reply.byte_s == 0.0:
        return 0
    # A byte counts once its time is reached, whatever the division rounds to.
    count = int((now_s - reply.start_s) / reply.byte_s)
    return count + 1 if reply.start_s + (count + 1) * reply.byte_s <= now_s else count


def _last_byte_flipped(data: bytes) -> bytes:
    return data[:-1] + bytes((data[-1] ^ 0x10,))
