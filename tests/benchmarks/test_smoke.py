"""Every measurement, with so few samples that nothing is measured: does it work at all?"""

import sys

import pytest

from benchmarks import peer_donkeycar
from benchmarks.__main__ import MEASUREMENTS
from benchmarks.harness import Effort, measure

# Other tests may hold the computer up for longer than a rover stands for; that it can be measured
# is what is asked here.
_TRIES = 3
pytestmark = [pytest.mark.process, pytest.mark.timeout(_TRIES * 60)]


@pytest.mark.parametrize(
    "measurement",
    [one for one in MEASUREMENTS if one is not peer_donkeycar.MEASUREMENT],
    ids=lambda one: one.name,
)
def test_measures(measurement) -> None:
    told = []
    for _ in range(_TRIES):
        outcome = measure(measurement, Effort.TINY, lambda done, total: told.append((done, total)))
        if outcome.trouble == "":
            break
    assert outcome.trouble == ""
    assert outcome.records
    for record in outcome.records:
        spread = record.spread
        assert spread.count >= 1
        assert 0.0 <= spread.p50 <= spread.p99 <= spread.most
        assert record.meaning
    assert told[-1][0] == told[-1][1] > 0


def test_a_peer_that_is_not_installed_is_not_measured_and_says_how(monkeypatch) -> None:
    monkeypatch.delenv("ROVER_DONKEYCAR_PYTHON", raising=False)
    outcome = measure(peer_donkeycar.MEASUREMENT, Effort.TINY, lambda done, total: None)
    assert "pip install donkeycar" in outcome.trouble
    monkeypatch.setenv("ROVER_DONKEYCAR_PYTHON", sys.executable)
    outcome = measure(peer_donkeycar.MEASUREMENT, Effort.TINY, lambda done, total: None)
    assert "donkeycar ended" in outcome.trouble
