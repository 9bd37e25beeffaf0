"""docs/safety.md holds a row for every fault of the matrix, and none that is not in it."""

import re
from pathlib import Path

import pytest

from benchmarks.faults.act import Act
from benchmarks.faults.fault import Driver
from benchmarks.faults.lane import ACTS
from benchmarks.faults.matrix import BY_KEY, MATRIX
from benchmarks.faults.report import MARK, NOT_LIVE, rows_of, write_table
from benchmarks.faults.results import ALLOWANCE_S, Plant, Result, allowed_s, troubles
from benchmarks.faults.running import drivers_of
from benchmarks.faults.trial import Trial
from benchmarks.faults.watcher import Sample, line_dropped_s, longest_gap_s, stood_s
from benchmarks.records import Spread
from rover.messages import ArmState

SAFETY = (Path(__file__).parents[2] / "docs" / "safety.md").read_text(encoding="utf-8")
PLANT = Plant(ramp=Spread.single(0.12), duty=Spread.single(0.28))


def table() -> list[list[str]]:
    found = re.search(rf"<!-- {MARK} -->\n(.*?)<!-- /{MARK} -->", SAFETY, re.DOTALL)
    assert found
    lines = [line for line in found[1].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def test_the_table_has_a_row_for_every_fault_and_driver() -> None:
    expected = [
        (fault.key, driver)
        for fault in MATRIX
        for driver in (drivers_of(fault) if fault.live else ("",))
    ]
    told = [(row[0].split("`")[1], row[1]) for row in table()]
    assert told == expected


def test_the_table_says_what_the_matrix_says() -> None:
    for row in table():
        fault = BY_KEY[row[0].split("`")[1]]
        assert row[0] == f"`{fault.key}`: {fault.what}"
        assert row[2] == fault.reaction
        assert (row[-1] == NOT_LIVE) is not fault.live


def test_every_live_fault_can_be_put_in_and_no_other() -> None:
    assert set(ACTS) == {fault.key for fault in MATRIX if fault.live}
    assert all(isinstance(act, Act) for act in ACTS.values())


def trial(stop_s: float | None, trouble: str = "", state: ArmState = ArmState.ARMED) -> Trial:
    return Trial(stop_s, None, state, trouble, 0.004)


def test_a_stop_within_bound_plant_and_allowance_is_kept_and_one_beyond_is_not() -> None:
    fault = BY_KEY["phone-tcp-stall"]
    limit_s = 0.3 + 0.12 + ALLOWANCE_S
    assert allowed_s(fault, PLANT) == pytest.approx(limit_s)
    kept = Result(fault.key, Driver.PHONE, (trial(0.2), trial(limit_s - 0.001)))
    assert troubles(kept, fault, PLANT) == ()
    late = Result(fault.key, Driver.PHONE, (trial(0.2), trial(limit_s + 0.001)))
    assert troubles(late, fault, PLANT) == ("0.446 s, allowed 0.445 s",)


def test_zero_duty_takes_the_other_plant() -> None:
    fault = BY_KEY["control-killed"]
    assert allowed_s(fault, PLANT) == pytest.approx(0.3 + 0.28 + ALLOWANCE_S)


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (Result("web-killed", Driver.PHONE, (trial(0.2, "a wheel moved again"),)), "moved again"),
        (Result("web-killed", Driver.PHONE, (trial(None),)), "never came to stand"),
        (Result("web-killed", Driver.PHONE, (trial(0.2),), "no telemetry"), "no telemetry"),
        (Result("web-killed", Driver.PHONE, ()), "never came to stand"),
    ],
)
def test_whatever_was_wrong_in_one_run_breaks_the_promise(result: Result, told: str) -> None:
    assert told in "; ".join(troubles(result, BY_KEY["web-killed"], PLANT))


def test_an_emergency_stop_must_drop_the_line_within_its_tick() -> None:
    fault = BY_KEY["estop-button"]

    def told(line_s: float | None) -> tuple[str, ...]:
        run = Trial(0.28, line_s, ArmState.ESTOP, "", 0.004)
        return troubles(Result(fault.key, Driver.PAD, (run,)), fault, PLANT)

    assert told(0.03) == ()
    assert told(0.04) == ("the line low after 0.040 s, allowed 0.035 s",)
    assert told(None) == ("the motor-enable line stayed high",)


def test_writing_puts_missed_bounds_into_the_table(tmp_path: Path) -> None:
    document = tmp_path / "safety.md"
    document.write_text("before\n<!-- faults -->\nold\n<!-- /faults -->\nafter\n")
    faults = [BY_KEY["web-killed"], BY_KEY["all-power-sensors-lost"]]
    results = [Result("web-killed", Driver.PHONE, (trial(0.9),))]
    write_table(document, rows_of(faults, results), PLANT, "on a computer")
    text = document.read_text()
    assert "| 900 | 900 | 780 | 445 |  | armed | neutral | NO |" in text
    assert f"| {NOT_LIVE} |" in text
    assert f"- `all-power-sensors-lost`: {faults[1].note}." in text
    assert text.startswith("before\n")
    assert text.endswith("<!-- /faults -->\nafter\n")


def samples(*speeds: float, every_s: float = 0.01) -> list[Sample]:
    return [Sample(n * every_s, speed, speed, n < 2) for n, speed in enumerate(speeds)]


def test_standing_is_when_it_begins_and_not_the_moment_of_turning_round() -> None:
    assert stood_s(samples(9.0, 5.0, 0.0, 4.0, 0.01, 0.0, 0.0, 0.0)) == pytest.approx(0.04)
    assert stood_s(samples(9.0, 0.02, 0.02, 0.02, 0.02, 0.02)) is None
    # Too short a look to tell.
    assert stood_s(samples(9.0, 0.0, 0.0)) is None


def test_the_line_and_the_watchers_blindness() -> None:
    assert line_dropped_s(samples(1.0, 1.0, 1.0)) == pytest.approx(0.02)
    assert line_dropped_s(samples(1.0, 1.0)) is None
    assert longest_gap_s([*samples(1.0, 1.0), Sample(0.5, 0.0, 0.0, True)]) == pytest.approx(0.49)
