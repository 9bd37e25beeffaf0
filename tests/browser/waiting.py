"""Waiting for what a page comes to show, looked at with every frame that it draws.

Playwright's own expectations look ever more seldom, at last once a second.
"""

import json

from playwright.sync_api import Locator, expect


def comes_about(locator: Locator, condition: str) -> None:
    """Wait until a condition on ``element``, which must be there already, holds."""
    locator.page.wait_for_function(f"(element) => {condition}", arg=locator.element_handle())


def visible(locator: Locator) -> None:
    """Wait until the element can be seen."""
    comes_about(locator, "element.checkVisibility()")
    expect(locator).to_be_visible()


def hidden(locator: Locator) -> None:
    """Wait until the element cannot be seen."""
    comes_about(locator, "!element.checkVisibility()")
    expect(locator).to_be_hidden()


def has_text(locator: Locator, text: str) -> None:
    """Wait until this is all the text that the element has."""
    comes_about(locator, f"element.textContent.trim() === {json.dumps(text)}")
    expect(locator).to_have_text(text)
