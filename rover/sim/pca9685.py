"""A PCA9685 as registers: sixteen pulse outputs for servos.

After the data sheet (NXP PCA9685, rev. 4): registers, auto-increment, sleep and restart,
prescaler writable only while asleep, all-call. The 500 us that its oscillator needs to start
are not modelled, nor are sub-addresses and an external clock.
"""

from collections.abc import Callable

CHANNELS = 16
_MODE1, _MODE2, _ALL_CALL = 0x00, 0x01, 0x05
_FIRST_CHANNEL, _LAST_CHANNEL_REGISTER = 0x06, 0x45
_ALL_CHANNELS, _PRESCALE = 0xFA, 0xFE
_RESTART, _AUTO_INCREMENT, _SLEEP, _ANSWER_ALL_CALL = 0x80, 0x20, 0x10, 0x01
_FULL = 0x10
_COUNTS = 4096
_OSCILLATOR_MHZ = 25.0
_LOWEST_PRESCALE = 3


class Pca9685:
    """The registers, and ``output(channel, pulse_us)`` called when a channel's pulse changes.

    A pulse of None is a steady level: nothing a servo would follow.
    """

    def __init__(self, address: int, output: Callable[[int, float | None], None]) -> None:
        self._address = address
        self._output = output
        self._pulses: list[float | None] = [None] * CHANNELS
        self._registers = bytearray(256)
        self._pointer = 0
        self._interrupted = False
        self.reset()

    def reset(self) -> None:
        """Start as at power-on: asleep, every output off."""
        registers = bytearray(256)
        registers[_MODE1] = _SLEEP | _ANSWER_ALL_CALL
        registers[_MODE2] = 0x04
        registers[0x02:0x06] = bytes((0xE2, 0xE4, 0xE8, 0xE0))
        for channel in range(CHANNELS):
            registers[_FIRST_CHANNEL + 4 * channel + 3] = _FULL
        registers[_PRESCALE] = 0x1E
        self._registers = registers
        self._pointer = 0
        self._interrupted = False
        self._update()

    def answers(self, address: int) -> bool:
        """Tell whether it acknowledges ``address``."""
        if address == self._address:
            return True
        all_call = self._registers[_ALL_CALL] >> 1
        return bool(self._registers[_MODE1] & _ANSWER_ALL_CALL) and address == all_call

    def write(self, data: bytes) -> None:
        """Take a write transfer: a register's number, then its value and those after it."""
        if not data:
            return
        self._pointer = data[0]
        for value in data[1:]:
            self._store(self._pointer, value)
            self._advance()
        # Outputs change when the transfer stops.
        self._update()

    def read(self, count: int) -> bytes:
        """Return ``count`` registers from the pointer on."""
        values = bytearray()
        for _ in range(count):
            values.append(self._load(self._pointer))
            self._advance()
        return bytes(values)

    def _load(self, register: int) -> int:
        if register == _MODE1 and self._interrupted:
            return self._registers[_MODE1] | _RESTART
        return self._registers[register]

    def _store(self, register: int, value: int) -> None:
        registers = self._registers
        if register == _MODE1:
            self._store_mode1(value)
        elif register == _PRESCALE:
            if registers[_MODE1] & _SLEEP:
                registers[_PRESCALE] = max(_LOWEST_PRESCALE, value)
        elif _ALL_CHANNELS <= register < _PRESCALE:
            for channel in range(CHANNELS):
                registers[_FIRST_CHANNEL + 4 * channel + register - _ALL_CHANNELS] = value
            self._interrupted = False
        elif register <= _LAST_CHANNEL_REGISTER:
            registers[register] = value
            if register >= _FIRST_CHANNEL:
                self._interrupted = False

    def _store_mode1(self, value: int) -> None:
        slept = self._registers[_MODE1] & _SLEEP
        self._registers[_MODE1] = value & ~_RESTART
        if value & _SLEEP:
            if not slept and any(pulse is not None for pulse in self._pulses):
                self._interrupted = True
        elif value & _RESTART:
            self._interrupted = False

    def _advance(self) -> None:
        if not self._registers[_MODE1] & _AUTO_INCREMENT:
            return
        wraps = self._pointer in (_LAST_CHANNEL_REGISTER, _PRESCALE, 0xFF)
        self._pointer = 0 if wraps else self._pointer + 1

    def _update(self) -> None:
        for channel in range(CHANNELS):
            pulse_us = self._pulse_us(channel)
            if pulse_us != self._pulses[channel]:
                self._pulses[channel] = pulse_us
                self._output(channel, pulse_us)

    def _pulse_us(self, channel: int) -> float | None:
        if self._registers[_MODE1] & _SLEEP or self._interrupted:
            return None
        first = _FIRST_CHANNEL + 4 * channel
        on_low, on_high, off_low, off_high = self._registers[first : first + 4]
        if (on_high | off_high) & _FULL:
            return None
        on, off = on_low | (on_high & 0x0F) << 8, off_low | (off_high & 0x0F) << 8
        counts = (off - on) % _COUNTS
        if counts == 0:
            return None
        return counts * (self._registers[_PRESCALE] + 1) / _OSCILLATOR_MHZ
