from hypothesis import given
from hypothesis import strategies as st

from web.inflow import FrameBudget


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
