"""The emergency stop from everywhere, on the real processes."""

import subprocess
import sys
import threading
import time

from benchmarks.faults.act import Act
from benchmarks.faults.fault import Driver
from benchmarks.faults.stage import Stage
from benchmarks.harness import NotMeasuredError, wait_until
from rover.gamepad.codes import Key
from rover.messages import ArmState, RequestKind
from rover.sim.faults import PressStop


def _press(stage: Stage, _driver: Driver) -> float:
    return stage.inject(PressStop(True))


def _release(stage: Stage) -> None:
    stage.inject(PressStop(False))


def _ask(stage: Stage) -> None:
    stage.rig.client.request(RequestKind.STOP, "another person")


def _by_command(stage: Stage, _driver: Driver) -> float:
    started_s = time.monotonic()
    command = (sys.executable, "-m", "rover", "stop", "--dir", str(stage.rig.directory))
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    if told.returncode != 0:
        raise NotMeasuredError(f"`rover stop` says: {told.stderr}")
    return started_s


def _two_at_once(stage: Stage, driver: Driver) -> float:
    other = threading.Thread(target=_ask, args=(stage,))
    other.start()
    pressed_s = _press(stage, driver)
    other.join()
    return pressed_s


def _during_arming(stage: Stage, driver: Driver) -> float:
    """Arm and press the button in one moment, with a stick that is pushed right away."""
    hand = stage.hand(driver)
    hand.rest()
    stage.rig.client.request(RequestKind.DISARM, "a person")
    stage.await_state(ArmState.DISARMED)
    # A person has to look for a moment before arming; as long as that takes, ask.
    wait_until(lambda: _armed(stage), "never armed")
    hand.full()
    stage.watcher.forget()
    return _press(stage, driver)


def _armed(stage: Stage) -> bool:
    return stage.rig.client.request(RequestKind.ARM, "a person").accepted


def _by_the_other(stage: Stage, driver: Driver) -> float:
    if driver is Driver.PHONE:
        return stage.pad.tap(Key.EAST)
    asked_s = time.monotonic()
    _ask(stage)
    return asked_s


ACTS = {
    "estop-pad": Act(lambda stage, _: stage.pad.tap(Key.EAST)),
    "estop-button": Act(_press, mend=_release),
    "estop-command-line": Act(_by_command),
    "estop-two-at-once": Act(_two_at_once, mend=_release),
    "estop-during-arming": Act(_during_arming, mend=_release),
    "estop-while-other-drives": Act(_by_the_other),
}
