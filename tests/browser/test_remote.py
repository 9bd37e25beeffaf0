"""What a person does on the page, and what control hears of it."""

import itertools
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from playwright.sync_api import Page, expect

from rover.messages import (
    Arc,
    ArmState,
    Condition,
    Event,
    Limit,
    PowerReading,
    RequestKind,
    Severity,
    Source,
    Spin,
)
from tests.browser.fingers import Fingers
from tests.browser.waiting import comes_about, has_text, hidden, visible
from tests.builders import osr_config
from tests.web.fake_control import DEADLINE_S, FakeControl, is_at_rest, is_driving, is_stop
from tests.web.phone import Phone
from tests.web.rig import short_directory, web_server

pytestmark = pytest.mark.browser


def pad(page):
    return page.locator("#pad-right")


def stop(page):
    return page.get_by_role("button", name="Emergency stop")


def unconfirmed(page):
    return page.locator("#unconfirmed")


def action(page):
    return page.locator("#action")


def settled(page):
    """The arm button, once it has been what it is for long enough to be pressed."""
    comes_about(action(page), "element.dataset.settled === 'true'")
    return action(page)


def asked_once_each(control):
    """What control was asked; a stop comes by two ways, and counts as one."""
    return [kind for kind, _ in itertools.groupby(control.asked)]


def steady(page):
    """Wait until the page is drawn as it was last told."""
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


def hold_forward(page, fingers, control):
    """Hold the stick forward and to the left until control has heard so."""
    fingers.land("thumb", pad(page))
    fingers.move("thumb", -30, -50)
    return control.wait_for_motion(is_driving, "driving").motion


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
        rate_hz = 24 / (commands[-1].stamp_s - commands[0].stamp_s)
        assert 15 < rate_hz < 35
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


class TestStop:
    def test_one_tap_stops_in_any_state(self, phone, fingers, control):
        for state in ArmState:
            control.update(state=state)
            expect(phone.locator("#state")).to_have_attribute("data-state", state)
            control.forget()
            # What was asked the second way belongs to this state, not to the next.
            with phone.expect_response("**/api/stop"):
                fingers.tap(stop(phone))
            control.wait_for_motion(is_stop, "a stop")
            control.wait_for_request(RequestKind.STOP)
            has_text(phone.locator("#state-text"), "E-stop")

    def test_a_second_finger_stops_while_the_thumb_still_drives(self, phone, fingers, control):
        hold_forward(phone, fingers, control)
        fingers.land("other finger", stop(phone))
        control.wait_for_motion(is_stop, "a stop")
        # The thumb that still lies there moves nothing any more.
        control.wait_for_motion(is_at_rest, "rest")
        fingers.move("thumb", 0, -10)
        steady(phone)
        assert not any(is_driving(motion) for motion in control.motions)

    def test_space_stops(self, open_page, control):
        page = open_page()
        action(page).focus()
        page.keyboard.press("Space")
        control.wait_for_motion(is_stop, "a stop")
        control.wait_for_request(RequestKind.STOP)
        # Space would press the focused button, were it not the stop.
        assert RequestKind.ARM not in control.asked

    def test_those_without_the_key_can_stop_but_not_arm(self, open_page, control):
        page = open_page("Pixel 7", has_key=False)
        has_text(action(page), "Watching")
        expect(action(page)).to_be_disabled()
        Fingers(page).tap(stop(page))
        control.wait_for_request(RequestKind.STOP)

    def test_a_socket_that_is_stalled_costs_a_stop_nothing(self, phone, fingers, control):
        # It is called open and takes everything, and no second try comes to its help.
        phone.evaluate(
            """() => {
              WebSocket.prototype.send = () => {};
              window.setInterval = () => 1;
            }"""
        )
        with phone.expect_response("**/api/stop") as response:
            fingers.tap(stop(phone))
        assert response.value.status == 200
        control.wait_for_motion(is_stop, "a stop")
        control.wait_for_request(RequestKind.STOP)
        has_text(phone.locator("#state-text"), "E-stop")
        hidden(unconfirmed(phone))

    def test_a_stop_goes_both_ways_at_once_as_one_persons(self, phone, fingers, control):
        phone.evaluate("() => { window.setInterval = () => 1; }")
        control.is_deaf = True
        with phone.expect_response("**/api/stop") as response:
            fingers.tap(stop(phone))
            control.wait_for_motion(is_stop, "a stop")
            control.wait_for_motion(is_stop, "a second stop")
            control.answer_late()
        assert response.value.status == 200
        assert len({request.who for request in control.requests}) == 1
        hidden(unconfirmed(phone))

    def test_a_stop_that_control_does_not_confirm_is_told_and_repeated(
        self, phone, fingers, control
    ):
        control.is_deaf = True
        fingers.tap(stop(phone))
        visible(unconfirmed(phone))
        has_text(unconfirmed(phone), "STOP NOT CONFIRMED: use the switch on the rover")
        for count in range(4):
            control.wait_for_motion(is_stop, f"stop {count}")
        visible(unconfirmed(phone))
        control.is_deaf = False
        hidden(unconfirmed(phone))
        has_text(phone.locator("#state-text"), "E-stop")

    def test_a_second_press_stops_at_once_though_the_first_still_waits(
        self, phone, fingers, control
    ):
        phone.evaluate("() => { window.setInterval = () => 1; }")
        control.is_deaf = True
        for _ in range(3):
            fingers.tap(stop(phone))
            control.wait_for_motion(is_stop, "a stop")

    def test_a_stop_is_confirmed_by_the_state_alone(self, phone, fingers, control):
        control.is_deaf = True
        fingers.tap(stop(phone))
        visible(unconfirmed(phone))
        control.update(state=ArmState.ESTOP)
        hidden(unconfirmed(phone))

    @pytest.mark.parametrize(
        "answer",
        [
            {"status": 200, "json": {"accepted": False, "refusals": ["no"]}},
            {"status": 503, "json": {"error": "control did not answer"}},
            {"status": 502, "body": "a proxy's own words"},
        ],
    )
    def test_without_the_socket_a_stop_is_posted_until_it_is_accepted(
        self, phone, fingers, control, answer
    ):

        phone.evaluate(
            """() => Object.defineProperty(WebSocket.prototype, "readyState", { get: () => 3 })"""
        )
        phone.route("**/api/stop", lambda route: route.fulfill(**answer))
        fingers.tap(stop(phone))
        with phone.expect_request("**/api/stop"):
            visible(unconfirmed(phone))
        phone.unroute("**/api/stop")
        control.wait_for_request(RequestKind.STOP)
        hidden(unconfirmed(phone))

    def test_a_stop_without_any_way_to_the_rover_says_so(self, open_page):
        config = osr_config()
        with short_directory() as directory, FakeControl(directory) as control:
            with web_server(config, directory, control) as server:
                page = open_page("Pixel 7", of=server)
            expect(page.locator("#lost")).to_contain_text("Link lost")
            Fingers(page).tap(stop(page))
            visible(unconfirmed(page))
            with web_server(config, directory, control, server.port):
                control.wait_for_request(RequestKind.STOP)
                hidden(unconfirmed(page))


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


