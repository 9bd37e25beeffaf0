"""A pad live: what it sends, what that means, and what the rover would do. For people."""

import math
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import structs
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from rover.clock import Clock
from rover.config import Config
from rover.config.input_codes import axis_name, button_name
from rover.errors import DeviceError
from rover.gamepad.codes import EV_ABS, EV_KEY, Control
from rover.gamepad.device import OpenPad, open_pad
from rover.gamepad.finder import PadFinder
from rover.gamepad.mapping import KeyButton, StickAxis, TriggerAxis
from rover.gamepad.picture import picture, places
from rover.gamepad.pilot import Gamepad
from rover.messages import Arc, Crab, Motion, Spin, Stop

if TYPE_CHECKING:
    from evdev import InputEvent

_STEP_S = 0.01
_FRAMES_HZ = 15
_LINE_S = 0.1
_RATE_OVER_S = 1.0
_BAR = 20


class _Overheard(OpenPad):
    """A pad that remembers what it has told whoever reads it."""

    count = 0
    raws: Mapping[int, int] = {}
    down: frozenset[int] = frozenset()

    def read(self) -> "tuple[list[InputEvent], bool]":
        """Return waiting events, and take note of them."""
        events, more = super().read()
        for event in events:
            if event.type == EV_ABS:
                self.raws = {**self.raws, event.code: event.value}
            elif event.type == EV_KEY:
                pressed = {event.code} if event.value else set()
                self.down = self.down - {event.code} | pressed
        self.count += sum(event.type in {EV_KEY, EV_ABS} for event in events)
        return events, more

    def snapshot(self) -> tuple[list[int], dict[int, int]]:
        """Ask the kernel for the state, and take note of it."""
        down, raws = super().snapshot()
        self.down, self.raws = frozenset(down), {**self.raws, **raws}
        return down, raws


class Watch:
    """The pad that would drive, read beside whoever else reads it; nothing is commanded.

    The very code that drives reads the pad and decides what would be done. Raises DeviceError
    where there is no pad, with what to do; one that goes later is waited for.
    """

    def __init__(self, config: Config, clock: Clock, device: str) -> None:
        self._clock = clock
        # Lamps and rumble are control's, which may have the same pad.
        quiet = structs.replace(config.gamepad, lamps=False, rumble=False)
        config = structs.replace(config, gamepad=quiet)
        self._bindings = config.gamepad.bindings
        self._pad: _Overheard | None = None

        def open_at(path: str) -> OpenPad:
            pad = open_pad(path, config.gamepad, opened=_Overheard)
            self._pad = pad if isinstance(pad, _Overheard) else None
            self._told = 0
            return pad

        finder = PadFinder(device, open_at=open_at, config=config.gamepad)
        self._gamepad = Gamepad(config, clock, finder)
        self._update = self._gamepad.poll(clock.now_s())
        self._told = 0
        self._heard: deque[tuple[float, int]] = deque()
        self._asked = "nothing yet"
        if not self._update.connected:
            raise DeviceError(self._update.trouble)

    def step(self) -> None:
        """Take in what the pad has sent."""
        now_s = self._clock.now_s()
        self._update = self._gamepad.poll(now_s)
        if self._pad is not None:
            self._heard.append((now_s, self._pad.count - self._told))
            self._told = self._pad.count
        while self._heard and self._heard[0][0] < now_s - _RATE_OVER_S:
            self._heard.popleft()
        if self._update.requests:
            self._asked = ", ".join(kind.value for kind in self._update.requests)

    @property
    def events_per_s(self) -> int:
        """How many buttons and axes the pad has told of within the last second."""
        return sum(count for _, count in self._heard)

    def line(self) -> str:
        """Return the state as one line."""
        if not self._update.connected or self._pad is None:
            return self._update.trouble
        where = self._places(self._pad)
        moved = [f"{control} {place:+.2f}" for control, place in where.items() if place]
        trouble = f"; {self._update.trouble}" if self._update.trouble else ""
        return (
            f"{', '.join(moved) or 'at rest'}; dead-man {self._dead_man(where)}; "
            f"{motion_text(self._motion)}; {self.events_per_s} events/s{trouble}"
        )

    def render(self) -> RenderableType:
        """Return what to show now."""
        pad = self._pad
        if not self._update.connected or pad is None:
            return Panel(Text(self._update.trouble, style="yellow"), title="no gamepad")
        where = self._places(pad)
        facts = Table(box=None, show_header=False, padding=(0, 1))
        facts.add_row("dead-man", self._dead_man(where))
        facts.add_row("would do", motion_text(self._motion))
        facts.add_row("mode", self._update.mode.value + (", slow" if self._update.slow else ""))
        facts.add_row("last asked for", self._asked)
        facts.add_row("events", f"{self.events_per_s} a second")
        return Panel(
            Group(
                picture(where),
                facts,
                _controls(pad, where),
                Text(self._update.trouble or " ", style="yellow"),
                Text("Nothing is commanded from here. Ctrl-C ends it.", style="dim"),
            ),
            title=f"{pad.name} ({pad.identity.key}, {pad.mapping.origin})",
            title_align="left",
        )

    def close(self) -> None:
        """Let go of the pad."""
        self._gamepad.close()

    @staticmethod
    def _places(pad: _Overheard) -> dict[Control, float]:
        return places(pad.mapping, pad.down, pad.raws)

    @property
    def _motion(self) -> Motion | None:
        return self._update.command.motion if self._update.command else None

    def _dead_man(self, where: dict[Control, float]) -> str:
        if where.get(Control(self._bindings.dead_man), 0.0) < 0.5:  # noqa: PLR2004 - half pressed
            return f"up ({self._bindings.dead_man})"
        return "held" if self._motion is not None else "held, but something was not at rest"


