"""Takes the pictures of the page in docs/images from a running, driving, simulated rover.

Run it by: .venv/bin/python tools/screenshots.py
"""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright

IMAGES = Path(__file__).parent.parent / "docs" / "images"
# How long the rover drives before its picture is taken: enough for a path to be seen.
DRIVE_S = 7.0


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


def drive_by_thumbs(context: BrowserContext, page: Page) -> CDPSession:
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
    return session


def lift(session: CDPSession) -> None:
    """Take all fingers off."""
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def picture(browser: Browser, url: str, name: str, **device: object) -> None:
    """Open the page as ``device``, drive, and save docs/images/``name``.png."""
    context = browser.new_context(**device)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(url)
    arm(page)
    # Only sticks that have been at rest since then may drive, and the corners turn straight first.
    time.sleep(2.0)
    if device.get("has_touch"):
        session = drive_by_thumbs(context, page)
        page.screenshot(path=IMAGES / f"{name}.png")
        lift(session)
    else:
        page.keyboard.down("w")
        page.keyboard.down("a")
        time.sleep(DRIVE_S)
        page.screenshot(path=IMAGES / f"{name}.png")
        page.keyboard.up("a")
        page.keyboard.up("w")
    page.locator("#action").click()
    context.close()
    print(f"docs/images/{name}.png")


def main() -> None:
    """Take all pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    rover, url = start_rover()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=["--no-sandbox"]
            )
            phone = dict(playwright.devices["Pixel 7"])
            picture(browser, url, "page-portrait", **phone)
            picture(browser, url, "page-landscape", **dict(playwright.devices["Pixel 7 landscape"]))
            picture(browser, url, "page-desktop", viewport={"width": 1280, "height": 800})
            browser.close()
    finally:
        rover.send_signal(signal.SIGINT)
        rover.wait()


if __name__ == "__main__":
    main()
