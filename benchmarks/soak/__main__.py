"""Soak the rover: python -m benchmarks.soak."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.document import write_tables
from benchmarks.harness import Effort, Measurement, measure
from benchmarks.harness import Progress as Tell
from benchmarks.machine import describe_load, describe_machine
from benchmarks.records import Outcome, Record
from benchmarks.report import print_outcomes
from benchmarks.soak.real import soak_processes
from benchmarks.soak.shares import soak_in_shares
from benchmarks.soak.tables import simulated_records, told_violations

_DOCUMENT = Path(__file__).parents[2] / "docs" / "safety.md"
_CORES = os.cpu_count() or 1


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--hours", default=30.0, show_default=True, help="Simulated hours; 0 for none.")
@click.option("--minutes", default=10.0, show_default=True, help="Real minutes; 0 for none.")
@click.option("--seed", default=1, show_default=True, help="The first process's; others count on.")
@click.option("--processes", default=_CORES, show_default=True, help="Share the hours so.")
@click.option("--write", is_flag=True, help="Update the tables in docs/safety.md.")
def main(hours: float, minutes: float, seed: int, processes: int, write: bool) -> None:
    """Drive and break the rover for hours, and hold every tick against its rules."""
    logging.getLogger("rover").addHandler(logging.NullHandler())
    console = Console()
    console.print(f"{describe_machine()}; {describe_load()}; seeds {seed} and on\n")
    wrong: list[str] = []
    outcomes = []
    if hours > 0.0:
        outcomes.append(_shown(console, simulated(hours, seed, processes, wrong.extend)))
    if minutes > 0.0:
        outcomes.append(_shown(console, real(minutes, seed, wrong.extend)))
    print_outcomes(console, outcomes)
    for line in wrong:
        console.print(line, style="bold red", highlight=False)
    if write:
        write_tables(_DOCUMENT, outcomes)
        console.print(f"Wrote {_DOCUMENT}.")
    if not all(outcome.met for outcome in outcomes):
        raise SystemExit(1)


def simulated(
    hours: float, seed: int, processes: int, tell_wrong: Callable[[list[str]], None]
) -> Measurement:
    """Return the simulated hours as a measurement."""

    def run(_effort: Effort, progress: Tell) -> list[Record]:
        shares = soak_in_shares(seed, hours, processes, progress)
        for share in shares:
            told = told_violations(share.violations)
            tell_wrong([f"seed {share.seed}, {line}" for line in told])
        return simulated_records(shares)

    return Measurement("soak", "Simulated hours, any faults", run)


def real(minutes: float, seed: int, tell_wrong: Callable[[list[str]], None]) -> Measurement:
    """Return the real minutes as a measurement."""

    def run(_effort: Effort, progress: Tell) -> list[Record]:
        records, violations = soak_processes(minutes * 60.0, seed, progress)
        tell_wrong(told_violations(violations))
        return records

    return Measurement("soak-processes", "Real processes at full load, any faults", run)


def _shown(console: Console, measurement: Measurement) -> Outcome:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, refresh_per_second=1) as shown:
        task = shown.add_task(measurement.title, total=None)
        return measure(
            measurement,
            Effort.FULL,
            lambda done, total: shown.update(task, completed=done, total=total),
        )


if __name__ == "__main__":
    main()
