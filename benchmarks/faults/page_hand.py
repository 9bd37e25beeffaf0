"""A thumb on the real page, in a real browser that can be killed."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, CDPSession, Locator, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from benchmarks.harness import NotMeasuredError

_CHROMIUM = "/usr/bin/chromium"
_DEVICE = "Pixel 7"
_WAIT_MS = 10_000
# Farther than the pad reaches: all the way up.
_PUSH_PX = 200.0
# The page tells once in 250 ms that it is at rest, and control has to hear it.
_RESTED_S = 0.35
_HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@contextlib.contextmanager
def _on_one_processor() -> Iterator[None]:
    """Start what is started meanwhile on one processor: a phone is another computer.

    To take a killed browser's memory away keeps the kernel busy, and bytes on a pseudo-terminal
    are moved by the kernel too.
    """
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(everywhere)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, everywhere)


class PageHand:
    """A person with the page open at ``url``. Belongs to the thread that made it."""

    def __init__(self, url: str) -> None:
        self._url = url
        with _on_one_processor():
            self._playwright = sync_playwright().start()
        self._browser: Browser | None = None
        self._page: Page | None = None
        self._touch: CDPSession | None = None
        self._thumb: tuple[float, float] | None = None
        self._landed = (0.0, 0.0)

    @property
    def page(self) -> Page:
        """The page, opened if it is not, its speed limit at the top."""
        if self._page is None:
            self._page = self._open()
        return self._page

    def _open(self) -> Page:
        if self._browser is None:
            self._browser = self._playwright.chromium.launch(
                executable_path=_CHROMIUM, args=["--no-sandbox"]
            )
        device = dict(self._playwright.devices[_DEVICE])
        device.pop("default_browser_type", None)
        # There is no graphics card to draw a phone's many pixels.
        device["device_scale_factor"] = 1
        context = self._browser.new_context(**device)
        context.set_default_timeout(_WAIT_MS)
        page = context.new_page()
        page.goto(self._url)
        page.locator("#lost").wait_for(state="hidden")
        page.locator("#limit").fill("1")
        self._touch = context.new_cdp_session(page)
        self._thumb = None
        return page

    def rest(self) -> None:
        """Take the thumb off the pad, and let the rover see it."""
        page = self.page
        if self._thumb is not None:
            self._thumb = None
            self._send("touchEnd")
        page.wait_for_timeout(_RESTED_S * 1000.0)

    def full(self) -> None:
        """Put the thumb on the pad and push it all the way up."""
        page = self.page
        self._thumb = _middle_of(page.locator("#pad-right"))
        self._send("touchStart")
        x, y = self._thumb
        self._thumb = (x, y - _PUSH_PX)
        self._send("touchMove")

    def push(self, up_px: float) -> None:
        """Have the thumb lie on the pad, so far above where it landed."""
        if self._thumb is None:
            # To look where something is takes the browser long: once is enough.
            self._landed = self._thumb = _middle_of(self.page.locator("#pad-right"))
            self._send("touchStart")
        x, y = self._landed
        self._thumb = (x, y - up_px)
        self._send("touchMove")

    def tremble(self) -> None:
        """Move the thumb that lies on the pad a little, as thumbs do."""
        if self._thumb is not None:
            x, y = self._thumb
            self._thumb = (x, y + 1.0)
            self._send("touchMove")

    def hide(self, *, hidden: bool) -> float:
        """Have the page be hidden, or shown again; return when (s, monotonic)."""
        hidden_s = time.monotonic()
        self.page.evaluate(_HIDE, hidden)
        return hidden_s

    def press_stop(self) -> float:
        """Tap STOP with another finger; return when (s, monotonic)."""
        x, y = _middle_of(self.page.get_by_role("button", name="Emergency stop"))
        finger = {"x": x, "y": y, "id": 1}
        tapped_s = time.monotonic()
        self._send("touchStart", finger)
        self._send("touchEnd", finger)
        return tapped_s

    def close_tab(self) -> float:
        """Close the tab; return when (s, monotonic)."""
        closed_s = time.monotonic()
        self.page.close()
        self._page = self._thumb = None
        return closed_s

    def kill(self) -> float:
        """Kill the browser with all its processes; return when (s, monotonic)."""
        pids = _descendants(os.getpid(), "chrom")
        if not pids:
            raise NotMeasuredError("no browser to kill")
        killed_s = time.monotonic()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        browser, self._browser = self._browser, None
        self._page = self._thumb = None
        if browser is not None:
            with contextlib.suppress(PlaywrightError):
                # Only tells the library that it is gone.
                browser.close()
        return killed_s

    def wait(self, duration_s: float) -> None:
        """Let time pass, the browser's own events being seen to."""
        self.page.wait_for_timeout(duration_s * 1000.0)

    def close(self) -> None:
        """End the browser."""
        if self._browser is not None:
            self._browser.close()
        self._playwright.stop()

    def _send(self, kind: str, *others: dict[str, float]) -> None:
        touches = list(others) if kind != "touchEnd" else []
        if self._thumb is not None:
            x, y = self._thumb
            touches.append({"x": x, "y": y, "id": 0})
        if kind == "touchEnd" and others and self._thumb is not None:
            # With other fingers down, the points of "touchEnd" are those that lift.
            touches = list(others)
        if self._touch is not None:
            self._touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


def _middle_of(element: Locator) -> tuple[float, float]:
    box = element.bounding_box()
    if box is None:
        raise NotMeasuredError(f"{element} is not on the page")
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _descendants(pid: int, name: str) -> list[int]:
    """Return all processes below ``pid`` whose program is called something like ``name``."""
    found: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, tasks.read_text(encoding="ascii").split()):
            with contextlib.suppress(OSError):
                if name in Path(f"/proc/{child}/comm").read_text(encoding="utf-8"):
                    found.append(child)
            found += _descendants(child, name)
    return found
