"""The tables of commands that a RoboClaw understands: for older firmware, and for newer.

A number that is not in its table is not understood. Left out are the RC and analogue inputs
and everything else that neither driving, diagnosis nor provisioning uses.
"""

import struct
from collections.abc import Callable, Mapping

from rover.sim.roboclaw import Roboclaw
from rover.sim.roboclaw_format import Command, Read, Values, Write, read, write
from rover.sim.roboclaw_motion import FEEDBACK, MOTION, each
from rover.sim.roboclaw_output import REVERSED_ENCODER, REVERSED_MOTOR
from rover.sim.roboclaw_settings import OutputSettings
from rover.sim.roboclaw_status import status_bytes

FLASH_KEY = 0xE22EAB7A


def _set_velocity_pid(unit: Roboclaw, index: int, values: Values) -> None:
    output = unit.settings.outputs[index]
    output.velocity_d, output.velocity_p, output.velocity_i, output.qpps = values
    unit.settings_changed()


def _velocity_pid(output: OutputSettings) -> tuple[float, ...]:
    return output.velocity_p, output.velocity_i, output.velocity_d, output.qpps


def _set_position_pid(unit: Roboclaw, index: int, values: Values) -> None:
    d, p, i, *rest = values
    unit.settings.outputs[index].position_pid = (p, i, d, *rest)


def _set_max_current(unit: Roboclaw, index: int, values: Values) -> None:
    output = unit.settings.outputs[index]
    output.max_current, output.min_current = values
    unit.settings_changed()


def _set(name: str) -> Callable[[Roboclaw, Values], None]:
    """Return an action that stores a setting of one value."""
    return lambda unit, values: setattr(unit.settings, name, values[0])


def _set_all(name: str) -> Callable[[Roboclaw, Values], None]:
    """Return an action that stores a setting of several values."""
    return lambda unit, values: setattr(unit.settings, name, values)


def _set_encoder_mode(unit: Roboclaw, index: int, values: Values) -> None:
    known = 0xFF if unit.firmware.reverses else 0xFF & ~(REVERSED_ENCODER | REVERSED_MOTOR)
    unit.settings.outputs[index].encoder_mode = int(values[0]) & known
    unit.settings_changed()


def _set_duty_accels(unit: Roboclaw, index: int, values: Values) -> None:
    output = unit.settings.outputs[index]
    output.duty_accel, output.duty_decel = values[0], values[-1]


def _default_accels(unit: Roboclaw) -> tuple[float, ...]:
    return tuple(rate for o in unit.settings.outputs for rate in (o.duty_accel, o.duty_decel))


def _write_flash(unit: Roboclaw, values: Values) -> bool:
    if values[0] != FLASH_KEY:
        return False
    unit.save()
    return True


def _restore_with_key(unit: Roboclaw, values: Values) -> bool:
    if values[0] != FLASH_KEY:
        return False
    unit.restore_defaults()
    return True


def _volts_10(unit: Roboclaw) -> tuple[float, ...]:
    return (unit.main_voltage_v * 10.0,)


