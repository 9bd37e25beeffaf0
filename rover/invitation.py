"""Tells a person where the page is: the link, a QR code for a phone, and a browser."""

import os
import platform
import sys
import webbrowser

import segno


def invite(url: str, *, open_browser: bool) -> None:
    """Print ``url`` with its QR code, and open it where there is a screen and it is wanted."""
    print(f"\nDrive at  {url}\n", flush=True)
    if sys.stdout.isatty():
        segno.make(url, micro=False).terminal(compact=True)
        print("Point a phone's camera at the code. Ctrl-C stops everything.\n", flush=True)
    if open_browser and _has_screen():
        webbrowser.open(url)


def _has_screen() -> bool:
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return platform.system() != "Linux" or bool(display)
