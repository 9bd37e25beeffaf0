import math

import pytest

from rover.config import SteerConfig, SteeringConfig
from rover.sim.servo import SLEW_DEG_S, Servo

STEER = SteerConfig(channel=2, centre_deg=135.0, min_deg=-65.0, max_deg=65.0)
STEERING = SteeringConfig()


def pulse_us(servo_deg: float) -> float:
    return 500.0 + servo_deg / 300.0 * 2000.0


def test_it_turns_at_its_slew_rate_and_stops_at_the_pulse() -> None:
    servo = Servo(STEER, STEERING)
    servo.set_pulse(pulse_us(75.0))
    servo.step(0.1)
    assert servo.steer_rad == pytest.approx(math.radians(SLEW_DEG_S * 0.1))
    assert not servo.settled
    servo.step(0.1)
    assert servo.steer_rad == pytest.approx(math.radians(60.0))
    servo.step(0.1)
    assert servo.steer_rad == pytest.approx(math.radians(60.0))
    assert servo.settled


def test_direction_minus_one_turns_left_as_the_servo_angle_falls() -> None:
    left = Servo(STEER, STEERING)
    left.set_pulse(pulse_us(125.0))
    left.step(1.0)
    assert left.steer_rad > 0.0
    other = SteerConfig(channel=2, centre_deg=135.0, min_deg=-65.0, max_deg=65.0, direction=1)
    right = Servo(other, STEERING)
    right.set_pulse(pulse_us(125.0))
    right.step(1.0)
    assert right.steer_rad == pytest.approx(-left.steer_rad)


def test_without_pulses_it_is_limp_and_stays() -> None:
    servo = Servo(STEER, STEERING)
    servo.set_pulse(pulse_us(75.0))
    servo.step(0.1)
    held_rad = servo.steer_rad
    servo.set_pulse(None)
    servo.step(1.0)
    assert servo.steer_rad == held_rad
    assert not servo.powered
    assert servo.supply_a == 0.0


def test_a_turning_servo_draws_more_than_a_holding_one() -> None:
    servo = Servo(STEER, STEERING)
    servo.set_pulse(pulse_us(75.0))
    turning_a = servo.supply_a
    servo.step(10.0)
    assert turning_a > servo.supply_a > 0.0


@pytest.mark.parametrize(("pulse", "servo_deg"), [(100.0, 0.0), (9000.0, 300.0)])
def test_pulses_beyond_its_range_turn_it_to_the_end_stop(pulse, servo_deg) -> None:
    servo = Servo(STEER, STEERING)
    servo.set_pulse(pulse)
    servo.step(10.0)
    assert servo.steer_rad == pytest.approx(-math.radians(servo_deg - 135.0))


def test_it_can_be_turned_by_hand_within_its_range() -> None:
    servo = Servo(STEER, STEERING)
    servo.place(0.5)
    assert servo.steer_rad == pytest.approx(0.5)
    servo.place(9.0)
    assert servo.steer_rad == pytest.approx(math.radians(135.0))


def test_a_wheel_that_cannot_steer_points_ahead() -> None:
    servo = Servo(None, STEERING)
    servo.set_pulse(1000.0)
    servo.step(1.0)
    servo.place(0.3)
    assert servo.channel is None
    assert servo.steer_rad == 0.0
