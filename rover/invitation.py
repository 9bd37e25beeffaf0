"""Tells a person where the page is: the link, a QR code for a phone, and a browser."""

import os
import platform
import sys
import webbrowser

import segno


def invite(url: str, fingerprint: str, *, open_browser: bool) -> None:
    """Print ``url``, which pairs whoever opens it, with its QR code.

    ``fingerprint`` is that of the page's certificate, empty if it has none, here and below.

    It is opened where there is a screen and that is wanted.
    """
    _say(f"\nDrive at  {url}\n")
    _show_fingerprint(fingerprint)
    if sys.stdout.isatty():
        _show_qr(url)
        _say("Point a phone's camera at the code. Ctrl-C stops everything.\n")
    if open_browser and _has_screen():
        webbrowser.open(url)


def announce(origin: str, fingerprint: str) -> None:
    """Print where the page is, for a journal that others may read too."""
    _say(f"The page is at {origin}; `rover pair` lets a phone drive.")
    _show_fingerprint(fingerprint)


def show_code(origin: str, fingerprint: str, code: str, link: str, good_for_s: float) -> None:
    """Print the code that pairs one device, and its link as a QR code."""
    _say(f"\nOpen  {origin}/pair  and enter  {code[:3]} {code[3:]}")
    if sys.stdout.isatty():
        _say("or point the phone's camera here:\n")
        _show_qr(link)
    else:
        _say(f"or open  {link}")
    _say(f"It is good for {good_for_s / 60.0:.0f} minutes and one device.\n")
    _show_fingerprint(fingerprint)


def open_page(url: str) -> None:
    """Open ``url`` in a browser where there is a screen."""
    if _has_screen():
        webbrowser.open(url)


def _show_fingerprint(fingerprint: str) -> None:
    if fingerprint:
        _say("A browser will not know the certificate. Its SHA-256 fingerprint must be this:")
        _say(f"{fingerprint}\n")


def _say(text: str) -> None:
    print(text, flush=True)


def _show_qr(url: str) -> None:
    segno.make(url, micro=False).terminal(compact=True)


def _has_screen() -> bool:
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return platform.system() != "Linux" or bool(display)
