"""The page in a real Chromium, over a real web server and a fake control process.

One browser and one server serve all tests; every test has its own page. A page that logs an
error, throws, or asks anyone but the server for anything fails its test.
"""

import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    Playwright,
    Request,
    expect,
    sync_playwright,
)

from rover.messages import RequestKind
from tests.browser.fingers import Fingers, Keys
from tests.browser.waiting import hidden
from tests.builders import osr_config
from tests.web.fake_control import FakeControl, is_at_rest, still_rover
from tests.web.rig import short_directory, web_server
from web.server import WebServer

CHROMIUM = "/usr/bin/chromium"
DESK = {"viewport": {"width": 1280, "height": 800}}
# What comes at all comes long before that; a busy computer may take its time.
WAIT_MS = 20_000
expect.set_options(timeout=WAIT_MS)

# A browser says this itself of a server that has gone; the page has done nothing wrong.
EXPECTED_WITHOUT_SERVER = "net::ERR_CONNECTION_REFUSED"
# And this of one that goes while it is being asked; of one that stays it is a fault.
EXPECTED_AS_IT_GOES = "net::ERR_CONNECTION_RESET"

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
def control(rig: tuple[WebServer, FakeControl]) -> Iterator[FakeControl]:
    """The control process as new: a healthy, disarmed rover."""
    server, control = rig
    control.telemetry = still_rover()
    control.refusals = ()
    control.is_publishing = True
    control.is_deaf = False
    control.forget()
    # No page is told any more of what the last test has left.
    new_s = time.monotonic()
    while (newest := server.remote.hub.newest) is None or newest.stamp_s < new_s:
        assert time.monotonic() < new_s + WAIT_MS / 1000, "control is never heard"
        time.sleep(0.002)
    yield control
    # Stops that the server still asks for belong to this test, not to the next.
    control.answer_late()
    server.remote.asker.ask(RequestKind.STOP, "the test").result()


class Witness:
    """Notes what pages must not do: log errors, throw, ask anyone but their own server."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self.origins: set[str] = set()
        self.going: set[str] = set()
        self._under_way: set[Request] = set()

    def watch(self, page: Page) -> None:
        """Listen to ``page`` from now on."""
        page.on("console", self._hear_console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._hear_request)
        page.on("requestfinished", self._hear_its_end)
        page.on("requestfailed", self._hear_its_end)

    def wait_for_stops(self, page: Page) -> None:
        """Wait until every stop that was posted has been answered or given up."""
        deadline_s = time.monotonic() + WAIT_MS / 1000
        while self._under_way:
            assert time.monotonic() < deadline_s, f"never answered: {self._under_way}"
            page.wait_for_timeout(5)

    def _hear_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not self._is_expected(message):
            self.complaints.append(message.text)

    def _is_expected(self, message: ConsoleMessage) -> bool:
        """Whether it is the browser that says it, of what a page cannot help."""
        url = message.location.get("url", "")
        if EXPECTED_WITHOUT_SERVER in message.text:
            return True
        if EXPECTED_AS_IT_GOES in message.text:
            return url.startswith(tuple(f"{origin}/" for origin in self.going))
        return url.endswith("/api/stop") and "Failed to load resource" in message.text

    def _hear_its_end(self, request: Request) -> None:
        self._under_way.discard(request)

    def _hear_request(self, request: Request) -> None:
        if request.url.endswith("/api/stop"):
            self._under_way.add(request)
        if not request.url.startswith(tuple(f"{origin}/" for origin in self.origins)):
            self.complaints.append(f"asked for {request.url}")


@pytest.fixture(scope="session")
def witness() -> Witness:
    return Witness()


@pytest.fixture(scope="session")
def tab(
    playwright: Playwright, browser: Browser, witness: Witness
) -> Iterator[Callable[[str, bool], Page]]:
    """One tab for each device, with the key and without; a new one costs a new process."""
    tabs: dict[tuple[str, bool], Page] = {}

    def tab(device: str, has_key: bool) -> Page:
        if (device, has_key) not in tabs:
            described = dict(playwright.devices[device]) if device else dict(DESK)
            described.pop("default_browser_type", None)
            # There is no graphics card to draw a phone's many pixels.
            described["device_scale_factor"] = 1
            # What the worker keeps would hide from these tests what the page asks for.
            context = browser.new_context(**described, service_workers="block")
            context.set_default_timeout(WAIT_MS)
            tabs[device, has_key] = context.new_page()
            witness.watch(tabs[device, has_key])
        return tabs[device, has_key]

    yield tab
    for page in tabs.values():
        page.context.close()


@pytest.fixture
def open_page(
    tab: Callable[[str, bool], Page], witness: Witness, server: WebServer, control: FakeControl
) -> Iterator[OpenPage]:
    """Opens the page: ``open_page("Pixel 7")`` on a phone, ``open_page()`` on a desk.

    It is returned once it shows the rover. ``has_key=False`` only watches; ``of`` is a server
    that this test has to itself and will end.
    """
    opened: list[Page] = []
    witness.complaints.clear()
    witness.origins = {server.origin}
    witness.going = set()

    def open_page(device: str = "", *, has_key: bool = True, of: WebServer = server) -> Page:
        page = tab(device, has_key)
        opened.append(page)
        witness.origins.add(of.origin)
        if of is not server:
            witness.going.add(of.origin)
        page.goto(of.url if has_key else of.origin)
        hidden(page.locator("#lost"))
        return page

    yield open_page
    control.answer_late()
    for page in opened:
        # A page that goes leaves its stops under way behind: they are this test's too.
        witness.wait_for_stops(page)
        if page.url != "about:blank":
            page.evaluate("localStorage.clear()")
            page.goto("about:blank")
    # What a page says as it goes belongs to this test, not to the next.
    assert server.sockets.wait_until_empty(WAIT_MS / 1000)
    assert witness.complaints == []


@pytest.fixture
def phone(open_page: OpenPage) -> Page:
    """The page on a phone held upright, with the key."""
    return open_page("Pixel 7")


@pytest.fixture
def fingers(phone: Page) -> Fingers:
    return Fingers(phone)


@pytest.fixture
def desk(open_page: OpenPage, control: FakeControl) -> Page:
    """The page on a desk, with the key, once control has heard that no key is held."""
    page = open_page()
    control.wait_for_motion(is_at_rest, "rest")
    return page


@pytest.fixture
def keys(desk: Page) -> Iterator[Keys]:
    keys = Keys(desk)
    yield keys
    # The tab is another test's next, and remembers.
    keys.release_all()
