"""The gate must open for what is covered and for nothing else."""

import importlib.util
from pathlib import Path

import msgspec
import pytest

TOOL = Path(__file__).parents[2] / "tools" / "coverage_gate.py"


@pytest.fixture(scope="module")
def gate():
    spec = importlib.util.spec_from_file_location("coverage_gate", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def measured(branches=10, covered=10, lines=(), arcs=()):
    return {
        "summary": {"num_branches": branches, "covered_branches": covered, "percent_covered": 1},
        "missing_lines": list(lines),
        "missing_branches": [list(arc) for arc in arcs],
    }


@pytest.fixture
def verdict(gate, tmp_path, capsys):
    """Run the tool on files' measures; return its exit status and what it printed."""

    def run(files):
        whole = {name: measured() for name in gate.FULL}
        path = tmp_path / "coverage.json"
        path.write_bytes(msgspec.json.encode({"files": whole | files}))
        return gate.main([str(path)]), capsys.readouterr().out

    return run


def test_the_files_that_must_be_covered_whole_are_there(gate):
    root = TOOL.parents[1]
    assert [name for name in gate.FULL if not (root / name).is_file()] == []


def test_enough_is_enough(verdict):
    status, said = verdict({"rover/loop.py": measured(50, 40)})
    assert (status, said) == (0, "rover/: 90.0 % of its branches covered\n")


def test_too_few_branches_are_told_with_the_worst_files_first(verdict):
    status, said = verdict(
        {
            "rover/loop.py": measured(50, 39, arcs=[(1, 2)]),
            "rover/app.py": measured(0, 0, arcs=[(1, 2), (3, -1)]),
        }
    )
    assert status == 1
    assert said.splitlines() == [
        "rover/: 89.0 % of its branches covered, at least 90 % needed",
        "  rover/app.py: misses 2 branches",
        "  rover/loop.py: misses 1 branches",
    ]


def test_what_is_not_the_rovers_counts_for_nothing(verdict):
    status, _ = verdict({"web/app.py": measured(1000, 0)})
    assert status == 0


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ({"lines": [8]}, "line 8"),
        ({"lines": [8, 9, 11, 30, 40, 41]}, "line 8-11, line 30, line 40-41"),
        ({"arcs": [(100, 102), (147, -140)]}, "branch 100 -> 102, branch 147 -> exit"),
    ],
)
def test_whatever_safety_misses_is_named(verdict, missing, said):
    status, printed = verdict({"rover/motion/gate.py": measured(**missing)})
    assert status == 1
    assert printed == f"rover/motion/gate.py: must be covered whole, misses {said}\n"


def test_a_safety_file_that_nobody_measured_does_not_pass(gate):
    report = gate.Report(files={})
    assert f"{gate.FULL[0]}: not measured, must be covered whole" in gate.shortcomings(report)
