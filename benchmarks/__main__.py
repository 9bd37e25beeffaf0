"""Measure how fast the rover is: python -m benchmarks."""

import logging
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from benchmarks import (
    bus_cycle,
    first_paint,
    freshness,
    input_to_wire,
    lateness,
    memory_use,
    pad_storm,
    peer_donkeycar,
    simulated_time,
    startup,
    tick_cpu,
    touch_to_wire,
    video,
    web_load,
)
from benchmarks.document import write_tables
from benchmarks.harness import Effort, Measurement, measure
from benchmarks.machine import describe_load, describe_machine
from benchmarks.records import Outcome
from benchmarks.report import print_outcomes

MEASUREMENTS: tuple[Measurement, ...] = tuple(
    module.MEASUREMENT
    for module in (
        bus_cycle,
        freshness,
        input_to_wire,
        touch_to_wire,
        peer_donkeycar,
        web_load,
        first_paint,
        video,
        lateness,
        tick_cpu,
        pad_storm,
        startup,
        memory_use,
        simulated_time,
    )
)
_DOCUMENT = Path(__file__).parents[1] / "docs" / "performance.md"
_BY_NAME = {measurement.name: measurement for measurement in MEASUREMENTS}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--only",
    "names",
    multiple=True,
    type=click.Choice(list(_BY_NAME)),
    help="Measure this alone; may be given several times.",
)
@click.option("--write", is_flag=True, help="Update the tables in docs/performance.md.")
@click.option("--strict", is_flag=True, help="Exit with 1 if a limit is missed.")
@click.option("--tiny", is_flag=True, help="A few samples each: to see that it works.")
def main(names: tuple[str, ...], write: bool, strict: bool, tiny: bool) -> None:
    """Measure how fast the rover is, as ratios against limits and peers of the same run."""
    # What the rover says as it runs is no part of the table.
    logging.getLogger("rover").addHandler(logging.NullHandler())
    console = Console()
    console.print(f"{describe_machine()}; {describe_load()}\n")
    effort = Effort.TINY if tiny else Effort.FULL
    chosen = [_BY_NAME[name] for name in names] if names else list(MEASUREMENTS)
    outcomes = _measure_all(console, chosen, effort)
    print_outcomes(console, outcomes)
    if write:
        write_tables(_DOCUMENT, outcomes)
        console.print(f"Wrote {_DOCUMENT}.")
    missed = [outcome.title for outcome in outcomes if not outcome.met]
    if missed:
        console.print(f"Missed or not measured: {'; '.join(missed)}", style="yellow")
    if strict and missed:
        raise SystemExit(1)


def _measure_all(console: Console, chosen: list[Measurement], effort: Effort) -> list[Outcome]:
    outcomes = []
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, refresh_per_second=2) as shown:
        for measurement in chosen:
            task = shown.add_task(measurement.title, total=None)
            outcomes.append(measure(measurement, effort, _teller(shown, task)))
            shown.stop_task(task)
    return outcomes


def _teller(shown: Progress, task: TaskID) -> Callable[[int, int], None]:
    return lambda done, total: shown.update(task, completed=done, total=total)


if __name__ == "__main__":
    main()
