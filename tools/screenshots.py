"""Takes the pictures of the page in docs/images from a running, driving, simulated rover.

Run it by: .venv/bin/python tools/screenshots.py [NAME...]
"""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

IMAGES = Path(__file__).parent.parent / "docs" / "images"
# How long the rover drives before its picture is taken: enough for a path to be seen and
# for the battery's time left to be known.
DRIVE_S = 24.0


def start_rover() -> tuple[subprocess.Popen[str], str]:
    """Start `rover sim`; return it with the link that it prints."""
    command = [sys.executable, "-m", "rover", "sim", "--host", "127.0.0.1", "--port", "0"]
    rover = subprocess.Popen([*command, "--no-browser"], stdout=subprocess.PIPE, text=True)
    assert rover.stdout is not None
    for line in rover.stdout:
        if found := re.search(r"Drive at\s+(\S+)", line):
            return rover, found.group(1)
    raise SystemExit("rover sim ended before it told its address")


def arm(page: Page) -> None:
    """Arm by the page's own button, once it has been there long enough to be pressed."""
    page.locator("#action[data-kind=arm][data-settled=true]:enabled").click()
    page.wait_for_selector("#action[data-kind=disarm]")


def drive_by_thumbs(context: BrowserContext, page: Page) -> None:
    """Drive forward and to the left with a thumb on every pad; the thumbs stay down."""
    session = context.new_cdp_session(page)
    boxes = [box for pad in page.locator(".pad:visible").all() if (box := pad.bounding_box())]
    middles = [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes]
    for part in (0.0, 0.5, 1.0):
        touches = [
            {"x": x - 22 * part, "y": y - 60 * part, "id": n} for n, (x, y) in enumerate(middles)
        ]
        kind = "touchMove" if part else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
    time.sleep(DRIVE_S)


def picture(browser: Browser, name: str, **device: object) -> None:
    """Start a rover, open its page as ``device``, drive, and save docs/images/``name``.png."""
    rover, url = start_rover()
    context = browser.new_context(**device)  # type: ignore[arg-type]
    try:
        page = context.new_page()
        page.goto(url)
        arm(page)
        # Only sticks that have been at rest since then may drive, and the corners turn first.
        time.sleep(2.0)
        if device.get("has_touch"):
            drive_by_thumbs(context, page)
        else:
            page.keyboard.down("w")
            page.keyboard.down("a")
            time.sleep(DRIVE_S)
        page.screenshot(path=IMAGES / f"{name}.png")
        print(f"docs/images/{name}.png")
    finally:
        context.close()
        rover.send_signal(signal.SIGINT)
        rover.wait()


def main(names: list[str]) -> None:
    """Take all pictures, or those that are named."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        upright = dict(playwright.devices["Pixel 7"])
        lying = dict(playwright.devices["Pixel 7 landscape"])
        desk = {"viewport": {"width": 1280, "height": 800}}
        pictures = {
            "page-portrait": upright | {"color_scheme": "dark"},
            "page-sun": upright | {"color_scheme": "light"},
            "page-landscape": lying | {"color_scheme": "dark"},
            "page-desktop": desk | {"color_scheme": "dark"},
        }
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        for name in names or pictures:
            picture(browser, name, **pictures[name])
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
