import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.inflow import FrameBudget, PageClock

DELAYS = st.lists(st.floats(0, 3), min_size=1, max_size=40)


@given(st.floats(0, 1e9), DELAYS)
def test_a_frame_is_as_late_as_it_took_longer_than_the_quickest(page_start_ms, delays_s):
    clock = PageClock()
    arrived_s, took_s = 0.0, []
    for i, delay_s in enumerate(delays_s):
        sent_s = 1000.0 + i * 0.04
        # No frame overtakes another on a connection.
        arrived_s = max(arrived_s, sent_s + delay_s)
        took_s.append(arrived_s - sent_s)
        lateness_s = clock.lateness_s(page_start_ms + i * 40, arrived_s)
        expected_s = took_s[-1] - min(took_s)
        # What the clocks are allowed to drift apart is forgiven, nothing else.
        assert expected_s - 0.01 <= lateness_s <= expected_s + 1e-3


def test_a_burst_after_a_stall_is_late_but_for_its_newest():
    clock = PageClock()
    clock.lateness_s(0, 100.0)
    late_s = [clock.lateness_s(ms, 101.0) for ms in range(40, 1001, 40)]
    assert late_s[0] == pytest.approx(0.96, abs=0.01)
    assert late_s[-1] == pytest.approx(0.0, abs=0.01)
    assert late_s == sorted(late_s, reverse=True)


@pytest.mark.parametrize("drift", [-500e-6, 500e-6])
def test_clocks_that_drift_apart_make_no_frame_late(drift):
    clock = PageClock()
    for second in range(0, 4 * 3600, 1):
        lateness_s = clock.lateness_s(second * 1000 * (1 + drift), 50.0 + second)
    assert lateness_s < 0.01


@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=300))
def test_no_more_frames_pass_than_the_budget_has(gaps_s):
    budget = FrameBudget(rate_hz=100, burst=20)
    now_s, passed = 5.0, 0
    for gap_s in gaps_s:
        now_s += gap_s
        passed += budget.spend(now_s)
    assert passed <= 20 + 100 * (now_s - 5.0 - gaps_s[0]) + 1e-6
    assert passed >= min(len(gaps_s), 20)


def test_a_client_within_its_rate_loses_nothing():
    budget = FrameBudget(rate_hz=100, burst=5)
    assert all(budget.spend(i * 0.0101) for i in range(1000))
