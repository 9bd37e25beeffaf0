"""The battery as an INA260 on I2C measures it."""

import math
from collections.abc import Callable

from rover.clock import Clock
from rover.config import Config
from rover.errors import BadReplyError, DeviceError
from rover.hardware.bus.i2c import I2cBus
from rover.messages import DeviceHealth, PowerReading

_CONFIGURATION, _CURRENT, _VOLTAGE, _MANUFACTURER, _DIE = 0x00, 0x01, 0x02, 0xFE, 0xFF
_TEXAS_INSTRUMENTS = 0x5449
# The upper twelve bits of the die id; the lower four are the revision.
_INA260_DIE = 0x227
# Continuous, 1.1 ms a conversion, mean of 16: 35 ms, which smooths the motors' PWM.
_AVERAGING = 0x6527
_AMPERES_PER_UNIT = 1.25e-3
_VOLTS_PER_UNIT = 1.25e-3

_POLL_EVERY_S = 0.1
_RETRY_EVERY_S = 1.0
_SILENCE_S = 1.0


class Ina260Monitor:
    """The PowerMonitor of a rover with an INA260; ``open_bus`` opens its I2C bus.

    Current is positive as the chip counts it, from IN+ to IN-: out of the battery when wired as
    its board is marked. Voltage is what it tells times ``power.voltage_scale``.
    """

    def __init__(self, config: Config, clock: Clock, open_bus: Callable[[], I2cBus]) -> None:
        self._address = config.power.address
        self._volts_per_unit = _VOLTS_PER_UNIT * config.power.voltage_scale
        self._name = f"INA260 0x{config.power.address:02X}"
        self._clock = clock
        self._open_bus = open_bus
        self._bus: I2cBus | None = None
        self._started = False
        self._reading: PowerReading | None = None
        self._heard_s = -math.inf
        self._due_s = -math.inf
        self._failure = ""

    def start(self) -> None:
        """Find the device, see that it is an INA260, set its averaging. Raises DeviceError."""
        self._started = False
        try:
            if self._bus is None:
                self._bus = self._open_bus()
            self._identify(self._bus)
        except DeviceError as error:
            self._failure = str(error)
            raise
        self._started = True
        self._failure = ""
        self._heard_s = self._clock.now_s()

    def poll(self) -> None:
        """Read voltage and current, every 0.1 s at most, and after a failure once a second."""
        now_s = self._clock.now_s()
        if self._bus is None or not self._started or now_s < self._due_s:
            return
        try:
            voltage = self._read(self._bus, _VOLTAGE)
            current = self._read(self._bus, _CURRENT)
        except DeviceError as error:
            self._failure = str(error)
            self._due_s = now_s + _RETRY_EVERY_S
            return
        self._reading = PowerReading(
            voltage_v=int.from_bytes(voltage, "big") * self._volts_per_unit,
            current_a=int.from_bytes(current, "big", signed=True) * _AMPERES_PER_UNIT,
            stamp_s=now_s,
            device=self._name,
        )
        self._failure = ""
        self._heard_s = now_s
        self._due_s = now_s + _POLL_EVERY_S

    def power(self) -> PowerReading | None:
        """Return what was read last; None before the first."""
        return self._reading

    def health(self) -> tuple[DeviceHealth, ...]:
        """Return one entry; ready from ``start`` on while it answers."""
        silent_s = self._clock.now_s() - self._heard_s
        ready = self._started and silent_s <= _SILENCE_S
        failure = (self._failure,) if self._failure else ()
        return (
            DeviceHealth(
                self._name,
                ready,
                silent_s,
                errors=() if ready else failure,
                warnings=failure if ready else (),
            ),
        )

    def close(self) -> None:
        """Let go of the bus."""
        if self._bus is not None:
            bus, self._bus = self._bus, None
            self._started = False
            bus.close()

    def _identify(self, bus: I2cBus) -> None:
        manufacturer = int.from_bytes(self._read(bus, _MANUFACTURER), "big")
        die = int.from_bytes(self._read(bus, _DIE), "big")
        if manufacturer != _TEXAS_INSTRUMENTS or die >> 4 != _INA260_DIE:
            raise BadReplyError(
                f"what answers at 0x{self._address:02X} is no INA260 (manufacturer "
                f"0x{manufacturer:04X}, die 0x{die:04X}): check power.address"
            )
        bus.transfer(self._address, bytes((_CONFIGURATION,)) + _AVERAGING.to_bytes(2, "big"), 0)

    def _read(self, bus: I2cBus, register: int) -> bytes:
        return bus.transfer(self._address, bytes((register,)), 2)
