"""What one controller's readings mean for this rover."""

import re
from collections.abc import Iterator

from calibration.doctor.finding import Finding, well
from calibration.doctor.remedies import trouble
from calibration.doctor.unit import Loop, UnitReading
from rover.config import Config, WheelConfig
from rover.hardware.roboclaw_status import RoboclawStatus, decode_status, left_from_boot
from rover.units import qpps_from_rad_s

_TRIED = "read its settings"
# Of the configuration word, as the vendor's library has it; no manual confirms the bit.
_MULTI_UNIT = 0x8000
# S3 as an emergency stop that latches, by firmware; see the simulator's, and PROTOCOLS.
_LATCHING_OLD, _LATCHING_NEW = frozenset({0x00, 0x01}), frozenset({0x00, 0x81})
# Absolute, or for RC and analogue modes: the same bits that the provisioning clears.
_NOT_QUADRATURE = 0x81
_KNOWN_FIRMWARE = re.compile(r"roboclaw.*\bv?4\.\d", re.IGNORECASE)
# QPPS is what the motor does at full duty: somewhat more than the wheel is allowed.
_LEAST_QPPS, _MOST_QPPS = 0.8, 2.0
_DEEP_DISCHARGE_PART = 0.6


def judge(unit: UnitReading, config: Config, controllers: int) -> Iterator[Finding]:
    """Return what is to be said of a controller, of ``controllers`` on the bus; the sum first."""
    if unit.turning:
        found = "its encoders count: a wheel turns. Nothing more was asked"
        yield trouble(unit.name, "wheels-turning", "read its encoders twice", found)
        return
    yield well(unit.name, "controller", "asked it for all that it tells", _summary(unit, config))
    if not _KNOWN_FIRMWARE.search(unit.firmware):
        found = f'its firmware is "{unit.firmware}"'
        yield trouble(unit.name, "firmware-unknown", "read its version", found)
    yield from _status(unit, config)
    yield from _bus_settings(unit, controllers)
    yield from _motor_settings(unit, config)
    yield from _safety_settings(unit, config)


def _summary(unit: UnitReading, config: Config) -> str:
    parts = [unit.firmware]
    if unit.main_v is not None:
        parts.append(f"main {unit.main_v:.1f} V")
    if unit.logic_v is not None:
        parts.append(f"logic {unit.logic_v:.1f} V")
    if unit.temperature_c is not None:
        parts.append(f"{unit.temperature_c:.0f} C")
    for output in (1, 2):
        wheel = next(
            (
                name
                for name, wheel in config.wheels.items()
                if (wheel.motor.address, wheel.motor.channel) == (unit.address, output)
            ),
            "no wheel",
        )
        count = "" if unit.encoders is None else f" at count {unit.encoders[output - 1]}"
        parts.append(f"M{output} {wheel}{count}")
    if _is_held(unit, config):
        parts.append("stop input active, as it must be while control does not run")
    return ", ".join(parts)


def _decoded(unit: UnitReading) -> RoboclawStatus:
    if unit.status is None:
        return RoboclawStatus()
    return decode_status(unit.status, left_from_boot(unit.status))


def _is_stop(name: str) -> bool:
    return name.startswith("E-stop")


def _is_held(unit: UnitReading, config: Config) -> bool:
    """Whether its stop input is active for want of a control that holds the line up."""
    has_line = config.panel.gpio != "none" and config.panel.motor_enable is not None
    return has_line and any(_is_stop(name) for name in _decoded(unit).errors)


def _status(unit: UnitReading, config: Config) -> Iterator[Finding]:
    status = _decoded(unit)
    tried = "read its status"
    rest = []
    for name in status.errors:
        if _is_stop(name):
            if not _is_held(unit, config):
                yield trouble(unit.name, "stop-latched", tried, "its emergency stop is on")
        elif name.startswith("temperature"):
            found = f"{name} too high"
            if unit.temperature_c is not None:
                found += f": {unit.temperature_c:.0f} C"
            yield trouble(unit.name, "controller-hot", tried, found)
        else:
            rest.append(name)
    if rest:
        yield trouble(unit.name, "controller-status", tried, f"errors: {', '.join(rest)}")
    warned = [*status.cautions, *status.warnings]
    if warned:
        yield trouble(unit.name, "controller-warns", tried, f"warnings: {', '.join(warned)}")


def _bus_settings(unit: UnitReading, controllers: int) -> Iterator[Finding]:
    word = unit.config_word
    if word is not None and controllers > 1 and not word & _MULTI_UNIT:
        found = f"multi-unit mode is off (configuration word 0x{word:04X})"
        yield trouble(unit.name, "multi-unit-off", _TRIED, found)


def _motor_settings(unit: UnitReading, config: Config) -> Iterator[Finding]:
    """Judge both outputs; what is wrong with both is one finding."""
    low: list[str] = []
    loops: list[str] = []
    modes: list[str] = []
    for name, wheel in config.wheels.items():
        if wheel.motor.address != unit.address:
            continue
        output = wheel.motor.channel
        called = f"M{output} ({name})"
        if unit.max_currents_a is not None:
            low += _current_trouble(called, unit.max_currents_a[output - 1], config)
        if unit.loops is not None:
            loops += _loop_trouble(called, unit.loops[output - 1], wheel, config)
        if unit.encoder_modes is not None and unit.encoder_modes[output - 1] & _NOT_QUADRATURE:
            modes.append(f"{called} is not set to a quadrature encoder")
    for code, found in (
        ("current-limit-low", low),
        ("velocity-loop", loops),
        ("encoder-mode", modes),
    ):
        if found:
            yield trouble(unit.name, code, _TRIED, "; ".join(found))


def _current_trouble(called: str, most_a: float, config: Config) -> list[str]:
    least_a = config.roboclaw.stall_current_a
    if most_a >= least_a:
        return []
    return [f"{called} may draw {most_a:g} A; a wheel held fast draws more than {least_a:g} A"]


def _loop_trouble(called: str, loop: Loop, wheel: WheelConfig, config: Config) -> list[str]:
    asked = qpps_from_rad_s(wheel.max_speed_rad_s, config.roboclaw.ticks_per_wheel_turn)
    least, most = _LEAST_QPPS * asked, _MOST_QPPS * asked
    if not least <= loop.qpps <= most:
        return [f"{called} has QPPS {loop.qpps}; {least:.0f} to {most:.0f} fits its wheel"]
    if not (loop.p or loop.i or loop.d):
        return [f"{called} has no gains at all"]
    return []


def _safety_settings(unit: UnitReading, config: Config) -> Iterator[Finding]:
    if unit.timeout_s == 0.0:
        found = "its serial timeout is off; control sets it at each start"
        yield trouble(unit.name, "serial-timeout-off", _TRIED, found)
    latching = _LATCHING_NEW if unit.newer else _LATCHING_OLD
    if config.panel.motor_enable is not None and unit.s3 in latching:
        found = f"S3 latches the emergency stop (mode 0x{unit.s3:02X})"
        yield trouble(unit.name, "stop-latches", _TRIED, found)
    lowest_v = unit.lowest_main_v
    if lowest_v is not None and lowest_v < _DEEP_DISCHARGE_PART * config.power.full_v:
        found = f"it drives down to {lowest_v:g} V; full is {config.power.full_v:g} V"
        yield trouble(unit.name, "voltage-limits", _TRIED, found)
