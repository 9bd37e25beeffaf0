"""One controller asked and told, each transaction tried a few times."""

import contextlib
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from calibration.provisioning.kept import (
    NEEDED,
    REGISTERS,
    ConfigWord,
    Kept,
    Register,
    Snapshot,
    Values,
)
from calibration.provisioning.wire import Wire
from rover.errors import BadReplyError, DeviceError, DeviceTimeoutError
from rover.hardware.bus import framing
from rover.hardware.roboclaw_bus import QUIET_AFTER_ERROR_S, RoboclawBus

FLASH_KEY = 0xE22EAB7A

_DUTY_BOTH = 34
_WRITE_FLASH, _READ_FLASH = 94, 95
_TRIES = 6
_LOADS = 3
_U16 = struct.Struct(">H")
# Flash is written in pages; a controller says nothing meanwhile [?].
_FLASH_S = 0.5
# Firmwares whose commands are the ones used here: all of the fourth generation.
_KNOWN_FIRMWARE = re.compile(r"roboclaw.*\bv?4\.\d", re.IGNORECASE)

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Unit:
    """A controller that answers at an address and a rate; over USB it does at any."""

    wire: Wire
    address: int
    baud: int
    firmware: str = ""
    usb: bool = False

    @property
    def name(self) -> str:
        """How people call it."""
        return f"RoboClaw 0x{self.address:02X}"

    @property
    def known(self) -> bool:
        """Whether its firmware is one whose commands are known."""
        return _KNOWN_FIRMWARE.search(self.firmware) is not None

    def at(self, address: int, baud: int) -> "Unit":
        """Return the same controller at another place."""
        return replace(self, address=address, baud=baud)

    def read_values(self, command: int, layout: struct.Struct) -> Values:
        """Ask for integers. Raises DeviceError."""
        request = framing.read_request(self.address, command)
        return layout.unpack(self._tried(lambda: self._bus.read(request, layout.size)))

    def tell(self, command: int, payload: bytes) -> None:
        """Send a command that may be sent twice, and see it acknowledged. Raises DeviceError."""
        packet = framing.write_packet(self.address, command, payload)
        self._tried(lambda: self._bus.send(packet))

    def stop(self) -> None:
        """Command zero duty to both outputs. Raises DeviceError."""
        self.tell(_DUTY_BOTH, framing.pack_s16_pair(0, 0))

    def stop_once(self) -> None:
        """Command zero duty without asking again. Raises DeviceError."""
        packet = framing.write_packet(self.address, _DUTY_BOTH, framing.pack_s16_pair(0, 0))
        self._bus.send(packet)

    def read(self, kept: Kept, *, newer: bool) -> Values:
        """Read one setting. Raises DeviceError."""
        register = REGISTERS[kept]
        layout = register.layout(newer=newer)
        if layout is None:
            raise BadReplyError(f"{self.firmware} has no {kept}")
        return register.own(self.read_values(register.read, layout))

    def write(self, kept: Kept, values: Values, *, newer: bool) -> None:
        """Write one setting into its memory. Raises DeviceError."""
        register = REGISTERS[kept]
        self.tell(register.write, register.payload(values, newer=newer))

    def word(self) -> ConfigWord:
        """Read its configuration word. Raises DeviceError."""
        return ConfigWord(self.read(Kept.CONFIG, newer=False)[0])

    def is_there(self) -> bool:
        """Whether it answers here, and says that it does."""
        try:
            word = self.word()
        except DeviceError:
            return False
        return self.usb or (word.address, word.baud) == (self.address, self.baud)

    def send_word(self, value: int) -> None:
        """Write its configuration word, whether acknowledged or not."""
        packet = framing.write_packet(self.address, REGISTERS[Kept.CONFIG].write, _U16.pack(value))
        with contextlib.suppress(DeviceTimeoutError, BadReplyError):
            self._bus.send(packet)

    def status(self) -> bytes:
        """Return its status word, 2 or 4 bytes. Raises DeviceError."""
        return self._tried(lambda: self._bus.read_status(self.address, None))

    def snapshot(self, like: Snapshot | None = None) -> Snapshot:
        """Read everything that it keeps, or all that ``like`` has.

        Raises DeviceError if it does not tell something of that, or that is needed to set it up.
        """
        newer = self._is_newer() if like is None else like.newer
        needed = NEEDED if like is None else like.values
        values: dict[Kept, Values] = {}
        for kept in Kept:
            if REGISTERS[kept].layout(newer=newer) is None or (like and kept not in needed):
                continue
            try:
                values[kept] = self.read(kept, newer=newer)
            except (DeviceTimeoutError, BadReplyError) as error:
                if kept in needed:
                    raise DeviceError(
                        f"{self.name} does not tell its {kept} ({error}): nothing was written; "
                        "check its wires, and that its firmware is 4.1.11 or later"
                    ) from error
        return Snapshot(self.firmware, newer, values)

    def write_flash(self) -> bool:
        """Have it keep its settings; whether it has acknowledged that. Sent once: flash wears."""
        packet = framing.write_packet(self.address, _WRITE_FLASH, struct.pack(">I", FLASH_KEY))
        try:
            self._bus.send(packet)
        except (DeviceTimeoutError, BadReplyError):
            acknowledged = False
        else:
            acknowledged = True
        self.wire.clock.sleep_s(_FLASH_S)
        return acknowledged

    def load_flash(self) -> None:
        """Have it take its settings from flash, as at power-up.

        Whether and how it answers is not certain [?]: the manual has two bytes of data, the
        vendor's library an acknowledgement. So nothing is concluded from it, but that it need not
        be told again.
        """
        packet = framing.write_packet(self.address, _READ_FLASH)
        for _ in range(_LOADS):
            try:
                self._bus.send(packet)
            except (DeviceTimeoutError, BadReplyError):
                # Longer than any answer: the rest of it is thrown away by the next request.
                self.wire.clock.sleep_s(QUIET_AFTER_ERROR_S)
            else:
                return

    @property
    def _bus(self) -> RoboclawBus:
        return self.wire.bus(self.baud)

    def _is_newer(self) -> bool:
        """Tell the dialect by the length of an answer that differs in it."""
        register: Register = REGISTERS[Kept.PINS]
        lengths = tuple(struct.calcsize(f">{form}") for form in register.layouts if form)
        request = framing.read_request(self.address, register.read)
        try:
            reply = self._tried(lambda: self._bus.read_one_of(request, lengths))
        except (DeviceTimeoutError, BadReplyError) as error:
            raise DeviceError(
                f"{self.name} does not tell its {Kept.PINS} ({error}): nothing was written; check "
                "its wires, and that its firmware is 4.1.11 or later"
            ) from error
        return len(reply) == max(lengths)

    def _tried(self, transaction: Callable[[], Answer]) -> Answer:
        for tried in range(1, _TRIES + 1):
            try:
                return transaction()
            except (DeviceTimeoutError, BadReplyError) as error:
                if tried == _TRIES:
                    text = f"{self.name} was asked {_TRIES} times: {error}; check its wires"
                    raise type(error)(text) from error
        raise AssertionError
