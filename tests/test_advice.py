"""Nothing goes wrong without a word on what to do: every code in the source has its advice."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import rover
from rover.advice import ADVICE, advice_for
from rover.messages import ArmState, Severity
from rover.telemetry import Journal

SOURCE = Path(rover.__file__).parent
# A journal's ``add``: when, how bad, which code, text.
ADD_ARGUMENTS = 4


def codes_in(path: Path) -> Iterator[str]:
    """Yield the code of every condition and event that is made in ``path``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for call in calls_of(tree):
        code = code_of(call)
        if code is not None:
            yield from values(code, call, tree, path)


def calls_of(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def name_of(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def code_of(call: ast.Call) -> ast.expr | None:
    """Return the code that a call makes a condition or an event of, if it makes one."""
    if name_of(call) == "Condition":
        named = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
        return (call.args[:1] or named)[0]
    if name_of(call) == "add" and len(call.args) == ADD_ARGUMENTS:
        # What is merely told needs no advice.
        return None if ast.unparse(call.args[1]) == "Severity.INFO" else call.args[2]
    return None


def values(code: ast.expr, call: ast.Call, tree: ast.AST, path: Path) -> Iterator[str]:
    """Yield what ``code`` can be; fail on what this test does not understand."""
    match code:
        case ast.Constant(str(value)):
            yield value
        case ast.JoinedStr([ast.Constant("state-"), _]):
            yield from (f"state-{state}" for state in (ArmState.FAULT, ArmState.ESTOP))
        case ast.Attribute(ast.Name("condition"), "code"):
            pass  # a condition that was made elsewhere
        case ast.Name(name) if name.isupper():
            yield constant(name, tree, path)
        case ast.Name(name):
            yield from arguments(name, call, tree, path)
        case _:
            raise AssertionError(f"{path}:{code.lineno}: what codes are {ast.unparse(code)}?")


def constant(name: str, tree: ast.AST, path: Path) -> str:
    """Return the text that a constant of this name is, here or wherever it is imported from."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign([ast.Name(target)], ast.Constant(str(value))) if target == name:
                return value
            case ast.ImportFrom(module=str(module)) if name in {one.name for one in node.names}:
                there = SOURCE.parent / (module.replace(".", "/") + ".py")
                return constant(name, ast.parse(there.read_text(encoding="utf-8")), there)
    raise AssertionError(f"{path}: what is {name}?")


def arguments(name: str, inside: ast.Call, tree: ast.AST, path: Path) -> Iterator[str]:
    """Yield what the parameter ``name`` of the function around ``inside`` is called with."""
    function = next(
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and inside in set(calls_of(node))
        and name in {argument.arg for argument in node.args.args}
    )
    place = [argument.arg for argument in function.args.args].index(name)
    found = [
        each for each in calls_of(tree) if name_of(each) == function.name and len(each.args) > place
    ]
    assert found, f"{path}: who calls {function.name}?"
    for each in found:
        yield from values(each.args[place], each, tree, path)


def codes() -> set[str]:
    return {code for path in SOURCE.rglob("*.py") for code in codes_in(path)}


def test_every_code_that_can_go_wrong_has_its_advice() -> None:
    assert codes() - set(ADVICE) == set()


def test_no_advice_is_left_over() -> None:
    assert set(ADVICE) - codes() == set()


def test_the_codes_are_really_found() -> None:
    assert {"stop-button", "wheel", "steering", "state-fault", "device", "overrun"} <= codes()


@pytest.mark.parametrize("advice", ADVICE.values(), ids=ADVICE)
def test_advice_is_one_short_sentence(advice: str) -> None:
    # Sixteen events are in every frame.
    assert 10 < len(advice) <= 52
    assert advice[0].isupper()
    assert advice.endswith(".")
    assert "\n" not in advice


@pytest.mark.parametrize(
    ("severity", "expected"),
    [
        (Severity.INFO, ""),
        (Severity.WARNING, "Check the controller's power, plug and motor leads."),
        (Severity.ERROR, "Check the controller's power, plug and motor leads."),
    ],
)
def test_only_what_went_wrong_needs_something_done(
    severity: Severity, expected: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert advice_for(severity, "controller") == expected
    journal = Journal()
    with caplog.at_level("INFO", "rover"):
        journal.add(1.0, severity, "controller", "RoboClaw 0x80 is silent")
    assert journal.events()[0].advice == expected
    assert caplog.messages == [
        "controller: RoboClaw 0x80 is silent" + (f" ({expected})" if expected else "")
    ]
