"""How a person drives: either hand, one thumb or two, a gamepad on the page, from neutral only."""

import pytest
from playwright.sync_api import expect

from rover.messages import ArmState, Source
from tests.browser.fingers import Fingers
from tests.browser.remote import hold_forward, pad, stop
from tests.browser.waiting import comes_about, has_text, hidden, visible
from tests.web.fake_control import is_at_rest, is_driving, is_stop

pytestmark = pytest.mark.browser

# A pad of the standard mapping that tests hold: hold({ held: [5], axes: [0, -1, 0, 0] }).
PRETENDED_PAD = """(mapping) => {
  const pad = { id: "a pad", index: 0, mapping, connected: true, timestamp: 1, axes: [0, 0, 0, 0] };
  pad.buttons = Array.from({ length: 17 }, () => ({ pressed: false, value: 0 }));
  pad.vibrationActuator = { playEffect: async (kind) => window.felt.push(kind) };
  window.felt = [];
  let pads = [pad];
  window.looks = 0;
  navigator.getGamepads = () => {
    window.looks += 1;
    return pads;
  };
  const tell = (kind) => dispatchEvent(Object.assign(new Event(kind), { gamepad: pad }));
  // A hand is never still: what holds a stick is heard again and again.
  setInterval(() => { pad.timestamp += 1; }, 50);
  window.hold = ({ held = [], axes = [0, 0, 0, 0] }) => {
    pad.axes = axes;
    pad.buttons.forEach((button, i) => {
      button.pressed = held.includes(i);
      button.value = Number(button.pressed);
    });
  };
  window.unplug = () => { pads = [null]; tell("gamepaddisconnected"); };
  tell("gamepadconnected");
}"""
DEAD_MAN, RIGHT_BUTTON = 5, 1
FORWARD_LEFT = [0, -1, -1, 0]


def waiting(page):
    return page.locator("#waiting")


def hold(page, buttons=(), axes=(0, 0, 0, 0)):
    """Hold buttons and sticks of the pretended pad until the page has looked at that."""
    held = {"held": list(buttons), "axes": list(axes)}
    looks = page.evaluate("(held) => { hold(held); return looks; }", held)
    page.wait_for_function("(looks) => window.looks >= looks + 2", arg=looks)


def press_at_rest(page):
    """Press the shoulder anew while the sticks are at rest."""
    hold(page)
    hold(page, [DEAD_MAN])


class TestThumbs:
    def test_a_left_hand_with_two_thumbs_upright_and_what_is_chosen_stays(self, phone, control):
        phone.locator("#details-open").tap()
        phone.locator("summary").tap()
        for name in ("Left", "Two"):
            phone.get_by_role("radio", name=name, exact=True).tap()
        phone.reload()
        hidden(phone.locator("#lost"))
        drive, steer = (phone.locator(f"#pad-{side}").bounding_box() for side in ("left", "right"))
        assert drive["x"] > steer["x"] + steer["width"] - 1
        assert drive["width"] == pytest.approx(steer["width"], abs=1)
        fingers = Fingers(phone)
        fingers.land("right thumb", phone.locator("#pad-left"))
        fingers.land("left thumb", phone.locator("#pad-right"))
        fingers.move("right thumb", 0, -50)
        fingers.move("left thumb", -50, 0)
        control.wait_for_motion(
            lambda m: is_driving(m) and m.speed_mps > 0 < m.curvature_per_m, "forward, to the left"
        )
        fingers.lift("right thumb")
        fingers.lift("left thumb")
        control.wait_for_motion(is_at_rest, "rest")

    def test_the_slow_gear_has_a_limit_of_its_own_and_stays(self, phone, fingers, control):
        phone.locator("#gear").tap()
        has_text(phone.locator("#gear-text"), "Slow")
        has_text(phone.locator("#limit-text"), "0.20 m/s")
        phone.locator("#limit").fill("0.3")
        phone.locator("#gear").tap()
        has_text(phone.locator("#limit-text"), "0.50 m/s")
        phone.locator("#gear").tap()
        phone.reload()
        hidden(phone.locator("#lost"))
        has_text(phone.locator("#limit-text"), "0.30 m/s")
        fingers.land("thumb", pad(phone))
        fingers.move("thumb", 0, -200)
        motion = control.wait_for_motion(is_driving, "driving").motion
        assert motion.speed_mps == pytest.approx(0.3)


