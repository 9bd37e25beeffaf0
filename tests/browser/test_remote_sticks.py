"""Thumbs on the pads, and letting go."""

import itertools
import re
import statistics

import pytest
from playwright.sync_api import expect

from rover.messages import (
    ArmState,
    RequestKind,
    Spin,
)
from tests.browser.fingers import Fingers
from tests.browser.remote import action, hold_forward, pad, settled
from tests.browser.waiting import has_text
from tests.web.fake_control import is_at_rest, is_driving, is_stop

pytestmark = pytest.mark.browser


class TestSticks:
    def test_a_thumb_drives_and_the_stick_springs_back(self, phone, fingers, control):
        motion = hold_forward(phone, fingers, control)
        assert motion.speed_mps > 0
        control.wait_for_motion(lambda m: is_driving(m) and m.curvature_per_m > 0, "a left turn")
        has_text(phone.locator("#wheel-of"), "You have the wheel")
        fingers.lift("thumb")
        control.wait_for_motion(is_at_rest, "rest")
        expect(pad(phone)).not_to_have_class(re.compile("held"))
        control.forget()
        control.wait_for_motion(is_at_rest, "a heartbeat")
        assert all(map(is_at_rest, control.motions))

    def test_back_and_right_are_negative(self, phone, fingers, control):
        fingers.land("thumb", pad(phone))
        fingers.move("thumb", 50, 50)
        motion = control.wait_for_motion(
            lambda m: is_driving(m) and m.curvature_per_m != 0, "driving"
        ).motion
        assert motion.speed_mps < 0
        assert motion.curvature_per_m < 0

    def test_two_thumbs_in_landscape(self, open_page, control):
        page = open_page("Pixel 7 landscape")
        fingers = Fingers(page)
        fingers.land("left thumb", page.locator("#pad-left"))
        fingers.land("right thumb", page.locator("#pad-right"))
        # Each pad has one axis: what goes the other way does not count.
        fingers.move("left thumb", 40, -50)
        fingers.move("right thumb", 50, 40)
        control.wait_for_motion(
            lambda m: is_driving(m) and m.speed_mps > 0 > m.curvature_per_m, "forward, to the right"
        )
        fingers.lift("left thumb")
        control.wait_for_motion(
            lambda m: m.speed_mps == 0 > m.curvature_per_m, "wheels still turned"
        )
        fingers.lift("right thumb")
        control.wait_for_motion(is_at_rest, "rest")

    def test_a_held_stick_is_told_at_25_hz(self, phone, fingers, control):
        hold_forward(phone, fingers, control)
        control.forget()
        commands = control.wait_for(
            lambda: control.commands[:25] if len(control.commands) >= 25 else None, "25 commands"
        )
        periods_s = [b.stamp_s - a.stamp_s for a, b in itertools.pairwise(commands)]
        # What holds this computer up makes some late, and those behind them early.
        assert 1 / 35 < statistics.median(periods_s) < 1 / 15
        assert all(is_driving(command.motion) for command in commands)

    def test_a_second_finger_presses_buttons_while_the_thumb_drives(self, phone, fingers, control):
        control.update(state=ArmState.ARMED)
        has_text(action(phone), "Disarm")
        hold_forward(phone, fingers, control)
        fingers.tap(settled(phone))
        control.wait_for_request(RequestKind.DISARM)
        control.wait_for_motion(is_at_rest, "rest")
        assert control.asked == [RequestKind.DISARM]

    def test_spin_mode(self, phone, fingers, control):
        phone.get_by_role("radio", name="Spin").tap()
        fingers.land("thumb", pad(phone))
        fingers.move("thumb", -50, -50)
        spin = control.wait_for_motion(
            lambda m: isinstance(m, Spin) and m.yaw_rate_rad_s != 0, "a spin"
        )
        assert spin.motion.yaw_rate_rad_s > 0

    def test_crab_is_offered_only_by_a_rover_that_can(self, phone, control):
        crab = phone.get_by_role("radio", name="Crab")
        expect(crab).to_be_hidden()
        control.update(can_crab=True)
        expect(crab).to_be_visible()

    def test_the_limit_scales_the_speed_and_is_remembered(self, phone, fingers, control):
        phone.locator("#limit").fill("0.2")
        has_text(phone.locator("#limit-text"), "0.20 m/s")
        phone.reload()
        has_text(phone.locator("#limit-text"), "0.20 m/s")
        phone.locator("#lost").wait_for(state="hidden")
        fingers.land("thumb", pad(phone))
        fingers.move("thumb", 0, -200)
        motion = control.wait_for_motion(is_driving, "driving").motion
        assert motion.speed_mps == pytest.approx(0.2)

    def test_keys_drive_a_laptop(self, keys, control):
        keys.hold("w")
        keys.hold("ArrowRight")
        motion = control.wait_for_motion(
            lambda m: is_driving(m) and m.curvature_per_m < 0, "forward, to the right"
        ).motion
        assert motion.speed_mps > 0
        keys.release("w")
        keys.release("ArrowRight")
        control.wait_for_motion(is_at_rest, "rest")

    @pytest.mark.parametrize("key", ["Meta", "Alt"])
    def test_keys_that_are_held_are_let_go_by_command_and_alt(self, desk, keys, control, key):
        keys.hold("w")
        control.wait_for_motion(is_driving, "driving")
        keys.hold(key)
        control.wait_for_motion(is_at_rest, "rest")
        keys.release("w")
        keys.release(key)
        keys.hold("w")
        control.wait_for_motion(is_driving, "driving again")
        desk.evaluate(
            """() => dispatchEvent(new KeyboardEvent("keydown", { code: "KeyC", metaKey: true }))"""
        )
        control.wait_for_motion(is_at_rest, "rest")


class TestLettingGo:
    def test_a_hidden_page_stops(self, phone, fingers, control):
        hold_forward(phone, fingers, control)
        phone.evaluate(
            """() => {
              Object.defineProperty(document, "hidden", { value: true, configurable: true });
              document.dispatchEvent(new Event("visibilitychange"));
            }"""
        )
        halt = control.wait_for_motion(is_stop, "a stop").motion
        assert "hidden" in halt.reason
        assert control.motions == []

    def test_leaving_the_page_stops(self, phone, fingers, control):
        hold_forward(phone, fingers, control)
        phone.goto("about:blank")
        control.wait_for_motion(is_stop, "a stop")

    def test_a_window_without_focus_lets_go(self, desk, keys, control):
        keys.hold("w")
        control.wait_for_motion(is_driving, "driving")
        desk.evaluate("() => window.dispatchEvent(new Event('blur'))")
        control.wait_for_motion(is_at_rest, "rest")

    def test_a_touch_that_the_system_takes_stops(self, phone, fingers, control):
        hold_forward(phone, fingers, control)
        fingers.cancel()
        control.wait_for_motion(is_stop, "a stop")