class TestArming:
    def test_arm_and_disarm(self, phone, control):
        settled(phone).tap()
        has_text(phone.locator("#state-text"), "Armed")
        has_text(action(phone), "Disarm")
        settled(phone).tap()
        has_text(phone.locator("#state-text"), "Disarmed")
        assert control.asked == [RequestKind.ARM, RequestKind.DISARM]

    def test_every_refusal_is_listed(self, phone, control):
        control.refusals = ("battery at 12.1 V: charge it", "steering is <b>not</b> calibrated")
        settled(phone).tap()
        refused = phone.get_by_role("alert")
        expect(refused).to_be_visible()
        expect(refused).to_contain_text("Cannot arm")
        expect(refused.get_by_role("listitem")).to_have_text(list(control.refusals))
        refused.get_by_role("button", name="Close").tap()
        expect(refused).to_be_hidden()

    def test_what_is_latched_is_cleared(self, phone, control):
        for state, text in ((ArmState.FAULT, "Clear fault"), (ArmState.ESTOP, "Clear stop")):
            control.update(state=state)
            expect(action(phone)).to_have_text(text)
            control.forget()
            settled(phone).tap()
            control.wait_for_request(RequestKind.CLEAR)
            has_text(phone.locator("#state-text"), "Disarmed")

    def test_a_double_tap_on_disarm_does_not_arm_again(self, phone, fingers, control):
        control.update(state=ArmState.ARMED)
        has_text(action(phone), "Disarm")
        fingers.tap(settled(phone))
        has_text(action(phone), "Arm")
        fingers.tap(action(phone))
        # The finger of the second tap may lie there until the button has settled.
        fingers.land("finger", action(phone))
        settled(phone)
        fingers.lift("finger")
        fingers.tap(stop(phone))
        control.wait_for_request(RequestKind.STOP)
        assert asked_once_each(control) == [RequestKind.DISARM, RequestKind.STOP]

    def test_a_stop_by_another_is_not_cleared_under_the_finger(self, phone, fingers, control):
        control.update(state=ArmState.FAULT)
        has_text(action(phone), "Clear fault")
        settled(phone)
        fingers.land("finger", action(phone))
        control.update(state=ArmState.ESTOP)
        has_text(action(phone), "Clear stop")
        fingers.lift("finger")
        fingers.tap(stop(phone))
        control.wait_for_request(RequestKind.STOP)
        assert asked_once_each(control) == [RequestKind.STOP]

    def test_a_key_that_is_held_presses_once(self, open_page, control):
        page = open_page()
        settled(page).focus()
        page.keyboard.down("Enter")
        has_text(action(page), "Disarm")
        settled(page)
        page.keyboard.down("Enter")
        page.keyboard.up("Enter")
        page.keyboard.press("Space")
        control.wait_for_request(RequestKind.STOP)
        assert asked_once_each(control) == [RequestKind.ARM, RequestKind.STOP]

    def test_the_state_that_the_person_saw_goes_with_the_request(self, phone, fingers, control):
        settled(phone)
        phone.evaluate(
            """() => {
              const send = WebSocket.prototype.send;
              WebSocket.prototype.send = function (text) {
                send.call(this, text.replace('"seen":"disarmed"', '"seen":"fault"'));
              };
            }"""
        )
        fingers.tap(action(phone))
        refused = phone.get_by_role("alert")
        expect(refused).to_contain_text("the rover is now disarmed: look again")
        assert control.asked == []


