"""The battery's stages, their hysteresis, and two devices that cannot both be right."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rover.messages import Condition, PowerReading, Reaction, Severity
from rover.motion.battery import BatteryWatch
from tests.builders import osr_config

CONFIG = osr_config().power
TICK_S = 0.1


class Bench:
    """A battery watched ten times a second by an INA260, a RoboClaw, or both."""

    def __init__(self) -> None:
        self.watch = BatteryWatch(CONFIG)
        self.now_s = 20.0

    def after(
        self, duration_s: float, *volts: float | None, age_s: float = 0.05
    ) -> tuple[Condition, ...]:
        """Return what is found after ``duration_s`` of these voltages, the INA260's first."""
        found: tuple[Condition, ...] = ()
        for _ in range(round(duration_s / TICK_S)):
            self.now_s += TICK_S
            readings = [
                None if v is None else PowerReading(v, None, self.now_s - age_s, name)
                for v, name in zip(volts, ("INA260", "RoboClaw 0x80"), strict=False)
            ]
            found = self.watch.conditions(readings, self.now_s)
        return found

    def codes_after(self, duration_s: float, *volts: float | None) -> list[str]:
        return [condition.code for condition in self.after(duration_s, *volts)]


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize(
    ("volts", "code", "severity", "reaction"),
    [
        (13.5, "battery-low", Severity.WARNING, Reaction.TELL),
        (13.1, "battery-very-low", Severity.WARNING, Reaction.SLOW),
        (12.7, "battery-empty", Severity.ERROR, Reaction.STOP),
        (0.0, "battery-empty", Severity.ERROR, Reaction.STOP),
        (math.nan, "battery-empty", Severity.ERROR, Reaction.STOP),
    ],
)
def test_it_warns_then_slows_then_stops(
    bench: Bench, volts: float, code: str, severity: Severity, reaction: Reaction
) -> None:
    (condition,) = bench.after(1.3, volts)
    assert (condition.code, condition.severity, condition.reaction) == (code, severity, reaction)


@pytest.mark.parametrize("volts", [13.6, 16.8])
def test_a_good_battery_is_nothing_to_tell(bench: Bench, volts: float) -> None:
    assert bench.after(5.0, volts) == ()


def test_a_sag_that_does_not_last_is_none(bench: Bench) -> None:
    assert bench.after(0.9, 12.0) == ()
    assert bench.after(0.1, 15.0) == ()
    assert bench.after(0.9, 12.0) == ()


@pytest.mark.parametrize(("volts", "threshold_v"), [(13.5, 13.6), (13.1, 13.2), (12.7, 12.8)])
def test_a_stage_is_left_only_well_above_it_and_for_a_while(
    bench: Bench, volts: float, threshold_v: float
) -> None:
    (found,) = bench.after(2.0, volts)
    assert bench.codes_after(10.0, threshold_v + 0.7)[0] == found.code
    assert bench.codes_after(0.9, threshold_v + 0.9)[0] == found.code
    assert bench.codes_after(0.1, threshold_v + 0.7)[0] == found.code
    assert found.code not in bench.codes_after(2.0, threshold_v + 0.9)


def test_slowing_down_because_of_the_battery_does_not_make_it_good_again(bench: Bench) -> None:
    """At full speed it sags by 0.6 V, slow by 0.1 V: it would go to and fro for ever."""
    rest_v, changes, slow = 13.7, 0, False
    for _ in range(600):
        found = bench.after(0.1, rest_v - (0.1 if slow else 0.6))
        reactions = {condition.reaction for condition in found}
        changes += (Reaction.SLOW in reactions) != slow
        slow = Reaction.SLOW in reactions
    assert slow
    assert changes == 1


def test_without_the_first_device_the_second_counts(bench: Bench) -> None:
    assert bench.codes_after(2.0, None, 12.7) == ["battery-empty"]


@pytest.mark.parametrize("volts", [(None, None), (None,), ()])
def test_a_battery_that_nothing_measures_stops(
    bench: Bench, volts: tuple[float | None, ...]
) -> None:
    (condition,) = bench.after(0.1, *volts)
    assert (condition.code, condition.reaction) == ("battery-unknown", Reaction.STOP)


def test_an_old_reading_is_none(bench: Bench) -> None:
    (condition,) = bench.after(0.1, 16.0, 16.0, age_s=2.1)
    assert condition.code == "battery-unknown"
    assert bench.after(0.1, 16.0, 16.0, age_s=1.9) == ()


@pytest.mark.parametrize("volts", [(16.0, 14.5), (14.5, 16.0)])
def test_two_devices_that_disagree_slow_the_rover(bench: Bench, volts: tuple[float, float]) -> None:
    assert bench.after(1.8, *volts) == ()
    (condition,) = bench.after(0.4, *volts)
    assert (condition.code, condition.reaction) == ("battery-disagree", Reaction.SLOW)
    assert "16.0 V" in condition.text
    assert "14.5 V" in condition.text


@pytest.mark.parametrize("volts", [(16.0, 12.5), (12.5, 16.0)])
def test_of_two_that_disagree_the_lower_one_counts(
    bench: Bench, volts: tuple[float, float]
) -> None:
    assert bench.codes_after(4.0, *volts) == ["battery-disagree", "battery-empty"]


def test_a_difference_while_the_load_changes_is_none(bench: Bench) -> None:
    for _ in range(5):
        assert bench.after(1.0, 14.0, 15.5) == ()
        assert bench.after(0.7, 15.0, 15.5) == ()


@given(st.lists(st.floats(0.0, 20.0), min_size=1, max_size=40))
def test_at_every_moment_it_is_in_one_stage_at_most(volts: list[float]) -> None:
    bench = Bench()
    for v in volts:
        assert len(bench.after(0.3, v)) <= 1


@given(st.lists(st.floats(0.0, 12.79), min_size=15, max_size=40))
def test_whatever_stays_below_the_minimum_for_a_second_stops(volts: list[float]) -> None:
    bench = Bench()
    for v in volts:
        found = bench.after(0.1, v)
    assert any(condition.reaction is Reaction.STOP for condition in found)
