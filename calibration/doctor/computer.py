"""The computer itself: software, power, clock, disk. Needs no right that the web server has not."""

import re
import time
from collections.abc import Iterable
from pathlib import Path

from calibration.doctor.finding import Finding, skipped, well
from calibration.doctor.remedies import trouble
from calibration.doctor.surroundings import Surroundings
from calibration.doctor.walk import Check

_PYTHON = (3, 11)
# What each is for, and how it comes to a Raspberry Pi.
_MODULES = (
    ("msgspec", ""),
    ("zmq", ""),
    ("serial", ""),
    ("smbus2", ""),
    ("gpiozero", ""),
    ("flask", ""),
    ("evdev", "python3-evdev"),
)
# gpiozero's way to the pins of a Pi; any other computer has no pins.
_PIN_MODULE, _PIN_PACKAGE = "lgpio", "python3-lgpio"
_MODEL_FILES = ("/proc/device-tree/model", "/sys/firmware/devicetree/base/model")
_THROTTLED = "/sys/devices/platform/soc/soc:firmware/get_throttled"
# Bits of get_throttled: now, and (16 higher) at any time since the start.
_UNDER_VOLTAGE, _FREQUENCY_CAPPED, _THROTTLING, _SOFT_LIMIT = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_SINCE_START = 16
_SLOWED = _FREQUENCY_CAPPED | _THROTTLING | _SOFT_LIMIT
# Before this program was written nobody has run it: 2025-01-01.
_EARLIEST_UNIX_S = 1735689600
_FULL_BYTES, _NEARLY_FULL_BYTES = 100 * 1024**2, 500 * 1024**2
_MEGABYTE = 1024**2
# Where calibration, pairing and the journal are written.
_WRITTEN = ("/", "/var")


def model(surroundings: Surroundings) -> str:
    """Return the model of Raspberry Pi, empty if this is none."""
    for path in _MODEL_FILES:
        text = (surroundings.text(path) or "").strip("\0\n ")
        if text:
            return text if text.startswith("Raspberry Pi") else ""
    return ""


def pi_number(surroundings: Surroundings) -> int | None:
    """Return 3, 4, 5 for that Raspberry Pi, 0 for another one (a Zero), None for no Pi."""
    name = model(surroundings)
    if not name:
        return None
    found = re.search(r"(?:Raspberry Pi|Compute Module) (\d)", name)
    return int(found[1]) if found else 0


def _python(surroundings: Surroundings) -> Iterable[Finding]:
    major, minor = surroundings.python
    found = f"Python {major}.{minor}"
    if surroundings.python < _PYTHON:
        yield trouble("python", "python-old", "asked Python for its version", found)
    else:
        yield well("python", "python", "asked Python for its version", found)


def _packages(surroundings: Surroundings) -> Iterable[Finding]:
    wanted = list(_MODULES)
    if model(surroundings) and surroundings.config.panel.gpio == "gpiozero":
        wanted.append((_PIN_MODULE, _PIN_PACKAGE))
    tried = f"looked for {', '.join(name for name, _ in wanted)}"
    missing = [(name, package) for name, package in wanted if not surroundings.has_module(name)]
    if not missing:
        yield well("packages", "packages", tried, "all are there")
        return
    from_apt = [package for _, package in missing if package]
    if from_apt:
        how = f"Run `sudo apt install {' '.join(from_apt)}`; the venv must see system packages."
    else:
        how = (
            "Install anew: `sudo ./install.sh uninstall`, then `sudo ./install.sh`; what you have "
            "set stays."
        )
    found = f"missing: {', '.join(name for name, _ in missing)}"
    yield trouble("packages", "packages", tried, found, how=how)


def _configuration(surroundings: Surroundings) -> Iterable[Finding]:
    tried = "read and checked the files"
    if surroundings.config_trouble:
        yield trouble("configuration", "configuration", tried, surroundings.config_trouble)
    else:
        name = surroundings.config.rover.name
        yield well("configuration", "configuration", tried, f"{name}, no contradiction")


def _model(surroundings: Surroundings) -> Iterable[Finding]:
    tried = "read the device tree's model"
    name = model(surroundings)
    if name:
        yield well("model", "model", tried, name)
    else:
        yield trouble("model", "no-pi", tried, "this is no Raspberry Pi")


