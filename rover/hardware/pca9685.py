"""The corner servos: a PCA9685 PWM board on I2C.

Its outputs go on pulsing when the computer dies, so a servo holds its last angle; every command
is bounded to the servos' pulse range, and the board starts and ends with all outputs off.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rover.clock import Clock
from rover.config import Config
from rover.errors import BadReplyError, DeviceError, DeviceTimeoutError
from rover.hardware.bus.i2c import I2cBus
from rover.messages import DeviceHealth
from rover.motion.gate import PermittedTargets
from rover.servo_pulses import ServoPulses, prescale_for

_MODE1, _MODE2, _CHANNEL_0, _ALL_CHANNELS, _PRESCALE = 0x00, 0x01, 0x06, 0xFA, 0xFE
_RESTART, _AUTO_INCREMENT, _SLEEP = 0x80, 0x20, 0x10
_TOTEM_POLE = 0x04
_CHANNEL_BYTES = 4
# On at count 0, off at count 0 with the fully-off bit: no pulse at all.
_FULLY_OFF = bytes((0x00, 0x00, 0x00, 0x10))

_OSCILLATOR_START_S = 500e-6

# After a second failure in a row, and after one that cost its whole deadline at once.
_RETRY_EVERY_S = 0.2
_MENTION_FAILURE_S = 1.0


@dataclass(frozen=True, slots=True)
class _Servo:
    """One corner: which wheel of the table it steers, and how angles become pulses."""

    name: str
    wheel: int
    pulses: ServoPulses


class Pca9685Steering:
    """The Steering of a rover whose corners hang on a PCA9685; ``open_bus`` opens its I2C bus.

    It is ready from ``start`` until it has not answered for ``deadlines.steering_s``, or is
    found to have lost its settings. A servo that is asked for more than it can turn is an error
    of its health: its wheel does not point where everybody takes it to.
    """

    def __init__(self, config: Config, clock: Clock, open_bus: Callable[[], I2cBus]) -> None:
        self._config = config.steering
        self._silence_s = config.deadlines.steering_s
        # Often enough that one failed check does not use up the deadline.
        self._check_every_s = config.deadlines.steering_s / 2
        self._clock = clock
        self._open_bus = open_bus
        self._name = f"PCA9685 0x{config.steering.address:02X}"
        self._servos = {
            wheel.steer.channel: _Servo(name, index, ServoPulses(wheel.steer, config.steering))
            for index, (name, wheel) in enumerate(config.wheels.items())
            if wheel.steer is not None
        }
        self._runs = tuple(_runs(self._servos))
        self._bus: I2cBus | None = None
        self._set_up = False
        self._asked: tuple[tuple[float, ...], int | None] | None = None
        self._strained: tuple[str, ...] = ()
        self._wanted = dict.fromkeys(self._servos, _FULLY_OFF)
        self._written = self._wanted.copy()
        self._heard_s = -math.inf
        self._checked_s = -math.inf
        self._failed_s = -math.inf
        self._retry_s = -math.inf
        self._failures = 0
        self._failure = ""

    def start(self) -> None:
        """Set the board's frequency and mode with every servo unpowered. Raises DeviceError."""
        self._set_up = False
        try:
            if self._bus is None:
                self._bus = self._open_bus()
            self._configure(self._bus)
        except DeviceError as error:
            self._note(error)
            raise
        self._written = dict.fromkeys(self._servos, _FULLY_OFF)
        self._set_up = True
        self._answered()
        self._checked_s = self._clock.now_s()

    def command(self, targets: PermittedTargets) -> None:
        """Send the angles that have changed, and now and then see that the board keeps them."""
        if self._bus is None or not self._set_up:
            return
        now_s = self._clock.now_s()
        if now_s < self._retry_s:
            return
        wanted = self._registers(targets)
        check = now_s - self._checked_s >= self._check_every_s
        try:
            if check:
                self._check(self._bus)
            for run in self._runs:
                if check or any(wanted[channel] != self._written[channel] for channel in run):
                    self._write_run(self._bus, run, wanted)
        except DeviceError as error:
            self._note(error)
            return
        if check:
            self._checked_s = now_s

    def health(self) -> tuple[DeviceHealth, ...]:
        """Return one entry for the board."""
        silent_s = self._clock.now_s() - self._heard_s
        ready = self._set_up and silent_s <= self._silence_s
        recent = self._clock.now_s() - self._failed_s < _MENTION_FAILURE_S
        failure = (self._failure,) if self._failure and (recent or not ready) else ()
        return (
            DeviceHealth(
                self._name,
                ready,
                silent_s,
                errors=self._strained if ready else failure,
                warnings=failure if ready else (),
            ),
        )

    def close(self) -> None:
        """Let every servo go limp and let go of the bus."""
        if self._bus is None:
            return
        bus, self._bus, self._set_up = self._bus, None, False
        try:
            self._write(bus, _ALL_CHANNELS, _FULLY_OFF)
        except DeviceError as error:
            self._note(error)
        finally:
            bus.close()

    def _registers(self, targets: PermittedTargets) -> dict[int, bytes]:
        """Return each channel's registers, worked out anew only when the targets have changed."""
        asked = None if targets.release else (targets.steer_rad, targets.only_servo)
        if asked != self._asked:
            self._asked = asked
            angles_rad, only = asked or ((), None)
            pulsed = {
                channel: servo
                for channel, servo in self._servos.items()
                if asked is not None and only in {None, servo.wheel}
            }
            self._wanted = dict.fromkeys(self._servos, _FULLY_OFF) | {
                channel: _off_after(servo.pulses.count(angles_rad[servo.wheel]))
                for channel, servo in pulsed.items()
            }
            self._strained = tuple(
                f"{servo.name}'s servo at its end: give it the right centre_deg and range"
                for servo in pulsed.values()
                if not servo.pulses.reaches(angles_rad[servo.wheel])
            )
        return self._wanted

    def _configure(self, bus: I2cBus) -> None:
        prescale = prescale_for(self._config.frequency_hz)
        # The prescaler takes a value only while the board sleeps, and asleep nothing pulses.
        self._write(bus, _MODE1, bytes((_AUTO_INCREMENT | _SLEEP,)))
        self._write(bus, _ALL_CHANNELS, _FULLY_OFF)
        self._write(bus, _PRESCALE, bytes((prescale,)))
        self._write(bus, _MODE2, bytes((_TOTEM_POLE,)))
        self._write(bus, _MODE1, bytes((_AUTO_INCREMENT,)))
        self._clock.sleep_s(_OSCILLATOR_START_S)
        self._write(bus, _MODE1, bytes((_AUTO_INCREMENT | _RESTART,)))
        self._check(bus)
        read_back = self._read(bus, _PRESCALE)
        if read_back != prescale:
            raise BadReplyError(
                f"{self._name} kept prescaler {read_back} instead of {prescale}: is it a PCA9685 "
                "at that address?"
            )

    def _check(self, bus: I2cBus) -> None:
        """See that the board is awake as it was set up; after a loss of power it is not."""
        mode = self._read(bus, _MODE1) & ~_RESTART
        if mode != _AUTO_INCREMENT:
            self._set_up = False
            raise BadReplyError(
                f"{self._name} is in mode 0x{mode:02X} instead of 0x{_AUTO_INCREMENT:02X}: it has "
                "lost its settings, so look at its supply"
            )

    def _write_run(self, bus: I2cBus, run: Sequence[int], wanted: dict[int, bytes]) -> None:
        registers = b"".join(wanted[channel] for channel in run)
        self._write(bus, _CHANNEL_0 + _CHANNEL_BYTES * run[0], registers)
        for channel in run:
            self._written[channel] = wanted[channel]

    def _write(self, bus: I2cBus, register: int, data: bytes) -> None:
        bus.transfer(self._config.address, bytes((register,)) + data, 0)
        self._answered()

    def _read(self, bus: I2cBus, register: int) -> int:
        value = bus.transfer(self._config.address, bytes((register,)), 1)[0]
        self._answered()
        return value

    def _answered(self) -> None:
        self._heard_s = self._clock.now_s()
        self._failures, self._retry_s = 0, -math.inf

    def _note(self, error: DeviceError) -> None:
        self._failure = str(error)
        self._failed_s = self._clock.now_s()
        self._failures += 1
        if self._failures > 1 or isinstance(error, DeviceTimeoutError):
            self._retry_s = self._failed_s + _RETRY_EVERY_S


def _off_after(off: int) -> bytes:
    """Return a channel's four registers: on at count 0, off after the pulse."""
    return bytes((0x00, 0x00, off & 0xFF, off >> 8))


def _runs(channels: Iterable[int]) -> list[tuple[int, ...]]:
    """Cut channels into runs without gaps, each of which takes one transfer."""
    runs: list[tuple[int, ...]] = []
    for channel in sorted(channels):
        if runs and runs[-1][-1] == channel - 1:
            runs[-1] += (channel,)
        else:
            runs.append((channel,))
    return runs
