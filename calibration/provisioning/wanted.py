"""What a controller should keep, for this rover. Pure."""

from collections.abc import Mapping

from calibration.provisioning.kept import (
    CURRENTS,
    ENCODERS,
    VELOCITIES,
    Kept,
    Loop,
    Snapshot,
    Values,
)
from rover.config import Config

# Control stops below ``power.minimum_v``; the controllers' own limit lies below it, so that a
# short sag does not cut the motors, and above what harms a battery that nobody looks after.
# JPL's 11.5 and 18.5 V for a battery of 16.8 V.
_LOWEST_PART, _HIGHEST_PART = 0.9, 1.1
_UNITS_PER_V, _UNITS_PER_A, _UNITS_PER_S = 10, 100, 10
# S3 as an emergency stop that ends when the line is released, in older and newer firmware.
_STOP_NOT_LATCHING = (0x02, 0x01)
# Absolute encoder, and encoders for RC and analogue modes; reversed ones stay so.
_NOT_QUADRATURE = 0x81


def wanted(
    found: Snapshot, config: Config, address: int, loops: Mapping[int, Loop] | None = None
) -> Snapshot:
    """Return what the controller at ``address`` should keep; ``loops`` by output, from 0."""
    values = found.values
    roboclaw, power = config.roboclaw, config.power
    limits = values[Kept.MAIN_LIMITS]
    new: dict[Kept, Values] = {
        Kept.CONFIG: (found.word.on_bus(address, roboclaw.baud).value,),
        Kept.TIMEOUT: (int(roboclaw.serial_timeout_s * _UNITS_PER_S + 1e-6),),
        Kept.MAIN_LIMITS: (
            round(power.minimum_v * _LOWEST_PART * _UNITS_PER_V),
            round(power.full_v * _HIGHEST_PART * _UNITS_PER_V),
            *limits[2:],
        ),
    }
    if config.panel.motor_enable is not None:
        pins = values[Kept.PINS]
        new[Kept.PINS] = (_STOP_NOT_LATCHING[found.newer], *pins[1:])
    for kept in ENCODERS:
        new[kept] = (values[kept][0] & ~_NOT_QUADRATURE,)
    for kept in CURRENTS:
        new[kept] = (round(roboclaw.max_current_a * _UNITS_PER_A), *values[kept][1:])
    for output, loop in (loops or {}).items():
        new[VELOCITIES[output]] = loop.values
    return found.with_values(new)


def addresses(config: Config) -> dict[int, tuple[str, str]]:
    """Return the wheel on each output of each controller that the rover has, "" for none."""
    wheels = {
        (wheel.motor.address, wheel.motor.channel): name for name, wheel in config.wheels.items()
    }
    return {
        address: (wheels.get((address, 1), ""), wheels.get((address, 2), ""))
        for address in sorted({address for address, _ in wheels})
    }
