"""A gamepad is calibrated in Chromium, with a pad that is truly read, and drives so."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomlkit

from rover.clock import SystemClock
from tests.browser.test_accessibility import AXE, THEMES, hold_rules
from tests.browser.waiting import comes_about, hidden, visible
from tests.gamepad.lent_pads import Shelf
from tests.gamepad.pads import (
    ABS,
    ABS_RX,
    ABS_Y,
    BTN_EAST,
    BTN_SELECT,
    BTN_SOUTH,
    BTN_START,
    BTN_TR,
    KEY,
    XBOX,
)

pytestmark = pytest.mark.browser

WAIT_S = 20.0
# What a person does for these; all else is skipped.
STICKS = {"left stick y": ABS_Y, "right stick x": ABS_RX}
BUTTONS = {
    "right shoulder": BTN_TR,
    "south": BTN_SOUTH,
    "east": BTN_EAST,
    "start": BTN_START,
    "select": BTN_SELECT,
}


@pytest.fixture
def shelf(control) -> Iterator[Shelf]:
    shelf = Shelf()
    shelf.plug(XBOX)
    control.lender = shelf.lendable(SystemClock())
    yield shelf
    control.lender, lender = None, control.lender
    lender.close()
    shelf.close()


@pytest.fixture
def page(desk, shelf):
    """The remote's page, gone to the calibration by its link."""
    desk.locator("#calibrate-pad").click()
    visible(desk.locator("#pad"))
    yield desk
    if desk.url.endswith("/pad"):
        desk.goto(desk.url.removesuffix("pad"))


def wake(page, shelf):
    comes_about(page.locator("#text"), "element.textContent.startsWith('Press a button')")
    shelf.device().send((KEY, BTN_SOUTH, 1))
    shelf.device().send((KEY, BTN_SOUTH, 0))
    comes_about(page.locator("#text"), "element.textContent.includes('left stick')")


def hold(page, shelf, event, rest):
    """Do it, hold it until the page is content, and let go."""
    shelf.device().send(event)
    comes_about(page.locator("#text"), "element.textContent === 'Let go of it'")
    shelf.device().send(rest)
    comes_about(page.locator("#text"), "element.textContent !== 'Let go of it'")


def answer(page, shelf):
    """Answer all questions as the person's hands do; return how many were asked."""
    asked = 0
    while page.locator("#write").is_hidden():
        asked += 1
        control = (
            page.evaluate(
                "() => document.querySelector('.stick.asked')?.dataset.along"
                " && document.getElementById('text').textContent"
            )
            or ""
        )
        lit = page.evaluate("() => document.querySelector('#pad .asked')?.dataset.control ?? ''")
        text = page.locator("#text").text_content()
        before = page.locator("#number").text_content()
        if "left stick" in control and ("forward" in text or "back" in text):
            value = -32768 if "forward" in text else 32767
            hold(page, shelf, (ABS, ABS_Y, value), (ABS, ABS_Y, 0))
        elif "right stick" in control and ("left," in text or "to the" in text):
            value = -32768 if "to the left" in text else 32767
            hold(page, shelf, (ABS, ABS_RX, value), (ABS, ABS_RX, 0))
        elif lit in BUTTONS:
            hold(page, shelf, (KEY, BUTTONS[lit], 1), (KEY, BUTTONS[lit], 0))
        else:
            page.locator("#skip").click()
            comes_about(page.locator("#number"), f"element.textContent !== {before!r}")
    return asked


def test_a_pad_is_calibrated_written_and_given_back(page, shelf, control, server):
    wake(page, shelf)
    assert control.lender.lent_to.startswith("computer")
    assert answer(page, shelf) > 10
    visible(page.locator("#result"))
    found = page.locator("#found dt").all_text_contents()
    assert found == ["left stick y", "right stick x", "right shoulder", *list(BUTTONS)[1:]]
    # The drawing does what the hand does.
    shelf.device().send((KEY, BTN_EAST, 1), (ABS, ABS_Y, -32768))
    visible(page.locator("[data-control='east'].pressed"))
    comes_about(
        page.locator(".stick[data-along='left stick y'] .knob"),
        "element.getAttribute('transform') === 'translate(0 -30)'",
    )
    shelf.device().send((KEY, BTN_EAST, 0), (ABS, ABS_Y, 0))
    page.locator("#write").click()
    visible(page.locator("#again"))
    text = page.locator("#text").text_content()
    assert "drives with it from now on" in text
    written = tomlkit.parse(Path(text.split("Written to ")[1].split(". The")[0]).read_text())
    pad = written["gamepad"]["pads"]["1234:5678"]
    assert pad["buttons"]["right_shoulder"] == "BTN_TR"
    assert pad["left_stick_y"]["axis"] == "ABS_Y"
    deadline_s = time.monotonic() + WAIT_S
    while control.lender.lent_to:
        assert time.monotonic() < deadline_s
    assert shelf.made[-1].gamepad.pads["1234:5678"].buttons.right_shoulder == "BTN_TR"


def test_leaving_writes_nothing_and_it_can_begin_anew(page, shelf):
    wake(page, shelf)
    page.locator("#leave").click()
    comes_about(page.locator("#text"), "element.textContent.includes('Nothing was written')")
    hidden(page.locator("#skip"))
    page.locator("#again").click()
    comes_about(page.locator("#text"), "element.textContent.startsWith('Press a button')")
    hidden(page.locator("#again"))


def test_keys_reach_everything_and_no_rule_is_broken(page, shelf):
    wake(page, shelf)
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.id") == "skip":
            break
    before = page.locator("#number").text_content()
    page.keyboard.press("Enter")
    comes_about(page.locator("#number"), f"element.textContent !== {before!r}")
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        hold_rules(page, f"calibrating, {theme}")
    page.emulate_media(color_scheme="null")
    assert AXE
