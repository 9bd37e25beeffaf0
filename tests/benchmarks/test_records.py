"""What figures come to, and whether they meet their limits."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.records import Check, Outcome, Record, Spread, percentile


def test_percentiles_are_samples_that_so_many_do_not_exceed() -> None:
    ordered = [float(number) for number in range(1, 101)]
    assert percentile(ordered, 0.5) == 50.0
    assert percentile(ordered, 0.99) == 99.0
    assert percentile(ordered, 1.0) == 100.0
    assert percentile([7.0], 0.5) == percentile([7.0], 0.99) == 7.0


@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=60),
    st.floats(0, 1, exclude_min=True),
)
def test_a_percentile_divides_the_samples(samples, part) -> None:
    ordered = sorted(samples)
    found = percentile(ordered, part)
    assert sum(sample <= found for sample in ordered) >= part * len(ordered)
    assert sum(sample < found for sample in ordered) < part * len(ordered)


def test_a_spread_is_of_all_samples_in_any_order() -> None:
    spread = Spread.of([3.0, 1.0, 2.0, 10.0])
    assert spread == Spread(count=4, mean=4.0, p50=2.0, p99=10.0, most=10.0)
    assert spread.scaled(1e3) == Spread(count=4, mean=4e3, p50=2e3, p99=1e4, most=1e4)


def test_no_samples_are_no_spread() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        Spread.of([])


@pytest.mark.parametrize(
    ("measured", "limit", "met", "ratio"),
    [
        (0.5, 1.0, True, 0.5),
        (1.0, 1.0, True, 1.0),
        (1.1, 1.0, False, 1.1),
        (0.0, 0.0, True, 0.0),
        (1.0, 0.0, False, math.inf),
    ],
)
def test_a_limit_may_be_reached_and_not_exceeded(measured, limit, met, ratio) -> None:
    check = Check("p99", measured, limit)
    assert (check.met, check.ratio) == (met, ratio)


def test_what_is_not_a_number_meets_no_limit() -> None:
    assert not Check("p99", math.nan, 1.0).met


def test_an_outcome_is_met_if_every_check_of_every_record_is() -> None:
    good, bad = Check("p50", 1.0, 2.0), Check("p99", 3.0, 2.0)

    def outcome(*checks: Check) -> Outcome:
        records = [Record("one", "ms", Spread.single(1.0), "it", (check,)) for check in checks]
        return Outcome("name", "title", "idle", tuple(records))

    assert outcome(good, good).met
    assert not outcome(good, bad).met
    assert not Outcome("name", "title", "idle", trouble="no such device").met
