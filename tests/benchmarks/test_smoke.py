"""Every measurement, with so few samples that nothing is measured: does it work at all?"""

import pytest

from benchmarks.__main__ import MEASUREMENTS
from benchmarks.harness import Effort, measure

pytestmark = pytest.mark.process


@pytest.mark.parametrize("measurement", MEASUREMENTS, ids=lambda one: one.name)
def test_measures(measurement) -> None:
    told = []
    outcome = measure(measurement, Effort.TINY, lambda done, total: told.append((done, total)))
    assert outcome.trouble == ""
    assert outcome.records
    for record in outcome.records:
        spread = record.spread
        assert spread.count >= 1
        assert 0.0 <= spread.p50 <= spread.p99 <= spread.most
        assert record.meaning
    assert told[-1][0] == told[-1][1] > 0
