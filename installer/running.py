"""The rover that runs: stopped before anything of it is changed, started when all is done.

Control stops the motors when it ends, and comes back disarmed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from installer.changes import Change, Run
from installer.errors import InstallError
from installer.program import CURRENT, VERSIONS, in_force, is_new, old_versions
from installer.step import Job, Step
from installer.system import System
from installer.units import (
    ALARM,
    CONTROL,
    TARGET,
    UNIT_FOLDER,
    WEB,
    is_active,
    is_at_rest,
    unit_files,
)

_RUNNING = (CONTROL, WEB, ALARM)
_MUST_RUN = (CONTROL, WEB)
# Control is ready within 20 s or has failed, and what fails does so within seconds.
_LOOKS, _LOOK_S = 45, 1.0
_STEADY_LOOKS = 6


@dataclass(frozen=True, slots=True)
class ComeUp:
    """Wait until control and page run, and go on running for a while."""

    @property
    def told(self) -> str:
        """Say what is waited for."""
        return f"wait until {' and '.join(_MUST_RUN)} run steadily"

    def apply(self, system: System) -> None:
        """Look once a second; raise InstallError with what the journal says if they do not."""
        steady, restarts = 0, {unit: _restarts(system, unit) for unit in _MUST_RUN}
        for _ in range(_LOOKS):
            now = {unit: _restarts(system, unit) for unit in _MUST_RUN}
            running = all(is_active(system, unit) for unit in _MUST_RUN)
            steady = steady + 1 if running and now == restarts else 0
            restarts = now
            if steady > _STEADY_LOOKS:
                return
            system.sleep(_LOOK_S)
        bad = next((unit for unit in _MUST_RUN if not is_active(system, unit)), CONTROL)
        said = system.ask("journalctl", "--unit", bad, "--lines=4", "--output=cat") or ""
        told = "".join(f"\n  | {line}" for line in said.splitlines())
        raise InstallError(
            f"{bad} does not come up{told}", f"Read more: `journalctl -u {bad} -n 50`."
        )


def _restarts(system: System, unit: str) -> str:
    return system.ask("systemctl", "show", "--property=NRestarts", unit) or ""


def changes_program(job: Job) -> bool:
    """Whether what runs would be another program than before."""
    return is_new(job) or bool(unit_files(job))


def stop(system: System) -> list[Change]:
    """Return what stops all of the rover, whatever of it runs or tries to."""
    if not system.live:
        return []
    # An installation by hand may have no target.
    there = [unit for unit in (TARGET, *_RUNNING) if system.there(f"{UNIT_FOLDER}/{unit}")]
    # One that dies and is started again is "activating", and would go on with what it was.
    runs = any(not is_at_rest(system, unit) for unit in there)
    return [Run(("systemctl", "stop", *there))] if runs else []


def start(system: System) -> list[Change]:
    """Return what starts the rover and waits for it, where systemd runs."""
    if not system.live:
        return []
    target = (TARGET,) if system.there(f"{UNIT_FOLDER}/{TARGET}") else ()
    return [
        # What has failed too often before would be refused.
        Run(("systemctl", "reset-failed", "rover-*.service")),
        Run(("systemctl", "start", "--no-block", *target, *_MUST_RUN)),
        ComeUp(),
    ]


def _plan_stop(job: Job) -> Sequence[Change]:
    return stop(job.system) if changes_program(job) else []


def _undo_start(job: Job) -> Sequence[Change]:
    # First of all: the last step is taken back first.
    return stop(job.system)


def _plan_start(job: Job) -> Sequence[Change]:
    system = job.system
    if system.live and not all(is_active(system, unit) for unit in _MUST_RUN):
        return start(system)
    return []


def _nothing(_job: Job) -> Sequence[Change]:
    return []


def tidy(job: Job, before: str) -> list[Change]:
    """Return what removes all versions but the one in force and the one before it."""
    keep = {in_force(job.system), before} - {"", CURRENT}
    return old_versions(job.system, [one for one in keep if one.startswith(VERSIONS)])


STOP = Step("Rover stopped", _plan_stop, _nothing)
START = Step("Rover started", _plan_start, _undo_start)
