"""The bytes of each RoboClaw command: what it carries, what it does, what it answers.

A table maps a command's number to a ``Write`` (data and checksum follow; acknowledged, or
not answered at all) or a ``Read`` (nothing follows; data and checksum come back). Two
tables, for older firmware and for newer. A number that is in neither is not understood.

Left out: the moves by distance and to a position (41-46, 51, 65-67), the RC and analogue
inputs, and everything else that neither driving, diagnosis nor provisioning uses.
"""

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rover.sim.roboclaw import Roboclaw
from rover.sim.roboclaw_settings import OutputSettings
from rover.sim.roboclaw_status import status_bytes

FLASH_KEY = 0xE22EAB7A
_BUFFER_EMPTY = 0x80
_BACKWARD = 1
_UNDERFLOW, _OVERFLOW = 0x01, 0x04

Values = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Write:
    """A command with ``data`` behind it; ``act`` tells whether it is acknowledged."""

    data: struct.Struct
    act: Callable[[Roboclaw, Values], bool]


@dataclass(frozen=True, slots=True)
class Read:
    """A command that is answered by data."""

    reply: Callable[[Roboclaw], bytes]


Command = Write | Read


def _write(form: str, act: Callable[[Roboclaw, Values], object]) -> Write:
    """Return a Write that is acknowledged whatever ``act`` returns, unless that is False."""
    return Write(struct.Struct(">" + form), lambda unit, values: act(unit, values) is not False)


def _read(form: str, values: Callable[[Roboclaw], tuple[float, ...]]) -> Read:
    layout = struct.Struct(">" + form)
    return Read(lambda unit: layout.pack(*(round(value) for value in values(unit))))


# Motion. A target of None leaves the other output alone.


def _speed(unit: Roboclaw, values: Values) -> None:
    unit.drive(regulating=True, targets=(values[0], values[1]))


def _speed_accel(unit: Roboclaw, values: Values) -> None:
    accel, first, second = values
    unit.drive(regulating=True, targets=(first, second), rates_per_s=(accel, accel))


def _speed_accels(unit: Roboclaw, values: Values) -> None:
    accel_1, first, accel_2, second = values
    unit.drive(regulating=True, targets=(first, second), rates_per_s=(accel_1, accel_2))


def _duties(unit: Roboclaw, targets: tuple[float | None, float | None]) -> None:
    first, second = unit.settings.outputs
    accels = (_duty_rate(first.duty_accel), _duty_rate(second.duty_accel))
    unit.drive(regulating=False, targets=targets, rates_per_s=accels)


def _duty_accels(unit: Roboclaw, values: Values) -> None:
    first, accel_1, second, accel_2 = values
    rates = (_duty_rate(accel_1), _duty_rate(accel_2))
    unit.drive(regulating=False, targets=(first, second), rates_per_s=rates)


def _duty_rate(accel: int) -> float:
    """Return counts per second; the fastest, 100 ms from end to end, is taken for at once."""
    return math.inf if accel == 0 or accel >= 655350 else float(accel)  # noqa: PLR2004


_ONE = {
    35: _write("i", lambda u, v: u.drive(regulating=True, targets=(v[0], None))),
    36: _write("i", lambda u, v: u.drive(regulating=True, targets=(None, v[0]))),
    38: _write(
        "Ii",
        lambda u, v: u.drive(regulating=True, targets=(v[1], None), rates_per_s=(v[0], v[0])),
    ),
    39: _write(
        "Ii",
        lambda u, v: u.drive(regulating=True, targets=(None, v[1]), rates_per_s=(v[0], v[0])),
    ),
    32: _write("h", lambda u, v: _duties(u, (v[0], None))),
    33: _write("h", lambda u, v: _duties(u, (None, v[0]))),
    52: _write(
        "hI",
        lambda u, v: u.drive(
            regulating=False, targets=(v[0], None), rates_per_s=(_duty_rate(v[1]), math.inf)
        ),
    ),
    53: _write(
        "hI",
        lambda u, v: u.drive(
            regulating=False, targets=(None, v[0]), rates_per_s=(math.inf, _duty_rate(v[1]))
        ),
    ),
}
_BOTH = {
    34: _write("hh", lambda u, v: _duties(u, (v[0], v[1]))),
    37: _write("ii", _speed),
    40: _write("Iii", _speed_accel),
    50: _write("IiIi", _speed_accels),
    54: _write("hIhI", _duty_accels),
}


