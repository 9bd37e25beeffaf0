"""The users that the programs run as, and the groups of the person who drives."""

from collections.abc import Sequence

from installer.changes import Change, Run
from installer.step import Job, Step
from installer.system import System
from installer.units import SYSUSERS, sysusers_file

USERS = ("rover", "rover-web", "rover-camera")
# rover: the sockets and the calibration; the others: devices, for the doctor and setting up.
_GROUPS = ("rover", "dialout", "i2c", "gpio", "input")


def groups_of(system: System, person: str) -> tuple[str, ...]:
    """Return the groups of these that the person is in."""
    named = (system.ask("id", "--name", "--groups", person) or "").split()
    return tuple(name for name in _GROUPS if name in named)


def _plan(job: Job) -> Sequence[Change]:
    system = job.system
    changes: list[Change] = list(sysusers_file(job))
    groups = (system.text("/etc/group") or "").splitlines()
    users = (system.text("/etc/passwd") or "").splitlines()
    lacks_user = any(not _has(users, name) for name in USERS)
    if changes or lacks_user or any(not _has(groups, name) for name in _GROUPS):
        changes.append(Run(("systemd-sysusers", SYSUSERS)))
    person = job.choices.person
    if person:
        lacking = [name for name in _GROUPS if name not in groups_of(system, person)]
        if lacking:
            changes.append(Run(("usermod", "--append", "--groups", ",".join(lacking), person)))
    return changes


def _has(lines: Sequence[str], name: str) -> bool:
    return any(line.startswith(f"{name}:") for line in lines)


def _undo(job: Job) -> Sequence[Change]:
    """Take the person out of the group that only the rover has; users stay while they own files."""
    person = job.choices.person
    changes: list[Change] = []
    if person and "rover" not in job.before.groups and "rover" in groups_of(job.system, person):
        changes.append(Run(("gpasswd", "--delete", person, "rover")))
    return changes


def purge(job: Job) -> list[Change]:
    """Return what removes the users, once nothing is theirs any more."""
    users = (job.system.text("/etc/passwd") or "").splitlines()
    # The web server's first: it is a member of the other's group.
    return [Run(("userdel", name)) for name in reversed(USERS) if _has(users, name)]


ACCOUNTS = Step("Users and groups", _plan, _undo)