class TestLink:
    def test_silence_of_control_is_told_and_its_end(self, phone, fingers, control):
        lost = phone.locator("#lost")
        control.is_publishing = False
        visible(lost)
        expect(lost).to_contain_text("Control is silent")
        expect(lost).to_contain_text(
            "What this page asked for ends within 0.3 s; somebody else may still be driving it."
        )
        expect(lost).to_contain_text("Last heard: nobody drove.")
        expect(lost).to_contain_text("Control is not running or hangs")
        for command in ("journalctl -u", "systemctl reset-failed", "systemctl start"):
            expect(lost).to_contain_text(f"{command} rover-control")
        fingers.tap(stop(phone))
        control.wait_for_motion(is_stop, "a stop")
        control.is_publishing = True
        hidden(lost)

    def test_a_gamepad_may_still_drive_what_the_page_lost(self, phone, control):
        control.update(source=Source.GAMEPAD)
        has_text(phone.locator("#wheel-of"), "The gamepad drives")
        control.is_publishing = False
        expect(phone.locator("#lost")).to_contain_text("Last heard: the gamepad drove.")

    def test_another_phone_may_still_drive_what_the_page_lost(self, phone, control, server):
        other = Phone(server.port, {"Authorization": f"Bearer {server.access.key}"})
        with other.pushing():
            has_text(phone.locator("#wheel-of"), f"{other.name} has the wheel")
            control.is_publishing = False
            lost = phone.locator("#lost")
            expect(lost).to_contain_text("somebody else may still be driving it")
            expect(lost).to_contain_text(f"Last heard: {other.name} had the wheel.")
        other.close()

    def test_nothing_is_sent_by_a_thumb_while_the_rover_is_out_of_sight(
        self, phone, fingers, control
    ):
        hold_forward(phone, fingers, control)
        control.is_publishing = False
        control.wait_for_motion(is_at_rest, "rest")
        visible(phone.locator("#lost"))
        control.forget()
        fingers.move("thumb", 5, -5)
        control.wait_for_motion(is_at_rest, "a heartbeat")
        assert not any(is_driving(motion) for motion in control.motions)

    def test_the_page_comes_back_with_the_server(self, open_page):
        config = osr_config()
        with short_directory() as directory, FakeControl(directory) as control:
            with web_server(config, directory, control) as server:
                lost = open_page("Pixel 7", of=server).locator("#lost")
            expect(lost).to_contain_text("Link lost")
            # Nothing is known of control then.
            expect(lost).not_to_contain_text("journalctl")
            with web_server(config, directory, control, server.port):
                hidden(lost)

    def test_the_round_trip_is_shown(self, phone):
        expect(phone.locator("#link-text")).to_have_text(re.compile(r"^\d+ ms$"))


