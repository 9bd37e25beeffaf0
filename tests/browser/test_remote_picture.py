"""The rover as it is drawn."""

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
    Severity,
)
from tests.browser.remote import steady
from tests.browser.waiting import has_text
from tests.web.fake_control import DEADLINE_S

pytestmark = pytest.mark.browser


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
