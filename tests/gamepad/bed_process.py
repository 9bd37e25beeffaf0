"""A real ``Gamepad`` on devices that umockdev pretends: run under ``umockdev-wrapper``.

Reads one JSON command a line from standard input and answers each with one line. Python's
evdev library, the ioctls, the reads and sysfs are all real as far as the program can tell.
"""

import ctypes
import fcntl
import io
import os
import struct
import sys
import tempfile
import termios
import time

import msgspec
from rich.console import Console

from rover.clock import ManualClock
from rover.config import Config
from rover.gamepad import Gamepad, GamepadUpdate
from rover.gamepad.mapping import PadCapabilities
from rover.gamepad.raw_pad import Event, RawPad, open_raw
from rover.gamepad.survey import Survey, survey
from rover.gamepad.watch import Watch, watch_pad
from tests.gamepad.pads import ABS, KEY, SYN, Description, Info

_EVENT = struct.Struct("llHHi")
_ARRIVAL_S = 5.0
_LONG_BITS = 8 * ctypes.sizeof(ctypes.c_long)


class Command(msgspec.Struct, frozen=True):
    """One of the requests of ``tests.gamepad.bed``; what each needs is filled in."""

    do: str
    node: int = 0
    description: Description | None = None
    config: Config | None = None
    now_s: float = 0.0
    events: list[tuple[int, int, int]] = []


class Reply(msgspec.Struct, frozen=True):
    """What was asked for; ``filenos`` is how many descriptors the loop should wait on."""

    update: GamepadUpdate | None = None
    filenos: int = 0
    survey: Survey | None = None
    heard: list[Event] = []
    raws: dict[int, int] = {}
    capabilities: PadCapabilities | None = None
    text: list[str] = []


