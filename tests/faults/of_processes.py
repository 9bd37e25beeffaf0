"""What becomes of control and of the computer, on the manual clock.

That a process ends is stood in for by what the wheels see of it: no more ticks, or a shutdown
without one. The processes themselves are killed in ``tests/whole``.
"""

import contextlib
import time
from unittest import mock

from benchmarks.faults.of_processes import STAGES
from rover.errors import RoverError
from tests.faults.rig import TICK_S, FaultRig
from tests.faults.trial import Act, Trial

_YEAR_S = 365.25 * 86400.0
_STAGE_METHODS = {stage: f"_{stage}" for stage in STAGES}


def _shut_down(rig: FaultRig) -> None:
    """End control as ``rover.app`` does on a signal or an exception."""
    rig.loop.shut_down()
    rig.kill_control()
    assert not rig.truth().motor_enable
    assert rig.outputs_idle()
    assert not any(wheel.steer_powered for wheel in rig.truth().wheels)


def _fail_in(stage: str) -> Act:
    def fail(rig: FaultRig) -> None:
        target, name = (
            (rig.loop._hearing, "hear") if stage == "hear" else (rig.loop, _STAGE_METHODS[stage])
        )
        with (
            mock.patch.object(target, name, side_effect=RoverError("a bug")),
            contextlib.suppress(RoverError),
        ):
            rig.run(0.1)
            raise AssertionError(f"{stage} was not run")
        _shut_down(rig)

    return fail


def _kill(rig: FaultRig) -> None:
    rig.kill_control()


def _restart(rig: FaultRig) -> None:
    rig.restart_control()


def _by_themselves(rig: FaultRig) -> None:
    """See that it was the controllers that stopped, and nobody else."""
    assert all(controller.timed_out for controller in rig.truth().controllers)


def _restart_after_timeout(rig: FaultRig) -> None:
    _by_themselves(rig)
    rig.restart_control()


def _go_on_after(duration_s: float) -> Act:
    """Let a frozen loop go on as if nothing had been."""

    def go_on(rig: FaultRig) -> None:
        _by_themselves(rig)
        rig.clock.sleep_s(duration_s)
        rig.running = True

    return go_on


def _jump(rig: FaultRig) -> None:
    """Let the wall clock be elsewhere: a year ahead, then a year behind."""
    for offset_s in (_YEAR_S, -_YEAR_S):
        there_s = time.time() + offset_s
        with (
            mock.patch("time.time", lambda there_s=there_s: there_s),
            mock.patch("time.time_ns", lambda there_s=there_s: int(there_s * 1e9)),
        ):
            rig.run(0.5)
            assert not rig.stands()


def _overload(rig: FaultRig) -> None:
    rig.burden_s = 2 * TICK_S


def _overload_is_told(rig: FaultRig) -> None:
    assert rig.telemetry.missed_ticks > 50
    assert any(event.code == "overrun" for event in rig.telemetry.events)
    rig.burden_s = 0.0


TRIALS = {
    "control-sigterm": (Trial(_shut_down, then=_restart),),
    **{
        f"control-exception-{stage.replace('_', '-')}": (Trial(_fail_in(stage), then=_restart),)
        for stage in STAGES
    },
    "control-killed": (Trial(_kill, then=_restart_after_timeout),),
    "control-frozen": (Trial(_kill, then=_go_on_after(2.0), reason="stood still"),),
    "suspended-10-s": (Trial(_kill, then=_go_on_after(10.0), reason="stood still"),),
    "clock-jump": (Trial(_jump),),
    "loop-overloaded": (Trial(_overload, while_driving=_overload_is_told),),
}
