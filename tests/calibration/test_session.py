"""A calibration in front of a person: the right pad, keys, and nothing written unasked."""

import io

import pytest
from msgspec import structs
from rich.console import Console

from calibration.detector import HOLD_S
from calibration.gamepad import REST_S, SETTLE_S
from calibration.questions import QUESTIONS
from calibration.session import Outcome, Session
from calibration.taking_over import taken_over
from calibration.terminal import converse, require_not_armed, take
from rover.clock import ManualClock
from rover.config import BindingsConfig
from rover.errors import DeviceError, LinkError
from rover.gamepad.codes import EV_ABS, EV_KEY, Axis, Control, Key
from rover.gamepad.identity import PadIdentity
from rover.gamepad.mapping import AxisRange, KeyButton, PadCapabilities, StickAxis
from rover.gamepad.raw_pad import Event
from rover.messages import Answer, ArmState, RequestKind
from tests.web.fake_control import FakeControl

AXES = {Axis.X: AxisRange(-100, 100), Axis.Y: AxisRange(-100, 100)}


class FakePad:
    """A pad that says what it is told to say."""

    def __init__(self, name: str) -> None:
        self.path = f"/dev/input/{name}"
        self.identity = PadIdentity(vendor=1, product=2, name=name)
        self.capabilities = PadCapabilities(frozenset(Key), AXES)
        self.raws: dict[int, int] = dict.fromkeys(AXES, 0)
        self.down: set[int] = set()
        self.gone = False
        self._waiting: list[Event] = []

    def say(self, kind: int, code: int, value: int) -> None:
        self._waiting.append(Event(kind, code, value))
        if kind == EV_ABS:
            self.raws[code] = value
        else:
            (self.down.add if value else self.down.discard)(code)

    def read(self) -> list[Event]:
        if self.gone:
            raise DeviceError("it was unplugged")
        said, self._waiting = self._waiting, []
        return said


class Desk:
    """A person at a desk with two pads."""

    def __init__(self) -> None:
        self.clock = ManualClock(10.0)
        self.pads = [FakePad("one"), FakePad("two")]
        self.session = Session(self.pads, BindingsConfig(), self.clock)

    def wait(self, for_s: float) -> None:
        for _ in range(round(for_s / 0.02) + 1):
            self.clock.sleep_s(0.02)
            self.session.step()

    def tap(self, pad: FakePad, key: int) -> None:
        for value in (1, 0):
            pad.say(EV_KEY, key, value)
            self.wait(0.1)

    def push(self, pad: FakePad, axis: int, value: int) -> None:
        pad.say(EV_ABS, axis, value)
        self.wait(HOLD_S + 0.1)
        pad.say(EV_ABS, axis, 0)
        self.wait(SETTLE_S + 0.2)

    def begin(self, pad: FakePad) -> None:
        """Touch a pad, lay it down, and have the first question asked."""
        self.tap(pad, Key.SOUTH)
        self.wait(REST_S + 0.2)

    def shown(self) -> str:
        console = Console(file=io.StringIO(), width=100)
        console.print(self.session.render())
        return console.file.getvalue()


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_pad_that_is_touched_is_the_one_that_is_calibrated(desk):
    assert "Press a button of the pad" in desk.shown()
    desk.begin(desk.pads[1])
    assert desk.session.pad is desk.pads[1]
    assert "two (0001:0002): 1 of" in desk.shown()
    assert QUESTIONS[0].text in desk.shown()


def test_a_stick_is_learnt_and_can_be_asked_for_again(desk):
    pad = desk.pads[0]
    desk.begin(pad)
    desk.push(pad, Axis.Y, 90)
    desk.push(pad, Axis.Y, -95)
    found = desk.session.found[Control.LEFT_STICK_Y]
    assert isinstance(found, StickAxis)
    assert (found.code, found.minimum, found.maximum, found.inverted) == (Axis.Y, -95, 90, True)
    desk.session.press("b")
    assert desk.session.found == {}
    desk.push(pad, Axis.Y, -95)
    desk.push(pad, Axis.Y, 90)
    assert desk.session.found[Control.LEFT_STICK_Y].inverted is False


def test_the_other_end_of_a_stick_may_be_skipped(desk):
    pad = desk.pads[0]
    desk.begin(pad)
    desk.push(pad, Axis.Y, -80)
    desk.session.press("\n")
    found = desk.session.found[Control.LEFT_STICK_Y]
    assert (found.minimum, found.maximum) == (-80, 80)


def test_what_is_taken_already_is_refused_and_said(desk):
    pad = desk.pads[0]
    desk.begin(pad)
    desk.push(pad, Axis.Y, -95)
    desk.push(pad, Axis.Y, 95)
    desk.push(pad, Axis.Y, -95)
    assert "ABS_Y is the left stick y already" in desk.shown()
    assert Control.LEFT_STICK_X not in desk.session.found


