"""A client's conversation, on a clock held in the hand and without any socket."""

import json

import msgspec
import pytest

from rover.clock import ManualClock
from rover.messages import REMOTE_REQUESTS, Answer, Arc, ArmState, RequestKind, Source, Spin, Stop
from tests.builders import osr_config
from tests.web.fake_control import still_rover
from tests.web.rig import NoPictures
from web.drive import MAX_BAD_FRAMES, DriveSession
from web.frames import AnswerFrame, ReasonCode, ReasonFrame, WelcomeFrame
from web.remote import Remote

# The deadline, one period of telemetry at 20 Hz, and 50 ms for handling.
MAY_BE_OLD_S = 0.3 + 0.05 + 0.05


class Recorder:
    """A ControlClient that keeps what it is asked to send."""

    def __init__(self):
        self.sent = []
        self.asked = []

    def drive(self, source, motion, stamp_s):
        assert source is Source.WEB
        self.sent.append((motion, stamp_s))

    def request(self, kind, who, timeout_s, stamp_s):
        self.asked.append(kind)
        return Answer(False, ("because",)) if kind is RequestKind.ARM else Answer(True)

    @property
    def motions(self):
        return [motion for motion, _ in self.sent]


class Client:
    """One session, of a page that has seen the present unless told otherwise."""

    def __init__(self, remote, name, *, may_drive=True):
        self.told = []
        self.session = DriveSession(
            remote, name, "a device" if may_drive else None, self.told.append
        )
        self.clock = remote.clock
        self.seq = 0

    def frame(self, drive=0.0, turn=0.0, **fields):
        self.seq += 1
        frame = {"seq": self.seq, "drive": drive, "turn": turn, "mode": "arc", "limit": 1}
        return self.other("drive", **(frame | {"seen_s": self.clock.now_s()} | fields))

    def other(self, type_, **fields):
        return json.dumps({"type": type_, "t": self.clock.now_s() * 1000} | fields)

    def receive(self, *messages):
        self.session.receive(messages, self.clock.now_s())

    def drive(self, *args, **fields):
        self.receive(self.frame(*args, **fields))

    def reasons(self, code):
        return [f.text for f in self.told if isinstance(f, ReasonFrame) and f.code is code]


@pytest.fixture
def control():
    return Recorder()


@pytest.fixture
def remote(control):
    remote = Remote(osr_config(), control, control, ManualClock(), NoPictures())
    yield remote
    remote.asker.close()


@pytest.fixture
def phone(remote):
    return Client(remote, "phone 1")


@pytest.fixture
def other(remote):
    return Client(remote, "phone 2")


def test_a_thumb_becomes_a_motion_stamped_at_its_arrival(phone, control, remote):
    phone.drive()
    remote.clock.sleep_s(0.04)
    phone.drive(1.0, 1.0)
    motion, stamp_s = control.sent[-1]
    config = remote.config.motion
    assert motion == Arc(config.max_speed_mps, pytest.approx(config.max_curvature_per_m))
    assert stamp_s == remote.clock.now_s()


@pytest.mark.parametrize(
    ("drive", "turn", "signs"),
    [(1, 0, (1, 0)), (-1, 0, (-1, 0)), (1, 1, (1, 1)), (1, -1, (1, -1)), (-1, 1, (-1, 1))],
)
def test_forward_and_left_are_positive(phone, control, drive, turn, signs):
    phone.drive()
    phone.drive(drive * 0.7, turn * 0.7)
    motion = control.motions[-1]
    sign = lambda value: (value > 0) - (value < 0)  # noqa: E731
    assert (sign(motion.speed_mps), sign(motion.curvature_per_m)) == signs


def test_the_limit_scales_speed_but_not_steering(phone, control, remote):
    phone.drive()
    phone.drive(1, 1, limit=0.25)
    motion = control.motions[-1]
    assert motion.speed_mps == pytest.approx(0.25 * remote.config.motion.max_speed_mps)
    assert motion.curvature_per_m == pytest.approx(remote.config.motion.max_curvature_per_m)
    phone.drive(0, 1, limit=0.25, mode="spin")
    assert control.motions[-1] == Spin(
        pytest.approx(0.25 * remote.config.motion.max_yaw_rate_rad_s)
    )


