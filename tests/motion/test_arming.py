"""Arming: every state, every request, every reason why not."""

import pytest

from rover.messages import ArmState, Condition, Reaction, Request, RequestKind, Severity, Source
from rover.motion.arming import LOOK_S, MAX_REQUEST_AGE_S, STOP_BUTTON, Arming

NOW_S = 50.0
# Long enough before NOW_S for a person to have seen what happened.
THEN_S = NOW_S - 2.0
SILENT = Condition("controller", "RoboClaw 0x80 has been silent for 0.2 s")
LOW = Condition("battery-low", "battery low", Severity.WARNING, reaction=Reaction.TELL)
UNCALIBRATED = Condition("calibration", "steering is not calibrated", reaction=Reaction.TELL)
BUTTON = Condition(STOP_BUTTON, "the stop button is pressed: release it")


def ask(
    arming: Arming,
    kind: RequestKind,
    conditions: tuple[Condition, ...] = (),
    asking: tuple[Source, ...] = (),
    *,
    stamp_s: float | None = None,
    now_s: float = NOW_S,
) -> tuple[str, ...]:
    """Ask, check that the answer is an acceptance or has reasons, and return the reasons."""
    request = Request(kind, "a test", now_s if stamp_s is None else stamp_s)
    answer = arming.request(request, conditions, asking, now_s)
    assert answer.accepted == (not answer.refusals)
    return answer.refusals


def maintain(
    arming: Arming,
    conditions: tuple[Condition, ...] = (),
    asking: tuple[Source, ...] = (),
    *,
    token: str = "mine",
    stamp_s: float | None = None,
    now_s: float = NOW_S,
) -> tuple[str, ...]:
    """Ask for maintenance in the same way."""
    stamp_s = now_s if stamp_s is None else stamp_s
    request = Request(RequestKind.MAINTAIN, "a session", stamp_s, token)
    answer = arming.request(request, conditions, asking, now_s)
    assert answer.accepted == (not answer.refusals)
    return answer.refusals


def in_state(state: ArmState) -> Arming:
    arming = Arming()
    if state is ArmState.MAINTENANCE:
        assert maintain(arming, now_s=THEN_S) == ()
    elif state is not ArmState.DISARMED:
        assert ask(arming, RequestKind.ARM, now_s=THEN_S) == ()
    if state is ArmState.FAULT:
        arming.fault("gone wrong", THEN_S)
    if state is ArmState.ESTOP:
        arming.stop("someone", THEN_S)
    assert arming.state is state
    return arming


def test_is_born_disarmed() -> None:
    arming = Arming()
    assert arming.state is ArmState.DISARMED
    assert (arming.token, arming.maintainer) == ("", "")


@pytest.mark.parametrize(
    ("before", "kind", "after"),
    [
        (ArmState.DISARMED, RequestKind.ARM, ArmState.ARMED),
        (ArmState.ARMED, RequestKind.ARM, ArmState.ARMED),
        (ArmState.FAULT, RequestKind.ARM, ArmState.FAULT),
        (ArmState.ESTOP, RequestKind.ARM, ArmState.ESTOP),
        (ArmState.DISARMED, RequestKind.DISARM, ArmState.DISARMED),
        (ArmState.ARMED, RequestKind.DISARM, ArmState.DISARMED),
        (ArmState.FAULT, RequestKind.DISARM, ArmState.FAULT),
        (ArmState.ESTOP, RequestKind.DISARM, ArmState.ESTOP),
        (ArmState.DISARMED, RequestKind.CLEAR, ArmState.DISARMED),
        (ArmState.ARMED, RequestKind.CLEAR, ArmState.ARMED),
        (ArmState.FAULT, RequestKind.CLEAR, ArmState.DISARMED),
        (ArmState.ESTOP, RequestKind.CLEAR, ArmState.DISARMED),
        (ArmState.DISARMED, RequestKind.STOP, ArmState.ESTOP),
        (ArmState.ARMED, RequestKind.STOP, ArmState.ESTOP),
        (ArmState.FAULT, RequestKind.STOP, ArmState.ESTOP),
        (ArmState.ESTOP, RequestKind.STOP, ArmState.ESTOP),
        (ArmState.MAINTENANCE, RequestKind.ARM, ArmState.MAINTENANCE),
        (ArmState.MAINTENANCE, RequestKind.DISARM, ArmState.DISARMED),
        (ArmState.MAINTENANCE, RequestKind.CLEAR, ArmState.MAINTENANCE),
        (ArmState.MAINTENANCE, RequestKind.STOP, ArmState.ESTOP),
    ],
)
def test_the_table_of_requests(before: ArmState, kind: RequestKind, after: ArmState) -> None:
    arming = in_state(before)
    refused = ask(arming, kind)
    assert arming.state is after
    latched = before in {ArmState.FAULT, ArmState.ESTOP, ArmState.MAINTENANCE}
    assert bool(refused) == (kind is RequestKind.ARM and latched)


