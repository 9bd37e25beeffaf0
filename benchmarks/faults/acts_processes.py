"""Ends and stalls of the rover's own processes, for real."""

import os
import signal
import time
from functools import partial

from benchmarks.faults.act import Act, until
from benchmarks.faults.breakable import raised_at
from benchmarks.faults.fault import Driver
from benchmarks.faults.of_processes import STAGES
from benchmarks.faults.stage import Stage
from benchmarks.harness import NotMeasuredError, wait_until

_FROZEN_S = 1.0
_SUSPENDED_S = 10.0
# A tick has 10 ms: this and its own work is more than twice of it.
_BURN_S = 0.02


def _kill_web(stage: Stage, _driver: Driver) -> float:
    killed_s = time.monotonic()
    stage.web.kill()
    return killed_s


def _revive_web(stage: Stage) -> None:
    stage.web.wait()
    stage.restart_web()


def _freeze_web(stage: Stage, _driver: Driver) -> float:
    frozen_s = time.monotonic()
    os.kill(stage.web.pid, signal.SIGSTOP)
    return frozen_s


def _thaw_web(stage: Stage) -> None:
    time.sleep(_FROZEN_S)
    os.kill(stage.web.pid, signal.SIGCONT)


def _signal(number: signal.Signals, stage: Stage, _driver: Driver) -> float:
    return stage.signal_control(number)


def _raise(in_stage: str, stage: Stage, _driver: Driver) -> float:
    """Have an exception come in a stage of the tick; return when it came, not when it was asked."""
    raised = raised_at(stage.fault_file)
    raised.unlink(missing_ok=True)
    stage.break_control(f"raise {in_stage}")
    wait_until(lambda: raised.exists() and raised.read_text() != "", "nothing was raised", 2.0)
    return float(raised.read_text())


def _come_back(code_is_right: str, stage: Stage) -> None:
    """Start control anew, with those who drive asking on; see that it ended as it should."""
    code = stage.control_ended()
    if not {"zero": code == 0, "error": code > 0, "killed": code < 0}[code_is_right]:
        raise NotMeasuredError(f"control ended with {code}, not with {code_is_right}")
    stage.start_control()


def _thaw_control(stage: Stage) -> None:
    stage.signal_control(signal.SIGCONT)


def _suspend(stage: Stage, driver: Driver) -> float:
    os.kill(stage.web.pid, signal.SIGSTOP)
    return _signal(signal.SIGSTOP, stage, driver)


def _wake(stage: Stage) -> None:
    until(stage.watcher.since(0.0)[0].time_s + _SUSPENDED_S)
    stage.signal_control(signal.SIGCONT)
    os.kill(stage.web.pid, signal.SIGCONT)


def _overload(stage: Stage, _driver: Driver) -> float:
    return stage.break_control(f"burn {_BURN_S}")


def _relieve(stage: Stage) -> None:
    stage.break_control("burn 0")


ACTS = {
    "web-killed": Act(_kill_web, _revive_web),
    "web-frozen": Act(_freeze_web, _thaw_web),
    "control-sigterm": Act(partial(_signal, signal.SIGTERM), partial(_come_back, "zero")),
    **{
        f"control-exception-{name.replace('_', '-')}": Act(
            partial(_raise, name), partial(_come_back, "error")
        )
        for name in STAGES
    },
    "control-killed": Act(partial(_signal, signal.SIGKILL), partial(_come_back, "killed")),
    "control-frozen": Act(partial(_signal, signal.SIGSTOP), _thaw_control),
    "suspended-10-s": Act(_suspend, _wake),
    "loop-overloaded": Act(_overload, mend=_relieve, may_stop=True, alone=True),
}