def test_nothing_is_sent_that_did_not_just_arrive(phone, control, remote):
    phone.drive()
    phone.drive(1)
    sent = len(control.sent)
    for _ in range(50):
        remote.clock.sleep_s(0.1)
        phone.receive(phone.other("ping"))
    assert len(control.sent) == sent


def test_of_several_waiting_frames_only_the_newest_counts(phone, control):
    phone.drive()
    phone.receive(*[phone.frame(0.1 * i) for i in range(1, 8)], phone.frame(0.0))
    assert control.motions == [Arc(0, 0), Arc(0, 0)]


def test_a_landing_read_together_with_the_move_after_it_counts_as_rest(phone, control):
    phone.receive(phone.frame(0.0), phone.frame(0.4), phone.frame(1.0))
    assert control.motions == [Arc(0, 0), Arc(1.0, 0)]


def test_late_frames_are_dropped_with_a_reason_never_replayed(phone, control, remote):
    phone.drive()
    sent = len(control.sent)
    thumb_s = remote.clock.now_s()
    remote.clock.sleep_s(1.0)
    for i in range(10):
        phone.drive(1, seen_s=thumb_s + i * 0.04)
    assert len(control.sent) == sent
    assert [text for text in phone.reasons(ReasonCode.LATE) if "1000 ms ago" in text]
    remote.clock.sleep_s(0.1)
    phone.drive(0)
    assert control.motions[-1] == Arc(0, 0)


@pytest.mark.parametrize(
    ("old_s", "counts"), [(MAY_BE_OLD_S - 0.01, True), (MAY_BE_OLD_S + 0.01, False)]
)
def test_the_deadline_is_the_edge_of_late(phone, control, remote, old_s, counts):
    remote.clock.sleep_s(old_s)
    phone.drive()
    phone.drive(1, seen_s=remote.clock.now_s() - old_s)
    assert (len(control.sent) == 2) is counts


def test_a_link_that_was_always_slow_is_too_slow(phone, control, remote):
    # Every frame takes as long as the one before it, from the first of the connection on.
    for i in range(40):
        remote.clock.sleep_s(0.04)
        if i > 15:
            phone.drive(0 if i < 30 else 1, seen_s=remote.clock.now_s() - 0.6)
    assert control.sent == []
    assert "too slow to drive" in phone.reasons(ReasonCode.LATE)[0]


def test_a_page_that_has_not_seen_the_rover_does_not_drive(phone, control):
    phone.drive(0, seen_s=None)
    phone.drive(1, seen_s=None)
    assert control.sent == []
    assert phone.reasons(ReasonCode.LATE) == ["the rover has not been seen yet: look first"]


def test_nobody_has_seen_the_future(phone, control, remote):
    phone.drive()
    phone.drive(1, seen_s=remote.clock.now_s() + 0.001)
    assert not any(isinstance(motion, Arc) and motion.speed_mps for motion in control.motions)
    assert "in the future" in phone.reasons(ReasonCode.BAD_FRAME)[0]


@pytest.mark.parametrize("link_s", [0.0, 0.1, 0.25])
def test_driving_by_telemetry_at_20_hz_loses_nothing(phone, control, remote, link_s):
    frames = 100
    began_s = remote.clock.now_s()
    for _ in range(frames):
        remote.clock.sleep_s(0.04)
        now_s = remote.clock.now_s()
        seen_s = began_s + (now_s - link_s - began_s) // 0.05 * 0.05
        phone.drive(0.5 if control.sent else 0, seen_s=max(0.0, seen_s))
    assert phone.reasons(ReasonCode.LATE) == []
    assert len(control.sent) == frames