def test_arming_is_refused_with_every_reason_at_once() -> None:
    arming = Arming()
    refusals = ask(
        arming, RequestKind.ARM, (SILENT, LOW, UNCALIBRATED), (Source.WEB,), stamp_s=NOW_S - 3.0
    )
    assert arming.state is ArmState.DISARMED
    text = "\n".join(refusals)
    for reason in ("3.0 s old", "silent", "calibrated", "web: let go"):
        assert reason in text
    assert "battery low" not in text
    assert len(refusals) == 4


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        (ArmState.ESTOP, "the emergency stop is latched: clear it first"),
        (ArmState.FAULT, "a fault is latched (gone wrong): clear it first"),
        (ArmState.MAINTENANCE, "a session is calibrating the rover: end that first"),
    ],
)
def test_what_is_latched_is_told_to_who_arms(state: ArmState, refusal: str) -> None:
    assert ask(in_state(state), RequestKind.ARM) == (refusal,)


def test_it_tells_why_it_is_where_it_is() -> None:
    arming = Arming()
    assert arming.reason == "just started"
    now_s = NOW_S
    for kind, reason in (
        (RequestKind.ARM, "armed by a test"),
        (RequestKind.DISARM, "disarmed by a test"),
        (RequestKind.STOP, "emergency stop by a test"),
        (RequestKind.CLEAR, "estop cleared by a test"),
    ):
        now_s += 1.0
        assert ask(arming, kind, now_s=now_s) == ()
        assert arming.reason == reason


@pytest.mark.parametrize("kind", [RequestKind.ARM, RequestKind.CLEAR])
@pytest.mark.parametrize("off_s", [-0.61, 0.61])
def test_what_waited_too_long_is_refused(kind: RequestKind, off_s: float) -> None:
    arming = in_state(ArmState.ESTOP if kind is RequestKind.CLEAR else ArmState.DISARMED)
    before = arming.state
    assert ask(arming, kind, stamp_s=NOW_S + off_s)
    assert arming.state is before


@pytest.mark.parametrize("kind", [RequestKind.STOP, RequestKind.DISARM])
def test_stopping_is_never_too_old(kind: RequestKind) -> None:
    arming = in_state(ArmState.ARMED)
    assert ask(arming, kind, (SILENT,), (Source.WEB,), stamp_s=0.0) == ()
    assert arming.state is not ArmState.ARMED


def test_an_emergency_stop_is_not_cleared_while_the_button_is_pressed() -> None:
    arming = in_state(ArmState.ESTOP)
    assert ask(arming, RequestKind.CLEAR, (BUTTON,)) == (BUTTON.text,)
    assert arming.state is ArmState.ESTOP
    assert ask(arming, RequestKind.CLEAR, (SILENT,)) == ()


def test_only_conditions_that_stop_fault_an_armed_rover() -> None:
    arming = in_state(ArmState.ARMED)
    arming.observe((LOW, UNCALIBRATED), NOW_S)
    assert arming.state is ArmState.ARMED
    arming.observe((LOW, SILENT, BUTTON), NOW_S)
    assert arming.state is ArmState.FAULT
    assert arming.reason == f"{SILENT.text}; {BUTTON.text}"


def test_a_fault_is_not_cleared_before_it_was_seen() -> None:
    arming = in_state(ArmState.ARMED)
    arming.observe((SILENT,), NOW_S)
    assert "just become fault" in ask(arming, RequestKind.CLEAR, now_s=NOW_S + 0.3)[0]
    assert ask(arming, RequestKind.CLEAR, now_s=NOW_S + 0.6) == ()


