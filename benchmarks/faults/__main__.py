"""Break every single thing while the rover drives, and measure how it stops.

python -m benchmarks.faults
"""

import time
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.faults.lane import ACTS
from benchmarks.faults.matrix import BY_KEY, MATRIX
from benchmarks.faults.report import missed, print_table, rows_of, write_table
from benchmarks.faults.running import drivers_of, run_faults, run_plant
from benchmarks.harness import NotMeasuredError
from benchmarks.machine import describe_load, describe_machine

_DOCUMENT = Path(__file__).parents[2] / "docs" / "safety.md"
# What the table needs, where nobody sees it at once.
_WIDTH = 140
_LIVE = [fault.key for fault in MATRIX if fault.live]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--only",
    "keys",
    multiple=True,
    type=click.Choice(_LIVE),
    help="Try this fault alone; may be given several times.",
)
@click.option("--runs", default=10, show_default=True, type=click.IntRange(1), help="Of each.")
@click.option("--lanes", default=2, show_default=True, type=click.IntRange(1), help="At a time.")
@click.option("--tiny", is_flag=True, help="One run of each: to see that it works.")
@click.option("--write", is_flag=True, help="Update the table in docs/safety.md.")
def main(keys: tuple[str, ...], runs: int, lanes: int, tiny: bool, write: bool) -> None:
    """Break every single thing at full speed; measure at the simulated wheel how it stops.

    Exits with 1 if a bound is missed, or if anything moves again that must not.
    """
    if write and keys:
        raise click.UsageError("--write needs all faults: leave --only out")
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, _WIDTH)
    load, began_s = describe_load(), time.monotonic()
    console.print(f"{describe_machine()}; {load}\n")
    runs = 1 if tiny else runs
    faults = [BY_KEY[key] for key in keys or _LIVE if key in ACTS]
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, refresh_per_second=2) as shown:
        task = shown.add_task("The plant's own time to stand", total=2 * runs)
        try:
            plant = run_plant(runs, lambda: shown.advance(task))
        except NotMeasuredError as error:
            raise click.ClickException(
                f"not even a plain stop could be measured: {error}"
            ) from error
        jobs = sum(len(drivers_of(fault)) for fault in faults)
        task = shown.add_task(f"{len(faults)} faults", total=jobs * runs)
        results = run_faults(faults, runs, lanes, lambda: shown.advance(task))
    rows = rows_of([BY_KEY[key] for key in keys] or list(MATRIX), results)
    print_table(console, rows, plant)
    took = f"{(time.monotonic() - began_s) / 60.0:.0f} minutes"
    if write:
        conditions = f"{describe_machine()}; {load}; {runs} runs each, {lanes} at a time, {took}."
        write_table(_DOCUMENT, rows, plant, conditions)
        console.print(f"Wrote {_DOCUMENT}.")
    repeated = sum(result.repeated for result in results)
    if repeated:
        console.print(f"{repeated} runs were made again: the computer stood still meanwhile.")
    broken = missed(rows, plant)
    console.print(f"{len(results)} rows in {took}.")
    if broken:
        console.print(f"Not kept: {', '.join(dict.fromkeys(broken))}", style="bold red")
        raise SystemExit(1)
    console.print("Every promise was kept.", style="green")


if __name__ == "__main__":
    main()
