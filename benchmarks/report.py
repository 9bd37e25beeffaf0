"""The measurements as a table in a terminal."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.records import Check, Outcome, Record

MET, MISSED = "yes", "NO"


def figure(value: float) -> str:
    """Return ``value`` with about three digits that count."""
    size = abs(value)
    for bound, places in ((0.1, 4), (1.0, 3), (100.0, 2), (1000.0, 1)):
        if size < bound:
            return f"{value:.{places}f}"
    return f"{value:.0f}"


def limit_text(check: Check) -> str:
    """Return the limit as it is told: what, and how much at most."""
    return f"{check.what} <= {check.limit:g}"


def print_outcomes(console: Console, outcomes: Sequence[Outcome]) -> None:
    """Print a table for each measurement, and under it what its lines mean."""
    for outcome in outcomes:
        console.print(Text(outcome.title, "bold").append(f"  {outcome.conditions}", "dim"))
        if outcome.trouble:
            console.print(Text(f"not measured: {outcome.trouble}\n", "yellow"))
            continue
        console.print(_table(outcome.records))
        for record in outcome.records:
            console.print(Text(f"{record.name}: ", "bold").append(record.meaning, "not bold"))
        console.print()


def _table(records: Sequence[Record]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("")
    for name in ("n", "p50", "p99", "max"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("limit", "of it", "met"):
        table.add_column(name, no_wrap=True)
    for record in records:
        spread, checks = record.spread, record.checks
        table.add_row(
            f"{record.name} ({record.unit})",
            str(spread.count),
            figure(spread.p50),
            figure(spread.p99),
            figure(spread.most),
            "\n".join(limit_text(check) for check in checks),
            "\n".join(figure(check.ratio) for check in checks),
            Text("\n").join(
                Text(MET, "green") if check.met else Text(MISSED, "bold red") for check in checks
            ),
        )
    return table