@pytest.mark.parametrize("state", [ArmState.DISARMED, ArmState.FAULT, ArmState.ESTOP])
def test_a_fault_does_not_move_a_state_that_is_safe(state: ArmState) -> None:
    arming = in_state(state)
    reason = arming.reason
    arming.fault("more trouble", NOW_S)
    assert (arming.state, arming.reason) == (state, reason)


def test_the_first_reason_of_an_emergency_stop_is_kept() -> None:
    arming = Arming()
    arming.stop("the phone", NOW_S)
    arming.stop("the gamepad", NOW_S)
    assert "the phone" in arming.reason


def test_a_clear_does_not_undo_a_stop_that_it_has_crossed() -> None:
    arming = in_state(ArmState.FAULT)
    arming.stop("another", NOW_S)
    for stamp_s in (NOW_S - 0.1, NOW_S + 0.45):
        refused = ask(arming, RequestKind.CLEAR, stamp_s=stamp_s, now_s=NOW_S + 0.45)
        assert "just become estop" in refused[0]
    assert ask(arming, RequestKind.CLEAR, now_s=NOW_S + 0.51) == ()


def test_a_second_stop_starts_the_wait_anew() -> None:
    arming = in_state(ArmState.ESTOP)
    arming.stop("another", NOW_S)
    assert ask(arming, RequestKind.CLEAR, now_s=NOW_S + 0.3)


def test_a_double_tap_does_not_arm() -> None:
    arming = in_state(ArmState.ARMED)
    assert ask(arming, RequestKind.DISARM) == ()
    assert ask(arming, RequestKind.ARM, now_s=NOW_S + 0.25)
    assert arming.state is ArmState.DISARMED
    assert ask(arming, RequestKind.ARM, now_s=NOW_S + 0.6) == ()


def test_clearing_and_arming_at_once_do_not_arm() -> None:
    arming = in_state(ArmState.FAULT)
    assert ask(arming, RequestKind.CLEAR) == ()
    assert ask(arming, RequestKind.ARM, now_s=NOW_S + 0.3)
    assert arming.state is ArmState.DISARMED
    assert ask(arming, RequestKind.ARM, now_s=NOW_S + 0.6) == ()


def test_a_requested_stop_is_not_cleared_before_it_was_seen() -> None:
    arming = in_state(ArmState.ARMED)
    assert ask(arming, RequestKind.STOP) == ()
    assert ask(arming, RequestKind.CLEAR, now_s=NOW_S + 0.3)
    assert ask(arming, RequestKind.CLEAR, now_s=NOW_S + 0.6) == ()


def test_a_request_may_be_as_old_as_it_is_told() -> None:
    # From zero, where these numbers are exact.
    assert ask(Arming(), RequestKind.ARM, stamp_s=0.0, now_s=MAX_REQUEST_AGE_S) == ()


def test_who_has_looked_long_enough_may_clear() -> None:
    arming = Arming()
    arming.stop("someone", 0.0)
    assert ask(arming, RequestKind.CLEAR, now_s=LOOK_S) == ()


@pytest.mark.parametrize("stamp_s", [float("nan"), float("inf"), float("-inf")])
def test_a_time_that_is_none_arms_nothing(stamp_s: float) -> None:
    assert ask(Arming(), RequestKind.ARM, stamp_s=stamp_s)


# Maintenance.


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (ArmState.DISARMED, ""),
        (ArmState.ARMED, "the rover is armed: disarm it first"),
        (ArmState.FAULT, "a fault is latched"),
        (ArmState.ESTOP, "the emergency stop is latched"),
    ],
)
def test_maintenance_begins_only_disarmed(state: ArmState, reason: str) -> None:
    arming = in_state(state)
    refusals = maintain(arming)
    assert reason in "".join(refusals)
    assert arming.state is (state if reason else ArmState.MAINTENANCE)
    assert arming.token == ("" if reason else "mine")


@pytest.mark.parametrize(
    ("conditions", "asking", "stamp_s", "token", "reason"),
    [
        ((SILENT,), (), NOW_S, "mine", "silent"),
        ((), (Source.GAMEPAD,), NOW_S, "mine", "let go of the sticks"),
        ((), (), NOW_S - 0.7, "mine", "0.7 s old"),
        ((), (), float("nan"), "mine", "old"),
        ((), (), NOW_S, "", "without a token"),
    ],
)
def test_what_speaks_against_arming_speaks_against_maintenance(
    conditions: tuple[Condition, ...],
    asking: tuple[Source, ...],
    stamp_s: float,
    token: str,
    reason: str,
) -> None:
    arming = Arming()
    refusals = maintain(arming, conditions, asking, token=token, stamp_s=stamp_s)
    assert reason in "".join(refusals)
    assert arming.state is ArmState.DISARMED


