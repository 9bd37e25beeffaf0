"""The walk in front of a person: a table that grows, and what to do at the end."""

from collections.abc import Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from calibration.doctor.finding import REPORT_VERSION, Finding, Report, Verdict, counted
from calibration.doctor.surroundings import Surroundings
from calibration.doctor.walk import Check, walk

_STYLES = {
    Verdict.OK: "green",
    Verdict.SKIPPED: "dim",
    Verdict.WARN: "yellow",
    Verdict.FAIL: "bold red",
}
_WORDS = {
    Verdict.OK: "ok",
    Verdict.SKIPPED: "skipped",
    Verdict.WARN: "look",
    Verdict.FAIL: "FAIL",
}


def examine(surroundings: Surroundings, checks: Sequence[Check], console: Console | None) -> Report:
    """Take the walk; show it on ``console`` as it goes, if there is one."""
    began_s = surroundings.unix_s()
    if console is None:
        findings = list(walk(surroundings, checks))
    else:
        findings = list(_shown(surroundings, checks, console))
    return Report(REPORT_VERSION, began_s, surroundings.telemetry is not None, tuple(findings))


def _shown(
    surroundings: Surroundings, checks: Sequence[Check], console: Console
) -> Iterator[Finding]:
    spinner = Spinner("dots", "")
    findings: list[Finding] = []
    # Finished lines go above the live part, so that a long walk scrolls like any other output.
    with Live(spinner, console=console, transient=True, refresh_per_second=12) as live:

        def tell(doing: str) -> None:
            spinner.update(text=Text(doing, style="dim"))

        for finding in walk(surroundings, checks, tell):
            findings.append(finding)
            live.console.print(line(finding))
            yield finding


def line(finding: Finding) -> RenderableType:
    """Return a finding as one row: verdict, step, what was found, and what was tried."""
    row = Table.grid(padding=(0, 1))
    row.add_column(width=7)
    row.add_column(width=18)
    row.add_column()
    found = Text(finding.found)
    if finding.verdict is not Verdict.SKIPPED:
        # A step that is well takes a line, where it can.
        gap = "  " if finding.verdict is Verdict.OK else "\n"
        found.append(f"{gap}{finding.tried}", style="dim")
    if finding.next_step:
        found.append(f"\n> {finding.next_step}", style="bold")
    row.add_row(
        Text(_WORDS[finding.verdict], style=_STYLES[finding.verdict]), Text(finding.step), found
    )
    return row


def summary(report: Report) -> RenderableType:
    """Return the counts, and the first thing to do."""
    counts = counted(report.findings)
    told = ", ".join(f"{count} {_WORDS[verdict]}" for verdict, count in counts.items() if count)
    first = next(
        (
            finding
            for verdict in (Verdict.FAIL, Verdict.WARN)
            for finding in report.findings
            if finding.verdict is verdict
        ),
        None,
    )
    if first is None:
        return Text(f"{told}. All that can be seen standing still is well.")
    return Group(
        Text(f"{told}."), Text(f"Begin with {first.step}: {first.next_step}", style="bold")
    )
