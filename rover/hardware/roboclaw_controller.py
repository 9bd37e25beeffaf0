"""One RoboClaw: who it is, whether it may be trusted, and what it last said."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rover import units
from rover.config import RoboclawConfig
from rover.errors import BadReplyError, DeviceError
from rover.hardware.bus import framing
from rover.hardware.encoder_direction import confirm_directions
from rover.hardware.roboclaw_bus import RoboclawBus
from rover.hardware.roboclaw_status import RoboclawStatus, decode_status, left_from_boot
from rover.hardware.wheel_encoder import WheelEncoder
from rover.hardware.zero_hold import ZeroHold
from rover.messages import DeviceHealth, PowerReading

_SET_SERIAL_TIMEOUT = 14
_READ_SERIAL_TIMEOUT = 15
_READ_MAIN_BATTERY = 24
_DUTY_BOTH = 34
_SPEED_BOTH = 37
_READ_CURRENTS = 49
_READ_ENCODERS = 78
_READ_SPEEDS = 79
_READ_TEMPERATURE = 82

_FULL_DUTY = 32767

_U8_BYTES, _U16_BYTES, _PAIR_OF_16_BYTES, _PAIR_OF_32_BYTES = 1, 2, 4, 8
_TIMEOUT_UNITS_PER_S = 10
_VOLTS_PER_UNIT = 0.1
_AMPERES_PER_UNIT = 0.01
_CELSIUS_PER_UNIT = 0.1

# How long one failed transaction is worth mentioning.
_MENTION_FAILURE_S = 1.0
# How long a controller that answers otherwise may fail to tell its status: on a noisy wire, where
# it comes round every half second, one reading in a dozen fails.
_STATUS_AGE_S = 2.0


@dataclass(frozen=True, slots=True)
class WiredWheel:
    """A wheel on one of a controller's outputs; ``index`` is its place in the wheel table.

    ``encoder_reversed`` None leaves its encoder's direction as the controller has it.
    """

    index: int
    name: str
    inverted: bool
    encoder_reversed: bool | None
    encoder: WheelEncoder


class RoboclawController:
    """A controller with one or two wheels, read and written through a bus.

    ``wheels`` has a place for each motor output, None where nothing is wired. It is
    ``identified`` once its version has been read, ``confirmed`` while its serial timeout and its
    encoders' directions are known to be set, ``lost`` once it has been silent too long.
    """

    def __init__(
        self,
        address: int,
        wheels: tuple[WiredWheel | None, WiredWheel | None],
        config: RoboclawConfig,
    ) -> None:
        self.address = address
        self.name = f"RoboClaw 0x{address:02X}"
        self.wheels = wheels
        self.firmware = ""
        self.confirmed = False
        self.lost = False
        self.heard_s = -math.inf
        self.retry_s = -math.inf
        self.failure = ""
        self.power: PowerReading | None = None
        self.temperature_c: float | None = None
        # By motor output.
        self.currents_a: tuple[float, float] | None = None
        self.currents_stamp_s = -math.inf
        self.zero_duty = framing.write_packet(address, _DUTY_BOTH, framing.pack_s16_pair(0, 0))
        self._hold = ZeroHold([wheel.encoder for wheel in wheels if wheel is not None])
        self._directions = tuple(
            None
            if wheel is None or wheel.encoder_reversed is None
            else (wheel.name, wheel.encoder_reversed)
            for wheel in wheels
        )
        self._counts_per_rad = units.qpps_from_rad_s(1.0, config.ticks_per_wheel_turn)
        self._volts_per_unit = _VOLTS_PER_UNIT * config.voltage_scale
        # Rounded down: never later than what was asked for.
        self._timeout_units = int(config.serial_timeout_s * _TIMEOUT_UNITS_PER_S + 1e-6)
        self._failed_s = -math.inf
        self._status = RoboclawStatus()
        self._status_word = b""
        # Whether it may have been started anew since its status was last read.
        self._just_started = True
        self._left_from_boot = 0
        self._status_width: int | None = None
        self._status_failing_s = math.inf
        (
            self._ask_timeout,
            self._ask_battery,
            self._ask_currents,
            self._ask_encoders,
            self._ask_speeds,
            self._ask_temperature,
        ) = (
            framing.read_request(address, command)
            for command in (
                _READ_SERIAL_TIMEOUT,
                _READ_MAIN_BATTERY,
                _READ_CURRENTS,
                _READ_ENCODERS,
                _READ_SPEEDS,
                _READ_TEMPERATURE,
            )
        )

    @property
    def identified(self) -> bool:
        """Whether its version has been read."""
        return bool(self.firmware)

    def speed_packet(self, wheel_rad_s: Sequence[float], now_s: float) -> bytes:
        """Return the packet that gives both motors their share of ``wheel_rad_s``.

        Where both shall stand they are held at zero as long as ``ZeroHold`` allows it, then it
        is zero duty.
        """
        first, second = counts_s = tuple(
            0 if wheel is None else self._counts_s(wheel, wheel_rad_s[wheel.index])
            for wheel in self.wheels
        )
        self._hold.told(
            [
                wheel_rad_s[wheel.index] if counts else 0.0
                for wheel, counts in zip(self.wheels, counts_s, strict=True)
                if wheel is not None
            ],
            now_s,
        )
        if not (first or second or self._hold.allowed(now_s)):
            return self.let_go()
        return framing.write_packet(self.address, _SPEED_BOTH, framing.pack_s32_pair(first, second))

    def has_duty(self, duty: Sequence[float]) -> bool:
        """Whether one of its wheels is to be turned by a duty."""
        return any(wheel is not None and duty[wheel.index] != 0.0 for wheel in self.wheels)

    def duty_packet(self, duty: Sequence[float]) -> bytes:
        """Return the packet that gives both motors their part of the supply, -1 to 1."""
        self._hold.let_go()
        first, second = (
            0
            if wheel is None
            else round(duty[wheel.index] * _FULL_DUTY) * (-1 if wheel.inverted else 1)
            for wheel in self.wheels
        )
        return framing.write_packet(self.address, _DUTY_BOTH, framing.pack_s16_pair(first, second))

    def let_go(self) -> bytes:
        """Return zero duty; nothing is held at zero until the next speed."""
        self._hold.let_go()
        return self.zero_duty

    def _counts_s(self, wheel: WiredWheel, speed_rad_s: float) -> int:
        counts_s = round(speed_rad_s * self._counts_per_rad)
        return -counts_s if wheel.inverted else counts_s

    def identify(self, bus: RoboclawBus) -> None:
        """Read the version, and what its status and battery are now."""
        self.firmware = bus.read_version(self.address)
        self._status_width = None
        self._just_started = True
        self.read_status(bus)
        self.read_battery(bus)

    def confirm_settings(self, bus: RoboclawBus) -> None:
        """Set the serial timeout and the encoders' directions, and read them back.

        Its encoders may have been reset before.
        """
        self.confirmed = False
        self._just_started = True
        for wheel in self.wheels:
            if wheel is not None:
                wheel.encoder.forget()
        payload = framing.pack_u8(self._timeout_units)
        bus.send(framing.write_packet(self.address, _SET_SERIAL_TIMEOUT, payload))
        self.read_timeout(bus)
        confirm_directions(bus, self.address, self._directions)
        self.confirmed = True

    def read_timeout(self, bus: RoboclawBus) -> None:
        """Read the serial timeout back; a wrong one means that the controller was reset."""
        units_read = framing.unpack_u8(bus.read(self._ask_timeout, _U8_BYTES))
        if units_read != self._timeout_units:
            self.confirmed = False
            raise BadReplyError(
                f"serial timeout {units_read / _TIMEOUT_UNITS_PER_S:g} s instead of "
                f"{self._timeout_units / _TIMEOUT_UNITS_PER_S:g} s: it was reset, or does not "
                "take the setting"
            )

    def read_encoders(self, bus: RoboclawBus) -> None:
        """Read both counts. A jump means that the controller was reset: confirm it again."""
        counts = framing.unpack_u32_pair(bus.read(self._ask_encoders, _PAIR_OF_32_BYTES))
        for wheel, count in zip(self.wheels, counts, strict=True):
            if wheel is not None and not wheel.encoder.update(count, bus.arrived_s):
                self.confirmed = False
                raise BadReplyError(
                    f"an encoder jumped to {count}: the controller was reset, or "
                    "roboclaw.ticks_per_wheel_turn is far too small"
                )

    def read_speeds(self, bus: RoboclawBus) -> None:
        """Read both speeds as the controller itself measures them."""
        speeds = framing.unpack_s32_pair(bus.read(self._ask_speeds, _PAIR_OF_32_BYTES))
        for wheel, counts_s in zip(self.wheels, speeds, strict=True):
            if wheel is not None:
                wheel.encoder.set_speed(counts_s)

    def read_currents(self, bus: RoboclawBus) -> None:
        """Read both motors' currents."""
        first, second = framing.unpack_s16_pair(bus.read(self._ask_currents, _PAIR_OF_16_BYTES))
        self.currents_a = (first * _AMPERES_PER_UNIT, second * _AMPERES_PER_UNIT)
        self.currents_stamp_s = bus.arrived_s

    def read_status(self, bus: RoboclawBus) -> None:
        """Read the status word."""
        try:
            word = bus.read_status(self.address, self._status_width)
        except DeviceError:
            # Another unit may have come in its place: find the width out anew.
            self._status_width = None
            self._status_failing_s = min(self._status_failing_s, bus.arrived_s)
            raise
        self._status_width, self._status_failing_s = len(word), math.inf
        if self._just_started:
            self._just_started = False
            self._left_from_boot, self._status_word = left_from_boot(word), b""
        if word != self._status_word:
            self._left_from_boot &= int.from_bytes(word, "big")
            self._status_word, self._status = word, decode_status(word, self._left_from_boot)

    def read_battery(self, bus: RoboclawBus) -> None:
        """Read the main battery's voltage, and correct it as it was calibrated."""
        units_read = framing.unpack_u16(bus.read(self._ask_battery, _U16_BYTES))
        self.power = PowerReading(units_read * self._volts_per_unit, None, bus.arrived_s, self.name)

    def read_temperature(self, bus: RoboclawBus) -> None:
        """Read the board's temperature."""
        units_read = framing.unpack_u16(bus.read(self._ask_temperature, _U16_BYTES))
        self.temperature_c = units_read * _CELSIUS_PER_UNIT

    def heard(self, now_s: float) -> None:
        """Note a correct answer."""
        self.heard_s = now_s
        self.lost = False

    def failed(self, error: Exception, now_s: float, silence_s: float) -> None:
        """Note a transaction that failed; ``silence_s`` without any other makes it lost."""
        self.failure, self._failed_s = str(error), now_s
        if now_s - self.heard_s > silence_s:
            if not self.lost:
                # Zero duty at the next tick, in case it hears but cannot answer.
                self.retry_s = -math.inf
            self.lost, self.confirmed = True, False

    def disconnected(self, reason: str) -> None:
        """Note that the bus is gone; until it is confirmed anew, nothing here is trusted."""
        self.failure = reason
        self.lost, self.confirmed = True, False
        self.retry_s = -math.inf

    def health(self, now_s: float, silence_s: float) -> DeviceHealth:
        """Return what is known; one failure of a controller that answers is only a warning."""
        silent_s = now_s - self.heard_s
        ready = self.identified and self.confirmed and silent_s <= silence_s
        errors, warnings = self._status.errors, self._status.warnings
        if not ready and self.failure:
            errors += (self.failure,)
        elif now_s - self._status_failing_s > _STATUS_AGE_S:
            errors += (f"nothing: its status cannot be read ({self.failure})",)
        elif now_s - self._failed_s < _MENTION_FAILURE_S:
            warnings += (self.failure,)
        cautions = self._status.cautions
        return DeviceHealth(self.name, ready, silent_s, errors, cautions, warnings, self.firmware)
