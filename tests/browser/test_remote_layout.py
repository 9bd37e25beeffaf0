"""Where things are, in every arrangement on every screen."""

import itertools

import pytest
from playwright.sync_api import Page

from tests.browser.remote import (
    steady,
    stop,
)
from tests.browser.waiting import visible
from tests.web.fake_control import is_stop

pytestmark = pytest.mark.browser


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
    def test_stop_and_pads_are_in_sight_and_large_enough_on_every_screen(self, phone, thumbs, hand):
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
