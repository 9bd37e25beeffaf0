"""What input devices there are, and what the rover makes of each: for people."""

import re
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from rover.config import GamepadConfig
from rover.gamepad.battery import read_battery
from rover.gamepad.device import OpenPad
from rover.gamepad.finder import NO_LIBRARY, PadFinder
from rover.gamepad.nodes import DEVICES, SYSFS, About, about_node, why_not_gamepad
from rover.gamepad.raw_pad import NO_PERMISSION

_NODE = re.compile(r"event(\d+)")
# INPUT_PROP_POINTER, _DIRECT and _ACCELEROMETER: touch pads, touch screens, motion sensors.
_POINTER, _DIRECT, _ACCELEROMETER = 0, 1, 6
_KEY_A, _KEY_POWER, _BTN_LEFT = 30, 116, 0x110
# Joystick and gamepad buttons, and those of a device with more of them.
_BUTTONS = (*range(0x120, 0x13F), *range(0x2C0, 0x2E8))
# A transmitter without buttons has so many axes at least.
_TRANSMITTER_AXES = 4


class Entry(Struct, frozen=True):
    """One input device. ``why_not`` says why it is no pad, or why it cannot drive.

    ``calibrated``, conventions or the table's line is what ``mapping`` names; ``battery`` is in
    words, empty if the pad does not tell.
    """

    path: str
    name: str
    key: str
    what: str
    drives: bool = False
    why_not: str = ""
    mapping: str = ""
    battery: str = ""


class Survey(Struct, frozen=True):
    """All input devices, and one thing to do next."""

    entries: tuple[Entry, ...]
    next_step: str


def survey(
    config: GamepadConfig,
    directory: Path = DEVICES,
    sysfs: Path = SYSFS,
    open_at: Callable[[str], OpenPad] | None = None,
) -> Survey:
    """Look at every input device; pads are opened for a moment, nothing else is."""
    finder = PadFinder(config.device, directory, sysfs, open_at, config)
    driving, trouble = finder.find()
    driving_path = ""
    mapping = ""
    if driving is not None:
        driving_path, mapping = driving.path, driving.mapping.origin
        driving.close()
    entries = []
    for node in event_nodes(directory):
        about = about_node(node, sysfs)
        if about is None:
            continue
        path = str(directory / node)
        entry = Entry(path, about.identity.name, about.identity.key, kind_of(about))
        why_not = why_not_gamepad(about.identity, about, config)
        if not why_not:
            entry = Entry(
                path,
                about.identity.name,
                about.identity.key,
                "gamepad",
                battery=_battery(about),
            )
        # The path that drives may be a link, as those under by-id are.
        if driving_path and Path(driving_path).resolve() == Path(path).resolve():
            entry = _with(entry, drives=True, mapping=mapping)
        elif why_not:
            entry = _with(entry, why_not=why_not)
        else:
            entry = _tried(entry, config, directory, sysfs, open_at)
        entries.append(entry)
    return Survey(tuple(entries), _next_step(entries, trouble, directory))


def event_nodes(directory: Path = DEVICES) -> list[str]:
    """Return the names of the nodes under ``directory``, by their numbers."""
    try:
        names = [entry.name for entry in directory.iterdir()]
    except OSError:
        names = []
    found = [(int(match[1]), name) for name in names if (match := _NODE.fullmatch(name))]
    return [name for _, name in sorted(found)]


def nodes_that_may_be_pads(directory: Path = DEVICES, sysfs: Path = SYSFS) -> list[str]:
    """Return the devices that could be calibrated as a pad, whether they could drive now or not."""
    found = []
    for node in event_nodes(directory):
        about = about_node(node, sysfs)
        if about is None or about.properties & {_POINTER, _DIRECT, _ACCELEROMETER}:
            continue
        buttons = any(code in about.keys for code in _BUTTONS)
        if len(about.axes) >= (2 if buttons else _TRANSMITTER_AXES):
            found.append(str(directory / node))
    return found


def kind_of(about: About) -> str:
    """Say in a word or two what a device that is no gamepad is."""
    if _ACCELEROMETER in about.properties:
        return "motion sensors"
    if about.properties & {_POINTER, _DIRECT}:
        return "touch pad or pointer"
    if _KEY_A in about.keys:
        return "keyboard"
    if _BTN_LEFT in about.keys:
        return "mouse"
    if _KEY_POWER in about.keys:
        return "power button"
    return "joystick" if any(code in about.keys for code in _BUTTONS) else "other"


def _tried(
    entry: Entry,
    config: GamepadConfig,
    directory: Path,
    sysfs: Path,
    open_at: Callable[[str], OpenPad] | None,
) -> Entry:
    """Open a pad that does not drive, to say why or how it would."""
    pad, trouble = PadFinder(entry.path, directory, sysfs, open_at, config).find()
    if pad is None:
        return _with(entry, why_not=trouble)
    mapping = pad.mapping.origin
    pad.close()
    choose = f'another one drives: set gamepad.device = "{entry.key}" to choose this one'
    return _with(entry, mapping=mapping, why_not=choose)


def _with(entry: Entry, *, drives: bool = False, mapping: str = "", why_not: str = "") -> Entry:
    return Entry(
        entry.path, entry.name, entry.key, entry.what, drives, why_not, mapping, entry.battery
    )


def _battery(about: About) -> str:
    """Return how full the pad's battery is, in words, empty if it does not tell."""
    battery = read_battery(about.device)
    if battery is None:
        return ""
    return f"{battery.text}, low" if battery.low and battery.percent is not None else battery.text


def _next_step(entries: list[Entry], trouble: str, directory: Path) -> str:
    pads = [entry for entry in entries if entry.what == "gamepad"]
    if any(entry.drives for entry in pads):
        return "`rover gamepad watch` shows what the pad sends and what the rover would do."
    if trouble == NO_LIBRARY:
        return f"{trouble[0].upper()}{trouble[1:]}."
    if any("permission" in entry.why_not for entry in pads):
        return f"This user may not read input devices: {NO_PERMISSION}."
    if pads:
        return f"{pads[0].name}: {pads[0].why_not}."
    if any(entry.what == "joystick" for entry in entries):
        return "`rover calibrate gamepad` learns a joystick's controls by asking for each."
    if not entries:
        return (
            f"There is no input device at all under {directory}: plug the pad or its dongle in, or "
            "pair it: docs/gamepads.md says how."
        )
    return (
        "No gamepad is there: plug the pad or its dongle in and switch it on, or pair it: "
        "docs/gamepads.md says how."
    )