def test_a_drive_frame_before_a_halt_is_forgotten(phone, control):
    phone.drive()
    phone.drive(1)
    phone.receive(phone.frame(1), phone.other("halt", reason="hidden"))
    assert isinstance(control.motions[-1], Stop)
    assert "hidden" in control.motions[-1].reason


def test_a_halt_counts_however_late(phone, control, remote):
    phone.drive()
    phone.drive(1)
    halt = phone.other("halt", reason="cancelled")
    remote.clock.sleep_s(0.9)
    phone.receive(halt)
    assert isinstance(control.motions[-1], Stop)


def test_the_first_who_drives_has_the_wheel_and_the_other_is_told_who(phone, other, control):
    for client in (phone, other):
        client.drive()
    phone.drive(1)
    sent = len(control.sent)
    other.drive(-1)
    assert len(control.sent) == sent
    assert other.reasons(ReasonCode.NOT_DRIVING) == ["phone 1 drives"]
    other.drive(0)
    assert len(control.sent) == sent


def test_resting_takes_no_wheel(phone, other, remote):
    phone.drive()
    other.drive()
    assert remote.lease.holder == ""


def test_who_asks_without_having_rested_gets_nothing(phone, control, remote):
    phone.drive(1)
    assert control.sent == []
    assert remote.lease.holder == ""
    phone.drive(0)
    phone.drive(1)
    assert control.motions[-1] == Arc(1.0, 0)


def test_a_held_stick_does_not_inherit_the_wheel(phone, other, control, remote):
    phone.drive()
    other.drive()
    phone.drive(1)
    other.drive(1)
    phone.session.close()
    sent = len(control.sent)
    other.drive(1)
    assert len(control.sent) == sent
    other.drive(0)
    other.drive(1)
    assert remote.lease.holder == "phone 2"


@pytest.mark.parametrize("act", ["give", "close"])
def test_the_wheel_is_let_go_with_a_stop(phone, other, control, remote, act):
    other.drive()
    phone.drive()
    phone.drive(1)
    if act == "give":
        phone.receive(phone.other("give"))
    else:
        phone.session.close()
    assert isinstance(control.motions[-1], Stop)
    assert remote.lease.holder == ""
    other.drive(0.5)
    assert remote.lease.holder == "phone 2"


def test_a_watcher_that_goes_stops_nobody(phone, other, control):
    phone.drive()
    phone.drive(1)
    sent = len(control.sent)
    other.receive(other.other("halt", reason="hidden"), other.other("give"))
    other.receive("rubbish")
    other.session.close()
    assert len(control.sent) == sent


@pytest.mark.parametrize(
    "bad", ["rubbish", '{"type":"drive","drive":NaN}', b"\x00\x01", "x" * 3000, '{"type":"fly"}']
)
def test_a_bad_frame_stops_its_sender_and_says_why(phone, control, bad):
    phone.drive()
    phone.drive(1)
    phone.receive(phone.frame(1), bad)
    assert isinstance(control.motions[-1], Stop)
    assert control.motions.count(control.motions[-1]) == 1
    assert len(phone.reasons(ReasonCode.BAD_FRAME)) == 1
    phone.drive(1)
    assert isinstance(control.motions[-1], Stop)
    assert phone.reasons(ReasonCode.NOT_DRIVING) == ["let go of the sticks first"]
    phone.drive(0)
    phone.drive(1)
    assert control.motions[-2:] == [Arc(0.0, 0.0), Arc(1.0, 0.0)]


def test_a_sequence_that_does_not_rise_is_a_bad_frame(phone, control):
    phone.drive()
    phone.drive(1)
    phone.seq -= 1
    phone.drive(0.5)
    assert isinstance(control.motions[-1], Stop)
    assert "seq must go up" in phone.reasons(ReasonCode.BAD_FRAME)[0]


def test_twenty_bad_frames_end_it(phone):
    for count in range(1, MAX_BAD_FRAMES + 1):
        assert not phone.session.is_hopeless
        phone.receive("rubbish")
        assert len(phone.reasons(ReasonCode.BAD_FRAME)) == count + (count == MAX_BAD_FRAMES)
    assert phone.session.is_hopeless


