"""MAINTENANCE from request to wheel: the loop, its drivers and the simulated devices."""

import math
from itertools import pairwise

import pytest
from msgspec import structs

from rover.messages import (
    Arc,
    ArmState,
    Order,
    RequestKind,
    Rest,
    Source,
    Stop,
    TurnServo,
    TurnWheel,
)
from rover.sim.faults import Silence
from tests.builders import osr_config
from tests.whole.memory_rover import TOKEN, MemoryRover

TICK_S = 0.01
# A wheel at a duty of 0.15 with zero duty put out: measured 0.12 s.
BRAKE_S = 0.15
ORDER_S = 0.3


def turning(wheel: str = "right_rear", duty: float = 1.0, wrong: str = "") -> MemoryRover:
    """Return a rover in maintenance whose wheel has been turning for a second."""
    rover = MemoryRover(wrong=wrong).maintained()
    rover.order = TurnWheel(wheel, duty)
    rover.run(1.0)
    return rover


def speeds(rover: MemoryRover) -> dict[str, float]:
    truth = rover.truth().wheels
    return {name: wheel.speed_rad_s for name, wheel in zip(rover.config.wheels, truth, strict=True)}


@pytest.mark.parametrize("wheel", list(osr_config().wheels))
@pytest.mark.parametrize("way", [1.0, -1.0])
def test_one_wheel_turns_slowly_the_way_it_is_told_and_no_other(wheel: str, way: float) -> None:
    found = speeds(turning(wheel, way))
    assert 1.0 < way * found.pop(wheel) < 4.0
    assert set(found.values()) == {0.0}


def test_a_wheel_whose_encoder_is_reversed_does_not_run_away() -> None:
    rover = turning("left_front", wrong="reversed-encoder")
    rover.run(2.0)
    assert rover.state is ArmState.MAINTENANCE
    assert 1.0 < speeds(rover)["left_front"] < 4.0
    reading = rover.telemetry.wheels[0].speed_rad_s
    assert reading is not None
    assert reading < -1.0


@pytest.mark.parametrize("wheel", ["left_front", "right_rear"])
def test_one_servo_is_led_slowly_and_the_others_stay_limp(wheel: str) -> None:
    rover = MemoryRover().maintained()
    rover.order = TurnServo(wheel, 0.5)
    seen = []
    for _ in range(150):
        rover.tick()
        assert sum(other.steer_powered for other in rover.truth().wheels) <= 1
        index = list(rover.config.wheels).index(wheel)
        seen.append(rover.truth().wheels[index].steer_rad)
    steps = [abs(b - a) for a, b in pairwise(seen)]
    # One count of the board's 4096 is 0.73 degrees.
    assert max(steps) <= math.radians(0.74)
    assert seen[-1] == pytest.approx(0.5, abs=0.01)
    rover.order = Rest()
    rover.run(0.1)
    assert not any(other.steer_powered for other in rover.truth().wheels)


def test_a_client_that_falls_silent_stops_within_its_deadline_and_the_state_soon() -> None:
    rover = turning()
    rover.order = None
    rover.run(ORDER_S - 0.05)
    assert not rover.stands()
    assert rover.time_to_stand_s(1.0) <= 0.05 + TICK_S + BRAKE_S
    rover.run(2.0)
    assert rover.state is ArmState.DISARMED
    assert "has gone" in rover.loop.arming.reason


@pytest.mark.parametrize("how", ["stop", "disarm", "a stop of the page", "a controller is lost"])
def test_whatever_ends_it_stops_the_wheel_at_once(how: str) -> None:
    rover = turning()
    if how == "a controller is lost":
        rover.simulated.inject(Silence(0x81, True))
        within_s = rover.config.deadlines.controller_s
    elif how == "a stop of the page":
        rover.say(Stop("a test"))
        rover.tick()
        rover.hush()
        within_s = 0.0
    else:
        rover.ask(RequestKind(how))
        within_s = 0.0
    # A controller that hears nothing stops by its own timeout.
    assert rover.time_to_stand_s(1.0) <= within_s + 0.3 * bool(within_s) + 2 * TICK_S + BRAKE_S
    rover.run(0.5)
    assert rover.stands()
    assert rover.state is {
        "stop": ArmState.ESTOP,
        "a controller is lost": ArmState.FAULT,
    }.get(how, ArmState.DISARMED)


@pytest.mark.parametrize("order", [TurnWheel("left_front", 1.0), TurnServo("left_front", 1.0)])
@pytest.mark.parametrize("slow_s", [0.02, 0.09])
def test_a_tick_that_hears_slowly_does_not_end_it(order: Order, slow_s: float) -> None:
    rover = MemoryRover().maintained()
    rover.order = order
    rover.run(0.05)
    rover.hears_slowly(slow_s)
    rover.run(0.5)
    assert rover.state is ArmState.MAINTENANCE, rover.loop.arming.reason


def test_driving_is_not_listened_to_and_does_not_go_on_afterwards() -> None:
    rover = turning()
    for motion in (Arc(0.0, 0.0), Arc(1.0, 0.0)):
        rover.say(motion, Source.WEB)
        rover.run(0.3)
    found = speeds(rover)
    assert found.pop("right_rear") > 1.0
    assert set(found.values()) == {0.0}
    rover.ask(RequestKind.DISARM)
    rover.run(1.0)
    assert rover.stands()


def test_nobody_arms_meanwhile() -> None:
    rover = turning()
    answer = rover.ask(RequestKind.ARM)
    assert answer.refusals == ("a test is calibrating the rover: end that first",)
    assert rover.state is ArmState.MAINTENANCE


def test_orders_of_others_do_not_count() -> None:
    rover = MemoryRover().maintained()
    answer = rover.ask(RequestKind.DISARM)
    assert answer.accepted
    rover.order = TurnWheel("left_front", 0.15)
    rover.run(1.0)
    assert rover.stands()


def test_a_rover_that_is_not_calibrated_yet_may_be_calibrated() -> None:
    config = osr_config()
    raw = structs.replace(config, steering=structs.replace(config.steering, calibrated=False))
    rover = MemoryRover(raw).maintained()
    assert not rover.ask(RequestKind.ARM).accepted
    rover.order = TurnServo("left_front", 0.1)
    rover.run(1.0)
    assert rover.state is ArmState.MAINTENANCE


def test_telemetry_shows_it() -> None:
    rover = turning()
    rover.run(0.1)
    shown = rover.telemetry
    assert shown.state is ArmState.MAINTENANCE
    assert shown.maintenance is not None
    assert (shown.maintenance.who, shown.maintenance.wheel) == ("a test", "right_rear")
    assert shown.maintenance.duty == pytest.approx(0.15)
    assert any("calibrating" in refusal for refusal in shown.refusals)
    rover.ask(RequestKind.DISARM)
    rover.run(0.1)
    assert rover.telemetry.maintenance is None


def test_an_order_that_cannot_be_meant_is_told_in_an_event() -> None:
    rover = turning()
    rover.order = TurnWheel("right_rear", math.nan)
    rover.run(0.1)
    assert any(
        event.text == "a test: a duty that is not a number" for event in rover.telemetry.events
    )
    assert rover.time_to_stand_s(1.0) <= BRAKE_S


def test_the_token_is_told_to_nobody() -> None:
    rover = turning()
    rover.run(0.1)
    assert TOKEN not in repr(rover.telemetry)
