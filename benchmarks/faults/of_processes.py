"""Faults of the rover's own processes, and of the computer that they run on."""

from benchmarks.faults.fault import (
    AT_ONCE_S,
    BOTH,
    PHONE_S,
    SERIAL_TIMEOUT_S,
    Driver,
    Fault,
    Group,
    Revival,
)
from rover.messages import ArmState

# What a tick consists of, by the names in ``rover.loop``.
STAGES = ("hear", "notice_stall", "enter_state", "decide", "observe", "publish")
_THEMSELVES = f"the controllers stop by themselves after {SERIAL_TIMEOUT_S:g} s"


def _web(key: str, what: str) -> Fault:
    return Fault(
        key,
        Group.WEB,
        what,
        "stop when nothing has come for 300 ms",
        PHONE_S,
        ArmState.ARMED,
        Revival.NEUTRAL,
        (Driver.PHONE,),
    )


def _ended(key: str, what: str, reaction: str, bound_s: float) -> Fault:
    """Return an end of control: it comes back disarmed."""
    return Fault(
        key, Group.CONTROL, what, reaction, bound_s, ArmState.DISARMED, Revival.ARMING, BOTH
    )


def _unmoved(key: str, group: Group, what: str, reaction: str) -> Fault:
    """Return something that does not keep the rover from being driven."""
    return Fault(key, group, what, reaction, None, ArmState.ARMED, Revival.NOTHING, BOTH)


WEB = (
    _web("web-killed", "web process killed (SIGKILL)"),
    _web("web-frozen", "web process frozen (SIGSTOP), goes on later"),
)

CONTROL = (
    _ended("control-sigterm", "control told to end (SIGTERM)", "motors stopped at once", AT_ONCE_S),
    *(
        _ended(
            f"control-exception-{stage.replace('_', '-')}",
            f"exception in a tick, in `{stage}`",
            "motors stopped at once, the process ends with an error",
            AT_ONCE_S,
        )
        for stage in STAGES
    ),
    _ended("control-killed", "control killed (SIGKILL)", _THEMSELVES, SERIAL_TIMEOUT_S),
    Fault(
        "control-frozen",
        Group.CONTROL,
        "control frozen (SIGSTOP), goes on later",
        f"{_THEMSELVES}; when it goes on, a fault",
        SERIAL_TIMEOUT_S,
        sources=BOTH,
    ),
)

COMPUTER = (
    Fault(
        "clock-jump",
        Group.COMPUTER,
        "the wall clock jumps a year ahead, then behind",
        "nothing: no deadline asks the wall clock",
        None,
        ArmState.ARMED,
        Revival.NOTHING,
        BOTH,
        note="Python's wall clock is turned, in control and web: the system's own is everybody's",
    ),
    Fault(
        "suspended-10-s",
        Group.COMPUTER,
        "the computer is suspended for 10 s",
        f"{_THEMSELVES}; when it goes on, a fault",
        SERIAL_TIMEOUT_S,
        sources=BOTH,
        note="control and web are frozen for 10 s, the simulated hardware is not",
    ),
    _unmoved(
        "loop-overloaded",
        Group.COMPUTER,
        "every tick takes twice the time it has",
        "driving goes on at half the rate, missed ticks are told; or a stop",
    ),
)

DISK = (
    _unmoved("disk-full", Group.DISK, "disk full while driving", "driving goes on"),
    _unmoved(
        "runtime-dir-read-only",
        Group.DISK,
        "runtime directory becomes read-only while driving",
        "driving goes on",
    ),
    _unmoved(
        "sockets-deleted",
        Group.DISK,
        "the sockets' files deleted while driving",
        "driving goes on; who starts anew finds nobody and says so",
    ),
)