class TestBed:
    """UMockdevTestbed of libumockdev, by its C interface."""

    def __init__(self) -> None:
        lib = ctypes.CDLL("libumockdev.so.0")
        pointer, text = ctypes.c_void_p, ctypes.c_char_p
        lib.umockdev_testbed_new.restype = pointer
        lib.umockdev_testbed_add_from_string.argtypes = [pointer, text, pointer]
        lib.umockdev_testbed_load_ioctl.argtypes = [pointer, text, text, pointer]
        lib.umockdev_testbed_get_dev_fd.argtypes = [pointer, text]
        lib.umockdev_testbed_remove_device.argtypes = [pointer, text]
        self._lib = lib
        self._bed = lib.umockdev_testbed_new()
        self._fds: dict[int, int] = {}
        self._kept: list[int] = []
        self._readable: dict[int, int] = {}

    def plug(self, node: int, description: Description) -> None:
        if not self._lib.umockdev_testbed_add_from_string(
            self._bed, _sysfs(node, description).encode(), None
        ):
            raise RuntimeError(f"umockdev refuses {description}")
        path = f"/dev/input/event{node}".encode()
        with tempfile.NamedTemporaryFile("w") as record:
            record.write(_ioctls(node, description))
            record.flush()
            if not self._lib.umockdev_testbed_load_ioctl(
                self._bed, path, record.name.encode(), None
            ):
                raise RuntimeError(f"umockdev refuses the ioctls of {description}")
        self._fds[node] = self._lib.umockdev_testbed_get_dev_fd(self._bed, path)
        # A node is a pseudo-terminal, and umockdev aborts if the number of one comes back:
        # holding it open keeps the number taken.
        self._kept.append(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        # A duplicate is the terminal itself to ioctl, not the device that umockdev pretends.
        self._readable[node] = os.dup(self._kept[-1])

    def fd_of(self, node: int) -> int:
        """Return what the device's events are written to."""
        return self._fds[node]

    def send(self, node: int, events: list[tuple[int, int, int]]) -> None:
        # More than a pseudo-terminal's 4096 bytes would be read in parts of events.
        assert len(events) <= 4096 // _EVENT.size
        unread = self._unread(node)
        sent = os.write(self._fds[node], b"".join(_EVENT.pack(0, 0, *event) for event in events))
        # The kernel hands a terminal's bytes on in its own time.
        deadline_s = time.monotonic() + _ARRIVAL_S
        while self._unread(node) != unread + sent:
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{self._unread(node)} bytes to read, not {unread} + {sent}")
            os.sched_yield()

    def _unread(self, node: int) -> int:
        """Return how many bytes wait to be read from the device."""
        count = fcntl.ioctl(self._readable[node], termios.FIONREAD, bytes(4))
        return int.from_bytes(count, sys.byteorder)

    def unplug(self, node: int) -> None:
        self._lib.umockdev_testbed_remove_device(self._bed, f"{_device(node)}/event{node}".encode())
        os.close(self._fds.pop(node))
        os.close(self._readable.pop(node))

    def unplug_all(self) -> None:
        for node in list(self._fds):
            self.unplug(node)


def _device(node: int) -> str:
    return f"/sys/devices/virtual/input/input{node}"


def _sysfs(node: int, description: Description) -> str:
    device = _device(node).removeprefix("/sys")
    info = description.info
    behind = ""
    if description.driver:
        behind = f"""P: /devices/virtual/behind{node}
E: SUBSYSTEM=hid
L: driver=../../../bus/hid/drivers/{description.driver}

"""
    if description.battery_percent is not None:
        behind += f"""P: /devices/virtual/behind{node}/power_supply/battery{node}
E: SUBSYSTEM=power_supply
A: capacity={description.battery_percent}
A: status=Discharging

"""
    return f"""{behind}P: {device}
E: SUBSYSTEM=input
A: name={description.name}
A: id/bustype={info.bustype:04x}
A: id/vendor={info.vendor:04x}
A: id/product={info.product:04x}
A: id/version={info.version:04x}
A: properties={_words(description.properties)}
L: device=../../behind{node}
A: capabilities/key={_words(description.keys)}
A: capabilities/abs={_words(description.axes)}

P: {device}/event{node}
N: input/event{node}
E: DEVNAME=/dev/input/event{node}
E: SUBSYSTEM=input
A: dev=13:{64 + node}
L: device=../../input{node}
"""


def _words(codes) -> str:
    bits = sum(1 << code for code in codes)
    words = []
    while bits:
        words.append(f"{bits % (1 << _LONG_BITS):x}")
        bits >>= _LONG_BITS
    return " ".join(reversed(words)) or "0"


def _ioctls(node: int, description: Description) -> str:
    """Return the answers to ioctls. Sizes are those of the buffers that python-evdev passes.

    umockdev gives the answers to one request in turn: the axes are asked for by evdev when it
    opens, by the pad's layout and by its first snapshot; what follows is "later".
    """
    name = description.name.encode()
    axes = _axes(description, {})
    lines = [
        f"@DEV /dev/input/event{node}",
        "EVIOCGVERSION 0 01000100",
        f"EVIOCGID 0 {_identity(description.info)}",
        "EVIOCGEFFECTS 0 10000000",
        f"EVIOCGNAME(0) {len(name) + 1} {name.ljust(256, bytes(1)).hex().upper()}",
        f"EVIOCGPHYS(0) 1 {bytes(256).hex()}",
        f"EVIOCGUNIQ(0) 1 {bytes(256).hex()}",
        f"EVIOCGBIT(0) 4 {_bits([SYN, KEY, ABS], 4)}",
        f"EVIOCGBIT({KEY}) 96 {_bits(description.keys, 96)}",
        f"EVIOCGBIT({ABS}) 96 {_bits(description.axes, 96)}",
        *axes,
        *axes,
        f"EVIOCGKEY(0) 96 {_bits(description.held, 96)}",
        *axes,
        f"EVIOCGKEY(0) 96 {_bits(description.later_held, 96)}",
        *_axes(description, description.later_values),
    ]
    return "\n".join(lines) + "\n"


def _identity(info: Info) -> str:
    numbers = (info.bustype, info.vendor, info.product, info.version)
    return struct.pack("<4H", *numbers).hex().upper()


def _axes(description: Description, values: dict[int, int]) -> list[str]:
    lines = []
    for code, axis in description.axes.items():
        value = values.get(code, axis.value)
        packed = struct.pack(
            "<6i", value, axis.min, axis.max, axis.fuzz, axis.flat, axis.resolution
        )
        # umockdev writes the code of ABS_X, zero, by leaving it out.
        lines.append(f"EVIOCGABS{f'({code})' if code else ''} 0 {packed.hex().upper()}")
    return lines


def _bits(codes, size: int) -> str:
    bits = sum(1 << code for code in codes)
    return bits.to_bytes(size, "little").hex().upper()


class Process:
    def __init__(self) -> None:
        self._bed = TestBed()
        self._pad: Gamepad | None = None
        self._raw: RawPad | None = None
        self._watch: Watch | None = None
        self._clock = ManualClock()

    def _look(self) -> Reply:
        assert self._watch is not None
        self._watch.step()
        console = Console(file=io.StringIO(), width=120)
        console.print(self._watch.render())
        return Reply(text=[self._watch.line(), console.file.getvalue()])

    def answer(self, command: Command) -> Reply:
        match command.do:
            case "plug":
                assert command.description is not None
                self._bed.plug(command.node, command.description)
            case "send":
                self._bed.send(command.node, command.events)
            case "unplug":
                self._bed.unplug(command.node)
            case "start":
                assert command.config is not None
                self._pad = Gamepad(command.config, ManualClock(command.now_s))
            case "poll":
                assert self._pad is not None
                update = self._pad.poll(command.now_s)
                return Reply(update, len(self._pad.filenos()))
            case "clear":
                if self._pad is not None:
                    self._pad.close()
                self._pad = None
                if self._raw is not None:
                    self._raw.close()
                self._raw = None
                if self._watch is not None:
                    self._watch.close()
                self._watch = None
                self._bed.unplug_all()
            case _:
                return self._show(command)
        return Reply()

    def _show(self, command: Command) -> Reply:
        """Answer what people ask for who look at a pad."""
        match command.do:
            case "survey":
                assert command.config is not None
                return Reply(survey=survey(command.config.gamepad))
            case "open":
                self._raw = open_raw(f"/dev/input/event{command.node}")
                return Reply(capabilities=self._raw.capabilities, raws=self._raw.raws)
            case "read":
                assert self._raw is not None
                return Reply(heard=self._raw.read(), raws=self._raw.raws)
            case "watch for a while":
                assert command.config is not None
                printed = [io.StringIO(), io.StringIO()]
                for stream, is_terminal in zip(printed, (False, True), strict=True):
                    console = Console(file=stream, force_terminal=is_terminal, width=200)
                    clock = ManualClock(command.now_s)
                    watch_pad(command.config, clock, console, 0.5, "auto")
                return Reply(text=[stream.getvalue() for stream in printed])
            case "watch":
                assert command.config is not None
                self._clock = ManualClock(command.now_s)
                self._watch = Watch(command.config, self._clock, "auto")
                return self._look()
            case "look":
                self._clock.advance_to(command.now_s)
                return self._look()
            case _:
                raise ValueError(command.do)


def main() -> None:
    process = Process()
    for line in sys.stdin:
        reply = process.answer(msgspec.json.decode(line, type=Command))
        sys.stdout.write(msgspec.json.encode(reply).decode() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
