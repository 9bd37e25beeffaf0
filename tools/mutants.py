"""Breaks the modules that safety rests on, one line at a time; tells which breaking no test saw.

mutmut breaks what stands in functions, this tool the numbers and truths outside of them. Whoever
survives must stand in docs/safety.md with the reason; the others are listed, and the exit is 1.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path

import click
import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "safety.md"
SECTION = "## Mutants that survive"
# mutmut's own folder, which git does not know; what it tells of its last run is not asked for.
WORK = ROOT / "mutants"
CONSTANTS = "outside functions"
# Enough for all tests of a module, broken so that it is slow.
_TESTS_TIMEOUT_S = 300.0
# What the table's code cannot hold as it is.
_BAR, _ESCAPED_BAR = "|", "\\|"


class Fate(Enum):
    """What became of a mutant."""

    KILLED = "killed"
    TIMEOUT = "timeout"
    SURVIVED = "survived"
    UNTESTED = "no test"


class Change(msgspec.Struct, frozen=True):
    """One broken line: its module, how it stands there, and what it was made."""

    module: str
    line: str
    becomes: str


class Mutant(msgspec.Struct, frozen=True):
    """A mutant by mutmut's name, or by its constant's."""

    module: str
    name: str
    fate: Fate
    change: Change | None = None


_COLUMNS = ("module", "mutants", *(fate.value for fate in Fate))

# mutmut's exit codes: pytest's own, 33 where no test comes by, its own alarm and the kernel's.
_FATES = {0: Fate.SURVIVED, 1: Fate.KILLED, 3: Fate.KILLED, 5: Fate.UNTESTED, 33: Fate.UNTESTED}
_TIMEOUTS = {24, 36, 152, 255, -24}


def fate_of(exit_code: int | None) -> Fate:
    """Return what an exit code of a mutant's tests means."""
    if exit_code is None:
        return Fate.UNTESTED
    if exit_code in _TIMEOUTS:
        return Fate.TIMEOUT
    # A crash of the interpreter is seen by whoever runs the tests.
    return _FATES.get(exit_code, Fate.KILLED)


def change_in(module: str, diff: str) -> Change:
    """Return the change that a unified diff makes, spaces and line ends made alike."""

    def lines(sign: str) -> str:
        return " ".join(
            line[1:].strip()
            for line in diff.splitlines()
            if line.startswith(sign) and not line.startswith(sign * 3)
        )

    return Change(module, lines("-"), lines("+"))


def explained(text: str) -> dict[Change, str]:
    """Return the survivors that a document's table names, each with its reason."""
    _, found, rest = text.partition(SECTION)
    section = rest.partition("\n## ")[0]
    if not found:
        raise SystemExit(f"no section {SECTION!r} in the document")
    survivors = {}
    for row in re.findall(r"^\| `.*\|$", section, re.MULTILINE):
        cells = [
            cell.strip().strip("`").replace(_ESCAPED_BAR, _BAR)
            for cell in re.split(r"(?<!\\)\|", row)[1:-1]
        ]
        module, line, becomes, reason = cells
        survivors[Change(module, line, becomes)] = reason
    return survivors


def row_of(change: Change, reason: str) -> str:
    """Return a change as a row of the document's table."""
    cells = [f"`{cell}`" if cell else "" for cell in (change.module, change.line, change.becomes)]
    return "| " + " | ".join(cell.replace(_BAR, _ESCAPED_BAR) for cell in (*cells, reason)) + " |"


def constants_of(source: str) -> Iterator[tuple[ast.Constant, str]]:
    """Yield the numbers and truths outside functions, each with the text it is broken to."""
    skipped = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Expr, ast.Import, ast.ImportFrom)

    def walk(node: ast.AST) -> Iterator[ast.Constant]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Constant):
                yield child
            elif not isinstance(child, skipped):
                yield from walk(child)

    for constant in sorted(walk(ast.parse(source)), key=lambda found: found.lineno):
        value = constant.value
        if isinstance(value, bool):
            yield constant, str(not value)
        elif isinstance(value, int | float):
            yield constant, str(value * 2 or 1)


def broken(source: str, constant: ast.Constant, text: str) -> str:
    """Return ``source`` with ``text`` where ``constant`` stands."""
    lines = source.splitlines(keepends=True)
    line = lines[constant.lineno - 1].encode()
    end = constant.end_col_offset
    lines[constant.lineno - 1] = (line[: constant.col_offset] + text.encode() + line[end:]).decode()
    return "".join(lines)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--write", is_flag=True, help="Update the table of counts in docs/safety.md.")