_SETTINGS: dict[int, Command] = {
    14: write("B", _set("timeout")),
    15: read("B", lambda u: (u.settings.timeout,)),
    21: Read(lambda u: u.firmware.version.encode("ascii") + b"\n\0"),
    24: read("H", _volts_10),
    25: read("H", _volts_10),
    28: write("IIII", lambda u, v: _set_velocity_pid(u, 0, v)),
    29: write("IIII", lambda u, v: _set_velocity_pid(u, 1, v)),
    55: read("IIII", lambda u: _velocity_pid(u.settings.outputs[0])),
    56: read("IIII", lambda u: _velocity_pid(u.settings.outputs[1])),
    58: write("HH", _set_all("logic_limits")),
    60: read("HH", lambda u: u.settings.logic_limits),
    61: write("IIIIIii", lambda u, v: _set_position_pid(u, 0, v)),
    62: write("IIIIIii", lambda u, v: _set_position_pid(u, 1, v)),
    63: read("IIIIIii", lambda u: u.settings.outputs[0].position_pid),
    64: read("IIIIIii", lambda u: u.settings.outputs[1].position_pid),
    82: read("H", lambda u: (u.temperatures_c[0] * 10.0,)),
    83: read("H", lambda u: (u.temperatures_c[1] * 10.0,)),
    90: Read(lambda u: status_bytes(u.status, u.firmware.status_bits)),
    91: read("BB", each(lambda u, i: u.settings.outputs[i].encoder_mode)),
    92: write("B", lambda u, v: _set_encoder_mode(u, 0, v)),
    93: write("B", lambda u, v: _set_encoder_mode(u, 1, v)),
    94: write("I", _write_flash),
    95: write("", lambda u, _: u.load()),
    98: write("H", _set("config")),
    99: read("H", lambda u: (u.settings.config,)),
    133: write("II", lambda u, v: _set_max_current(u, 0, v)),
    134: write("II", lambda u, v: _set_max_current(u, 1, v)),
    135: read("II", lambda u: (u.settings.outputs[0].max_current, 0)),
    136: read("II", lambda u: (u.settings.outputs[1].max_current, 0)),
}


def _set_pins(unit: Roboclaw, values: Values) -> None:
    unit.settings.pins = (values + unit.settings.pins[len(values) :])[:5]


def _set_main_limits(unit: Roboclaw, values: Values) -> None:
    unit.settings.main_limits = (values[0], values[1])
    if len(values) > 2:  # noqa: PLR2004 - newer firmware's third value
        unit.settings.main_auto_offset = values[2]


_OLDER: dict[int, Command] = {
    57: write("HH", _set_main_limits),
    59: read("HH", lambda u: u.settings.main_limits),
    68: write("I", lambda u, v: _set_duty_accels(u, 0, v)),
    69: write("I", lambda u, v: _set_duty_accels(u, 1, v)),
    74: write("BBB", _set_pins),
    75: read("BBB", lambda u: u.settings.pins[:3]),
    80: write("", lambda u, _: u.restore_defaults()),
    81: read("II", each(lambda u, i: u.settings.outputs[i].duty_accel)),
    148: write("B", lambda u, v: setattr(u.settings, "pwm_modes", (v[0], v[0]))),
    149: read("B", lambda u: (u.settings.pwm_modes[0],)),
}
_NEWER: dict[int, Command] = {
    57: write("HHB", _set_main_limits),
    59: read("HHB", lambda u: (*u.settings.main_limits, u.settings.main_auto_offset)),
    68: write("II", lambda u, v: _set_duty_accels(u, 0, v)),
    69: write("II", lambda u, v: _set_duty_accels(u, 1, v)),
    74: write("BBBBB", _set_pins),
    75: read("BBBBB", lambda u: u.settings.pins),
    80: write("I", _restore_with_key),
    81: read("IIII", _default_accels),
    148: write("BB", _set_all("pwm_modes")),
    149: read("BB", lambda u: u.settings.pwm_modes),
    200: write("", lambda u, _: u.reset_estop()),
    201: write("B", _set("estop_lock")),
    202: read("B", lambda u: (u.settings.estop_lock,)),
}
# The 7-bit commands of old: a byte of data, understood by nobody since firmware 4.3.6.
_LEGACY: dict[int, Command] = {
    number: Write(struct.Struct(">B"), lambda _unit, _values: False)
    for number in (0, 1, 2, 3, *range(4, 14))
}

_COMMON = {**_LEGACY, **MOTION, **FEEDBACK, **_SETTINGS}
CLASSIC_COMMANDS: Mapping[int, Command] = {**_COMMON, **_OLDER}
NEWER_COMMANDS: Mapping[int, Command] = {**_COMMON, **_NEWER}


def commands_of(unit: Roboclaw) -> Mapping[int, Command]:
    """Return the table that ``unit``'s firmware understands."""
    return NEWER_COMMANDS if unit.firmware.newer else CLASSIC_COMMANDS
