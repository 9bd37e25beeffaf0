"""What a terminal makes of keys: it tells no key that is held, only that it comes again."""

from calibration.steps.keys import named
from calibration.steps.motors import MotorsStep
from calibration.steps.terminal import TerminalTalk
from rover.clock import ManualClock
from rover.messages import Rest, TurnWheel
from tests.builders import osr_config

# As often as a conversation listens.
STEP_S = 0.03


class Talk:
    """A person at a terminal in front of the motors, who has said that all wheels are lifted."""

    def __init__(self) -> None:
        self.clock = ManualClock(10.0)
        self.step = MotorsStep(osr_config())
        self.talk = TerminalTalk(self.step, self.clock)
        self.talk.hear(["y"])

    def turns_s(self, duration_s: float, keys: dict[float, list[str]]) -> list[float]:
        """Press ``keys`` at their times; return when a wheel is ordered to turn, from now on."""
        began_s = self.clock.now_s()
        waiting = sorted(keys.items())
        turning = []
        while (now_s := self.clock.now_s()) - began_s < duration_s:
            pressed = []
            while waiting and waiting[0][0] <= now_s - began_s + 1e-9:
                pressed += waiting.pop(0)[1]
            self.talk.hear(pressed)
            order, _ = self.step.order(now_s, now_s)
            if isinstance(order, TurnWheel):
                turning.append(now_s - began_s)
            else:
                assert order == Rest()
            self.clock.sleep_s(STEP_S)
        return turning


def test_one_press_turns_for_a_while():
    turning = Talk().turns_s(3.0, {0.0: ["space"]})
    assert turning[0] == 0.0
    assert 1.5 < turning[-1] < 2.0


def test_any_key_stops_it():
    turning = Talk().turns_s(3.0, {0.0: ["space"], 0.6: ["x"]})
    # At once, not when the hold has run out.
    assert turning[-1] < 0.6 + STEP_S


def test_a_space_bar_that_is_held_has_nothing_turn_after_it_was_let_go():
    """The terminal sends it again after half a second, and then thirty times a second."""
    for last in range(8):
        held = {0.0: ["space"]} | {0.5 + 0.033 * number: ["space"] for number in range(30 + last)}
        turning = Talk().turns_s(4.0, held)
        assert turning[-1] < 0.5 + 0.3 + STEP_S
    # Pressed anew it turns again.
    person = Talk()
    person.turns_s(3.0, held)
    assert person.turns_s(2.0, {0.0: ["space"]})[0] == 0.0


def test_a_space_bar_that_was_held_while_nothing_listened_turns_nothing():
    turning = Talk().turns_s(3.0, {0.0: ["space"] * 20})
    assert turning == []


def test_what_ends_the_turn_ends_the_hold():
    person = Talk()
    person.turns_s(0.3, {0.0: ["space"]})
    person.step.interrupted("somebody stopped it")
    person.talk.hear([])
    assert not person.talk.holding
    # The first key is an answer again, and a new beginning turns nothing by itself.
    assert person.turns_s(1.0, {0.0: ["y"]}) == []
    assert person.step.view().hold


def test_keys_have_names():
    assert named("y \x1b[A\x1bOD\r\x7f\x1b\x03") == [
        *("y", "space", "up", "left", "enter", "backspace", "q", "q")
    ]
