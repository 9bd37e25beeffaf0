"""Maintenance: one thing at a time, slowly, for as long as it is asked for."""

import math

import pytest
from msgspec import structs

from rover.config import Config
from rover.messages import (
    Maintained,
    MaintenanceOrder,
    OneTarget,
    Order,
    Rest,
    TurnServo,
    TurnWheel,
)
from rover.motion.maintenance import Maintenance
from tests.builders import osr_config

CONFIG = osr_config()
NAMES = list(CONFIG.wheels)
TICK_S = 0.01
LIMITS = CONFIG.maintenance
FORWARD = TurnWheel("left_front", 1.0)
LEFT = TurnServo("left_front", 0.3)
NOTHING = OneTarget((0.0,) * 6, (None,) * 6)


class Client:
    """Says the same order every tick, as a session does, and shows what comes of it."""

    def __init__(self, config: Config = CONFIG) -> None:
        self.maintenance = Maintenance(config)
        self.now_s = 10.0
        self.maintenance.enter("a test", self.now_s)

    def say(self, order: Order, *, age_s: float = 0.0) -> str:
        message = MaintenanceOrder("token", self.now_s - age_s, order)
        return self.maintenance.receive(message, self.now_s)

    def hold(self, order: Order | None, for_s: float) -> OneTarget:
        target = self.step()
        for _ in range(round(for_s / TICK_S)):
            if order is not None:
                assert self.say(order) == ""
            target = self.step()
        return target

    def step(self) -> OneTarget:
        self.now_s += TICK_S
        return self.maintenance.step(self.now_s, TICK_S)


def ready() -> Client:
    client = Client()
    client.hold(Rest(), 0.02)
    return client


def duty(target: OneTarget) -> float:
    """Return the first wheel's, and see that nothing else moves."""
    assert not any(target.duty[1:])
    assert set(target.steer_rad) == {None}
    return target.duty[0]


def test_a_wheel_comes_up_to_the_slow_duty_by_its_ramp() -> None:
    client = ready()
    assert duty(client.hold(FORWARD, 0.1)) == pytest.approx(0.05, abs=0.006)
    assert duty(client.hold(FORWARD, 0.5)) == LIMITS.duty


def test_less_than_the_most_is_given_as_it_is_asked_for() -> None:
    assert duty(ready().hold(TurnWheel("left_front", -0.08), 0.5)) == -0.08


def test_it_turns_round_through_nothing() -> None:
    client = ready()
    client.hold(FORWARD, 0.5)
    client.say(TurnWheel("left_front", -1.0))
    assert duty(client.step()) == 0.0
    assert -0.02 < duty(client.step()) < 0.0


@pytest.mark.parametrize("order", [FORWARD, LEFT])
def test_a_client_that_falls_silent_moves_nothing_after_its_deadline(order: Order) -> None:
    client = ready()
    client.hold(order, 0.5)
    target = client.hold(None, LIMITS.order_s - 0.03)
    assert any(target.duty) or set(target.steer_rad) != {None}
    target = client.hold(None, 0.04)
    assert target == NOTHING


def test_a_silence_that_no_step_has_seen_ends_the_motion_too() -> None:
    client = ready()
    client.hold(FORWARD, 0.5)
    client.now_s += LIMITS.order_s + 0.01
    assert client.say(FORWARD) == ""
    assert client.step() == NOTHING


def test_after_a_failsafe_it_moves_again_only_from_rest() -> None:
    client = ready()
    client.hold(FORWARD, 0.5)
    client.hold(None, 0.4)
    assert duty(client.hold(FORWARD, 0.5)) == 0.0
    client.hold(Rest(), 0.02)
    assert duty(client.hold(FORWARD, 0.5)) == LIMITS.duty


def test_nothing_moves_before_the_first_rest() -> None:
    assert duty(Client().hold(FORWARD, 0.5)) == 0.0