def test_both_axes_at_once_are_not_taken_for_one(desk):
    pad = desk.pads[0]
    desk.begin(pad)
    for places in ((90, -95), (0, 0)):
        for axis, place in zip(AXES, places, strict=True):
            pad.say(EV_ABS, axis, place)
        desk.wait(HOLD_S + SETTLE_S)
        assert "push straight" in desk.shown()
        assert QUESTIONS[0].text in desk.shown()
    assert desk.session.found == {}


def test_a_pad_that_is_held_is_not_measured_at_rest(desk):
    pad = desk.pads[0]
    desk.tap(pad, Key.SOUTH)
    pad.say(EV_KEY, Key.TR, 1)
    desk.wait(REST_S + 0.5)
    assert "BTN_TR is down" in desk.shown()
    pad.say(EV_KEY, Key.TR, 0)
    desk.wait(REST_S + 0.2)
    assert QUESTIONS[0].text in desk.shown()


def test_an_axis_that_never_rests_is_left_out(desk):
    pad = desk.pads[0]
    desk.tap(pad, Key.SOUTH)
    for number in range(300):
        pad.say(EV_ABS, Axis.X, 90 if number % 2 else -90)
        desk.wait(0.02)
    assert "ABS_X" in desk.shown()
    assert "moves by itself, left out" in desk.shown()
    assert QUESTIONS[0].text in desk.shown()


def finish(desk: Desk, *, dead_man: bool) -> None:
    pad = desk.pads[0]
    desk.begin(pad)
    desk.push(pad, Axis.Y, -95)
    desk.push(pad, Axis.Y, 95)
    for question in QUESTIONS[2:]:
        if question.control is Control.RIGHT_SHOULDER and dead_man:
            desk.tap(pad, Key.TR)
        elif not question.second:
            desk.session.press(" ")


def test_what_was_found_is_shown_and_written_only_when_asked(desk):
    finish(desk, dead_man=True)
    shown = desk.shown()
    assert "ABS_Y -95 to 95" in shown
    assert "BTN_TR" in shown
    assert "not on this pad: emergency stop (east), arming (start)" in shown
    assert desk.session.outcome is None
    desk.session.press("w")
    assert desk.session.outcome is Outcome.WRITE
    assert desk.session.found[Control.RIGHT_SHOULDER] == KeyButton(Key.TR)


def test_what_could_not_drive_is_not_written(desk):
    finish(desk, dead_man=False)
    desk.session.press("w")
    assert desk.session.outcome is None
    assert "dead-man" in desk.shown()


@pytest.mark.parametrize("when", ["before", "within", "after"])
def test_it_can_be_left_at_any_time(desk, when):
    if when == "within":
        desk.begin(desk.pads[0])
    elif when == "after":
        finish(desk, dead_man=True)
    desk.session.press("w" if when == "within" else "x")
    assert desk.session.outcome is None
    desk.session.press("q")
    assert desk.session.outcome is Outcome.LEAVE


def test_a_pad_that_goes_ends_it(desk):
    desk.begin(desk.pads[0])
    desk.pads[0].gone = True
    with pytest.raises(DeviceError, match="unplugged"):
        desk.session.step()


class TypedKeys:
    def __init__(self, keys: str) -> None:
        self._keys = iter(keys)

    def pressed(self) -> str:
        return next(self._keys, "q")


def nobody_objects() -> None:
    pass


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=100, height=40)


def test_a_conversation_draws_and_ends(desk, console):
    keys = TypedKeys("xb ")
    assert converse(desk.session, keys, console, desk.clock, nobody_objects) is Outcome.LEAVE
    assert "Calibrate a gamepad" in console.file.getvalue()


def test_a_pad_is_given_back_only_when_it_has_been_let_go_of(desk, console):
    desk.begin(desk.pads[0])
    desk.pads[0].say(EV_KEY, Key.TR, 1)
    desk.wait(0.1)
    left_s = desk.clock.now_s()
    released_s = left_s + 2.0

    def let_go_later() -> None:
        if desk.clock.now_s() >= released_s and desk.pads[0].down:
            desk.pads[0].say(EV_KEY, Key.TR, 0)

    assert converse(desk.session, TypedKeys("q"), console, desk.clock, let_go_later)
    assert released_s <= desk.clock.now_s() < released_s + 0.2


