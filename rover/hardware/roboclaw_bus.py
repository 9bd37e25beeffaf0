"""Transactions on a bus of RoboClaws: a request, its reply, a deadline."""

from rover.clock import Clock
from rover.errors import BadReplyError, DeviceTimeoutError
from rover.hardware.bus import framing
from rover.hardware.bus.serial_line import SerialLine

# A controller throws away a packet with a gap of 10 ms in it: after so long a silence, whatever
# an error has left behind, the next byte begins a new packet.
QUIET_AFTER_ERROR_S = 0.010

_READ_VERSION = 21
_READ_STATUS = 90
_MAX_VERSION_BYTES = 48
_VERSION_END = b"\n\x00"
_NARROW_STATUS_BYTES = 2
_WIDE_STATUS_BYTES = 4


class RoboclawBus:
    """Request and reply, one at a time, on a line that all controllers share.

    Methods raise DeviceTimeoutError if the reply does not come in time, BadReplyError if it
    cannot be trusted, and any other DeviceError if the line itself is gone. After either of the
    first two, the next request waits until the bus has been quiet for 10 ms and what has come in
    meanwhile is thrown away; where nothing came back, those have passed by the deadline. Nothing
    is retried here.

    No request outlives its deadline in the port: what has not left by then is taken back. A stuck
    adapter that does not give it back gets nothing more until it is empty, but for the ``undo`` of
    a command, once and at once: whenever it goes on, that follows on the command's heels.
    """

    def __init__(self, line: SerialLine, baud: int, reply_margin_s: float, clock: Clock) -> None:
        self._line = line
        self._clock = clock
        self._margin_s = reply_margin_s
        self._byte_s = framing.wire_time_s(1, baud)
        self._quiet_until_s: float | None = None
        # Whether something had not left the port by its deadline, and may still be there.
        self._stuck = False
        # When the last request had arrived at its controller: the time of what it read.
        self.arrived_s = 0.0

    def send(self, packet: bytes, undo: bytes = b"") -> None:
        """Send a write command and see it acknowledged.

        ``undo`` is what may follow if the port keeps the command for later.
        """
        deadline_s = self._ask(packet, len(framing.ACKNOWLEDGED))
        reply = self._line.read(len(framing.ACKNOWLEDGED), deadline_s)
        if not reply:
            error = self._late(packet, reply)
            if undo and self._stuck and self._line.discard_output():
                self._line.write(undo)
            raise error
        if reply != framing.ACKNOWLEDGED:
            raise self._spoilt(f"0x{reply.hex()} instead of 0xFF acknowledges {packet.hex(' ')}")

    def read(self, request: bytes, count: int) -> bytes:
        """Send a read command and return its ``count`` bytes of data."""
        return self._checked(request, self._exchange(request, count + framing.CRC_BYTES))

    def read_version(self, address: int) -> str:
        """Return the firmware version, for example "RoboClaw 2x15a v4.2.4"."""
        request = framing.read_request(address, _READ_VERSION)
        deadline_s = self._ask(request, _MAX_VERSION_BYTES + framing.CRC_BYTES)
        reply = b""
        # Its length is known only by its end: a line feed and a zero, then the checksum.
        while not reply.endswith(_VERSION_END):
            byte = self._line.read(1, deadline_s)
            if not byte:
                raise self._late(request, reply)
            reply += byte
            if len(reply) > _MAX_VERSION_BYTES:
                raise self._spoilt(f"a version of more than {_MAX_VERSION_BYTES} bytes")
        checksum = self._line.read(framing.CRC_BYTES, deadline_s)
        if len(checksum) < framing.CRC_BYTES:
            raise self._late(request, reply + checksum)
        version = self._checked(request, reply + checksum)
        return version.removesuffix(_VERSION_END).decode("ascii", "replace").strip()

    def read_status(self, address: int, width: int | None) -> bytes:
        """Return the status word, of ``width`` bytes if that is known already, else 2 or 4.

        To find out the width costs a controller of 16 bits the whole reply margin.
        """
        request = framing.read_request(address, _READ_STATUS)
        if width is not None:
            return self.read(request, width)
        return self.read_one_of(request, (_NARROW_STATUS_BYTES, _WIDE_STATUS_BYTES))

    def read_one_of(self, request: bytes, counts: tuple[int, ...]) -> bytes:
        """Send a read command whose data is as long as one of ``counts``, and return it.

        Firmwares differ in that; a shorter answer costs the whole reply margin.
        """
        longest = max(counts) + framing.CRC_BYTES
        reply = self._line.read(longest, self._ask(request, longest))
        if len(reply) - framing.CRC_BYTES not in counts:
            raise self._late(request, reply)
        return self._checked(request, reply)

    def close(self) -> None:
        """Let go of the line."""
        self._line.close()

    def _exchange(self, request: bytes, reply_bytes: int) -> bytes:
        reply = self._line.read(reply_bytes, self._ask(request, reply_bytes))
        if len(reply) != reply_bytes:
            raise self._late(request, reply)
        return reply

    def _ask(self, request: bytes, reply_bytes: int) -> float:
        """Send ``request`` and return the deadline of its reply."""
        if self._quiet_until_s is not None:
            self._settle(self._quiet_until_s)
        try:
            self._line.write(request)
        except DeviceTimeoutError:
            # A part of it may be in the port.
            self._be_quiet()
            raise
        self.arrived_s = self._clock.now_s() + len(request) * self._byte_s
        return self.arrived_s + reply_bytes * self._byte_s + self._margin_s

    def _settle(self, quiet_until_s: float) -> None:
        self._clock.sleep_s(quiet_until_s - self._clock.now_s())
        self._line.flush_input()
        waiting = self._line.discard_output() if self._stuck else 0
        if waiting:
            raise DeviceTimeoutError(
                f"{waiting} bytes that were sent before are stuck in the port: look for flow "
                "control or a stuck USB adapter"
            )
        self._stuck = False
        self._quiet_until_s = None

    def _checked(self, request: bytes, reply: bytes) -> bytes:
        try:
            return framing.check_reply(request, reply)
        except BadReplyError:
            self._be_quiet()
            raise

    def _late(self, request: bytes, reply: bytes) -> DeviceTimeoutError:
        self._be_quiet()
        if not reply and not self._stuck:
            # The bus has been quiet ever since the request, and that was most of the time.
            self._quiet_until_s = self.arrived_s + QUIET_AFTER_ERROR_S
        got = f"only {reply.hex(' ')}" if reply else "nothing"
        return DeviceTimeoutError(f"{got} came back in time for command {request[1]}")

    def _spoilt(self, text: str) -> BadReplyError:
        self._be_quiet()
        return BadReplyError(text)

    def _be_quiet(self) -> None:
        self._stuck = self._line.discard_output() > 0
        self._quiet_until_s = self._clock.now_s() + QUIET_AFTER_ERROR_S