class TestNeutral:
    def test_a_rover_that_waits_for_neutral_is_told_and_neutral_revives(
        self, phone, fingers, control
    ):
        control.update(state=ArmState.ARMED, source=Source.WEB)
        has_text(phone.locator("#state-text"), "Armed")
        hold_forward(phone, fingers, control)
        expect(waiting(phone)).to_be_hidden()
        # Control has stopped the rover for a reason of its own, and does not follow any more.
        control.update(source=None)
        control.wait_for_motion(is_at_rest, "rest")
        visible(waiting(phone))
        has_text(waiting(phone), "Let go, then push again")
        fingers.move("thumb", 0, -5)
        fingers.lift("thumb")
        hidden(waiting(phone))
        assert not any(map(is_driving, control.motions))
        hold_forward(phone, fingers, control)

    def test_a_new_connection_waits_for_neutral(self, phone, fingers, control, server):
        hold_forward(phone, fingers, control)
        phone.evaluate("() => dispatchEvent(new Event('online'))")
        control.wait_for_motion(is_stop, "a stop")
        has_text(waiting(phone), "Let go, then push again")
        control.forget()
        control.wait_for_motion(is_at_rest, "a heartbeat of the new connection")
        assert not any(map(is_driving, control.motions))
        fingers.lift("thumb")
        hidden(waiting(phone))
        hold_forward(phone, fingers, control)


class TestGamepadOfThePage:
    def test_it_drives_under_its_shoulder_stops_and_may_vanish(self, desk, control):
        desk.evaluate(PRETENDED_PAD, "standard")
        hold(desk, axes=FORWARD_LEFT)
        assert not any(map(is_driving, control.motions))
        press_at_rest(desk)
        hold(desk, [DEAD_MAN], FORWARD_LEFT)
        control.wait_for_motion(
            lambda m: is_driving(m) and m.speed_mps > 0 < m.curvature_per_m, "forward, to the left"
        )
        hold(desk, axes=FORWARD_LEFT)
        control.wait_for_motion(is_at_rest, "rest")
        press_at_rest(desk)
        hold(desk, [DEAD_MAN, RIGHT_BUTTON], FORWARD_LEFT)
        control.wait_for_motion(is_stop, "a stop")
        has_text(desk.locator("#state-text"), "E-stop")
        desk.wait_for_function("() => felt.includes('dual-rumble')")
        press_at_rest(desk)
        hold(desk, [DEAD_MAN], FORWARD_LEFT)
        control.wait_for_motion(is_driving, "driving")
        desk.evaluate("() => unplug()")
        control.wait_for_motion(is_stop, "a stop")
        has_text(desk.locator("#notice"), "The gamepad has gone: stopped")

    def test_one_whose_buttons_nobody_knows_says_so(self, desk, control):
        desk.evaluate(PRETENDED_PAD, "")
        visible(desk.locator("#notice"))
        expect(desk.locator("#notice")).to_contain_text("does not know the buttons of a pad")


class TestFelt:
    def test_a_stop_shakes_the_phone_unless_that_is_switched_off(self, phone, fingers, control):
        phone.evaluate(
            """() => {
              window.felt = [];
              navigator.vibrate = (pattern) => felt.push(pattern);
            }"""
        )
        fingers.tap(stop(phone))
        control.wait_for_motion(is_stop, "a stop")
        comes_about(phone.locator("#state"), "window.felt.length >= 2")
        phone.locator("#details-open").tap()
        phone.locator("summary").tap()
        phone.get_by_role("switch", name="Vibrate").tap()
        before = phone.evaluate("() => felt.length")
        control.forget()
        fingers.tap(stop(phone))
        control.wait_for_motion(is_stop, "a stop")
        assert phone.evaluate("() => felt.length") == before
