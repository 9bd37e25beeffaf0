"""What tests of the remote do and look at."""

import itertools

from tests.browser.waiting import comes_about
from tests.web.fake_control import is_driving


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
