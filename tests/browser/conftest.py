"""The page in a real Chromium, over a real web server and a fake control process.

One browser and one server serve all tests; every test has its own page. A page that logs an
error, throws, or asks anyone but the server for anything fails its test.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    Request,
    sync_playwright,
)

from tests.browser.fingers import Fingers
from tests.builders import osr_config
from tests.web.fake_control import FakeControl, still_rover
from tests.web.rig import short_directory, web_server
from web.server import WebServer

CHROMIUM = "/usr/bin/chromium"
DESK = {"viewport": {"width": 1280, "height": 800}}
WAIT_MS = 5000

# A browser says this itself of a server that has gone; the page has done nothing wrong.
EXPECTED_WITHOUT_SERVER = "net::ERR_CONNECTION_REFUSED"

OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def rig() -> Iterator[tuple[WebServer, FakeControl]]:
    with (
        short_directory() as directory,
        FakeControl(directory) as control,
        web_server(osr_config(), directory, control) as server,
    ):
        yield server, control


@pytest.fixture
def server(rig: tuple[WebServer, FakeControl]) -> WebServer:
    return rig[0]


@pytest.fixture
def control(rig: tuple[WebServer, FakeControl]) -> FakeControl:
    """The control process as new: a healthy, disarmed rover."""
    _, control = rig
    control.telemetry = still_rover()
    control.refusals = ()
    control.is_publishing = True
    control.is_deaf = False
    control.forget()
    return control


def listen(page: Page, origin: str, complaints: list[str]) -> None:
    """Note what the page must not do."""

    def hear_console(message: ConsoleMessage) -> None:
        if message.type == "error" and EXPECTED_WITHOUT_SERVER not in message.text:
            complaints.append(message.text)

    def hear_request(request: Request) -> None:
        if not request.url.startswith((f"{origin}/", "about:blank")):
            complaints.append(f"asked for {request.url}")

    page.on("console", hear_console)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", hear_request)


@pytest.fixture(scope="session")
def contexts(
    playwright: Playwright, browser: Browser
) -> Iterator[Callable[[str, str], BrowserContext]]:
    """One profile of the browser for each device and purpose, made when first asked for."""
    made: dict[tuple[str, str], BrowserContext] = {}

    def context(device: str, purpose: str) -> BrowserContext:
        if (device, purpose) not in made:
            described = dict(playwright.devices[device]) if device else dict(DESK)
            described.pop("default_browser_type", None)
            made[device, purpose] = browser.new_context(**described)
            made[device, purpose].set_default_timeout(WAIT_MS)
        return made[device, purpose]

    yield context
    for each in made.values():
        each.close()


@pytest.fixture
def open_page(
    contexts: Callable[[str, str], BrowserContext], server: WebServer, control: FakeControl
) -> Iterator[OpenPage]:
    """Opens the page: ``open_page("Pixel 7")`` on a phone, ``open_page()`` on a desk.

    It is returned once it shows the rover. ``has_key=False`` only watches.
    """
    pages = []
    complaints: list[str] = []

    def open_page(device: str = "", *, has_key: bool = True, of: WebServer = server) -> Page:
        page = contexts(device, "driving" if has_key else "watching").new_page()
        pages.append(page)
        listen(page, of.origin, complaints)
        page.goto(of.url if has_key else of.origin)
        page.evaluate("localStorage.clear()")
        page.locator("#lost").wait_for(state="hidden")
        return page

    yield open_page
    for page in pages:
        page.close()
    assert complaints == []


@pytest.fixture
def phone(open_page: OpenPage) -> Page:
    """The page on a phone held upright, with the key."""
    return open_page("Pixel 7")


@pytest.fixture
def fingers(phone: Page) -> Fingers:
    return Fingers(phone)
