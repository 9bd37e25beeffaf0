"""Losing the pad, the phone or the link, and several who drive, on the real processes."""

import time

from benchmarks.faults.act import Act, until
from benchmarks.faults.fault import Driver
from benchmarks.faults.stage import Stage

_LOSS_S = 2.0
# Long enough to be told no several times.
_ASKING_S = 0.2


def _plug_back(stage: Stage) -> None:
    """Plug a pad in whose stick is pushed; the rover looks for pads once a second."""
    stage.plug_pad_anew()
    stage.pad.full()


def _hold(stage: Stage, _driver: Driver) -> float:
    stage.link.hold()
    return time.monotonic()


def _hold_upwards(stage: Stage, _driver: Driver) -> float:
    stage.link.hold(upwards_only=True)
    return time.monotonic()


def _burst(stage: Stage) -> None:
    """Deliver what has been held back in two seconds, or a little more."""
    first = stage.watcher.since(0.0)[0]
    until(first.time_s + _LOSS_S)
    stage.link.release()


def _hush(stage: Stage, _driver: Driver) -> float:
    stage.phone.hush()
    return time.monotonic()


def _second_phone_pushes(stage: Stage, _driver: Driver) -> float:
    stage.bystander.rest()
    pushed_s = time.monotonic()
    stage.bystander.full()
    return pushed_s


def _pad_lets_go_while_the_phone_asks(stage: Stage, _driver: Driver) -> float:
    stage.phone.rest()
    stage.phone.full()
    time.sleep(_ASKING_S)
    return stage.pad.let_go()


ACTS = {
    "pad-dead-man": Act(lambda stage, _: stage.pad.let_go()),
    "pad-unplugged": Act(lambda stage, _: stage.unplug_pad(), _plug_back),
    "pad-vanishes": Act(lambda stage, _: stage.unplug_pad(), _plug_back, node_fails=True),
    "pad-silent": Act(lambda stage, _: stage.pad.fall_silent(), lambda stage: stage.pad.tremble()),
    # The phone connects anew by itself, its stick still pushed.
    "phone-tcp-stall": Act(_hold, lambda stage: stage.link.cut()),
    "phone-packet-loss": Act(_hold, _burst),
    "phone-burst": Act(_hold_upwards, _burst),
    "two-phones": Act(
        _second_phone_pushes,
        mend=lambda stage: stage.bystander.rest(),
    ),
    "pad-and-phone": Act(_pad_lets_go_while_the_phone_asks, mend=lambda stage: stage.phone.rest()),
    "source-returns": Act(_hush, lambda stage: stage.phone.hush(hushed=False)),
}
