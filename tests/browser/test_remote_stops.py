"""The stop button, and arming."""

import time

import pytest
from playwright.sync_api import expect

from rover.messages import (
    ArmState,
    RequestKind,
)
from tests.browser.fingers import Fingers
from tests.browser.remote import (
    action,
    asked_once_each,
    hold_forward,
    settled,
    steady,
    stop,
    unconfirmed,
)
from tests.browser.waiting import has_text, hidden, visible
from tests.builders import osr_config
from tests.web.fake_control import (
    DEADLINE_S,
    PUBLISH_S,
    FakeControl,
    is_at_rest,
    is_driving,
    is_stop,
)
from tests.web.rig import short_directory, web_server

pytestmark = pytest.mark.browser


def comes_to(state, page, control):
    """Have the page show a state; a stop that came both ways may be answered once more yet."""
    deadline_s = time.monotonic() + DEADLINE_S
    while page.locator("#state").get_attribute("data-state") != state:
        assert time.monotonic() < deadline_s, state
        control.update(state=state)
        page.wait_for_timeout(PUBLISH_S * 1000)


class TestStop:
    def test_one_tap_stops_in_any_state(self, phone, fingers, control):
        for state in ArmState:
            comes_to(state, phone, control)
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
        # A link that was lost meanwhile changes nothing about it.
        control.is_publishing = False
        visible(phone.locator("#lost"))
        control.is_publishing = True
        hidden(phone.locator("#lost"))
        expect(refused).to_be_visible()
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
