"""A calibration in front of a person: the pad's events and the person's keys in, pictures out."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Protocol

from msgspec import Struct
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from calibration.findings import served_text
from calibration.gamepad import GamepadCalibration, Stage
from rover.clock import Clock
from rover.config import BindingsConfig
from rover.config.input_codes import axis_name, button_name
from rover.gamepad.codes import Control
from rover.gamepad.identity import PadIdentity
from rover.gamepad.layout import why_cannot_drive
from rover.gamepad.mapping import CALIBRATED, PadCapabilities, PadMapping, Served
from rover.gamepad.picture import picture, places
from rover.gamepad.raw_pad import Event

_BAR = 24


class Pad(Protocol):
    """What a session needs of an open pad: a ``RawPad``, or a test's."""

    path: str
    identity: PadIdentity
    capabilities: PadCapabilities
    raws: dict[int, int]
    down: set[int]

    def read(self) -> list[Event]:
        """Return what has happened since the last look. Raises DeviceError if it is gone."""
        ...


class PlaceView(Struct, frozen=True):
    """Where a control is: sticks -1 to 1 (left and up negative), everything else 0 to 1."""

    control: str
    at: float


class AxisView(Struct, frozen=True):
    """An axis as the pad sends it: ``raw``, and that as a part, 0 to 1, of its range.

    ``restless`` is one that moves by itself and is left out.
    """

    name: str
    raw: int
    part: float
    restless: bool


class FoundView(Struct, frozen=True):
    """A control that has been found, and what it sends, in words."""

    control: str
    sends: str


class SessionView(Struct, frozen=True):
    """All that a person is shown of a session at one moment.

    ``control`` is the one that is asked for, empty while none is; ``remark`` is what else is to
    be said, empty if nothing. ``missing`` are the controls that have not been found.
    """

    title: str
    stage: Stage
    text: str
    remark: str
    number: int
    count: int
    control: str
    places: tuple[PlaceView, ...]
    axes: tuple[AxisView, ...]
    down: tuple[str, ...]
    found: tuple[FoundView, ...]
    missing: tuple[str, ...]


class Outcome(StrEnum):
    """How a session ends."""

    WRITE = "write"
    LEAVE = "leave"


