"""Send the rover a million times whatever anybody can send it: python -m benchmarks.fuzz."""

from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.document import write_tables
from benchmarks.fuzz.child import Child, Task
from benchmarks.fuzz.guided import Guided, explore, is_available
from benchmarks.fuzz.running import Finding, Run, broken_by
from benchmarks.fuzz.target import Target
from benchmarks.fuzz.targets import BY_NAME, TARGETS, share
from benchmarks.machine import describe_load, describe_machine
from benchmarks.records import Check, Outcome, Record
from benchmarks.report import print_outcomes

_DOCUMENT = Path(__file__).parents[2] / "docs" / "safety.md"
# What resident memory may grow by from a tenth of the inputs to the end: a page leaked in every
# thousandth of a million inputs would be twice as much.
_GROWTH_MB = 2.0
_NOTHING_GUIDED = Guided(0, 0, (), ())
_COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--inputs", default=1_000_000, show_default=True, help="So many for each family.")
@click.option("--seconds", default=900, show_default=True, help="No target takes longer.")
@click.option("--guided", default=30, show_default=True, help="Seconds of it led by coverage.")
@click.option("--seed", default=1, show_default=True, help="The same seed, the same inputs.")
@click.option("--only", "names", multiple=True, type=click.Choice(list(BY_NAME)))
@click.option("--replay", metavar="HEX", help="Run one input, on the target given by --only.")
@click.option("--write", is_flag=True, help="Update the table in docs/safety.md.")
def main(
    *,
    inputs: int,
    seconds: int,
    guided: int,
    seed: int,
    names: tuple[str, ...],
    replay: str | None,
    write: bool,
) -> None:
    """Fuzz the RoboClaw parser, the sockets between the processes and the page's WebSocket.

    Exits with 1 if an exception escapes, a rule is broken, memory grows or time runs out.
    """
    console = Console()
    chosen = [BY_NAME[name] for name in names] if names else list(TARGETS)
    if replay is not None:
        _replay(console, chosen, replay)
        return
    conditions = f"seed {seed}; {describe_load()}"
    console.print(f"{describe_machine()}; {conditions}\n")
    if guided and not is_available():
        console.print("atheris is not installed: no inputs are chosen by coverage.\n")
        guided = 0
    records = []
    with Progress(*_COLUMNS, TimeElapsedColumn(), console=console, refresh_per_second=2) as shown:
        for target in chosen:
            task = shown.add_task(f"{target.family}: {target.name}", total=share(target, inputs))
            found = explore(target, seconds=guided, seed=seed) if guided else _NOTHING_GUIDED
            child = Child(Task(target.name, share(target, inputs), seconds, seed, found.corpus))
            while isinstance(told := child.next(), int):
                shown.update(task, completed=told)
            shown.stop_task(task)
            records.append(_record(target, told, found))
            _show(console, target, told, found)
    outcome = Outcome("fuzz", "Fuzzing", conditions, tuple(records))
    print_outcomes(console, [outcome])
    if write:
        write_tables(_DOCUMENT, [outcome])
        console.print(f"Wrote {_DOCUMENT}.")
    if not outcome.met:
        raise SystemExit(1)


def _record(target: Target, run: Run, guided: Guided) -> Record:
    done = run.spent_us.count
    meaning = f"{run.accepted / done:.0%} accepted; memory grew by {run.growth_mb:+.2f} MB"
    if guided.inputs:
        meaning += f"; {guided.inputs} more led by coverage reached {guided.edges} edges"
    return Record(
        f"{target.family}: {target.name}",
        "us",
        run.spent_us,
        meaning,
        (
            Check("findings", float(run.found + len(guided.broken)), 0.0),
            Check("inputs not run", float(run.asked - done), 0.0),
            Check("MB grown", max(0.0, run.growth_mb), _GROWTH_MB),
        ),
    )


def _show(console: Console, target: Target, run: Run, guided: Guided) -> None:
    findings = [Finding(data, broken_by(target, data)) for data in guided.broken]
    for finding in (*findings, *run.findings):
        console.print(f"{target.name}: {finding.error}", style="red", markup=False)
        console.print(f'  --only "{target.name}" --replay {finding.data.hex()}', markup=False)


def _replay(console: Console, chosen: list[Target], text: str) -> None:
    if len(chosen) != 1:
        raise click.UsageError("name the one target to replay it on with --only")
    broken = broken_by(chosen[0], bytes.fromhex(text))
    console.print(broken or "Nothing is wrong with it.", markup=False)
    if broken:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