@pytest.mark.parametrize(
    "other", [TurnWheel("right_front", 0.1), TurnServo("left_front", 0.1), TurnWheel("none", 0.1)]
)
def test_another_thing_without_rest_ends_all_motion(other: Order) -> None:
    client = ready()
    client.hold(FORWARD, 0.5)
    assert client.say(other)
    assert duty(client.hold(FORWARD, 0.1)) == 0.0


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (FORWARD, TurnWheel("right_front", 0.1)),
        (LEFT, TurnServo("right_front", 0.1)),
        # Of the same corner.
        (FORWARD, LEFT),
        (LEFT, FORWARD),
    ],
)
def test_there_is_a_pause_between_one_thing_and_another(
    first: TurnWheel | TurnServo, then: TurnWheel | TurnServo
) -> None:
    client = ready()
    client.hold(first, 0.5)
    client.hold(Rest(), 0.02)
    assert client.hold(then, LIMITS.pause_s - 0.05) == NOTHING
    moving = client.hold(then, 0.5)
    i = NAMES.index(then.wheel)
    assert bool(moving.duty[i]) is isinstance(then, TurnWheel)
    assert (moving.steer_rad[i] is not None) is isinstance(then, TurnServo)


def test_a_servo_is_led_slowly_and_goes_on_from_where_it_was() -> None:
    client = ready()
    target = client.hold(LEFT, 0.2)
    assert target.steer_rad[0] == pytest.approx(0.1, abs=0.011)
    assert not any(target.duty)
    assert client.hold(Rest(), 0.1).steer_rad[0] is None
    again = client.hold(LEFT, 0.01).steer_rad[0]
    assert again == pytest.approx(0.1, abs=0.02)
    assert client.hold(LEFT, 1.0).steer_rad[0] == 0.3


def test_a_servo_is_led_no_farther_than_it_turns() -> None:
    # left_front's servo has 135 degrees to one side; the gate allows less.
    farthest = ready().hold(TurnServo("left_front", 9.0), 5.0).steer_rad[0]
    assert farthest == CONFIG.gate.maintenance_steer_rad
    # right_rear's has 165 to one side and 135 to the other.
    farthest = ready().hold(TurnServo("right_rear", -9.0), 5.0).steer_rad[5]
    assert farthest == -CONFIG.gate.maintenance_steer_rad


@pytest.mark.parametrize("direction", [-1, 1])
@pytest.mark.parametrize("centre_deg", [30.0, 270.0])
def test_a_servo_near_its_own_end_is_led_no_farther(direction: int, centre_deg: float) -> None:
    wheel = CONFIG.wheels["left_front"]
    assert wheel.steer is not None
    steer = structs.replace(
        wheel.steer, centre_deg=centre_deg, direction=direction, min_deg=-20.0, max_deg=20.0
    )
    wheels = {**CONFIG.wheels, "left_front": structs.replace(wheel, steer=steer)}
    # The near end is 30 degrees away, and the far one farther than the gate allows.
    near = math.copysign(math.radians(30.0), direction * (centre_deg - 150.0))
    for way in (1.0, -1.0):
        client = Client(structs.replace(CONFIG, wheels=wheels))
        client.hold(Rest(), 0.02)
        farthest = client.hold(TurnServo("left_front", way * 9.0), 5.0).steer_rad[0]
        far = way * CONFIG.gate.maintenance_steer_rad
        assert farthest == pytest.approx(near if way * near > 0.0 else far)