class Session:
    """One calibration: of the pad, among ``pads``, that is touched first.

    ``outcome`` is None while it goes on. DeviceError comes through when the pad goes.
    """

    def __init__(self, pads: Sequence[Pad], bindings: BindingsConfig, clock: Clock) -> None:
        self._clock = clock
        self._bindings = bindings
        now_s = clock.now_s()
        self._asked = [
            (pad, GamepadCalibration(pad.capabilities.axes, pad.raws, frozenset(pad.down), now_s))
            for pad in pads
        ]
        self.outcome: Outcome | None = None
        self._said = ""

    @property
    def pad(self) -> Pad | None:
        """The pad that is calibrated, None until one has been touched."""
        return self._asked[0][0] if len(self._asked) == 1 else None

    @property
    def found(self) -> dict[Control, Served]:
        """What has been found so far."""
        return self._asked[0][1].found if len(self._asked) == 1 else {}

    @property
    def untouched(self) -> bool:
        """Whether nobody holds anything on any of the pads."""
        return all(calibration.untouched for _, calibration in self._asked)

    def step(self) -> None:
        """Take in what the pads have sent, and let time pass."""
        now_s = self._clock.now_s()
        for asked in self._asked:
            pad, calibration = asked
            for event in pad.read():
                calibration.hear(event.kind, event.code, event.value, now_s)
            calibration.step(now_s)
            if calibration.view.stage is not Stage.WAKE:
                # This is the one that the person has in the hand.
                self._asked = [asked]
                return

    def press(self, key: str) -> None:
        """Take in a key: enter or space, b, q, and at the end w."""
        self._said = ""
        pad, calibration = self._asked[0]
        now_s = self._clock.now_s()
        if key in {"q", "\x1b", "\x03"}:
            self.outcome = Outcome.LEAVE
        elif key == "b" and self.pad is not None:
            calibration.back(now_s)
        elif key in {" ", "\n", "\r"} and self.pad is not None:
            calibration.skip(now_s)
        elif key == "w" and calibration.done:
            trouble = self.why_not_write()
            if trouble:
                self._said = f"{pad.identity.name} could not drive so: {trouble}; go back with b"
            else:
                self.outcome = Outcome.WRITE

    def why_not_write(self) -> str:
        """Return why what was found would not drive, empty if it would."""
        return why_cannot_drive(PadMapping(self.found, CALIBRATED), self._bindings)

    def view(self) -> SessionView:
        """Return what to show now."""
        pad, calibration = self._asked[0]
        view = calibration.view
        asking = view.question is not None and view.stage in {Stage.DO, Stage.LET_GO}
        remark = self._said or view.hint
        if calibration.done:
            remark = self._said or self.why_not_write() or self._without()
        where = places(PadMapping(calibration.found), pad.down, pad.raws)
        known = self.pad is not None
        return SessionView(
            title=f"{pad.identity.name} ({pad.identity.key})" if known else "Calibrate a gamepad",
            stage=view.stage,
            text=view.text,
            remark=remark,
            number=view.number,
            count=view.count,
            control=view.question.control.value if asking and view.question else "",
            places=tuple(PlaceView(control.value, at) for control, at in where.items()),
            axes=tuple(_axes(pad, calibration.restless)) if known else (),
            down=tuple(button_name(code) for code in sorted(pad.down)) if known else (),
            found=tuple(
                FoundView(control.value, served_text(served))
                for control, served in self.found.items()
            ),
            missing=tuple(control.value for control in Control if control not in self.found),
        )

    def render(self) -> RenderableType:
        """Return what to show now, drawn in letters."""
        pad, calibration = self._asked[0]
        view = self.view()
        title = view.title
        if view.control:
            title += f": {view.number} of {view.count}"
        parts: list[RenderableType] = []
        if calibration.done:
            parts += [_summary(view), Text("Move everything: the drawing has to do the same.")]
        else:
            parts.append(Text(view.text, style="bold"))
            parts.append(Text(view.remark or " ", style="yellow"))
        # Above the drawing: a small terminal shows the upper part.
        parts.append(Text(self._keys(calibration), style="dim"))
        where = places(PadMapping(calibration.found), pad.down, pad.raws)
        parts.append(picture(where))
        if self.pad is not None and not calibration.done:
            parts.append(_sent(view))
        if calibration.done:
            parts.append(Text(view.remark or " ", style="yellow"))
        return Panel(Group(*parts), title=title, title_align="left")

    def _without(self) -> str:
        """Say what the rover will not have on this pad that a person may reach for."""
        wanted = (
            ("emergency stop", self._bindings.stop),
            ("arming", self._bindings.arm),
            ("disarming", self._bindings.disarm),
        )
        missing = [
            f"{what} ({control})"
            for what, control in wanted
            if control is not None and control not in self.found
        ]
        return f"Left out, so not on this pad: {', '.join(missing)}." if missing else ""

    def _keys(self, calibration: GamepadCalibration) -> str:
        if self.outcome is not None:
            return "Let go of the pad: it is given back to the rover then."
        if calibration.done:
            return "w: write it   b: ask the last one again   q: leave, nothing is written"
        return "Enter: skip, the pad has no such thing   b: back   q: leave, nothing is written"


def _summary(view: SessionView) -> Table:
    table = Table(title="Found", title_justify="left")
    table.add_column("control")
    table.add_column("sends")
    for found in view.found:
        table.add_row(found.control, found.sends)
    if view.missing:
        table.add_row("not there", ", ".join(view.missing), style="dim")
    return table


def _axes(pad: Pad, restless: frozenset[int]) -> Iterator[AxisView]:
    for code, told in pad.capabilities.axes.items():
        raw = pad.raws.get(code, told.minimum)
        part = (raw - told.minimum) / max(1, told.maximum - told.minimum)
        yield AxisView(axis_name(code), raw, min(1.0, max(0.0, part)), code in restless)


def _sent(view: SessionView) -> Table:
    """Show what the pad sends, as it sends it."""
    table = Table(box=None, padding=(0, 1))
    for heading in ("axis", "", "raw"):
        table.add_column(heading)
    for axis in view.axes:
        place = min(_BAR - 1, int(axis.part * _BAR))
        bar = "." * place + "#" + "." * (_BAR - 1 - place)
        note = " moves by itself, left out" if axis.restless else ""
        table.add_row(axis.name, bar, f"{axis.raw}{note}")
    table.add_row("buttons", ", ".join(view.down) or "none", "")
    return table