def _controls(pad: _Overheard, where: dict[Control, float]) -> Table:
    table = Table(box=None, padding=(0, 1))
    for heading in ("control", "", "", "from", "raw"):
        table.add_column(heading)
    mapped = pad.mapping.controls
    for control, served in mapped.items():
        if isinstance(served, StickAxis | TriggerAxis):
            raw = str(pad.raws.get(served.code, "?"))
            place = where[control]
            table.add_row(control.value, _bar(place), f"{place:+.2f}", axis_name(served.code), raw)
    pressed = [
        f"{control.value} ({button_name(served.code)})"
        for control, served in mapped.items()
        if isinstance(served, KeyButton) and where[control]
    ]
    known = {served.code for served in mapped.values() if isinstance(served, KeyButton)}
    pressed += [f"{button_name(code)}, which is nothing" for code in sorted(pad.down - known)]
    table.add_row("buttons", ", ".join(pressed) or "none", "", "", "")
    return table


def motion_text(motion: Motion | None) -> str:
    """Say in words what a motion is."""
    match motion:
        case None:
            return "nothing: the sticks do not count"
        case Arc(0.0, 0.0) | Spin(0.0) | Crab(0.0, _):
            return "stand still"
        case Arc(speed_mps, curvature_per_m):
            side = "left" if curvature_per_m > 0 else "right"
            if curvature_per_m:
                return f"{speed_mps:+.2f} m/s, circle of {abs(1 / curvature_per_m):.2f} m, {side}"
            return f"{speed_mps:+.2f} m/s, straight"
        case Spin(yaw_rate_rad_s):
            side = "left" if yaw_rate_rad_s > 0 else "right"
            return f"turn on the spot, {abs(math.degrees(yaw_rate_rad_s)):.0f} degrees/s, {side}"
        case Crab(speed_mps, heading_rad):
            return f"{speed_mps:+.2f} m/s, sliding at {math.degrees(heading_rad):+.0f} degrees"
        case Stop(reason):
            return f"stop: {reason}"


def watch_pad(
    config: Config, clock: Clock, console: Console, for_s: float | None, device: str
) -> None:
    """Show the pad until Ctrl-C, or for ``for_s`` seconds; lines where there is no terminal."""
    watched = Watch(config, clock, device)
    end_s = math.inf if for_s is None else clock.now_s() + for_s
    try:
        if console.is_terminal:
            _watch_live(watched, clock, console, end_s)
        else:
            _watch_lines(watched, clock, console, end_s)
    except KeyboardInterrupt:
        pass
    finally:
        watched.close()


def _watch_live(watched: Watch, clock: Clock, console: Console, end_s: float) -> None:
    watched.step()
    with Live(watched.render(), console=console, refresh_per_second=_FRAMES_HZ) as live:
        while clock.now_s() < end_s:
            watched.step()
            live.update(watched.render())
            clock.sleep_s(_STEP_S)


def _watch_lines(watched: Watch, clock: Clock, console: Console, end_s: float) -> None:
    """Print a line at the start and whenever it has become another, ten a second at most."""
    said, due_s = "", clock.now_s()
    while clock.now_s() < end_s:
        watched.step()
        line = watched.line()
        if line != said and clock.now_s() >= due_s:
            said, due_s = line, clock.now_s() + _LINE_S
            console.print(line, soft_wrap=True, highlight=False, markup=False)
        clock.sleep_s(_STEP_S)


def _bar(place: float) -> str:
    half = _BAR // 2
    filled = round(abs(place) * half)
    if place < 0:
        return "." * (half - filled) + "#" * filled + "|" + "." * half
    return "." * half + "|" + "#" * filled + "." * (half - filled)
