"""What must be so before anything is changed: the right computer, room, a clock, root's rights."""

import os
import re
import shutil
import time
from pathlib import Path

from installer.errors import InstallError
from installer.system import System

_SUPPORTED = (3, 4, 5)
_RELEASES = ("bookworm", "trixie")
_MODEL_FILES = ("/proc/device-tree/model", "/sys/firmware/devicetree/base/model")
_LEAST_MB = 700
_MB = 1024**2
# raspi-config's read-only system, of today and of Bullseye.
_OVERLAY = re.compile(r"overlayroot=tmpfs|boot=overlay")
# Before this program was written nobody has installed it: 2025-01-01.
_EARLIEST_UNIX_S = 1735689600


def pi_model(system: System) -> tuple[int, str]:
    """Return the number of the Raspberry Pi, 0 for none that is known, and its name."""
    for path in _MODEL_FILES:
        name = (system.text(path) or "").strip("\0\n ")
        if name.startswith("Raspberry Pi"):
            found = re.search(r"(?:Raspberry Pi|Compute Module) (\d)", name)
            return (int(found[1]) if found else 0), name
    return 0, ""


def release(system: System) -> str:
    """Return the Debian release's name, empty if it is none."""
    text = system.text("/etc/os-release") or ""
    found = re.search(r'^VERSION_CODENAME="?(\w+)', text, re.MULTILINE)
    kind = re.search(r'^ID(?:_LIKE)?="?.*\b(?:debian|raspbian)\b', text, re.MULTILINE)
    return found[1] if found and kind else ""


def check_computer(system: System, pi: int, name: str) -> None:
    """Raise InstallError if this is no computer that the rover is made for."""
    anyway = "`--anyway` installs all the same, for tests and other boards."
    if pi not in _SUPPORTED:
        what = f"this is a {name}" if name else "this computer is no Raspberry Pi"
        raise InstallError(
            f"{what}; the rover wants a Raspberry Pi 3, 4 or 5",
            f"To try the rover on this computer, run `make sim`, which changes nothing. {anyway}",
        )
    if release(system) not in _RELEASES:
        found = f"this is {release(system)}" if release(system) else "this is no Debian"
        raise InstallError(
            f"{found}; the rover wants Raspberry Pi OS Bookworm or Trixie",
            f"Write Raspberry Pi OS Trixie to the memory card with Raspberry Pi Imager. {anyway}",
        )


def check_rights(system: System) -> None:
    """Raise InstallError if this user may not change the system."""
    if os.geteuid() != 0 and (system.root == Path("/") or not os.access(system.root, os.W_OK)):
        raise InstallError(
            "installing needs root's rights", "Run it so: `sudo ./install.sh`, with your options."
        )


def check_overlay(system: System) -> None:
    """Raise InstallError if what is written to this running system is not kept."""
    if _OVERLAY.search(system.text("/proc/cmdline") or ""):
        raise InstallError(
            "the overlay file system is on: whatever is installed is gone after a reboot",
            "Switch it off: `sudo raspi-config nonint do_overlayfs 1`, reboot, run this again.",
        )


def check_room(system: System) -> None:
    """Raise InstallError if the disk is read-only or full."""
    for path in ("/opt", "/var"):
        place = system.at(path)
        while not place.exists():
            place = place.parent
        if os.statvfs(place).f_flag & os.ST_RDONLY:
            raise InstallError(
                f"{path} is read-only",
                "Reboot; if it is read-only again, write the system to a new memory card.",
            )
        free_mb = shutil.disk_usage(place).free // _MB
        if free_mb < _LEAST_MB:
            raise InstallError(
                f"{path} has {free_mb} MB free; {_LEAST_MB} MB are needed",
                "Make room: `sudo apt-get clean`, `sudo journalctl --vacuum-size=50M`; then run "
                "this again.",
            )


def check_clock(unix_s: float | None = None) -> None:
    """Raise InstallError if the clock is that of a computer without one, just started."""
    if (time.time() if unix_s is None else unix_s) < _EARLIEST_UNIX_S:
        raise InstallError(
            "the clock is years behind, so no download can be trusted",
            'Connect to a network and wait a minute, or set it: `sudo date -s "..."`.',
        )
