"""Fingers on a screen and on a keyboard: the browser's own input, one or several at once."""

from playwright.sync_api import Locator, Page


class Fingers:
    """Touches on one page, by name of the finger."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._points: dict[str, tuple[float, float]] = {}
        self._ids: dict[str, int] = {}

    def land(self, finger: str, on: Locator) -> None:
        """Put a finger on the middle of an element."""
        box = on.bounding_box()
        assert box is not None, f"{on} is not on the page"
        self._points[finger] = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self._ids.setdefault(finger, len(self._ids))
        self._send("touchStart")

    def move(self, finger: str, right_px: float, down_px: float) -> None:
        """Move a finger that lies on the screen."""
        x, y = self._points[finger]
        self._points[finger] = (x + right_px, y + down_px)
        self._send("touchMove")

    def lift(self, finger: str) -> None:
        """Take a finger off the screen."""
        lifted = {finger: self._points.pop(finger)}
        # With other fingers down, the points of "touchEnd" are those that lift; with none, none.
        self._send("touchEnd", lifted if self._points else {})

    def cancel(self) -> None:
        """Have the system take all touches away, as a gesture of its own does."""
        self._points.clear()
        self._send("touchCancel")

    def tap(self, on: Locator) -> None:
        """Touch an element once."""
        self.land("tap", on)
        self.lift("tap")

    def _send(self, kind: str, points: dict[str, tuple[float, float]] | None = None) -> None:
        """Send the touches that are there now, or ``points``."""
        listed = self._points if points is None else points
        touches = [{"x": x, "y": y, "id": self._ids[name]} for name, (x, y) in listed.items()]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


class Keys:
    """Keys of one page's keyboard, by the names that Playwright has for them."""

    def __init__(self, page: Page) -> None:
        self._keyboard = page.keyboard
        self._held: list[str] = []

    def hold(self, key: str) -> None:
        """Press a key and keep it down; held already, it repeats."""
        self._held.append(key)
        self._keyboard.down(key)

    def release(self, key: str) -> None:
        """Let go of a key."""
        self._held.remove(key)
        self._keyboard.up(key)

    def release_all(self) -> None:
        """Let go of what is still held."""
        for key in set(self._held):
            self._keyboard.up(key)
        self._held.clear()
