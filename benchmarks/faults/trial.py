"""One run of one fault: drive, put it in, watch the wheels, take it out, drive again."""

import random
import time

from msgspec import Struct

from benchmarks.faults.act import Act
from benchmarks.faults.fault import Driver, Fault, Revival
from benchmarks.faults.stage import FULL_RAD_S, Stage
from benchmarks.faults.watcher import Sample, line_dropped_s, longest_gap_s, moved, stood_s
from benchmarks.harness import NotMeasuredError
from rover.config.sections import MotionConfig
from rover.messages import ArmState, Source, Stop

# How long nothing may move after standstill while those who drive ask on.
WATCH_S = 1.0
# A wheel that turns faster has begun to move again: 4 mm/s at the rim.
MOVED_RAD_S = 0.05
_OVERSPEED = 1.1
_SLOW_RAD_S = _OVERSPEED * MotionConfig().slow_speed_mps * FULL_RAD_S
# How much longer than allowed a stop is waited for, to tell how late it is.
_LATE_S = 2.0
# Neutral, then full speed, out of a latched state: enough to move a wheel if anything would.
_TEMPT_S = 0.25
# Faults come at any moment of a tick, and between two frames of a phone.
_JITTER_S = 0.02
# The rover at full speed, steadily.
_STEADY_S = 0.1


class Trial(Struct, frozen=True):
    """What became of one run.

    ``stop_s`` is from the fault to standstill, where driving goes on from a plain stop during it;
    None if the wheels went on turning. ``line_s`` is when the motor-enable line dropped, if it
    did. ``trouble`` is what was wrong, empty if nothing was. ``blind_s`` is the longest time
    without a look at the wheels.
    """

    stop_s: float | None
    line_s: float | None
    state: ArmState
    trouble: str
    blind_s: float


def run_trial(stage: Stage, fault: Fault, act: Act, driver: Driver, chance: random.Random) -> Trial:
    """Run ``fault`` once. Raises NotMeasuredError if the rover cannot even be driven."""
    stage.driver = driver
    # As a rule the run before has left it so.
    if not stage.at_full_speed:
        stage.drive(stage.hand(driver))
    time.sleep(_STEADY_S + chance.uniform(0.0, _JITTER_S))
    stage.watcher.forget()
    begun_s = act.inject(stage, driver)
    if fault.bound_s is None:
        trial = _watch_driving(stage, act, driver, begun_s)
    else:
        trial = _watch_stopping(stage, fault, act, begun_s)
    act.mend(stage)
    stage.runs += 1
    trouble = trial.trouble or _tempt(stage, fault, driver)
    # It moves again, with what it takes and not without.
    stage.drive(stage.hand(driver))
    return Trial(trial.stop_s, trial.line_s, trial.state, trouble, trial.blind_s)


def _watch_stopping(stage: Stage, fault: Fault, act: Act, begun_s: float) -> Trial:
    samples = _await_standstill(stage, begun_s, fault.limit_s + _LATE_S)
    stood = stood_s(samples)
    act.meanwhile(stage)
    time.sleep(WATCH_S)
    state = stage.fresh_telemetry().state
    trouble = ""
    after = stage.watcher.since(begun_s if stood is None else stood)
    if stood is None:
        trouble = "the wheels go on turning"
    elif moved(after) > MOVED_RAD_S:
        trouble = f"a wheel moved again, at {moved(after):.2f} rad/s"
    elif state is not fault.state:
        trouble = f"{state} afterwards: {stage.told()}"
    line = line_dropped_s(stage.watcher.since(begun_s))
    return Trial(
        None if stood is None else max(0.0, stood - begun_s),
        None if line is None else line - begun_s,
        state,
        trouble,
        longest_gap_s(stage.watcher.since(begun_s)),
    )


def _watch_driving(stage: Stage, act: Act, driver: Driver, begun_s: float) -> Trial:
    time.sleep(act.lasts_s)
    act.meanwhile(stage)
    samples = stage.watcher.since(begun_s)
    state = stage.fresh_telemetry().state
    stopped_s = stop_plainly(stage, driver)
    stopping = _await_standstill(stage, stopped_s, _LATE_S)
    stood = stood_s(stopping)
    return Trial(
        None if stood is None else stood - stopped_s,
        None,
        state,
        _trouble_while_driving(stage, act, state, samples)
        or ("" if stood else "a stop has no effect"),
        longest_gap_s(stage.watcher.since(begun_s)),
    )


def _trouble_while_driving(stage: Stage, act: Act, state: ArmState, samples: list[Sample]) -> str:
    if moved(samples) > _OVERSPEED * FULL_RAD_S:
        return f"a wheel turned at {moved(samples):.1f} rad/s, asked for {FULL_RAD_S:.1f}"
    if act.may_stop and state is not ArmState.ARMED:
        return ""
    if state is not ArmState.ARMED:
        return f"{state}: {stage.told()}"
    slowest = min(sample.slowest_rad_s for sample in samples)
    if slowest < act.slowest_share * FULL_RAD_S and not act.may_stop:
        return f"a wheel slowed down to {slowest:.1f} rad/s"
    if act.slows and samples[-1].fastest_rad_s > _SLOW_RAD_S:
        return f"it does not slow down: {samples[-1].fastest_rad_s:.1f} rad/s"
    return ""


def stop_plainly(stage: Stage, driver: Driver) -> float:
    """Say a plain stop while the driver asks on; return when (s, monotonic)."""
    if driver is Driver.PAD:
        return stage.pad.let_go()
    said_s = time.monotonic()
    stage.rig.client.drive(Source.WEB, Stop("a plain stop"), stage.rig.clock.now_s())
    return said_s


def _await_standstill(stage: Stage, since_s: float, within_s: float) -> list[Sample]:
    """Wait until all wheels stand, or for ``within_s``; return what was seen meanwhile."""
    while True:
        samples = stage.watcher.since(since_s)
        if stood_s(samples) is not None or time.monotonic() > since_s + within_s:
            return samples
        time.sleep(0.01)


def seconds_to_stand(stage: Stage, since_s: float) -> float:
    """Wait for standstill; return the time from ``since_s`` on. Raises NotMeasuredError."""
    stood = stood_s(_await_standstill(stage, since_s, _LATE_S))
    if stood is None:
        raise NotMeasuredError("the wheels go on turning after a plain stop")
    return stood - since_s


def _tempt(stage: Stage, fault: Fault, driver: Driver) -> str:
    """Tell whether neutral and a full stick move what only a person's arming may move."""
    if fault.revival is not Revival.ARMING:
        return ""
    hand = stage.hand(driver)
    hand.rest()
    tempted_s = time.monotonic()
    hand.full()
    time.sleep(_TEMPT_S)
    fastest = moved(stage.watcher.since(tempted_s))
    return f"neutral alone moved it, at {fastest:.2f} rad/s" if fastest > MOVED_RAD_S else ""