def test_one_who_walks_away_with_the_pad_in_the_hand_does_not_keep_it(desk, console):
    desk.begin(desk.pads[0])
    desk.pads[0].say(EV_KEY, Key.TR, 1)
    desk.wait(0.1)
    assert converse(desk.session, TypedKeys("q"), console, desk.clock, nobody_objects)
    assert desk.clock.now_s() < 30.0


def test_a_rover_that_is_armed_meanwhile_has_its_pad_back_at_once(desk, console):
    def armed() -> None:
        raise LinkError("the rover is armed")

    with pytest.raises(LinkError):
        converse(desk.session, TypedKeys(" "), console, desk.clock, armed)


class GrabbedPad(FakePad):
    """A pad whose button goes up while it is waited for, or down as it is grabbed."""

    def __init__(self, clock: ManualClock, *, held_until_s: float, squeezed: bool = False) -> None:
        super().__init__("three")
        self._clock, self._held_until_s, self._squeezed = clock, held_until_s, squeezed
        self.grabs = 0
        self.is_grabbed = False
        self.down = {Key.TR}

    def read(self) -> list[Event]:
        if self._clock.now_s() >= self._held_until_s:
            self.down = set()
        if self._squeezed and self.is_grabbed and self.grabs == 1:
            self.down = {Key.TR}
        return []

    def grab(self) -> None:
        self.grabs += 1
        self.is_grabbed = True

    def ungrab(self) -> None:
        self.is_grabbed = False


def test_a_pad_is_taken_only_once_its_buttons_are_up(console):
    # Control would never hear the dead-man's release, and take it for held from then on.
    clock = ManualClock(0.0)
    pad = GrabbedPad(clock, held_until_s=3.0)
    take(pad, console, clock)
    assert clock.now_s() >= 3.0
    assert pad.is_grabbed
    assert "Let go of all buttons of three" in console.file.getvalue()


def test_a_button_that_is_pressed_as_the_pad_is_taken_is_seen(console):
    clock = ManualClock(0.0)
    pad = GrabbedPad(clock, held_until_s=1.0, squeezed=True)
    take(pad, console, clock)
    assert pad.grabs == 2
    assert pad.is_grabbed
    assert pad.down == set()


def test_a_pad_with_a_button_stuck_is_not_taken(console):
    clock = ManualClock(0.0)
    pad = GrabbedPad(clock, held_until_s=1e9)
    with pytest.raises(DeviceError, match="BTN_TR is down"):
        take(pad, console, clock)
    assert not pad.is_grabbed


def test_an_armed_rover_keeps_its_gamepad(tmp_path):
    with FakeControl(tmp_path) as control:
        require_not_armed(tmp_path)
        control.telemetry = structs.replace(control.telemetry, state=ArmState.ARMED)
        with pytest.raises(LinkError, match="disarm it first"):
            require_not_armed(tmp_path)


def test_the_rover_that_is_a_service_is_asked_too(tmp_path, monkeypatch):
    service = tmp_path / "service"
    monkeypatch.setattr("calibration.terminal.SERVICE_RUNTIME", service)
    require_not_armed(tmp_path)
    with FakeControl(service) as control:
        control.telemetry = structs.replace(control.telemetry, state=ArmState.ARMED)
        with pytest.raises(LinkError, match="disarm it first"):
            require_not_armed(tmp_path)
        monkeypatch.setattr("os.access", lambda _path, _mode: False)
        with pytest.raises(LinkError, match="usermod -aG rover"):
            require_not_armed(tmp_path)


class Answering:
    """Answers as it is told to."""

    def __init__(self, answer: Answer | LinkError) -> None:
        self.answer = answer

    def request(self, kind, who, timeout_s=1.0, stamp_s=None, token=""):
        assert kind is RequestKind.RELOAD
        if isinstance(self.answer, LinkError):
            raise self.answer
        return self.answer


def test_who_calibrates_is_told_how_the_rover_gets_it(tmp_path, monkeypatch):
    monkeypatch.setattr("calibration.taking_over.SERVICE_RUNTIME", tmp_path / "run")
    monkeypatch.setattr("calibration.taking_over.SERVICE_STATE", tmp_path / "state")
    mine, its = tmp_path / "calibration.toml", tmp_path / "state" / "calibration.toml"
    assert "when it starts" in taken_over(mine, None, "me")
    assert "from now on" in taken_over(mine, Answering(Answer(True)), "me")
    armed = Answering(Answer(False, ("it is armed",)))
    assert "it is armed; then rover reload" in taken_over(mine, armed, "me")
    assert "anew" in taken_over(mine, Answering(LinkError("no answer")), "me")
    (tmp_path / "run").mkdir()
    assert f"install -D -m 644 {mine} {its}" in taken_over(mine, Answering(Answer(True)), "me")
    assert "from now on" in taken_over(its, Answering(Answer(True)), "me")
