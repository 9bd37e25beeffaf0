"""Faults of the computer: its clock, its disk, its sockets' files."""

import time

from benchmarks.faults import small_disk
from benchmarks.faults.act import Act
from benchmarks.faults.fault import Driver
from benchmarks.faults.stage import Stage
from benchmarks.harness import NotMeasuredError
from rover.sim.faults import UnplugI2c

_POWER_MONITOR = 0x45
_A_YEAR_S = 365 * 24 * 3600
_LOOK_S = 0.5


def _jump_ahead(stage: Stage, _driver: Driver) -> float:
    return stage.break_both(f"clock {_A_YEAR_S}")


def _jump_back(stage: Stage) -> None:
    """From a year ahead to a year behind."""
    stage.break_both(f"clock {-_A_YEAR_S}")
    time.sleep(_LOOK_S)


def _set_right(stage: Stage) -> None:
    stage.break_both("clock 0")


def _fill(stage: Stage, _driver: Driver) -> float:
    filled_s = time.monotonic()
    small_disk.fill(stage.rig.directory)
    # So that control has something to say, and nowhere to write it to.
    stage.inject(UnplugI2c(_POWER_MONITOR))
    return filled_s


def _empty(stage: Stage) -> None:
    small_disk.empty(stage.rig.directory)
    stage.inject(UnplugI2c(_POWER_MONITOR, False))


def _make_read_only(stage: Stage, _driver: Driver) -> float:
    made_s = time.monotonic()
    small_disk.make_read_only(stage.rig.directory)
    return made_s


def _delete_sockets(stage: Stage, _driver: Driver) -> float:
    sockets = list(stage.rig.directory.glob("*.ipc"))
    if not sockets:
        raise NotMeasuredError("control has no sockets to delete")
    deleted_s = time.monotonic()
    for path in sockets:
        path.unlink()
    return deleted_s


def _restart_control(stage: Stage) -> None:
    """What a builder does: nobody new can reach control any more."""
    stage.end_control()
    stage.start_control()


ACTS = {
    "clock-jump": Act(_jump_ahead, _jump_back, _set_right),
    "disk-full": Act(_fill, mend=_empty, on_small_disk=True),
    "runtime-dir-read-only": Act(
        _make_read_only,
        mend=lambda stage: small_disk.make_writable(stage.rig.directory),
        on_small_disk=True,
    ),
    "sockets-deleted": Act(_delete_sockets, mend=_restart_control),
}