def test_more_than_a_hundred_frames_a_second_are_dropped(phone, control, remote):
    phone.drive()
    for _ in range(1000):
        remote.clock.sleep_s(0.002)
        phone.drive(0.5)
    assert 290 <= len(control.sent) <= 310
    assert len(phone.reasons(ReasonCode.TOO_MANY)) == 2


def test_a_flood_does_not_hold_up_its_own_stop(phone, control, remote):
    phone.drive()
    for _ in range(300):
        phone.drive(0.5)
    phone.receive(phone.other("halt", reason="cancelled"))
    assert isinstance(control.motions[-1], Stop)


def answers(remote, client):
    remote.asker.close()
    return [frame for frame in client.told if isinstance(frame, AnswerFrame)]


def show(remote, state):
    """Have the remote hear from control that the rover is in ``state``."""
    remote.hub.show(msgspec.structs.replace(still_rover(), state=state))


def test_every_refusal_comes_back_with_the_number(phone, remote):
    show(remote, ArmState.DISARMED)
    phone.receive(phone.other("request", kind="arm", number=7, seen="disarmed"))
    assert answers(remote, phone) == [AnswerFrame(7, RequestKind.ARM, False, ("because",))]


@pytest.mark.parametrize("seen", [None, *ArmState])
@pytest.mark.parametrize("kind", REMOTE_REQUESTS)
def test_only_who_saw_the_present_state_arms_or_clears(phone, remote, control, kind, seen):
    state = ArmState.ESTOP
    show(remote, state)
    phone.receive(phone.other("request", kind=kind, number=7, seen=seen))
    (answer,) = answers(remote, phone)
    counts = kind in {RequestKind.STOP, RequestKind.DISARM} or seen is state
    assert (kind in control.asked) is counts
    assert (f"the rover is now {state}: look again" in answer.refusals) is not counts


@pytest.mark.parametrize("kind", ["arm", "clear"])
def test_a_rover_never_heard_of_is_neither_armed_nor_cleared(phone, remote, control, kind):
    phone.receive(phone.other("request", kind=kind, number=7))
    (answer,) = answers(remote, phone)
    assert answer.refusals == ("the rover is now out of sight: look again",)
    assert control.asked == []


def test_without_the_key_one_watches_and_stops_but_does_nothing_else(remote, control):
    watcher = Client(remote, "phone 3", may_drive=False)
    assert watcher.told == [WelcomeFrame("phone 3", False)]
    watcher.drive(0)
    watcher.drive(1)
    assert control.sent == []
    assert len(watcher.reasons(ReasonCode.NOT_ALLOWED)) == 1
    for number, kind in enumerate(("arm", "disarm", "clear", "stop")):
        watcher.receive(watcher.other("request", kind=kind, number=number))
    assert [answer.accepted for answer in answers(remote, watcher)] == [False, False, False, True]
    assert [type(motion) for motion in control.motions] == [Stop]


def test_a_stop_takes_the_motion_away_before_control_answers(phone, control):
    phone.drive()
    phone.drive(1)
    phone.receive(phone.frame(1), phone.other("request", kind="stop", number=1), phone.frame(0))
    assert [type(motion) for motion in control.motions[:3]] == [Arc, Arc, Stop]


def test_who_fell_silent_with_a_stick_held_rests_first_whoever_rested_meanwhile(
    phone, other, control, remote
):
    phone.drive()
    phone.drive(1.0)
    remote.clock.sleep_s(1.3)
    other.drive()
    sent = len(control.sent)
    phone.drive(1.0)
    phone.drive(1.0)
    assert len(control.sent) == sent
    phone.drive()
    phone.drive(1.0)
    assert control.motions[-1].speed_mps > 0


