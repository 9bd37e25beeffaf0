"""A survey of input devices as a table for people, or as JSON."""

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rover.gamepad.survey import Entry, Survey

# Wide enough for any line where there is no terminal whose width counts.
_WIDTH_WITHOUT_TERMINAL = 240


def terminal() -> Console:
    """Return standard output; where it is no terminal, no line is broken."""
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH_WITHOUT_TERMINAL
    return console


def print_survey(found: Survey, *, as_json: bool) -> None:
    """Print what input devices there are, and what to do next."""
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
        return
    console = terminal()
    if found.entries:
        console.print(_table(found))
    console.print(found.next_step, soft_wrap=True, markup=False, highlight=False)


def _table(found: Survey) -> Table:
    table = Table()
    for heading in ("node", "name", "id", "what it is", "battery", "mapping, or why not"):
        table.add_column(heading)
    for entry in found.entries:
        what = "drives the rover" if entry.drives else entry.what
        cells = (entry.path, entry.name, entry.key, what, entry.battery, _remark(entry))
        style = "bold" if entry.drives else "" if entry.what == "gamepad" else "dim"
        table.add_row(*(Text(cell) for cell in cells), style=style)
    return table


def _remark(entry: Entry) -> str:
    return "; ".join(part for part in (entry.mapping, entry.why_not) if part)
