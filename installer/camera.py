"""The camera's unit, where a camera is chosen."""

from collections.abc import Sequence

from installer.changes import Change, Remove, Run, WriteFile
from installer.step import Job, Step, files_differ, still_there
from installer.units import TARGET, UNIT_FOLDER, reload

UNIT = "rover-camera.service"
_PATH = f"{UNIT_FOLDER}/{UNIT}"
_ENABLED = f"{UNIT_FOLDER}/{TARGET}.wants/{UNIT}"


def _plan(job: Job) -> Sequence[Change]:
    if not job.choices.camera:
        return _undo(job)
    system = job.system
    text = (job.source / "systemd" / UNIT).read_text(encoding="utf-8")
    changes = files_differ(job, [WriteFile(_PATH, text)])
    if changes:
        changes += reload(system)
    if not system.there(_ENABLED):
        changes.append(Run(("systemctl", "enable", UNIT)))
    if changes and system.live:
        changes.append(Run(("systemctl", "restart", UNIT)))
    return changes


def _undo(job: Job) -> Sequence[Change]:
    system = job.system
    changes: list[Change] = []
    if system.there(_ENABLED):
        now = ("--now",) if system.live else ()
        changes.append(Run(("systemctl", "disable", *now, UNIT)))
    changes += [Remove(path) for path in still_there(job, _PATH)]
    return [*changes, *reload(system)] if changes else []


CAMERA = Step("Camera", _plan, _undo)
