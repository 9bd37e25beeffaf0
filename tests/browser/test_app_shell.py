"""The page as an app: what its service worker keeps, and what a phone shows without a rover."""

import pytest
from playwright.sync_api import expect

from tests.builders import osr_config
from tests.web.fake_control import FakeControl
from tests.web.rig import short_directory, web_server

pytestmark = pytest.mark.browser


@pytest.fixture
def installed(playwright, browser):
    """A page of its own whose service worker may work."""
    context = browser.new_context(**playwright.devices["Pixel 7"] | {"device_scale_factor": 1})
    yield context.new_page()
    context.close()


def test_only_the_shell_is_kept_and_it_opens_without_a_rover(installed):
    config = osr_config()
    with short_directory() as directory, FakeControl(directory) as control:
        with web_server(config, directory, control) as server:
            installed.goto(server.url)
            installed.evaluate("() => navigator.serviceWorker.ready")
            # By now it is the worker that answers for the page's files.
            installed.reload()
            expect(installed.locator("#lost")).to_be_hidden()
            kept = installed.evaluate(
                """async () => {
                  const names = await caches.keys();
                  const requests = await (await caches.open(names[0])).keys();
                  return [names.length, ...requests.map(({ url }) => new URL(url).pathname)];
                }"""
            )
            installed.evaluate("() => fetch('/api/telemetry')")
        assert kept[0] == 1
        version = server.origin and kept[2].split("/")[3]
        assert all(
            path == "/static/offline" or path.startswith(f"/static/version/{version}/")
            for path in kept[1:]
        )
        installed.goto(server.origin)
        expect(installed.locator("h1")).to_have_text("No rover answers")
        with web_server(config, directory, control, server.port):
            expect(installed.locator("#stop")).to_be_visible()
            expect(installed.locator("#lost")).to_be_hidden()


def test_a_page_of_another_version_loads_the_new_one(open_page):
    config = osr_config()
    with short_directory() as directory, FakeControl(directory) as control:
        with web_server(config, directory, control) as server:
            page = open_page("Pixel 7", of=server)
            page.evaluate("() => { window.isOld = true; }")
        expect(page.locator("#lost")).to_contain_text("Link lost")
        page.route("**/static/shell", lambda route: route.fulfill(json={"version": "newer"}))
        with web_server(config, directory, control, server.port):
            page.wait_for_function("() => !window.isOld")
            # Once, even if what it got still calls itself by the old name.
            expect(page.locator("#lost")).to_be_hidden()
            page.unroute("**/static/shell")
