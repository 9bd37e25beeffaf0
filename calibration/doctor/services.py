"""The services that systemd runs: which are installed, and whether they live."""

from collections.abc import Iterable

from calibration.doctor.finding import Finding, skipped, well
from calibration.doctor.remedies import trouble
from calibration.doctor.surroundings import Surroundings
from calibration.doctor.walk import Check

_UNITS = ("rover-control.service", "rover-web.service")
# Installed only where it was chosen.
_CAMERA = "rover-camera.service"
# What starts them at boot; a rover set up by hand may have none.
_TARGET = "rover.target"
_ALARM = "rover-alarm.service"
_STEP = "services"


def _services(surroundings: Surroundings) -> Iterable[Finding]:
    tried = f"asked systemctl about {', '.join(_UNITS)}, {_ALARM} and {_TARGET}"
    if surroundings.run(("systemctl", "is-system-running")) in (None, "offline"):
        yield skipped(_STEP, "services", "systemd does not run this computer")
        return
    if surroundings.run(("systemctl", "is-active", _ALARM)) == "active":
        found = f"{_ALARM} holds the motors off: control has failed repeatedly"
        yield trouble(_STEP, "alarm", tried, found)
    for unit in (*_UNITS, _CAMERA):
        enabled = surroundings.run(("systemctl", "is-enabled", unit))
        if enabled in (None, "not-found") or "No such file" in enabled:
            if unit != _CAMERA:
                yield skipped(_STEP, "services", f"{unit} is not installed")
            continue
        active = surroundings.run(("systemctl", "is-active", unit)) or "unknown"
        found = f"{unit} is {active} and {enabled}"
        if active == "failed":
            yield trouble(_STEP, "service-failed", tried, found, unit=unit)
        elif enabled == "disabled":
            yield trouble(_STEP, "service-off", tried, found, unit=unit)
        else:
            yield well(_STEP, "services", tried, found)
    if surroundings.run(("systemctl", "is-enabled", _TARGET)) == "disabled":
        found = f"{_TARGET} is disabled: nothing of the rover starts at boot"
        yield trouble(_STEP, "service-off", tried, found, unit=_TARGET)


SERVICES = (Check(_STEP, "asking for the services", _services),)