def test_maintenance_is_refused_with_every_reason_at_once() -> None:
    arming = in_state(ArmState.ARMED)
    refusals = maintain(arming, (SILENT, LOW), (Source.GAMEPAD,), token="", stamp_s=NOW_S - 3.0)
    assert refusals == (
        "the request to maintain is 3.0 s old: ask again",
        "a maintenance without a token, by which its orders are known",
        "the rover is armed: disarm it first",
        SILENT.text,
        "gamepad: let go of the sticks first",
    )
    assert arming.state is ArmState.ARMED


def test_nobody_maintains_before_having_looked() -> None:
    arming = in_state(ArmState.ARMED)
    assert ask(arming, RequestKind.DISARM) == ()
    assert "just become" in maintain(arming, now_s=NOW_S + 0.3)[0]
    assert maintain(arming, now_s=NOW_S + 0.6) == ()


def test_a_rover_that_is_not_calibrated_yet_may_be() -> None:
    missing = Condition("calibration", "steering is not calibrated")
    arming = Arming()
    assert maintain(arming, (missing,)) == ()
    arming.observe((missing,), NOW_S)
    assert arming.state is ArmState.MAINTENANCE
    arming.observe((missing, SILENT), NOW_S)
    assert arming.state is ArmState.FAULT
    assert arming.reason == SILENT.text


def test_one_session_at_a_time() -> None:
    arming = in_state(ArmState.MAINTENANCE)
    assert arming.reason == "a session calibrates"
    assert maintain(arming) == ()
    assert maintain(arming, token="another") == (
        "a session is calibrating the rover: end that first",
    )
    assert arming.token == "mine"


def test_its_end_leaves_it_disarmed_and_nobodys() -> None:
    arming = in_state(ArmState.MAINTENANCE)
    arming.end_maintenance("a session has gone", NOW_S)
    assert (arming.state, arming.reason) == (ArmState.DISARMED, "a session has gone")
    assert (arming.token, arming.maintainer) == ("", "")
    # Whoever goes on must have seen that it has ended.
    assert "just become disarmed" in maintain(arming, now_s=NOW_S + 0.3)[0]
    assert maintain(arming, now_s=NOW_S + 0.6) == ()


@pytest.mark.parametrize("state", [ArmState.ARMED, ArmState.FAULT, ArmState.ESTOP])
def test_its_end_is_no_end_of_anything_else(state: ArmState) -> None:
    arming = in_state(state)
    arming.end_maintenance("a session has gone", NOW_S)
    assert arming.state is state


def test_a_fault_ends_it_and_nobody_has_it_any_more() -> None:
    arming = in_state(ArmState.MAINTENANCE)
    arming.fault("gone wrong", NOW_S)
    assert arming.state is ArmState.FAULT
    assert arming.token == ""


# Reading the configuration anew


def test_only_while_disarmed_may_the_configuration_be_read_anew() -> None:
    why = {
        ArmState.DISARMED: (),
        ArmState.ARMED: ("the rover is armed: disarm it first",),
        ArmState.MAINTENANCE: ("a session is calibrating the rover: end that first",),
        ArmState.FAULT: ("a fault is latched (gone wrong): clear it first",),
        ArmState.ESTOP: ("the emergency stop is latched: clear it first",),
    }
    for state in ArmState:
        arming = in_state(state)
        assert ask(arming, RequestKind.RELOAD) == why[state]
        assert arming.state is state


def test_a_calibration_that_has_just_ended_may_reload_at_once() -> None:
    arming = in_state(ArmState.MAINTENANCE)
    assert ask(arming, RequestKind.DISARM) == ()
    assert ask(arming, RequestKind.RELOAD, (SILENT, UNCALIBRATED), (Source.WEB,)) == ()


def test_a_request_to_reload_that_waited_too_long_is_refused() -> None:
    arming = in_state(ArmState.DISARMED)
    late_s = NOW_S - MAX_REQUEST_AGE_S - 0.1
    (refusal,) = ask(arming, RequestKind.RELOAD, stamp_s=late_s)
    assert "0.7 s old" in refusal
