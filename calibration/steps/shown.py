"""A step drawn in letters: what to do, the wheels from above, what has been found."""

import math

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from calibration.steps.view import Row, StepView, WheelMark

# Wheels in one line of the drawing are less than this apart along the rover.
_SAME_AXLE_M = 0.05


def shown(view: StepView, typed: str, *, holding: bool) -> RenderableType:
    """Return a picture of ``view``; ``typed`` are the digits so far of a number that is asked."""
    title = view.title
    if view.count:
        title += f": {view.number} of {view.count}"
    parts: list[RenderableType] = [
        Text(view.text, style="bold"),
        Text(view.remark or " ", style="yellow"),
    ]
    if view.asked is not None:
        asked = view.asked
        parts.append(Text(f"{asked.label}  {typed}_ {asked.unit}   (Enter takes it)", style="cyan"))
    parts.append(Text(_keys(view, holding=holding), style="dim"))
    if view.wheels:
        parts.append(_drawing(view))
    if view.found:
        parts.append(_found(view.found))
    return Panel(Group(*parts), title=title, title_align="left")


def _keys(view: StepView, *, holding: bool) -> str:
    if holding:
        return f"{view.hold} ... any key stops it"
    said = [f"{choice.key}: {choice.label}" for choice in view.choices]
    if view.hold:
        said.insert(0, f"space, once: {view.hold}; any key stops it")
    return "\n".join(said)


def _drawing(view: StepView) -> Table:
    """Return the rover from above, its front up, each wheel with the key that names it."""
    keys = {choice.wheel: choice.key for choice in view.choices if choice.wheel}
    table = Table(box=None, padding=(0, 2), title="front", title_style="dim")
    table.add_column(justify="right")
    table.add_column()
    axles: list[list[WheelMark]] = []
    for mark in sorted(view.wheels, key=lambda mark: -mark.x_m):
        if axles and abs(axles[-1][0].x_m - mark.x_m) < _SAME_AXLE_M:
            axles[-1].append(mark)
        else:
            axles.append([mark])
    for axle in axles:
        left = [_wheel(mark, keys) for mark in axle if mark.y_m > 0.0]
        right = [_wheel(mark, keys) for mark in axle if mark.y_m <= 0.0]
        table.add_row(Text(" ").join(left), Text(" ").join(right))
    return table


def _wheel(mark: WheelMark, keys: dict[str, str]) -> Text:
    key = keys.get(mark.name)
    text = Text(f"[{key}] " if key else "", style="bold")
    text.append(mark.name, style="green" if mark.known else "")
    if mark.known:
        text.append(" known", style="green")
    if mark.moves:
        text.append(f" {math.degrees(mark.steer_rad):+.1f} degrees", style="bold cyan")
    return text


def _found(rows: tuple[Row, ...]) -> Table:
    table = Table(title="Found", title_justify="left")
    table.add_column("of")
    table.add_column("what")
    for row in rows:
        table.add_row(row.name, row.value, style="yellow" if row.changes else "")
    return table
