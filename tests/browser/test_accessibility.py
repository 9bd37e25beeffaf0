"""The page held against axe-core's rules, in its states and in both themes."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from rover.messages import (
    Arc,
    ArmState,
    Condition,
    Event,
    Limit,
    PowerReading,
    Severity,
)
from tests.browser.waiting import comes_about, visible

pytestmark = pytest.mark.browser


CONTRAST = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}
THEMES = ("dark", "light")
AXE = Axe()


def hold_rules(page, what, options=None):
    """Fail with every rule that is broken, and where."""
    found = AXE.run(page, options=options or {"resultTypes": ["violations"]})
    wrong = [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in found.response["violations"]
        for node in violation["nodes"]
    ]
    assert wrong == [], f"{what}: {wrong}"


@pytest.fixture
def in_both_themes():
    """Calls what it is given in the dark and in the light."""
    used = []

    def in_both(page, what, options=None):
        used.append(page)
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            comes_about(page.locator("html"), f"element.dataset.theme === '{theme}'")
            hold_rules(page, f"{what}, {theme}", options)

    yield in_both
    for page in used:
        page.emulate_media(color_scheme="null")


def test_no_rule_is_broken_on_a_phone(phone, control, in_both_themes):
    for state in (ArmState.DISARMED, ArmState.ARMED, ArmState.FAULT):
        control.update(state=state)
        comes_about(phone.locator("#state"), f"element.dataset.state === '{state}'")
        comes_about(phone.locator("#action"), "element.dataset.settled === 'true'")
        in_both_themes(phone, state, CONTRAST)
    control.update(
        state=ArmState.ARMED,
        asked=Arc(0.4, 0.5),
        limited_by=(Limit.SPEED, Limit.TROUBLE),
        power=PowerReading(13.0, 2.0, 0.0, "test"),
        conditions=(Condition("battery-low", "battery low", Severity.WARNING),),
        events=tuple(
            Event(number, 1.0, severity, "code", "something", "Do something about it.")
            for number, severity in enumerate(Severity, 1)
        ),
    )
    visible(phone.locator("#limits"))
    in_both_themes(phone, "what limits it", CONTRAST)
    phone.locator("#details-open").tap()
    phone.locator("summary").tap()
    visible(phone.locator(".settings"))
    in_both_themes(phone, "details")
    phone.locator("#doctor").tap()
    visible(phone.locator(".findings").first)
    for theme in THEMES:
        phone.emulate_media(color_scheme=theme)
        hold_rules(phone, f"the doctor, {theme}")


def test_no_rule_is_broken_by_what_goes_wrong(desk, control, in_both_themes):
    control.refusals = ("battery at 12.1 V: charge it", "steering is not calibrated")
    comes_about(desk.locator("#action"), "element.dataset.settled === 'true'")
    desk.locator("#action").click()
    visible(desk.locator("#refused"))
    in_both_themes(desk, "refused")
    desk.locator("#refused-close").click()
    control.is_publishing = False
    visible(desk.locator("#lost"))
    control.is_deaf = True
    desk.locator("#stop").click()
    visible(desk.locator("#unconfirmed"))
    in_both_themes(desk, "lost, and a stop that is not confirmed")


def test_no_rule_is_broken_where_nobody_drives(open_page, server):
    page = open_page("Pixel 7", has_key=False)
    hold_rules(page, "watching")
    for path in ("/pair", "/static/offline"):
        page.goto(f"{server.origin}{path}")
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            hold_rules(page, f"{path}, {theme}")
    page.emulate_media(color_scheme="null")
