"""An INA260 as registers: voltage and current of the battery.

After the data sheet (Texas Instruments SBOS656): big-endian registers of 16 bits, 1.25 mA,
1.25 mV and 10 mW a count. Conversions are instantaneous and not averaged; the alert pin is
not modelled.
"""

from collections.abc import Callable

_CONFIG, _CURRENT, _VOLTAGE, _POWER, _MASK, _ALERT = 0x00, 0x01, 0x02, 0x03, 0x06, 0x07
_MANUFACTURER, _DIE = 0xFE, 0xFF
_MANUFACTURER_ID, _DIE_ID = 0x5449, 0x2270
_CONFIG_AT_RESET, _RESET = 0x6127, 0x8000
_CONVERSION_READY = 0x0008
_COUNT_A = _COUNT_V = 0.00125
_COUNT_W = 0.010
_REGISTER_BYTES = 2


class Ina260:
    """The registers; ``measure`` returns volts, and amperes drawn from the battery."""

    def __init__(self, address: int, measure: Callable[[], tuple[float, float]]) -> None:
        self._address = address
        self._measure = measure
        self._pointer = 0
        self._stored = {_CONFIG: _CONFIG_AT_RESET, _MASK: 0, _ALERT: 0}

    def answers(self, address: int) -> bool:
        """Tell whether it acknowledges ``address``."""
        return address == self._address

    def write(self, data: bytes) -> None:
        """Take a write transfer: a register's number, then perhaps its new value."""
        if not data:
            return
        self._pointer = data[0]
        if len(data) <= _REGISTER_BYTES or self._pointer not in self._stored:
            return
        value = int.from_bytes(data[1:3], "big")
        if self._pointer == _CONFIG and value & _RESET:
            self._stored = {_CONFIG: _CONFIG_AT_RESET, _MASK: 0, _ALERT: 0}
        else:
            self._stored[self._pointer] = value

    def read(self, count: int) -> bytes:
        """Return ``count`` bytes of the register that the pointer is at, over and over."""
        value = self._value().to_bytes(_REGISTER_BYTES, "big")
        return (value * (count // _REGISTER_BYTES + 1))[:count]

    def _value(self) -> int:
        if self._pointer == _MASK:
            return self._stored[_MASK] | _CONVERSION_READY
        if self._pointer in self._stored:
            return self._stored[self._pointer]
        if self._pointer == _MANUFACTURER:
            return _MANUFACTURER_ID
        if self._pointer == _DIE:
            return _DIE_ID
        volts, amperes = self._measure()
        if self._pointer == _CURRENT:
            return max(-0x8000, min(0x7FFF, round(amperes / _COUNT_A))) & 0xFFFF
        if self._pointer == _VOLTAGE:
            return min(0x7FFF, round(volts / _COUNT_V))
        if self._pointer == _POWER:
            return min(0xFFFF, round(abs(volts * amperes) / _COUNT_W))
        return 0
