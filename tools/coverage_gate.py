"""Fails unless enough branches are covered: coverage_gate.py COVERAGE.json.

``rover/`` as a whole must reach ROVER_PERCENT of its branches; the files of FULL, on which
safety rests, every line and every branch. What is missing is named.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

ROVER_PERCENT = 90.0
FULL = (
    "rover/motion/arming.py",
    "rover/motion/governor.py",
    "rover/motion/gate.py",
    "rover/motion/maintenance.py",
    "rover/hardware/bus/framing.py",
)

# Blank lines and comments between two missing lines do not part them.
_GAP_LINES = 3


class Counts(msgspec.Struct, frozen=True):
    """How much there is in a file or in all of them, as coverage.py writes it."""

    num_branches: int
    covered_branches: int


class MeasuredFile(msgspec.Struct, frozen=True):
    """One file; a branch is (from line, to line), a negative one leaves the function."""

    summary: Counts
    missing_lines: Sequence[int]
    missing_branches: Sequence[tuple[int, int]]


class Report(msgspec.Struct, frozen=True):
    """The report of ``coverage json``."""

    files: Mapping[str, MeasuredFile]


def shortcomings(report: Report) -> list[str]:
    """Return what falls short, a line each; none means that the gate is open."""
    found = []
    for name in FULL:
        measured = report.files.get(name)
        if measured is None:
            found.append(f"{name}: not measured, must be covered whole")
        elif measured.missing_lines or measured.missing_branches:
            found.append(f"{name}: must be covered whole, misses {_misses(measured)}")
    percent = branch_percent(report)
    if percent < ROVER_PERCENT:
        found.append(
            f"rover/: {percent:.1f} % of its branches covered, at least {ROVER_PERCENT:g} % needed"
        )
        found.extend(_worst_files(report))
    return found


def branch_percent(report: Report) -> float:
    """Return how many branches of rover/ are covered, of a hundred."""
    counts = [file.summary for name, file in report.files.items() if name.startswith("rover/")]
    branches = sum(count.num_branches for count in counts)
    return 100.0 * sum(count.covered_branches for count in counts) / branches if branches else 0.0


def _misses(measured: MeasuredFile) -> str:
    lines = [f"line {run}" for run in _runs(measured.missing_lines)]
    arcs = [
        f"branch {start} -> {'exit' if end < 0 else end}"
        for start, end in measured.missing_branches
    ]
    return ", ".join(lines + arcs)


def _runs(lines: Sequence[int]) -> list[str]:
    """Write lines that follow one another, but for what is no statement, as FIRST-LAST."""
    runs: list[list[int]] = []
    for line in lines:
        if runs and line - runs[-1][-1] <= _GAP_LINES:
            runs[-1].append(line)
        else:
            runs.append([line])
    return [f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]


def _worst_files(report: Report) -> list[str]:
    """Name the files that miss most branches, most first."""
    missing = {name: len(file.missing_branches) for name, file in report.files.items()}
    worst = sorted((name for name in missing if missing[name]), key=lambda name: -missing[name])
    return [f"  {name}: misses {missing[name]} branches" for name in worst[:10]]


def main(arguments: Sequence[str]) -> int:
    """Read the report that is named, print the verdict, return the exit status."""
    report = msgspec.json.decode(Path(arguments[0]).read_bytes(), type=Report)
    found = shortcomings(report)
    print("\n".join(found) or f"rover/: {branch_percent(report):.1f} % of its branches covered")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