def _power(surroundings: Surroundings) -> Iterable[Finding]:
    step, tried = "power supply", "asked the firmware for get_throttled"
    flags = _throttled(surroundings)
    if flags is None:
        reason = "this computer does not tell whether its supply sags"
        yield skipped(step, "power-supply", reason)
        return
    told = f"0x{flags:X}"
    earlier = flags >> _SINCE_START
    if flags & _UNDER_VOLTAGE:
        yield trouble(step, "under-voltage", tried, f"under-voltage now ({told})")
    elif flags & _SLOWED:
        yield trouble(step, "throttled", tried, f"too hot: slowed down now ({told})")
    elif earlier & _UNDER_VOLTAGE:
        found = f"under-voltage since the start ({told})"
        yield trouble(step, "under-voltage-before", tried, found)
    elif earlier & _SLOWED:
        found = f"too hot since the start ({told})"
        yield trouble(step, "throttled-before", tried, found)
    else:
        yield well(step, "power-supply", tried, f"no under-voltage, not slowed down ({told})")


def _throttled(surroundings: Surroundings) -> int | None:
    """Return the flags from the kernel (hexadecimal without 0x) or the firmware's own command."""
    text = surroundings.text(_THROTTLED)
    if text is None:
        text = (surroundings.run(("vcgencmd", "get_throttled")) or "").partition("=")[2]
    try:
        return int(text.strip(), 16)
    except ValueError:
        return None


def _clock(surroundings: Surroundings) -> Iterable[Finding]:
    tried = "compared the clock with what is possible, asked timedatectl"
    now_s = surroundings.unix_s()
    told = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now_s))
    if now_s < _EARLIEST_UNIX_S:
        yield trouble("clock", "clock-wrong", tried, f"the clock says {told}")
        return
    synchronised = surroundings.run(("timedatectl", "show", "--property=NTPSynchronized"))
    if synchronised == "NTPSynchronized=no":
        found = f"{told}, not synchronised since the start"
        yield trouble("clock", "clock-unsynchronised", tried, found)
    else:
        yield well("clock", "clock", tried, told)


def _disk(surroundings: Surroundings) -> Iterable[Finding]:
    seen = None
    for place in _WRITTEN:
        tried = f"asked for the room on {place}"
        try:
            disk = surroundings.disk(Path(place))
        except OSError as error:
            yield skipped("disk", "disk", f"cannot look at {place}: {error}")
            continue
        if disk == seen:
            continue  # the same file system
        seen = disk
        found = f"{disk.free_bytes // _MEGABYTE} MB free on {place}"
        if disk.read_only and not _sandboxed(surroundings):
            yield trouble("disk", "disk-read-only", tried, f"{place} is read-only")
        elif disk.free_bytes < _FULL_BYTES:
            yield trouble("disk", "disk-full", tried, found)
        elif disk.free_bytes < _NEARLY_FULL_BYTES:
            yield trouble("disk", "disk-nearly-full", tried, found)
        else:
            yield well("disk", "disk", tried, found)


def _sandboxed(surroundings: Surroundings) -> bool:
    """Whether systemd shows this process another, read-only view (ProtectSystem=strict)."""
    return "NoNewPrivs:\t1" in (surroundings.text("/proc/self/status") or "")


def _groups(surroundings: Surroundings) -> Iterable[Finding]:
    person = surroundings.person
    config = surroundings.config
    if not model(surroundings):
        reason = "on a computer that is no Raspberry Pi, groups differ"
        yield skipped("groups", "groups", reason)
        return
    wanted = ["dialout", "input"]
    if config.power.ina260 or any(wheel.steer for wheel in config.wheels.values()):
        wanted.append("i2c")
    if config.panel.gpio == "gpiozero":
        wanted.append("gpio")
    tried = f"looked for {', '.join(wanted)} among the groups of {person.name}"
    missing = [name for name in wanted if name not in person.groups]
    if person.is_root or not missing:
        found = "root needs none" if person.is_root else "all are there"
        yield well("groups", "groups", tried, found)
    else:
        found = f"missing: {', '.join(missing)}"
        places = {"groups": ",".join(missing), "user": person.name}
        yield trouble("groups", "groups", tried, found, **places)


# What anybody may ask of the computer, the web server too.
COMPUTER = (
    Check("model", "reading which computer this is", _model),
    Check("power supply", "asking for under-voltage", _power),
    Check("python", "asking Python for its version", _python),
    Check("packages", "looking for packages", _packages),
    Check("configuration", "reading the configuration", _configuration),
    Check("clock", "looking at the clock", _clock),
    Check("disk", "looking for room on the disk", _disk),
)
# Of whoever runs the doctor in a terminal.
PERSON = (Check("groups", "looking at the groups", _groups),)
