"""What comes from Debian: Python's venv, what pip would have to compile, the network's names."""

from collections.abc import Sequence

from installer.changes import Change, Run
from installer.step import Job, Step
from installer.system import System

# evdev and lgpio have no built wheels for a Raspberry Pi.
_NEEDED = ("python3-venv", "python3-evdev", "avahi-daemon")
# lgpio is in Raspberry Pi OS, not in Debian.
_FOR_PI = ("python3-lgpio", "i2c-tools")
_FOR_HOTSPOT = ("network-manager",)
# picamera2 is in Raspberry Pi OS, not in Debian.
_FOR_CAMERA = {"pi": ("python3-picamera2",), "usb": ("python3-opencv",)}
# Waits for another apt, such as the one that looks for updates after the start.
_APT = ("apt-get", "-o", "DPkg::Lock::Timeout=300", "--yes")
_OTHERWISE = "Run `sudo apt-get --fix-broken install`, then run this again."


def wanted(job: Job) -> tuple[str, ...]:
    """Return the packages that the rover needs as it was chosen."""
    return (
        *_NEEDED,
        *(_FOR_PI if job.choices.pi else ()),
        *_FOR_CAMERA.get(job.choices.camera, ()),
        *(_FOR_HOTSPOT if job.choices.hotspot else ()),
    )


def missing(system: System, names: Sequence[str]) -> list[str]:
    """Return those that are not installed whole."""
    return [
        name
        for name in names
        if system.ask("dpkg-query", "--show", "--showformat=${db:Status-Status}", name)
        != "installed"
    ]


def _plan(job: Job) -> Sequence[Change]:
    changes: list[Change] = []
    if job.system.runner(("dpkg", "--audit"), quiet=True).output.strip():
        # An installation that was cut off, perhaps this one.
        changes.append(Run(("dpkg", "--configure", "--pending"), _OTHERWISE))
    names = missing(job.system, wanted(job))
    if names:
        changes.append(Run((*_APT, "update"), _OTHERWISE))
        changes.append(Run((*_APT, "install", "--no-install-recommends", *names), _OTHERWISE))
    return changes


def _undo(_job: Job) -> Sequence[Change]:
    # Others may use them by now; uninstall names them.
    return []


PACKAGES = Step("Packages", _plan, _undo)