def test_a_revoked_device_is_stopped_now_and_moves_nothing_more(phone, other, control, remote):
    other.drive()
    phone.drive()
    phone.drive(1)
    phone.session.revoke()
    assert control.motions[-1] == Stop("phone 1 is not paired any more")
    sent = len(control.sent)
    phone.drive(0)
    phone.drive(1)
    assert len(control.sent) == sent
    # A command that its thread was just about to send is stopped too.
    phone.session.close()
    assert control.motions[-1] == Stop("phone 1 disconnected")
    other.drive(0)
    other.drive(1)
    assert remote.lease.holder == "phone 2"


def test_revoking_a_watcher_stops_nobody(phone, other, control):
    phone.drive()
    phone.drive(1)
    other.session.revoke()
    assert control.motions[-1] == Arc(1.0, 0)


class TestAskingForTheWheel:
    @pytest.fixture(autouse=True)
    def driven(self, phone, other):
        """The first phone drives, the other asks."""
        phone.drive()
        phone.drive(1)
        other.receive(other.other("ask"))

    def give(self, phone, to="phone 2"):
        phone.receive(phone.other("give", to=to))

    def test_the_giver_stops_before_the_other_has_it(self, phone, other, control, remote):
        self.give(phone)
        assert control.motions[-1] == Stop("phone 1 gave the wheel away")
        assert remote.lease.holder == "phone 2"
        sent = len(control.sent)
        phone.drive(0)
        phone.drive(1)
        assert len(control.sent) == sent
        assert phone.reasons(ReasonCode.NOT_DRIVING) == ["phone 2 drives"]
        other.drive(0)
        other.drive(0.5)
        assert control.motions[-2:] == [Arc(0, 0), Arc(pytest.approx(0.5, abs=0.3), 0)]

    @pytest.mark.parametrize("rested_before", [False, True])
    def test_who_is_given_the_wheel_begins_at_rest(self, phone, other, control, rested_before):
        other.drive(0 if rested_before else 1)
        self.give(phone)
        sent = len(control.sent)
        other.drive(1)
        assert len(control.sent) == sent
        other.drive(0)
        other.drive(1)
        assert control.motions[-2:] == [Arc(0, 0), Arc(1.0, 0)]

    def test_who_keeps_it_drives_on_and_the_other_is_told(self, phone, other, control):
        phone.receive(phone.other("keep", to="phone 2"))
        assert other.reasons(ReasonCode.NOT_GIVEN) == ["phone 1 keeps the wheel"]
        phone.drive(1)
        assert control.motions[-1] == Arc(1.0, 0)

    def test_it_is_given_to_nobody_who_does_not_ask(self, phone, other, control, remote):
        other.session.close()
        self.give(phone)
        self.give(phone, to="phone 9")
        assert remote.lease.holder == "phone 1"
        assert control.motions[-1] == Arc(1.0, 0)
        assert "does not ask" in phone.reasons(ReasonCode.NOT_GIVEN)[0]

    def test_nobody_gives_what_is_anothers(self, other, control, remote):
        self.give(other, to="phone 2")
        other.receive(other.other("keep", to="phone 2"))
        assert remote.lease.holder == "phone 1"
        assert control.motions[-1] == Arc(1.0, 0)

    def test_who_only_watches_does_not_ask(self, remote):
        watcher = Client(remote, "phone 3", may_drive=False)
        watcher.receive(watcher.other("ask"))
        assert remote.lease.asking == ("phone 2",)
        assert len(watcher.reasons(ReasonCode.NOT_ALLOWED)) == 1

    def test_a_free_wheel_needs_no_asking(self, phone, other, remote):
        phone.session.close()
        other.receive(other.other("ask"))
        assert "push a stick" in other.reasons(ReasonCode.NOT_GIVEN)[0]
        assert remote.lease.holder == ""


def test_a_page_does_not_pass_maintenance_on(phone, remote, control):
    show(remote, ArmState.DISARMED)
    phone.receive(
        phone.other("request", kind=RequestKind.MAINTAIN, number=7, seen=ArmState.DISARMED)
    )
    (answer,) = answers(remote, phone)
    assert not answer.accepted
    assert control.asked == []