# Encoders, speeds, currents.


def _encoder(unit: Roboclaw, index: int) -> tuple[float, ...]:
    output = unit.outputs[index]
    wrapped = output.wrapped(unit.now_s)
    flags = _direction(output.speed_qpps()) << 1
    flags |= _UNDERFLOW if wrapped < 0 else _OVERFLOW if wrapped > 0 else 0
    return output.count(unit.now_s), flags


def _direction(speed_qpps: int) -> int:
    return _BACKWARD if speed_qpps < 0 else 0


def _directed_speed(unit: Roboclaw, index: int) -> tuple[float, ...]:
    speed_qpps = unit.outputs[index].speed_qpps()
    return speed_qpps, _direction(speed_qpps)


def _reset_encoders(unit: Roboclaw, _values: Values) -> None:
    for output in unit.outputs:
        output.set_count(0, unit.now_s)


def _each(values: Callable[[Roboclaw, int], float]) -> Callable[[Roboclaw], tuple[float, ...]]:
    return lambda unit: (values(unit, 0), values(unit, 1))


_FEEDBACK: dict[int, Command] = {
    16: _read("IB", lambda u: _encoder(u, 0)),
    17: _read("IB", lambda u: _encoder(u, 1)),
    18: _read("iB", lambda u: _directed_speed(u, 0)),
    19: _read("iB", lambda u: _directed_speed(u, 1)),
    20: _write("", _reset_encoders),
    22: _write("I", lambda u, v: u.outputs[0].set_count(v[0], u.now_s)),
    23: _write("I", lambda u, v: u.outputs[1].set_count(v[0], u.now_s)),
    30: _read("iB", lambda u: _directed_speed(u, 0)),
    31: _read("iB", lambda u: _directed_speed(u, 1)),
    47: _read("BB", lambda _: (_BUFFER_EMPTY, _BUFFER_EMPTY)),
    48: _read("hh", _each(lambda u, i: u.outputs[i].pwm())),
    49: _read("hh", _each(lambda u, i: u.outputs[i].current_10ma())),
    78: _read("II", _each(lambda u, i: u.outputs[i].count(u.now_s))),
    79: _read("ii", _each(lambda u, i: u.outputs[i].speed_qpps())),
    108: _read("ii", _each(lambda u, i: u.outputs[i].mean_speed_qpps(u.now_s))),
}


# Settings.


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


def _set_output(index: int, name: str) -> Callable[[Roboclaw, Values], None]:
    return lambda unit, values: setattr(unit.settings.outputs[index], name, values[0])


