"""A device is paired in Chromium, by the code that the console shows and by its QR code."""

import pytest

from rover.messages import RequestKind
from tests.browser.remote import settled
from tests.browser.waiting import has_text

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("by", ["code", "link"])
def test_what_the_console_shows_pairs_this_device(server, control, browser, by):
    # A context of its own: what is paired stays so.
    context = browser.new_context(service_workers="block")
    page = context.new_page()
    try:
        code, link = server.invite()
        page.goto(link if by == "link" else f"{server.origin}/pair")
        if by == "code":
            page.locator("input[name=code]").fill(code)
        page.get_by_role("button", name="Pair", exact=True).click()
        has_text(page.locator("#action"), "Arm")
        settled(page).click()
        control.wait_for_request(RequestKind.ARM)
    finally:
        context.close()
