"""The commands with which a RoboClaw drives, and tells how its motors turn.

Left out: the moves by distance and to a position (41-46, 51, 65-67), which no supported
rover's driver uses.
"""

import math
from collections.abc import Callable

from rover.sim.roboclaw import Roboclaw
from rover.sim.roboclaw_format import Command, Values, read, write

# One for each output; None leaves that output alone.
Targets = tuple[float | None, float | None]

_BUFFER_EMPTY = 0x80
# Duty acceleration: from one end to the other (65,535 counts) in 100 ms.
_AT_ONCE = 655350
_BACKWARD = 1
_UNDERFLOW, _OVERFLOW = 0x01, 0x04


def _speeds(unit: Roboclaw, targets: Targets, accels: tuple[int, int]) -> None:
    unit.drive(regulating=True, targets=targets, rates_per_s=accels)


def _duties(unit: Roboclaw, targets: Targets, accels: tuple[int, int] | None = None) -> None:
    if accels is None:
        first, second = unit.settings.outputs
        accels = (first.duty_accel, second.duty_accel)
    rates = (_duty_rate(accels[0]), _duty_rate(accels[1]))
    unit.drive(regulating=False, targets=targets, rates_per_s=rates)


def _duty_rate(accel: int) -> float:
    """Return counts per second; none given, and the fastest there is, are taken for at once."""
    return float(accel) if 0 < accel < _AT_ONCE else math.inf


MOTION: dict[int, Command] = {
    32: write("h", lambda u, v: _duties(u, (v[0], None))),
    33: write("h", lambda u, v: _duties(u, (None, v[0]))),
    34: write("hh", lambda u, v: _duties(u, (v[0], v[1]))),
    35: write("i", lambda u, v: u.drive(regulating=True, targets=(v[0], None))),
    36: write("i", lambda u, v: u.drive(regulating=True, targets=(None, v[0]))),
    37: write("ii", lambda u, v: u.drive(regulating=True, targets=(v[0], v[1]))),
    38: write("Ii", lambda u, v: _speeds(u, (v[1], None), (v[0], v[0]))),
    39: write("Ii", lambda u, v: _speeds(u, (None, v[1]), (v[0], v[0]))),
    40: write("Iii", lambda u, v: _speeds(u, (v[1], v[2]), (v[0], v[0]))),
    50: write("IiIi", lambda u, v: _speeds(u, (v[1], v[3]), (v[0], v[2]))),
    52: write("hI", lambda u, v: _duties(u, (v[0], None), (v[1], v[1]))),
    53: write("hI", lambda u, v: _duties(u, (None, v[0]), (v[1], v[1]))),
    54: write("hIhI", lambda u, v: _duties(u, (v[0], v[2]), (v[1], v[3]))),
}


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


def each(values: Callable[[Roboclaw, int], float]) -> Callable[[Roboclaw], tuple[float, ...]]:
    """Return what asks both outputs, by index, the same."""
    return lambda unit: (values(unit, 0), values(unit, 1))


FEEDBACK: dict[int, Command] = {
    16: read("IB", lambda u: _encoder(u, 0)),
    17: read("IB", lambda u: _encoder(u, 1)),
    18: read("iB", lambda u: _directed_speed(u, 0)),
    19: read("iB", lambda u: _directed_speed(u, 1)),
    20: write("", _reset_encoders),
    22: write("I", lambda u, v: u.outputs[0].set_count(v[0], u.now_s)),
    23: write("I", lambda u, v: u.outputs[1].set_count(v[0], u.now_s)),
    30: read("iB", lambda u: _directed_speed(u, 0)),
    31: read("iB", lambda u: _directed_speed(u, 1)),
    47: read("BB", lambda _: (_BUFFER_EMPTY, _BUFFER_EMPTY)),
    48: read("hh", each(lambda u, i: u.outputs[i].pwm())),
    49: read("hh", each(lambda u, i: u.outputs[i].current_10ma())),
    78: read("II", each(lambda u, i: u.outputs[i].count(u.now_s))),
    79: read("ii", each(lambda u, i: u.outputs[i].speed_qpps())),
    108: read("ii", each(lambda u, i: u.outputs[i].mean_speed_qpps(u.now_s))),
}
