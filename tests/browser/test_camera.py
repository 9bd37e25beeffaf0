"""The camera's picture in Chromium: drawn, young, small and large, photographed, and gone."""

import statistics
import time
from io import BytesIO

import pytest
from PIL import Image

from benchmarks.video import WATCH, delays_ms
from tests.browser.remote import steady
from tests.browser.test_accessibility import THEMES, hold_rules
from tests.browser.test_remote_layout import boxes_of, overlap
from tests.browser.waiting import comes_about, hidden, visible
from tests.camera.rig import camera_process

pytestmark = pytest.mark.browser

SCREENS = [(360, 640), (640, 360), (390, 844), (844, 390), (768, 1024), (1280, 800), (1920, 1080)]


@pytest.fixture
def camera(rig):
    _, control = rig
    with camera_process(control.directory):
        yield


def shown(page):
    """Wait until a picture has been drawn."""
    visible(page.locator("#camera-panel"))
    comes_about(page.locator("#camera"), "element.width > 100")


def test_what_is_seen_is_young(desk, camera):
    """From the drawing of the picture to its pixels on the canvas: glass to glass."""
    shown(desk)
    desk.evaluate(WATCH)
    desk.wait_for_function("() => window.seen.length >= 20")
    ages_ms = delays_ms(desk)
    # On a busy computer a picture may be late, but never from before; and most are young.
    assert min(ages_ms) > -5.0
    assert statistics.median(ages_ms) < 500.0
    hidden(desk.locator("#camera-text"))


def test_it_is_made_larger_and_smaller_hidden_and_shown(desk, camera):
    shown(desk)
    panel = desk.locator("#camera-panel")
    small = panel.bounding_box()
    desk.locator("#camera-size").click(position={"x": 20, "y": 100})
    large = panel.bounding_box()
    assert large["width"] > 1.8 * small["width"]
    visible(desk.locator("#camera-size[aria-pressed=true]"))
    desk.keyboard.press("Enter")
    assert panel.bounding_box() == small
    desk.locator("#camera-off").click()
    hidden(panel)
    visible(desk.locator("#camera-on"))
    desk.reload()
    # The choice is remembered.
    visible(desk.locator("#camera-on"))
    hidden(desk.locator("#camera-panel"))
    desk.locator("#camera-on").click()
    shown(desk)


def test_a_photo_is_saved(desk, camera):
    shown(desk)
    with desk.expect_download() as download:
        desk.locator("#camera-photo").click()
    assert download.value.suggested_filename.startswith("rover-")
    content = download.value.path().read_bytes()
    assert Image.open(BytesIO(content)).size == (640, 480)


def test_a_camera_that_goes_is_said_to_have_gone_and_comes_back(desk, rig):
    _, control = rig
    with camera_process(control.directory):
        shown(desk)
    hidden(desk.locator("#camera-panel"))
    hidden(desk.locator("#camera-on"))
    with camera_process(control.directory):
        shown(desk)


def test_a_page_that_nobody_sees_takes_no_pictures(desk, camera, server):
    shown(desk)
    desk.evaluate(
        """() => {
          Object.defineProperty(document, "hidden", { value: true, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    deadline_s = time.monotonic() + 20.0
    while any(server.remote.pictures._watched.values()):
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    desk.evaluate(
        """() => {
          delete document.hidden;
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    deadline_s = time.monotonic() + 20.0
    while not any(server.remote.pictures._watched.values()):
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def test_the_picture_covers_nothing_that_drives_on_any_screen(phone, camera):
    shown(phone)
    size = phone.viewport_size
    for width, height in SCREENS:
        phone.set_viewport_size({"width": width, "height": height})
        steady(phone)
        for is_large in (False, True):
            (panel,) = boxes_of(phone, "#camera-panel")
            for needed in ("#stop", "#action", "#pad-right", "#limit", "#modes", "#link"):
                for box in boxes_of(phone, needed):
                    what = f"{needed} on {width} x {height}, large: {is_large}"
                    assert not overlap(panel, box), what
            for key in boxes_of(phone, ".camera-keys button"):
                assert min(key["width"], key["height"]) >= 48
            phone.locator("#camera-size").dispatch_event("click")
    phone.set_viewport_size(size)


def test_no_rule_is_broken_with_a_picture(desk, camera):
    shown(desk)
    for theme in THEMES:
        desk.emulate_media(color_scheme=theme)
        hold_rules(desk, f"a picture, {theme}")
    desk.emulate_media(color_scheme="null")
