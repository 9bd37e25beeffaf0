"""Makes the page's PNG icons from web/static/icon.svg.

Run it by: .venv/bin/python tools/icons.py
"""

from pathlib import Path

from playwright.sync_api import sync_playwright

STATIC = Path(__file__).parent.parent / "web" / "static"
# The size of each in pixels, and how much of it the drawing fills. A maskable icon's ground goes
# to the edges, and what matters lies in the middle four fifths; Apple rounds the corners itself.
ICONS = {
    "icon-192.png": (192, 1.0),
    "icon-512.png": (512, 1.0),
    "icon-maskable-512.png": (512, 0.74),
    "icon-apple-180.png": (180, 0.86),
}


def main() -> None:
    """Draw them all."""
    svg = (STATIC / "icon.svg").read_text(encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        for name, (size, part) in ICONS.items():
            page = browser.new_page(viewport={"width": size, "height": size})
            ground = "transparent" if part == 1.0 else "#10161b"
            page.set_content(
                f"<style>body {{ margin: 0; height: 100vh; display: grid; place-items: center;"
                f" background: {ground} }} svg {{ width: {part * 100}vw }}</style>{svg}"
            )
            page.screenshot(path=STATIC / name, omit_background=True)
            page.close()
            print(f"web/static/{name}")
        browser.close()


if __name__ == "__main__":
    main()
