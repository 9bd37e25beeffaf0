"""The pace of the loop: due times, early ticks, missed ticks."""

import os

import pytest

from rover.clock import ManualClock
from rover.pacing import Pacer, Waiter

PERIOD_S = 0.01


def test_ticks_keep_to_the_grid_however_late_each_starts() -> None:
    pacer = Pacer(PERIOD_S, 5.0)
    for n in range(100):
        assert pacer.due_s == pytest.approx(5.0 + n * PERIOD_S)
        pacer.started(pacer.due_s + 0.003)
    assert pacer.missed == 0
    assert pacer.lateness_s == pytest.approx(0.003)


def test_missed_ticks_are_skipped_and_counted_not_caught_up() -> None:
    pacer = Pacer(PERIOD_S, 5.0)
    pacer.started(5.0)
    pacer.started(5.0 + 4.5 * PERIOD_S)
    assert pacer.missed == 3
    assert pacer.due_s == pytest.approx(5.0 + 5 * PERIOD_S)


def test_the_period_counts_from_an_early_tick() -> None:
    pacer = Pacer(PERIOD_S, 5.0)
    pacer.started(5.0)
    pacer.started(5.006)
    assert pacer.missed == 0
    assert pacer.due_s == pytest.approx(5.016)


class Rig:
    """A waiter on a pipe that stands in for a gamepad, and a flag that stands in for the link."""

    def __init__(self) -> None:
        self.clock = ManualClock(5.0)
        self.pacer = Pacer(PERIOD_S, 5.0)
        self.readable, self.writable = os.pipe()
        self.link_has_input = False
        self.waiter = Waiter(
            self.clock,
            self.pacer,
            (),
            lambda: self.link_has_input,
            lambda: (self.readable,),
        )
        self.waiter.wait()

    def close(self) -> None:
        os.close(self.readable)
        os.close(self.writable)


@pytest.fixture
def rig():
    rig = Rig()
    yield rig
    rig.close()


def test_input_from_the_pad_starts_a_tick_early(rig: Rig) -> None:
    rig.clock.sleep_s(0.007)
    os.write(rig.writable, b"x")
    rig.waiter.wait()
    assert rig.clock.now_s() == pytest.approx(5.007)
    assert rig.pacer.due_s == pytest.approx(5.017)


def test_input_from_the_link_starts_a_tick_early(rig: Rig) -> None:
    rig.clock.sleep_s(0.007)
    rig.link_has_input = True
    rig.waiter.wait()
    assert rig.clock.now_s() == pytest.approx(5.007)


def test_a_storm_of_input_waits_for_half_a_period(rig: Rig) -> None:
    rig.link_has_input = True
    for n in range(1, 10):
        rig.waiter.wait()
        assert rig.clock.now_s() == pytest.approx(5.0 + n * PERIOD_S / 2)


def test_a_tick_that_is_due_does_not_wait_for_input(rig: Rig) -> None:
    rig.clock.sleep_s(0.012)
    rig.waiter.wait()
    assert rig.clock.now_s() == pytest.approx(5.012)
    assert rig.pacer.missed == 0


def test_a_tick_hurries_for_input_that_may_start_the_next(rig: Rig) -> None:
    rig.clock.sleep_s(0.006)
    assert not rig.waiter.hurry()
    os.write(rig.writable, b"x")
    assert rig.waiter.hurry()
    os.read(rig.readable, 1)
    assert not rig.waiter.hurry()
    rig.link_has_input = True
    assert rig.waiter.hurry()


def test_input_is_no_reason_for_a_hurry_before_half_a_period(rig: Rig) -> None:
    rig.link_has_input = True
    rig.clock.sleep_s(0.0049)
    assert not rig.waiter.hurry()
    rig.clock.sleep_s(0.0002)
    assert rig.waiter.hurry()


def test_a_tick_hurries_when_the_next_is_due_before_another_reading(rig: Rig) -> None:
    rig.clock.sleep_s(0.0079)
    assert not rig.waiter.hurry()
    rig.clock.sleep_s(0.0002)
    assert rig.waiter.hurry()
    rig.clock.sleep_s(0.005)
    assert rig.waiter.hurry()
