"""The rover's parts are calibrated in Chromium: held, chosen, entered, written, taken back."""

import time

import pytest
from playwright.sync_api import expect

from rover.messages import ArmState, RequestKind, Rest, TurnServo, TurnWheel
from tests.browser.fingers import Fingers
from tests.browser.test_accessibility import THEMES, hold_rules
from tests.browser.waiting import comes_about, has_text, hidden, visible

pytestmark = pytest.mark.browser


@pytest.fixture
def overview(phone):
    """The list of steps, reached by the remote's link."""
    origin = phone.url
    phone.locator("#calibrate").evaluate("element => element.click()")
    expect(phone.locator("h1")).to_have_text("Calibration")
    yield phone
    phone.goto(origin)


def begin(page, step):
    page.get_by_role("link", name=f"with the {step}").click()
    expect(page.locator("#text")).not_to_have_text("Asking the rover ...")
    anew = page.get_by_role("button", name="Begin anew")
    # What another test has left in the middle.
    if anew.is_visible():
        anew.click()
        # It may be gone already, and then there is no element to look at.
        expect(anew).to_be_hidden()
    return page


def choose(page, key):
    page.locator(f"[data-key='{key}']").click()


def turns(control):
    return [order for order in control.orders if isinstance(order.order, TurnWheel)]


def leave(page):
    choose(page, "q")
    visible(page.locator("#again"))


def test_a_finger_that_holds_turns_a_wheel_and_lifted_it_stops(overview, control):
    page = begin(overview, "motors")
    control.orders.clear()
    choose(page, "y")
    control.wait_for_request(RequestKind.MAINTAIN)
    visible(page.locator("#hold"))
    fingers = Fingers(page)
    fingers.land("thumb", page.locator("#hold"))
    control.wait_for(lambda: len(turns(control)) > 60, "turning")
    # Said anew all the time, not once.
    assert len({order.stamp_s for order in turns(control)}) > 5
    fingers.lift("thumb")
    control.wait_for(lambda: isinstance(control.orders[-1].order, Rest), "rest")
    has_text(page.locator("#text"), "Which wheel moved?")
    choose(page, "1")
    has_text(page.locator("#text"), "Which way did left_front turn?")
    choose(page, "f")
    has_text(page.locator("#number"), "2 of 6")
    visible(page.locator("#rover .known rect"))
    leave(page)
    control.wait_for_request(RequestKind.DISARM)
    assert "goes on from there" in page.locator("#text").text_content()


def test_a_page_that_is_left_lets_go(overview, control):
    page = begin(overview, "motors")
    choose(page, "y")
    visible(page.locator("#hold"))
    fingers = Fingers(page)
    fingers.land("thumb", page.locator("#hold"))
    control.wait_for(lambda: turns(control), "turning")
    page.evaluate("() => history.back()")
    control.wait_for_request(RequestKind.DISARM)
    fingers.lift("thumb")


def test_a_servo_is_led_by_buttons_and_by_arrows(overview, control):
    page = begin(overview, "steering")
    control.orders.clear()
    choose(page, "y")
    visible(page.locator("#hold"))
    page.locator("#hold").focus()
    page.keyboard.down("Space")
    control.wait_for(
        lambda: any(isinstance(order.order, TurnServo) for order in control.orders), "steering"
    )
    # As long as a person needs to see which one it is.
    shown_s = time.monotonic() + 2.0
    control.wait_for(lambda: time.monotonic() > shown_s, "time", lambda: None)
    page.keyboard.up("Space")
    has_text(page.locator("#text"), "Which wheel steered?")
    choose(page, "1")
    choose(page, "l")
    visible(page.locator("#nudges"))
    choose(page, "up")
    page.keyboard.press("ArrowLeft")

    def led_to_5_5_degrees():
        order = control.orders[-1].order
        return isinstance(order, TurnServo) and abs(order.angle_rad - 0.096) < 0.001

    control.wait_for(led_to_5_5_degrees, "5.5 degrees")
    expect(page.locator("#rover .moves text")).to_contain_text("5.5°")
    leave(page)


def test_a_number_is_entered_and_written_and_taken_back(overview, control):
    page = begin(overview, "battery")
    choose(page, "s")
    has_text(page.locator("#asked-text"), "How much is in it when it is full? (Ah)")
    page.locator("#value").fill("5.2")
    page.locator("#value").press("Enter")
    expect(page.locator("#found")).to_contain_text("5.2 Ah")
    choose(page, "w")
    expect(page.locator("#text")).to_contain_text("Written to")
    control.wait_for_request(RequestKind.RELOAD)
    page.get_by_role("link", name="All steps").click()
    page.get_by_role("button", name="of the battery").click()
    expect(page.locator("[role=status]").first).to_contain_text("taken back")


def test_a_stop_is_told_on_the_page(overview, control):
    page = begin(overview, "motors")
    choose(page, "y")
    visible(page.locator("#hold"))
    page.locator("#stop").click()
    control.wait_for_request(RequestKind.STOP)
    comes_about(page.locator("#remark"), "element.textContent.includes('stopped')")
    hidden(page.locator("#hold"))
    assert control.telemetry.state is ArmState.ESTOP
    leave(page)


def test_no_rule_is_broken(overview, control):
    for theme in THEMES:
        overview.emulate_media(color_scheme=theme)
        hold_rules(overview, f"list, {theme}")
    page = begin(overview, "motors")
    choose(page, "y")
    visible(page.locator("#hold"))
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        hold_rules(page, f"a step, {theme}")
    page.emulate_media(color_scheme="null")
    leave(page)
