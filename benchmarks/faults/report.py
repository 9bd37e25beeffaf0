"""The results as a table, in a terminal and in docs/safety.md."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.document import write_between
from benchmarks.faults.fault import Fault
from benchmarks.faults.results import Plant, Result, allowed_s, troubles
from benchmarks.records import Spread
from benchmarks.report import MET, MISSED

MARK = "faults"
# Kept on the manual clock alone, by tests/faults.
NOT_LIVE = "not live"
_MS = 1000.0
_COLUMNS = (
    ("fault", "left"),
    ("driver", "left"),
    ("reaction", "left"),
    ("n", "right"),
    ("p50", "right"),
    ("max", "right"),
    ("less plant", "right"),
    ("allowed", "right"),
    ("line low", "right"),
    ("state after", "left"),
    ("revived by", "left"),
    ("kept", "left"),
)
# In a terminal there is no room for it.
_REACTION = 2
_SHOWN = [*_COLUMNS[:_REACTION], *_COLUMNS[_REACTION + 1 :]]


class Row(Struct, frozen=True):
    """One line: a fault, and what came out with one driver; None if it was not tried."""

    fault: Fault
    result: Result | None

    def cells(self, plant: Plant, *, in_full: bool = False) -> list[str]:
        """Return the line without its last cell; times in ms."""
        fault, result = self.fault, self.result
        stop = result.stop if result else None
        goes_on = fault.bound_s is None
        return [
            f"`{fault.key}`: {fault.what}" if in_full else fault.key,
            result.driver if result else "",
            fault.reaction,
            str(stop.count) if stop else "",
            _ms(stop.p50 if stop else None),
            _ms(stop.most if stop else None),
            _ms(stop.most - plant.of(fault).p50 if stop else None),
            _ms(allowed_s(fault, plant) if stop else None),
            _ms(result.line.most if result and result.line else None),
            (result.states if result and result.trials else fault.state)
            + (", drives on" if goes_on else ""),
            fault.revival if not goes_on else "",
        ]


def rows_of(faults: Sequence[Fault], results: Sequence[Result]) -> list[Row]:
    """Return a row for each result, in the order of ``faults``, and one for each not tried."""
    rows = []
    for fault in faults:
        found = [result for result in results if result.key == fault.key]
        rows += [Row(fault, result) for result in found] or [Row(fault, None)]
    return rows


def print_table(console: Console, rows: Sequence[Row], plant: Plant) -> None:
    """Print the table, then everything that was wrong."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    for name, side in _SHOWN:
        justify: Literal["right", "left"] = "right" if side == "right" else "left"
        table.add_column(name, justify=justify, no_wrap=True)
    for row in rows:
        cells = row.cells(plant)
        del cells[_REACTION]
        table.add_row(*cells, _verdict(row, plant))
    console.print(table)
    for row in rows:
        for trouble in _troubles(row, plant):
            where = f"{row.fault.key} ({row.result.driver}): " if row.result else row.fault.key
            console.print(Text(where, "bold red").append(trouble, "not bold default"))


def _troubles(row: Row, plant: Plant) -> tuple[str, ...]:
    return troubles(row.result, row.fault, plant) if row.result else ()


def _verdict(row: Row, plant: Plant) -> Text:
    if row.result is None:
        return Text(NOT_LIVE, "dim")
    return Text(MISSED, "bold red") if _troubles(row, plant) else Text(MET, "green")


def missed(rows: Sequence[Row], plant: Plant) -> list[str]:
    """Return the keys of the faults whose promise was not kept."""
    return [row.fault.key for row in rows if _troubles(row, plant)]


def write_table(document: Path, rows: Sequence[Row], plant: Plant, conditions: str) -> None:
    """Put the table into ``document``, in the place of the one before."""
    lines = [_line([name for name, _ in _COLUMNS])]
    lines.append(_line(["---:" if side == "right" else "---" for _, side in _COLUMNS]))
    lines += [_line([*row.cells(plant, in_full=True), _verdict(row, plant).plain]) for row in rows]
    faults = dict.fromkeys(row.fault for row in rows if row.fault.note)
    lines += ["", *(f"- `{fault.key}`: {fault.note}." for fault in faults)]
    told = (
        f"Times in ms. The plant's own: {_spread(plant.ramp)} on the stop's ramp, "
        f"{_spread(plant.duty)} with no duty at all. {conditions}"
    )
    write_between(document, MARK, "\n".join((*lines, "", told, "")))


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _spread(spread: Spread) -> str:
    return f"p50 {_ms(spread.p50)}, max {_ms(spread.most)}"


def _ms(time_s: float | None) -> str:
    return "" if time_s is None else f"{time_s * _MS:.0f}"
