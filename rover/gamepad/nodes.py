"""What a node under /dev/input is, as sysfs tells it without the device being opened.

Opening can wake a sleeping device, and the kernel may take tens of milliseconds to close one,
which is several ticks: keyboards and mice are never opened.
"""

import ctypes
from collections.abc import Container
from pathlib import Path

from msgspec import Struct

from rover.config import GamepadConfig
from rover.gamepad.codes import FF_RUMBLE, INPUT_PROP_ACCELEROMETER, INPUT_PROP_POINTER, Axis
from rover.gamepad.exceptions import exception_for
from rover.gamepad.identity import PadIdentity
from rover.gamepad.mapping import PadCapabilities

DEVICES = Path("/dev/input")
SYSFS = Path("/sys/class/input")
# The kernel prints sets of codes as words of the reader's own long, the highest first.
_LONG_BITS = 8 * ctypes.sizeof(ctypes.c_long)
# BTN_TRIGGER to BTN_DEAD of joysticks, BTN_SOUTH to BTN_THUMBR of gamepads.
_PAD_BUTTONS = range(0x120, 0x13F)
_STICKS = ((Axis.X, Axis.Y), (Axis.RX, Axis.RY))
# A touch pad, a touch screen (INPUT_PROP_DIRECT) and motion sensors.
_NO_PADS = frozenset({INPUT_PROP_POINTER, 0x01, INPUT_PROP_ACCELEROMETER})


class About(Struct, frozen=True):
    """What sysfs tells of a node; ``device`` is where it has its battery and its lamps."""

    device: Path
    identity: PadIdentity
    keys: frozenset[int]
    axes: frozenset[int]
    properties: frozenset[int]
    can_rumble: bool = False


def about_path(path: str, sysfs: Path = SYSFS, directory: Path = DEVICES) -> About | None:
    """Return what sysfs tells of a node in ``directory`` or a link to one, None if of neither."""
    try:
        node = Path(path).resolve()
    except (OSError, RuntimeError):
        return None
    return about_node(node.name, sysfs) if node.parent == directory else None


def about_node(node: str, sysfs: Path = SYSFS) -> About | None:
    """Return what sysfs tells of ``node``, such as "event5"; None if it does not know it."""
    device = sysfs / node / "device"
    try:
        keys = _codes((device / "capabilities" / "key").read_text())
        axes = _codes((device / "capabilities" / "abs").read_text())
    except OSError:
        return None
    identity = PadIdentity(
        bus=_number(device / "id" / "bustype"),
        vendor=_number(device / "id" / "vendor"),
        product=_number(device / "id" / "product"),
        version=_number(device / "id" / "version"),
        name=_text(device / "name"),
        uniq=_text(device / "uniq"),
        driver=_driver(device),
    )
    return About(
        device=device / "device",
        identity=identity,
        keys=keys,
        axes=axes,
        properties=_codes(_text(device / "properties")),
        can_rumble=FF_RUMBLE in _codes(_text(device / "capabilities" / "ff")),
    )


def why_not_gamepad(
    identity: PadIdentity, had: PadCapabilities | About, config: GamepadConfig
) -> str:
    """Return why a device is not taken for a gamepad, empty if it is.

    It is told by what it can do, never by its name: a pad's touch pad and motion sensors have a
    pad's name. A transmitter without a single button is one if it is known or was calibrated.
    """
    if had.properties & _NO_PADS:
        return "it is not a gamepad (it is a pointer or a sensor)"
    if identity.key in config.pads or _is_transmitter(identity, had):
        return ""
    if not any(code in had.keys for code in _PAD_BUTTONS):
        return "it is not a gamepad (it has no BTN_SOUTH)"
    if not any(_has(stick, had.axes) for stick in _STICKS):
        return "it has no left stick (ABS_X and ABS_Y)"
    return ""


def _is_transmitter(identity: PadIdentity, had: PadCapabilities | About) -> bool:
    """Tell whether it is known to be a pad, but for the calibration that it needs."""
    known = exception_for(identity, had.keys, had.axes)
    return known is not None and known.whole and not known.buttons


def _has(stick: tuple[Axis, Axis], axes: Container[int]) -> bool:
    return all(axis in axes for axis in stick)


def _codes(words: str) -> frozenset[int]:
    """Return the codes of a set as sysfs prints it."""
    bits = 0
    for word in words.split():
        bits = bits << _LONG_BITS | int(word, 16)
    return frozenset(code for code in range(bits.bit_length()) if bits >> code & 1)


def _driver(device: Path) -> str:
    """Return the name of the kernel's driver, empty if it is not known."""
    try:
        return (device / "device" / "driver").readlink().name
    except OSError:
        return ""


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _number(path: Path) -> int:
    try:
        return int(_text(path) or "0", 16)
    except ValueError:
        return 0
