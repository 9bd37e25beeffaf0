"""A link that is lost, and others who have the wheel."""

import re

import pytest
from playwright.sync_api import expect

from rover.messages import (
    Source,
)
from tests.browser.remote import hold_forward, pad, stop
from tests.browser.waiting import has_text, hidden, visible
from tests.builders import osr_config
from tests.web.fake_control import FakeControl, is_at_rest, is_driving, is_stop
from tests.web.phone import Phone
from tests.web.rig import short_directory, web_server

pytestmark = pytest.mark.browser


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
