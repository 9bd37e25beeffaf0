"""The first configuration: never written over, and left in place by uninstall."""

import re
from collections.abc import Sequence

from installer.changes import Change, Remove, WriteFile
from installer.choices import BLUETOOTH_KEPT
from installer.program import CALIBRATION, CONFIG
from installer.step import Job, Step, still_there
from installer.system import System

_HEAD = """\
# This rover, as far as it differs from the profile. After a change:
#   rover config check {path}
#   sudo systemctl restart rover-control
profile = "osr"

[rover]
name = "{name}"
"""
_PORT = """
[roboclaw]
port = "{port}"
"""
_NO_PORT = """
# The controllers' USB: put here what `ls /dev/serial/by-id` shows.
# [roboclaw]
# port = "/dev/serial/by-id/..."
"""
_CAMERA = """
[camera]
source = "{source}"
"""
# What `--camera` calls them, and the configuration.
SOURCES = {"pi": "picamera2", "usb": "v4l2"}
_HEADER = "/dev/rover-uart"
_OWN = (".config/rover/rover.toml", CONFIG), (".local/state/rover/calibration.toml", CALIBRATION)
# What purge removes besides.
_KEPT = ("/etc/rover", "/var/lib/rover", "/var/lib/rover-web")


def _first(job: Job) -> str:
    name = re.sub(r"[^\w .-]", "", job.choices.name or _host(job.system)) or "rover"
    text = _HEAD.format(path=CONFIG, name=name)
    if job.choices.camera:
        text += _CAMERA.format(source=SOURCES[job.choices.camera])
    if not job.choices.pi:
        return text
    if job.choices.bluetooth != BLUETOOTH_KEPT:
        return text + _PORT.format(port=_HEADER)
    adapters = _adapters(job.system)
    return text + (_PORT.format(port=adapters[0]) if len(adapters) == 1 else _NO_PORT)


def _host(system: System) -> str:
    return (system.text("/etc/hostname") or "").strip()


def _adapters(system: System) -> list[str]:
    try:
        names = sorted(path.name for path in system.at("/dev/serial/by-id").iterdir())
    except OSError:
        return []
    return [f"/dev/serial/by-id/{name}" for name in names]


def _plan(job: Job) -> Sequence[Change]:
    system = job.system
    changes: list[Change] = []
    home = _home(system, job.choices.person)
    for own, path in _OWN if home else ():
        # What its owner has driven with until now goes on to hold.
        text = system.text(f"{home}/{own}")
        if text is not None and not system.there(path):
            changes.append(WriteFile(path, text, f"a copy of {home}/{own}"))
    if not system.there(CONFIG) and not any(getattr(c, "path", "") == CONFIG for c in changes):
        changes.append(WriteFile(CONFIG, _first(job), "the first configuration"))
    return changes


def _home(system: System, person: str) -> str:
    for line in (system.text("/etc/passwd") or "").splitlines():
        fields = line.split(":")
        if fields[0] == person and len(fields) > 5 and fields[5]:  # noqa: PLR2004 - see passwd(5)
            return fields[5]
    return ""


def _undo(_job: Job) -> Sequence[Change]:
    return []


def purge(job: Job) -> list[Change]:
    """Return what removes configuration, calibration and paired devices."""
    return [Remove(path) for path in still_there(job, *_KEPT)]


CONFIGURATION = Step("Configuration", _plan, _undo)