def main(write: bool) -> None:
    """Break what safety rests on, line by line; exit with 1 if what no test sees is unexplained."""
    console = Console()
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    mutmut: Mapping[str, Sequence[str]] = settings["tool"]["mutmut"]
    modules = mutmut["only_mutate"]
    shutil.rmtree(WORK, ignore_errors=True)
    console.print("mutmut breaks what stands in functions ...")
    _mutmut("run", "--max-children", str(os.cpu_count() or 1))
    mutants = [mutant for module in modules for mutant in _results(module)]
    console.print(f"The constants {CONSTANTS} ...")
    mutants += _constant_mutants(modules, mutmut["pytest_add_cli_args_test_selection"])
    console.print(_table(modules, mutants))
    if write:
        _write(counts(modules, mutants))
    reasons = explained(DOCUMENT.read_text(encoding="utf-8"))
    alive = [mutant for mutant in mutants if mutant.fate in {Fate.SURVIVED, Fate.UNTESTED}]
    unexplained = [mutant for mutant in alive if mutant.change not in reasons]
    for change in set(reasons) - {mutant.change for mutant in alive}:
        console.print(f"Explained, but killed now: {row_of(change, '')}", markup=False)
    console.print(f"{len(alive)} survive, {len(alive) - len(unexplained)} of them explained.")
    if unexplained:
        console.print("Kill these with a test, or explain them in docs/safety.md:")
        for mutant in unexplained:
            assert mutant.change is not None
            console.print(f"{mutant.name}:\n  {row_of(mutant.change, '')}", markup=False)
        raise SystemExit(1)


def _mutmut(*words: str) -> str:
    # Hypothesis tries the same examples at every run, so that the same mutants survive.
    done = subprocess.run(
        [sys.executable, "-m", "mutmut", *words],
        cwd=ROOT,
        env={**os.environ, "CI": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"mutmut {words[0]} fails:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def _results(module: str) -> Iterator[Mutant]:
    """Return mutmut's mutants of ``module``, with what was changed in those that survived."""
    told = json.loads((WORK / f"{module}.meta").read_text(encoding="utf-8"))
    for name, exit_code in told["exit_code_by_key"].items():
        fate = fate_of(exit_code)
        alive = fate in {Fate.SURVIVED, Fate.UNTESTED}
        change = change_in(module, _mutmut("show", name)) if alive else None
        yield Mutant(module, name, fate, change)


def _constant_mutants(modules: Sequence[str], tests: Sequence[str]) -> Iterator[Mutant]:
    """Break one constant after the other in mutmut's copy of the rover, and run the tests."""
    for module in modules:
        _put(module, (ROOT / module).read_text(encoding="utf-8"))
    if not _tests_pass(tests):
        raise SystemExit("the tests fail without any mutant")
    for module in modules:
        source = (ROOT / module).read_text(encoding="utf-8")
        for constant, text in constants_of(source):
            mutated = broken(source, constant, text)
            _put(module, mutated)
            number = constant.lineno - 1
            change = Change(
                module, source.splitlines()[number].strip(), mutated.splitlines()[number].strip()
            )
            fate = Fate.SURVIVED if _tests_pass(tests) else Fate.KILLED
            yield Mutant(module, f"{module}:{constant.lineno}", fate, change)
        _put(module, source)


def _put(module: str, source: str) -> None:
    path = WORK / module
    # Its bytecode too: a file written twice within a second may have the size of the one before.
    shutil.rmtree(path.parent / "__pycache__", ignore_errors=True)
    path.write_text(source, encoding="utf-8")


def _tests_pass(tests: Sequence[str]) -> bool:
    words = ["-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(
        [sys.executable, *words],
        cwd=WORK,
        env={**os.environ, "CI": "1"},
        capture_output=True,
        check=False,
        timeout=_TESTS_TIMEOUT_S,
    )
    return done.returncode == 0


def counts(modules: Sequence[str], mutants: Sequence[Mutant]) -> list[tuple[str, ...]]:
    """Return a row for each module and one for all: mutants, and how many had each fate."""
    rows = []
    for module in (*modules, "all"):
        fates = Counter(m.fate for m in mutants if module in {m.module, "all"})
        rows.append((module, str(fates.total()), *(str(fates[fate]) for fate in Fate)))
    return rows


def _table(modules: Sequence[str], mutants: Sequence[Mutant]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for name in _COLUMNS:
        table.add_column(name, justify="left" if name == "module" else "right")
    for row in counts(modules, mutants):
        table.add_row(*row)
    return table


def _write(rows: Sequence[Sequence[str]]) -> None:
    lines = [_COLUMNS, ("---", *("---:" for _ in _COLUMNS[1:])), *rows]
    table = "".join("| " + " | ".join(line) + " |\n" for line in lines)
    text = DOCUMENT.read_text(encoding="utf-8")
    before, begin, rest = text.partition("<!-- mutants -->\n")
    _, end, after = rest.partition("<!-- /mutants -->")
    if not end:
        raise SystemExit(f"{DOCUMENT} has no place for the table: <!-- mutants --> is missing")
    DOCUMENT.write_text(before + begin + table + end + after, encoding="utf-8")


if __name__ == "__main__":
    main()
