"""The recordings of real devices, as descriptions for the test bed."""

import tomllib
from pathlib import Path
from typing import Any

from evdev import ecodes
from msgspec import Struct

from rover.gamepad.codes import Control
from rover.gamepad.identity import PadIdentity
from rover.gamepad.mapping import AxisRange, PadCapabilities
from tests.gamepad.pads import AbsInfo, Description, Info

_FOLDER = Path(__file__).parent / "recordings"
# What is behind the nodes, by the file: the kernel's module of it is what sysfs tells.
_DRIVERS = {"xbox_360_usb": "xpad", "xbox_one_s_usb": "xpad", "xbox_series_usb": "xpad"}
_DRIVERS |= {"logitech_f710_x": "xpad", "switch_pro": "nintendo", "joy_con_left": "nintendo"}
_DRIVERS |= {"dualshock_3": "sony", "dualshock_4": "playstation", "dualsense": "playstation"}
_DRIVERS |= {"steam_controller": "hid-steam"}


class Node(Struct, frozen=True):
    """One input node of a recorded thing."""

    role: str
    description: Description
    identity: PadIdentity
    properties: frozenset[int]

    @property
    def capabilities(self) -> PadCapabilities:
        axes = {
            code: AxisRange(axis.min, axis.max, axis.flat)
            for code, axis in self.description.axes.items()
        }
        return PadCapabilities(frozenset(self.description.keys), axes, self.properties)


class Move(Struct, frozen=True):
    """What arrives while a control is fully there: an axis at a place, or a button down.

    ``at_rest`` is where the axis is while nobody touches it.
    """

    code: int
    is_axis: bool
    value: int
    at_rest: int = 0


class Recording(Struct, frozen=True):
    """One thing that is plugged in: its nodes, and where each control of its pad arrives.

    ``controls`` is by control; a stick has what arrives at its right or lower end.
    """

    name: str
    title: str
    kind: str
    sources: list[str]
    nodes: list[Node]
    controls: dict[Control, Move]

    @property
    def pad(self) -> Node:
        return next(node for node in self.nodes if node.role == "pad")


def _recording(path: Path) -> Recording:
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    nodes = [_node(device, _DRIVERS.get(path.stem, "hid-generic")) for device in table["device"]]
    pads = [node for node in nodes if node.role == "pad"]
    controls: dict[Control, Move] = {}
    for name, text in table.get("controls", {}).items():
        controls |= _moves(name, text, pads[0].description)
    return Recording(path.stem, table["title"], table["kind"], table["sources"], nodes, controls)


def _node(device: dict[str, Any], driver: str) -> Node:
    numbers = device["id"]
    properties = frozenset(ecodes.ecodes[name] for name in device.get("properties", []))
    description = Description(
        device["name"],
        sorted(ecodes.ecodes[key] for key in device.get("keys", [])),
        {ecodes.ecodes[name]: AbsInfo(**axis) for name, axis in device.get("axes", {}).items()},
        info=Info(*(numbers[name] for name in ("bus", "vendor", "product", "version"))),
        properties=sorted(properties),
        driver=driver,
    )
    identity = PadIdentity(
        numbers["bus"],
        numbers["vendor"],
        numbers["product"],
        numbers["version"],
        # The kernel's name, which has no blanks around it where the rover reads it.
        device["name"].strip(),
        driver=driver,
    )
    return Node(device["role"], description, identity, properties)


def _moves(name: str, text: str, pad: Description) -> dict[Control, Move]:
    code = ecodes.ecodes[text.lstrip("-")]
    if not text.lstrip("-").startswith("ABS_"):
        return {Control(name): Move(code, False, 1)}
    axis = pad.axes[code]
    ends = (axis.max, axis.min) if text.startswith("-") else (axis.min, axis.max)
    if name == "d-pad x":
        sides = (Control.D_PAD_LEFT, Control.D_PAD_RIGHT)
    elif name == "d-pad y":
        sides = (Control.D_PAD_UP, Control.D_PAD_DOWN)
    else:
        return {Control(name): Move(code, True, ends[1], axis.value)}
    return {side: Move(code, True, end, axis.value) for side, end in zip(sides, ends, strict=True)}


RECORDINGS = [_recording(path) for path in sorted(_FOLDER.glob("*.toml"))]
PADS = [recording for recording in RECORDINGS if recording.kind != "none"]
