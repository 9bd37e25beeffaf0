"""Which size a link carries: found by how long pictures take, without going to and fro."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from rover.camera_messages import Rung
from web.pace import LADDER, Pace


def drive(pace: Pace, took_s: float, for_s: float, now_s: float) -> float:
    """Have pictures seen for a while, each after ``took_s`` and a fifteenth of a second apart."""
    end_s = now_s + for_s
    while now_s < end_s:
        now_s += max(took_s, 1 / 15)
        pace.seen(took_s, now_s)
    return now_s


def test_a_quick_link_gets_the_largest_within_seconds():
    pace = Pace(0.0)
    assert pace.rung is Rung.HALF
    drive(pace, 0.03, 4.0, 0.0)
    assert pace.rung is Rung.FULL


def test_a_slow_link_gets_the_smallest_and_a_stuck_one_at_once():
    pace = Pace(0.0)
    now_s = drive(pace, 0.03, 4.0, 0.0)
    pace.seen(1.0, now_s + 1.0)
    assert pace.rung is Rung.HALF
    drive(pace, 0.4, 1.5, now_s + 1.0)
    assert pace.rung is Rung.THIRD


def test_one_late_picture_changes_nothing():
    pace = Pace(0.0)
    now_s = drive(pace, 0.03, 4.0, 0.0)
    pace.seen(0.4, now_s + 0.4)
    pace.seen(0.03, now_s + 0.5)
    pace.seen(0.4, now_s + 0.9)
    assert pace.rung is Rung.FULL


def test_a_link_in_between_keeps_its_size():
    pace = Pace(0.0)
    drive(pace, 0.15, 120.0, 0.0)
    assert pace.rung is Rung.HALF


def test_what_proved_too_large_is_tried_ever_more_seldom():
    """The link carries half the size well, and the whole not at all."""
    pace, now_s, tried = Pace(0.0), 0.0, []
    while now_s < 300.0:
        took_s = 0.9 if pace.rung is Rung.FULL else 0.03
        if pace.rung is Rung.FULL:
            tried.append(now_s)
        now_s += max(took_s, 1 / 15)
        pace.seen(took_s, now_s)
    assert 3 < len(tried) < 12
    gaps = [later - earlier for earlier, later in itertools.pairwise(tried)]
    assert gaps == sorted(gaps)
    assert gaps[-1] > 50.0


@given(st.lists(st.floats(0.0, 20.0), max_size=200))
def test_there_is_always_a_size(times):
    pace, now_s = Pace(0.0), 0.0
    for took_s in times:
        now_s += took_s
        pace.seen(took_s, now_s)
        assert pace.rung in LADDER
