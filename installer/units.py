"""The files that systemd, udev and others read: copied from the checkout's systemd/."""

from collections.abc import Sequence
from pathlib import Path

from installer.changes import Change, Remove, Run, WriteFile
from installer.step import Job, Step, files_differ, still_there
from installer.system import System

UNIT_FOLDER = "/etc/systemd/system"
TARGET = "rover.target"
CONTROL, WEB = "rover-control.service", "rover-web.service"
ALARM = "rover-alarm.service"
UNITS = (TARGET, CONTROL, WEB, ALARM)
# By the version of systemd that knows what is in it; an older one would complain.
_DROP_IN, _DROP_IN_SINCE = f"{CONTROL}.d/restart-direct.conf", 254
# What is started at boot, the target last.
ENABLED = (CONTROL, WEB, TARGET)
SYSUSERS = "/etc/sysusers.d/rover.conf"
_TMPFILES = "/etc/tmpfiles.d/rover.conf"
_UDEV = "/etc/udev/rules.d/99-rover.rules"


def sysusers_file(job: Job) -> list[Change]:
    """Return what writes the users' file, which the users' step needs first of all."""
    return files_differ(job, [_copied(job, "sysusers.d/rover.conf", SYSUSERS)])


def unit_files(job: Job) -> list[Change]:
    """Return what writes those units that the source has and that are otherwise now."""
    names = list(UNITS)
    if _systemd_version(job.system) >= _DROP_IN_SINCE:
        names.append(_DROP_IN)
    # An older version of the rover may lack some.
    there = [name for name in names if (job.source / "systemd" / name).is_file()]
    return files_differ(job, [_copied(job, name, f"{UNIT_FOLDER}/{name}") for name in there])


def _systemd_version(system: System) -> int:
    words = (system.ask("systemctl", "--version") or "").split()
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0


def _copied(job: Job, name: str, path: str) -> WriteFile:
    return WriteFile(path, (job.source / "systemd" / name).read_text(encoding="utf-8"))


def is_enabled(system: System, unit: str) -> bool:
    """Whether a unit is started at boot, by the links that `systemctl enable` makes."""
    wanted_by = "multi-user.target" if unit == TARGET else TARGET
    return system.there(f"{UNIT_FOLDER}/{wanted_by}.wants/{unit}")


def is_active(system: System, unit: str) -> bool:
    """Whether systemd runs it now."""
    return system.live and system.ask("systemctl", "is-active", unit) == "active"


def is_at_rest(system: System, unit: str) -> bool:
    """Whether systemd neither runs it nor tries to."""
    return system.ask("systemctl", "show", "--property=ActiveState", unit) in {
        "ActiveState=inactive",
        "ActiveState=failed",
        None,
    }


def reload(system: System) -> list[Change]:
    """Return what has systemd read its files anew."""
    return [Run(("systemctl", "daemon-reload"))] if system.live else []


def _plan_units(job: Job) -> Sequence[Change]:
    system = job.system
    changes = unit_files(job)
    tmpfiles = files_differ(job, [_copied(job, "tmpfiles.d/rover.conf", _TMPFILES)])
    if changes:
        changes += reload(system)
    changes += tmpfiles
    # Elsewhere the next boot does it.
    if system.live and (tmpfiles or not system.there("/var/lib/rover")):
        changes.append(Run(("systemd-tmpfiles", "--create", _TMPFILES)))
    off = [unit for unit in ENABLED if not is_enabled(system, unit)]
    # Of an installation by hand: it would start them without the target.
    old = [unit for unit in (CONTROL, WEB) if system.there(_by_hand(unit))]
    changes += [Remove(_by_hand(unit)) for unit in old]
    if off:
        changes.append(Run(("systemctl", "enable", *off)))
    return changes


def _by_hand(unit: str) -> str:
    return f"{UNIT_FOLDER}/multi-user.target.wants/{unit}"


def _undo_units(job: Job) -> Sequence[Change]:
    system = job.system
    on = [unit for unit in ENABLED if is_enabled(system, unit)]
    changes: list[Change] = [Run(("systemctl", "disable", *on))] if on else []
    drop_ins = str(Path(_DROP_IN).parent)
    paths = [f"{UNIT_FOLDER}/{name}" for name in (*UNITS, drop_ins)]
    changes += [Remove(path) for path in still_there(job, *paths, _TMPFILES, SYSUSERS)]
    return [*changes, *reload(system)] if changes else []


def _plan_udev(job: Job) -> Sequence[Change]:
    changes = files_differ(job, [_copied(job, "udev/99-rover.rules", _UDEV)])
    return [*changes, *_udev_again(job.system)] if changes else []


def _undo_udev(job: Job) -> Sequence[Change]:
    changes: list[Change] = [Remove(path) for path in still_there(job, _UDEV)]
    return [*changes, *_udev_again(job.system)] if changes else []


def _udev_again(system: System) -> list[Change]:
    if not (system.live and system.there("/run/udev/control")):
        return []
    return [
        Run(("udevadm", "control", "--reload")),
        Run(("udevadm", "trigger", "--subsystem-match=tty", "--subsystem-match=i2c-dev")),
    ]


UDEV = Step("Names and rights of devices", _plan_udev, _undo_udev)
SERVICES = Step("Services", _plan_units, _undo_units)