class TestOthers:
    def test_a_second_driver_is_told_who_drives(self, phone, fingers, control, server):
        other = Phone(server.port, {"Authorization": f"Bearer {server.access.key}"})
        with other.pushing():
            has_text(phone.locator("#wheel-of"), f"{other.name} has the wheel")
            fingers.land("thumb", pad(phone))
            fingers.move("thumb", 0, -60)
            has_text(phone.locator("#notice"), f"{other.name} drives")
        other.close()
        fingers.lift("thumb")
        has_text(phone.locator("#wheel-of"), "The wheel is free")
        control.forget()
        hold_forward(phone, fingers, control)

    def test_the_wheel_can_be_given_away(self, phone, fingers, control):
        hold_forward(phone, fingers, control)
        fingers.lift("thumb")
        phone.get_by_role("button", name="Details").tap()
        phone.get_by_role("button", name="Give it away").tap()
        control.wait_for_motion(is_stop, "a stop")
        has_text(phone.locator("#wheel-of"), "The wheel is free")


class TestPicture:
    def test_what_is_wrong_is_shown_as_text(self, phone, control):
        text = 'RoboClaw 0x81 <img src=x onerror="alert(1)"> has not answered: check its plug'
        control.update(conditions=(Condition("controller", text),), refusals=(text, "let go"))
        has_text(phone.locator("#notice"), "2 reasons against arming")
        phone.locator("#notice").tap()
        expect(phone.locator("#conditions li")).to_contain_text([text, "let go"])

    def test_battery_speed_limits_and_events(self, phone, control):
        control.update(
            state=ArmState.ARMED,
            asked=Arc(1.0, 0.0),
            limited_by=(Limit.SPEED, Limit.CORNERS),
            power=PowerReading(13.1, 2.0, 0.0, "test"),
            twist=msgspec.structs.replace(control.telemetry.twist, vx_mps=-0.25),
            events=(Event(1, 1.0, Severity.WARNING, "overrun", "3 ticks missed"),),
        )
        has_text(phone.locator("#limits"), "limited by speed limit, corners turning")
        has_text(phone.locator("#battery-text"), "13.1 V")
        expect(phone.locator("#battery")).to_have_attribute("data-level", "fair")
        has_text(phone.locator("#speed"), "0.25")
        has_text(phone.locator("#speed-unit"), "m/s back")
        expect(phone.locator("#events li")).to_contain_text(["3 ticks missed"])

    def test_an_event_tells_the_time_of_day_and_what_to_do(self, phone, control):
        now_s = time.monotonic()
        advice = "Free the wheel."
        control.update(
            events=(
                Event(1, now_s - 65.0, Severity.ERROR, "wheel", "left_front: stalled", advice),
                Event(2, now_s, Severity.INFO, "device", "steering ready"),
            )
        )
        # The newest comes first.
        newest, oldest = (phone.locator("#events li").nth(place) for place in (0, 1))
        phone.locator("#details-open").tap()
        expect(oldest).to_contain_text("left_front: stalled")
        expect(oldest.locator(".advice")).to_have_text(advice)
        expect(oldest.locator(".ago")).to_have_text(re.compile(r"6\d s ago"))
        shown = oldest.locator("time")
        stamp = datetime.fromisoformat(shown.get_attribute("datetime"))
        age = datetime.now(UTC) - stamp
        assert timedelta(seconds=64) < age < timedelta(seconds=75)
        here = phone.evaluate("(stamp) => new Date(stamp).toTimeString().slice(0, 8)", str(stamp))
        assert shown.inner_text().startswith(here)
        expect(newest.locator(".advice")).to_have_count(0)

    def test_the_rover_is_drawn_and_wheels_follow(self, phone, control):
        straight = picture_with(phone, lambda opacities: drawn(opacities) > 1000)
        wheels = [
            msgspec.structs.replace(wheel, steer_rad=0.5, asked_rad_s=8.0, speed_rad_s=8.0)
            for wheel in control.telemetry.wheels
        ]
        control.update(wheels=tuple(wheels), governed=Arc(0.6, 1.2), state=ArmState.ARMED)
        has_text(phone.locator("#wheels td").first, "29°")
        picture_with(phone, lambda opacities: opacities != straight)


def picture(page: Page) -> list[int]:
    """The opacity of the canvas, scaled down to 100 by 200."""
    return page.evaluate(
        """() => {
          const small = document.createElement("canvas");
          [small.width, small.height] = [100, 200];
          const context = small.getContext("2d");
          context.drawImage(document.getElementById("scene"), 0, 0, 100, 200);
          const { data } = context.getImageData(0, 0, 100, 200);
          return Array.from(data.filter((_, i) => i % 4 === 3));
        }"""
    )


