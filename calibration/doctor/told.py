"""What control says of its devices: the doctor's findings while control has the bus."""

import math
from collections.abc import Iterable

from calibration.doctor.finding import Finding, skipped, well
from calibration.doctor.remedies import trouble
from calibration.doctor.surroundings import Surroundings
from calibration.doctor.walk import Check
from rover.advice import ADVICE
from rover.messages import Condition, DeviceHealth, Severity, Telemetry

_TRIED = "asked control, which has the bus"
_NO_CONTROL = "control does not run, or does not say anything"


def _control(surroundings: Surroundings) -> Iterable[Finding]:
    telemetry = surroundings.telemetry
    step, tried = "control", "listened to control's telemetry"
    if telemetry is None:
        yield skipped(step, "control", _NO_CONTROL)
        return
    found = f"control runs, the rover is {telemetry.state}"
    yield well(step, "control", tried, found)


def _devices(surroundings: Surroundings) -> Iterable[Finding]:
    telemetry = surroundings.telemetry
    if telemetry is None:
        return
    for device in telemetry.devices:
        if device.ready and not device.errors:
            yield well(device.name, "device", _TRIED, _described(device))
    for condition in telemetry.conditions:
        yield _condition(condition)
    if not telemetry.conditions:
        yield well("devices", "devices", _TRIED, _battery(telemetry))


def _described(device: DeviceHealth) -> str:
    cautions = [*device.cautions, *device.warnings]
    parts = [device.firmware or "it answers", *cautions]
    if math.isfinite(device.silent_s) and not device.firmware:
        parts[0] = f"it answers, last {device.silent_s * 1000:.0f} ms ago"
    return "; ".join(parts)


def _condition(condition: Condition) -> Finding:
    failed = condition.severity is Severity.ERROR
    how = ADVICE.get(condition.code, "Do what it says.")
    code = "told-error" if failed else "told-warning"
    return trouble(condition.code, code, _TRIED, condition.text, how=how)


def _battery(telemetry: Telemetry) -> str:
    power = telemetry.power
    if power is None:
        return "nothing is wrong; nobody measures the battery"
    return f"nothing is wrong; {power.voltage_v:.1f} V by {power.device}"


CONTROL = (Check("control", "listening to control", _control),)
TOLD = (Check("devices", "asking control for its devices", _devices),)
