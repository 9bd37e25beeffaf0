"""Who may survive is written down, still stands in the code, and nobody else is let through."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools" / "mutants.py"
SAFETY = (ROOT / "docs" / "safety.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("mutants", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_survivor_that_is_explained_stands_in_the_code(tool) -> None:
    survivors = tool.explained(SAFETY)
    assert len(survivors) > 10
    for change, reason in survivors.items():
        source = " ".join((ROOT / change.module).read_text(encoding="utf-8").split())
        assert " ".join(change.line.split()) in source, change
        assert change.line != change.becomes
        assert reason


def test_a_row_comes_back_as_it_was(tool) -> None:
    change = tool.Change("rover/a.py", "x: Arc | Spin = Arc(0.0)", "")
    text = f"# Safety\n\n{tool.SECTION}\n\n{tool.row_of(change, 'why')}\n\n## Other\n\n| `a` |\n"
    assert tool.explained(text) == {change: "why"}


def test_a_diff_becomes_the_line_and_what_it_was_made(tool) -> None:
    diff = (
        "--- a.py\n+++ a.py\n@@ -1,2 +1,1 @@\n def f():\n-    case _:\n-        no()\n+    yes()\n"
    )
    assert tool.change_in("a.py", diff) == tool.Change("a.py", "case _: no()", "yes()")


@pytest.mark.parametrize(
    ("code", "fate"),
    [
        *((0, "survived"), (1, "killed"), (3, "killed"), (-11, "killed")),
        *((36, "timeout"), (33, "no test"), (5, "no test"), (None, "no test")),
    ],
)
def test_what_the_end_of_a_mutant_means(tool, code, fate) -> None:
    assert tool.fate_of(code).value == fate


def test_constants_outside_functions_are_broken_one_by_one(tool) -> None:
    source = (
        '"""A text of 3."""\nLIMIT = 0.5  # µ\nMANY = {1: (2, "3")}\n\n\n'
        "@dataclass(frozen=True)\nclass A:\n    on: bool = False\n\n"
        "    def f(self):\n        return 7\n"
    )
    made = [tool.broken(source, *found) for found in tool.constants_of(source)]
    lines = source.splitlines()
    changed = [
        [(a, b) for a, b in zip(lines, other.splitlines(), strict=True) if a != b] for other in made
    ]
    assert changed == [
        [("LIMIT = 0.5  # µ", "LIMIT = 1.0  # µ")],
        [('MANY = {1: (2, "3")}', 'MANY = {2: (2, "3")}')],
        [('MANY = {1: (2, "3")}', 'MANY = {1: (4, "3")}')],
        [("@dataclass(frozen=True)", "@dataclass(frozen=False)")],
        [("    on: bool = False", "    on: bool = True")],
    ]


def test_the_counts_are_of_each_module_and_of_all(tool) -> None:
    mutants = [
        tool.Mutant("a.py", "1", tool.Fate.KILLED),
        tool.Mutant("a.py", "2", tool.Fate.SURVIVED),
        tool.Mutant("b.py", "3", tool.Fate.TIMEOUT),
    ]
    assert tool.counts(["a.py", "b.py"], mutants) == [
        ("a.py", "2", "1", "0", "1", "0"),
        ("b.py", "1", "0", "1", "0", "0"),
        ("all", "3", "1", "1", "1", "0"),
    ]