def picture_with(page: Page, fits: Callable[[list[int]], bool]) -> list[int]:
    """Wait until the page has drawn such a picture; return it."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not fits(opacities := picture(page)):
        assert time.monotonic() < deadline_s, f"only {drawn(opacities)} pixels are drawn"
        steady(page)
    return opacities


def drawn(opacities: list[int]) -> int:
    """How many pixels are not empty."""
    return sum(opacity > 0 for opacity in opacities)


# Width and height in CSS pixels: small and large phones both ways, a tablet, a desk.
SCREENS = [
    (320, 568),
    (375, 667),
    (412, 839),
    (568, 320),
    (667, 375),
    (863, 360),
    (768, 1024),
    (1024, 768),
    (1280, 800),
    (1920, 1080),
]


class TestLayout:
    @pytest.fixture
    def phone(self, phone):
        """A phone whose screen is put back to its own size."""
        size = phone.viewport_size
        yield phone
        phone.set_viewport_size(size)

    @pytest.mark.parametrize("hand", ["right", "left"])
    @pytest.mark.parametrize("thumbs", ["auto", "one", "two"])
    def test_stop_and_pads_are_in_sight_and_large_enough_on_every_screen(
        self, phone, thumbs, hand
    ):
        for name, value in (("thumbs", thumbs), ("hand", hand)):
            # As the settings do it; the panel would lie over a small screen.
            phone.locator(f"input[name={name}][value={value}]").dispatch_event("click")
        for width, height in SCREENS:
            phone.set_viewport_size({"width": width, "height": height})
            steady(phone)
            check_layout(phone, width, height)

    def test_the_lost_link_never_covers_the_stop(self, phone, control):
        control.is_publishing = False
        visible(phone.locator("#lost"))
        for width, height in SCREENS:
            phone.set_viewport_size({"width": width, "height": height})
            steady(phone)
            control.forget()
            stop(phone).click()
            control.wait_for_motion(is_stop, f"a stop at {width} x {height}")


def check_layout(page: Page, width: int, height: int) -> None:
    """Everything needed for driving is within the screen, and nothing is too small to hit."""
    needed = ["#stop", "#pad-right", "#action", "#state", "#limit", "#modes", "#link", "#battery"]
    if page.locator("body").get_attribute("data-thumbs") == "two":
        needed.append("#pad-left")
    boxes = first_boxes(page, needed)
    screen = f"{width} x {height}"
    for selector, box in boxes.items():
        assert min(box["x"], box["y"]) >= 0, f"{selector} on {screen}: {box}"
        assert box["x"] + box["width"] <= width, f"{selector} on {screen}: {box}"
        assert box["y"] + box["height"] <= height, f"{selector} on {screen}: {box}"
    for one, two in itertools.combinations(boxes, 2):
        assert not overlap(boxes[one], boxes[two]), f"{one} lies over {two} on {screen}"
    assert boxes["#stop"]["width"] >= 130, screen
    assert boxes["#stop"]["height"] >= 60, screen
    assert min(boxes["#pad-right"]["width"], boxes["#pad-right"]["height"]) >= 120, screen
    for box in boxes_of(page, "button"):
        assert min(box["width"], box["height"]) >= 48, f"a button of {box} on {screen}"
    # Nothing lies over the stop, and nothing can be scrolled away.
    assert page.evaluate(
        """() => {
          const box = document.getElementById("stop").getBoundingClientRect();
          const at = (x, y) => document.elementFromPoint(x, y)?.id;
          window.scrollTo(0, 500);
          return [
            at(box.left + 9, box.top + 9), at(box.right - 9, box.bottom - 9),
            document.documentElement.scrollTop,
          ];
        }"""
    ) == ["stop", "stop", 0], screen


def first_boxes(page: Page, selectors: list[str]) -> dict[str, dict[str, float]]:
    """Where the first visible elements of some kinds are, all at one moment.

    The link's text may be wider in the next, and move what stands beside it.
    """
    return page.evaluate(
        """(selectors) => Object.fromEntries(selectors.map((selector) => [
          selector,
          [...document.querySelectorAll(selector)]
            .map((element) => element.getBoundingClientRect().toJSON())
            .find((box) => box.width > 0),
        ]))""",
        selectors,
    )


def boxes_of(page: Page, selector: str) -> list[dict[str, float]]:
    """Where all visible elements of a kind are, at one moment."""
    return page.evaluate(
        """(selector) => [...document.querySelectorAll(selector)]
          .map((element) => element.getBoundingClientRect().toJSON())
          .filter((box) => box.width > 0)""",
        selector,
    )


def overlap(one: dict[str, float], two: dict[str, float]) -> bool:
    """Whether two boxes have more than a hair in common."""
    across = min(one["x"] + one["width"], two["x"] + two["width"]) - max(one["x"], two["x"])
    along = min(one["y"] + one["height"], two["y"] + two["height"]) - max(one["y"], two["y"])
    return across > 1 and along > 1