def test_a_duty_of_nothing_is_rest() -> None:
    client = ready()
    assert client.hold(TurnWheel("left_front", 0.0), 0.2) == NOTHING
    client.hold(FORWARD, 0.5)
    assert client.hold(TurnWheel("left_front", 0.0), 0.01) == NOTHING


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (TurnWheel("nowhere" * 9, 0.1), "there is no wheel 'nowherenowherenowherenowherenowh'"),
        (TurnWheel("left_front", math.nan), "a duty that is not a number"),
        (TurnServo("left_front", math.inf), "an angle that is not a number"),
        (TurnServo("left_middle", 0.1), "left_middle has no servo"),
        (TurnServo("left_front", 0.1), "left_front while left_front moves: rest in between"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_ends_the_motion(order: Order, reason: str) -> None:
    client = ready()
    client.hold(FORWARD, 0.2)
    assert client.say(order) == reason
    assert client.step() == NOTHING
    assert client.hold(FORWARD, 0.2) == NOTHING


@pytest.mark.parametrize("age_s", [0.31, -0.006, -0.1, math.nan, math.inf, -math.inf])
def test_an_order_out_of_its_time_ends_the_motion(age_s: float) -> None:
    client = ready()
    client.hold(FORWARD, 0.2)
    assert "old" in client.say(FORWARD, age_s=age_s)
    assert duty(client.step()) == 0.0


def test_an_older_order_than_the_newest_is_passed_over() -> None:
    client = ready()
    client.hold(Rest(), 0.2)
    assert client.say(Rest()) == ""
    assert client.say(FORWARD, age_s=0.1) == ""
    assert duty(client.step()) == 0.0


def test_an_order_counts_from_when_it_was_given() -> None:
    client = ready()
    client.hold(FORWARD, 0.2)
    client.now_s += 0.25
    assert client.say(FORWARD, age_s=0.24) == ""
    assert duty(client.hold(None, 0.02)) > 0.0
    assert duty(client.hold(None, 0.1)) == 0.0


def test_who_says_nothing_for_long_is_found_to_have_gone() -> None:
    client = ready()
    client.hold(Rest(), 5.0)
    assert not client.maintenance.silent(client.now_s + LIMITS.silence_s - 0.02)
    assert client.maintenance.silent(client.now_s + LIMITS.silence_s + 0.02)
    assert client.maintenance.silent(math.nan)


def test_its_limits_are_what_they_are_told() -> None:
    # From zero, where these numbers are exact; and all at the same time, as clocks may be coarse.
    client = Client()
    for order_s in (0.0, LIMITS.order_s):
        client.now_s = order_s
        client.maintenance.enter("a test", 0.0)
        for order in (Rest(), FORWARD):
            assert client.say(order, age_s=order_s) == ""
        assert duty(client.maintenance.step(LIMITS.order_s, TICK_S)) > 0.0
    assert not client.maintenance.silent(LIMITS.silence_s)


def test_a_clock_may_be_ahead_by_its_rounding() -> None:
    client = Client()
    client.maintenance.enter("a test", 0.0)
    client.now_s = 0.0
    assert client.say(Rest(), age_s=-0.005) == ""


def test_a_pause_is_as_long_as_it_is_told() -> None:
    client = Client()
    client.maintenance.enter("a test", 0.0)
    client.now_s = 0.0
    for order, now_s in ((FORWARD, 0.0), (LEFT, LIMITS.pause_s)):
        client.now_s = now_s
        client.say(Rest())
        client.say(order)
        assert client.maintenance.step(now_s, TICK_S) != NOTHING


def test_before_anybody_has_come_it_is_nobodys() -> None:
    maintenance = Maintenance(CONFIG)
    assert maintenance.told() == Maintained("")
    assert maintenance.silent(0.0)
    assert maintenance.step(0.0, TICK_S) == NOTHING


def test_it_tells_what_moves() -> None:
    client = ready()
    assert client.maintenance.told() == Maintained("a test")
    client.hold(FORWARD, 0.5)
    assert client.maintenance.told() == Maintained("a test", "left_front", LIMITS.duty, None)
    client.hold(Rest(), 0.5)
    client.hold(LEFT, 1.0)
    assert client.maintenance.told() == Maintained("a test", "left_front", 0.0, 0.3)


def test_who_comes_next_begins_anew() -> None:
    client = ready()
    client.hold(LEFT, 1.0)
    client.maintenance.enter("another", client.now_s)
    assert client.maintenance.told().who == "another"
    assert set(client.hold(LEFT, 0.2).steer_rad) == {None}
    client.hold(Rest(), 0.02)
    assert client.hold(LEFT, 0.02).steer_rad[0] == pytest.approx(0.01, abs=0.01)
