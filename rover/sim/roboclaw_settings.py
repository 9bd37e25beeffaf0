"""What a RoboClaw remembers: settings in memory and in flash, and its firmware's dialect.

A simulated unit comes provisioned for its rover (velocity loop, limits, address, multi-unit
mode, an emergency-stop input that does not latch); "restore defaults" puts the factory's
values there, with which a rover drives badly, as a real one does.
"""

from dataclasses import dataclass, field, replace
from typing import Self

from rover.config import Config

FIRST_ADDRESS = 0x80
_PACKET_SERIAL = _MODE_MASK = 0x0003
_BAUD_MASK = 0x00E0
_ADDRESS_MASK = 0x0700
_MULTI_UNIT = 0x8000
# In the order of the three bits of the configuration word.
_BAUDS = (2400, 9600, 19200, 38400, 57600, 115200, 230400, 460800)

# JPL's limits of 11.5 and 18.5 V as parts of their full battery's 16.8 V.
_MAIN_MIN_PART, _MAIN_MAX_PART = 0.685, 1.101
_PID_ONE = 65536
# Chosen for the simulated motor: full speed to standstill in a tenth of a second.
_GAIN_P, _GAIN_I = 4.0, 20.0
# 100 % forward to 100 % back in 100 ms: the fastest that the manual allows.
_FASTEST_DUTY_ACCEL = 655360

ESTOP_NOT_LATCHING_OLD = 0x02
ESTOP_NOT_LATCHING_NEW = 0x01


@dataclass(frozen=True, slots=True)
class Firmware:
    """A dialect: what command 21 says, how wide the status is, and which commands are new."""

    version: str
    newer: bool = False
    status_bits: int = 32
    # Whether it knows the bits of an encoder's mode that reverse encoder and motor.
    reverses: bool = True


# What JPL's build plans ask for; the status has been 32 bits wide since about 4.1.20 [?].
CLASSIC = Firmware("USB Roboclaw 2x7a v4.2.4")
# The bits that reverse came in 2019, says the vendor's forum.
OLD_STATUS = Firmware("USB Roboclaw 2x7a v4.1.11", status_bits=16, reverses=False)
# The dialect that the vendor's own Python library speaks.
NEWER = Firmware("USB Roboclaw 2x7a v4.4.3", newer=True)


@dataclass(slots=True)
class OutputSettings:
    """One motor output. Gains as on the wire (x 65536), speeds in qpps, currents in 10 mA."""

    velocity_p: int = _PID_ONE
    velocity_i: int = _PID_ONE // 2
    velocity_d: int = _PID_ONE // 4
    qpps: int = 44000
    position_pid: tuple[int, ...] = (0, 0, 0, 0, 0, 0, 0)
    duty_accel: int = _FASTEST_DUTY_ACCEL
    duty_decel: int = _FASTEST_DUTY_ACCEL
    max_current: int = 1500
    min_current: int = 0
    encoder_mode: int = 0


@dataclass(slots=True)
class Settings:
    """One unit. Voltages in 0.1 V, the serial timeout in 0.1 s; fields as on the wire."""

    config: int
    outputs: tuple[OutputSettings, OutputSettings] = field(
        default_factory=lambda: (OutputSettings(), OutputSettings())
    )
    timeout: int = 0
    main_limits: tuple[int, int] = (60, 340)
    main_auto_offset: int = 0
    logic_limits: tuple[int, int] = (55, 340)
    pins: tuple[int, ...] = (0, 0, 0, 0, 0)
    pwm_modes: tuple[int, int] = (0, 0)
    estop_lock: int = 0x55

    @classmethod
    def factory(cls, config: int) -> Self:
        """Return the factory's settings with a configuration word that keeps it reachable."""
        return cls(config=config)

    @classmethod
    def provisioned(
        cls, rover: Config, address: int, max_speeds_qpps: tuple[int, int], firmware: Firmware
    ) -> Self:
        """Return settings with which this rover drives. Raises ValueError for a strange baud."""
        settings = cls.factory(config_word(address, rover.roboclaw.baud))
        full_v = rover.power.full_v
        settings.main_limits = (
            round(full_v * _MAIN_MIN_PART * 10),
            round(full_v * _MAIN_MAX_PART * 10),
        )
        estop = ESTOP_NOT_LATCHING_NEW if firmware.newer else ESTOP_NOT_LATCHING_OLD
        settings.pins = (estop, 0, 0, 0, 0)
        for output, qpps in zip(settings.outputs, max_speeds_qpps, strict=True):
            output.qpps = qpps
            output.velocity_p = round(_GAIN_P * _PID_ONE)
            output.velocity_i = round(_GAIN_I * _PID_ONE)
            output.velocity_d = 0
        return settings

    def copy(self) -> "Settings":
        """Return an independent copy, as flash and memory hold."""
        first, second = self.outputs
        return replace(self, outputs=(replace(first), replace(second)))

    @property
    def packet_serial(self) -> bool:
        """Whether it hears packets on its serial pins; in any mode it does over USB."""
        return self.config & _MODE_MASK == _PACKET_SERIAL

    @property
    def address(self) -> int:
        """Address that the unit answers to."""
        return FIRST_ADDRESS + ((self.config & _ADDRESS_MASK) >> 8)

    @property
    def baud(self) -> int:
        """Baud rate that the unit listens at."""
        return _BAUDS[(self.config & _BAUD_MASK) >> 5]


def config_word(address: int, baud: int) -> int:
    """Return the configuration word for packet serial in multi-unit mode.

    Raises ValueError if no RoboClaw can be set to ``baud``.
    """
    if baud not in _BAUDS:
        raise ValueError(f"roboclaw.baud = {baud}: a RoboClaw can do {', '.join(map(str, _BAUDS))}")
    code = _BAUDS.index(baud) << 5
    return _PACKET_SERIAL | code | (address - FIRST_ADDRESS) << 8 | _MULTI_UNIT
