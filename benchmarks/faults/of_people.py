"""Faults between a person and the control process: gamepad, phone, several who drive, stops."""

from benchmarks.faults.fault import (
    BOTH,
    DEADLINES,
    PAD_S,
    PHONE_S,
    TICK_S,
    Driver,
    Fault,
    Group,
    Revival,
)
from rover.messages import ArmState

_PAD = (Driver.PAD,)
_PHONE = (Driver.PHONE,)


def _pad_lost(
    key: str, what: str, reaction: str, bound_s: float = PAD_S, group: Group = Group.PAD
) -> Fault:
    """Return a way to lose the pad: the rover brakes, stays armed, and waits for neutral."""
    armed, neutral = ArmState.ARMED, Revival.NEUTRAL
    return Fault(key, group, what, reaction, bound_s, armed, neutral, _PAD)


def _phone_lost(
    key: str, what: str, reaction: str, *, group: Group = Group.PHONE, note: str = ""
) -> Fault:
    """Return a way to lose the phone: the same."""
    armed, neutral = ArmState.ARMED, Revival.NEUTRAL
    return Fault(key, group, what, reaction, PHONE_S, armed, neutral, _PHONE, note=note)


def _stopped(
    key: str,
    what: str,
    sources: tuple[Driver, ...],
    *,
    way_in_s: float = 0.0,
    note: str = "",
) -> Fault:
    """Return a way to press the emergency stop."""
    return Fault(
        key,
        Group.ESTOP,
        what,
        "motor-enable low and zero duty in the same tick, latched",
        TICK_S,
        ArmState.ESTOP,
        Revival.ARMING,
        sources,
        way_in_s=way_in_s,
        note=note,
    )


_DEADLINE = "stop when nothing has come for 300 ms"
_ENDS = "stop when the pad ends"
_SILENCE_S = DEADLINES.gamepad_silence_s

PAD = (
    _pad_lost("pad-dead-man", "dead-man button released", "stop at once"),
    _pad_lost("pad-unplugged", "pad unplugged: end of file", _ENDS),
    _pad_lost("pad-vanishes", "the pad's event node fails with an error (ENODEV)", _ENDS),
    _pad_lost(
        "pad-silent",
        "pad silent with its stick held, dongle still plugged in",
        f"stop after {_SILENCE_S:g} s of silence",
        _SILENCE_S + PAD_S,
    ),
)

PHONE = (
    _phone_lost(
        "phone-hidden",
        "page hidden while a thumb is on it",
        "stop",
        note="the page is told so by the browser's own event: one without a screen hides nothing",
    ),
    _phone_lost("phone-tab-closed", "tab closed", "stop"),
    _phone_lost(
        "phone-browser-killed",
        "the browser's process killed",
        "stop when the connection ends, at the latest after 300 ms",
    ),
    _phone_lost("phone-tcp-stall", "link stalls with the connection open", _DEADLINE),
    _phone_lost(
        "phone-packet-loss",
        "2 s in which nothing arrives, then the link is good again",
        _DEADLINE,
    ),
    _phone_lost(
        "phone-burst",
        "2 s of frames held back, then delivered at once",
        "stop after 300 ms; the burst is not replayed",
    ),
)

ESTOP = (
    _stopped("estop-pad", "East button of the pad", _PAD),
    _stopped(
        "estop-page",
        "STOP on the page",
        _PHONE,
        way_in_s=0.1,
        note="a finger's way through the browser and the web process",
    ),
    _stopped("estop-button", "the stop button", BOTH),
    _stopped(
        "estop-command-line",
        "`rover stop`",
        BOTH,
        way_in_s=1.0,
        note="an interpreter starts first",
    ),
    _stopped("estop-two-at-once", "stop button and link in the same moment", BOTH),
    _stopped("estop-during-arming", "in the moment of arming, before anything moves", BOTH),
    _stopped("estop-while-other-drives", "by who does not drive, while another does", BOTH),
)

SOURCES = (
    Fault(
        "two-phones",
        Group.SOURCES,
        "a second phone pushes its stick while the first drives",
        "the first drives on; the second must let go of its stick before its turn",
        None,
        ArmState.ARMED,
        Revival.NOTHING,
        _PHONE,
    ),
    _pad_lost(
        "pad-and-phone",
        "the pad takes the wheel, then lets go while the phone goes on asking",
        "stop; the phone starts from neutral",
        group=Group.SOURCES,
    ),
    _phone_lost(
        "source-returns",
        "falls silent, loses the wheel, comes back with its stick held",
        "stop; who comes back starts from neutral",
        group=Group.SOURCES,
    ),
)