def _set_duty_accels(unit: Roboclaw, index: int, values: Values) -> None:
    output = unit.settings.outputs[index]
    output.duty_accel, output.duty_decel = values[0], values[-1]


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
    14: _write("B", _set("timeout")),
    15: _read("B", lambda u: (u.settings.timeout,)),
    21: Read(lambda u: u.firmware.version.encode("ascii") + b"\n\0"),
    24: _read("H", _volts_10),
    25: _read("H", _volts_10),
    28: _write("IIII", lambda u, v: _set_velocity_pid(u, 0, v)),
    29: _write("IIII", lambda u, v: _set_velocity_pid(u, 1, v)),
    55: _read("IIII", lambda u: _velocity_pid(u.settings.outputs[0])),
    56: _read("IIII", lambda u: _velocity_pid(u.settings.outputs[1])),
    58: _write("HH", _set_all("logic_limits")),
    60: _read("HH", lambda u: u.settings.logic_limits),
    61: _write("IIIIIii", lambda u, v: _set_position_pid(u, 0, v)),
    62: _write("IIIIIii", lambda u, v: _set_position_pid(u, 1, v)),
    63: _read("IIIIIii", lambda u: u.settings.outputs[0].position_pid),
    64: _read("IIIIIii", lambda u: u.settings.outputs[1].position_pid),
    82: _read("H", lambda u: (u.temperatures_c[0] * 10.0,)),
    83: _read("H", lambda u: (u.temperatures_c[1] * 10.0,)),
    90: Read(lambda u: status_bytes(u.status, u.firmware.status_bits)),
    91: _read("BB", _each(lambda u, i: u.settings.outputs[i].encoder_mode)),
    92: _write("B", _set_output(0, "encoder_mode")),
    93: _write("B", _set_output(1, "encoder_mode")),
    94: _write("I", _write_flash),
    95: _write("", lambda u, _: u.load()),
    98: _write("H", _set("config")),
    99: _read("H", lambda u: (u.settings.config,)),
    133: _write("II", lambda u, v: _set_max_current(u, 0, v)),
    134: _write("II", lambda u, v: _set_max_current(u, 1, v)),
    135: _read("II", lambda u: (u.settings.outputs[0].max_current, 0)),
    136: _read("II", lambda u: (u.settings.outputs[1].max_current, 0)),
}


def _set_pins(unit: Roboclaw, values: Values) -> None:
    unit.settings.pins = (values + unit.settings.pins[len(values) :])[:5]


def _set_main_limits(unit: Roboclaw, values: Values) -> None:
    unit.settings.main_limits = (values[0], values[1])
    if len(values) > 2:  # noqa: PLR2004 - newer firmware's third value
        unit.settings.main_auto_offset = values[2]


_OLDER: dict[int, Command] = {
    57: _write("HH", _set_main_limits),
    59: _read("HH", lambda u: u.settings.main_limits),
    68: _write("I", lambda u, v: _set_duty_accels(u, 0, v)),
    69: _write("I", lambda u, v: _set_duty_accels(u, 1, v)),
    74: _write("BBB", _set_pins),
    75: _read("BBB", lambda u: u.settings.pins[:3]),
    80: _write("", lambda u, _: u.restore_defaults()),
    81: _read("II", _each(lambda u, i: u.settings.outputs[i].duty_accel)),
    148: _write("B", lambda u, v: setattr(u.settings, "pwm_modes", (v[0], v[0]))),
    149: _read("B", lambda u: (u.settings.pwm_modes[0],)),
}
_NEWER: dict[int, Command] = {
    57: _write("HHB", _set_main_limits),
    59: _read("HHB", lambda u: (*u.settings.main_limits, u.settings.main_auto_offset)),
    68: _write("II", lambda u, v: _set_duty_accels(u, 0, v)),
    69: _write("II", lambda u, v: _set_duty_accels(u, 1, v)),
    74: _write("BBBBB", _set_pins),
    75: _read("BBBBB", lambda u: u.settings.pins),
    80: _write("I", _restore_with_key),
    148: _write("BB", _set_all("pwm_modes")),
    149: _read("BB", lambda u: u.settings.pwm_modes),
    200: _write("", lambda u, _: u.reset_estop()),
    201: _write("B", _set("estop_lock")),
    202: _read("B", lambda u: (u.settings.estop_lock,)),
}
# The 7-bit commands of old: a byte of data, understood by nobody since firmware 4.3.6.
_LEGACY: dict[int, Command] = {
    number: Write(struct.Struct(">B"), lambda _unit, _values: False)
    for number in (0, 1, 2, 3, *range(4, 14))
}

_COMMON = {**_LEGACY, **_ONE, **_BOTH, **_FEEDBACK, **_SETTINGS}
CLASSIC_COMMANDS: Mapping[int, Command] = {**_COMMON, **_OLDER}
NEWER_COMMANDS: Mapping[int, Command] = {**_COMMON, **_NEWER}


def commands_of(unit: Roboclaw) -> Mapping[int, Command]:
    """Return the table that ``unit``'s firmware understands."""
    return NEWER_COMMANDS if unit.firmware.newer else CLASSIC_COMMANDS
