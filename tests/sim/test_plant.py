"""The whole plant: true paths against closed forms, the battery's books, laziness."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from rover.config import MotorConfig, SteerConfig, WheelConfig
from rover.messages import Pose
from rover.sim.plant import Plant
from rover.units import qpps_from_rad_s, wrap_rad
from tests.builders import osr_config
from tests.sim.rig import Rig

TICKS = 28 * 26.9


def qpps_for(speed_mps: float, radius_m: float = 0.075) -> int:
    return round(qpps_from_rad_s(speed_mps / radius_m, TICKS))


def turn_by_hand(rig: Rig, centre_y_m: float) -> dict[str, float]:
    """Point all wheels around a turning centre; return their distances from it."""
    plant = rig.rover.devices.plant
    distances = {}
    for servo, (name, wheel) in zip(plant.servos, rig.config.wheels.items(), strict=True):
        across_m = centre_y_m - wheel.y_m
        servo.place(math.atan(wheel.x_m / across_m))
        distances[name] = math.hypot(wheel.x_m, across_m) * math.copysign(1.0, across_m)
    return distances


def test_straight_ahead() -> None:
    rig = Rig()
    rig.drive(qpps_for(0.8))
    rig.wait(10.0)
    truth = rig.truth
    travelled = 0.075 * truth.wheels[0].angle_rad
    assert travelled == pytest.approx(8.0, rel=0.02)
    assert truth.pose.x_m == pytest.approx(travelled, rel=1e-3)
    # The controllers start a millisecond apart, which turns the body a little.
    assert abs(truth.pose.yaw_rad) < 2e-3
    assert abs(truth.pose.y_m) < 8.0 * 2e-3


def test_around_a_circle_and_back_to_the_start() -> None:
    radius_m, speed_mps = 1.0, 0.6
    rig = Rig()
    distances = turn_by_hand(rig, radius_m)
    rig.drive(
        {name: qpps_for(speed_mps * distance / radius_m) for name, distance in distances.items()}
    )
    # Starting off, all motors pull alike whatever their wheels' shares: let that pass.
    rig.wait(3.0)
    start = rig.truth.pose
    centre_m = turning_centre(start, radius_m)
    turned_rad, last_rad, farthest_m = 0.0, start.yaw_rad, 0.0
    while turned_rad < math.tau - 0.01:
        rig.wait(0.01)
        pose = rig.truth.pose
        assert turning_centre(pose, radius_m) == pytest.approx(centre_m, abs=0.002)
        turned_rad += wrap_rad(pose.yaw_rad - last_rad)
        last_rad = pose.yaw_rad
        farthest_m = max(farthest_m, math.hypot(pose.x_m - start.x_m, pose.y_m - start.y_m))
    assert farthest_m == pytest.approx(2 * radius_m, abs=0.002)
    assert math.hypot(pose.x_m - start.x_m, pose.y_m - start.y_m) < 0.02


def turning_centre(pose: Pose, radius_m: float) -> tuple[float, float]:
    return (
        pose.x_m - radius_m * math.sin(pose.yaw_rad),
        pose.y_m + radius_m * math.cos(pose.yaw_rad),
    )


def test_spinning_on_the_spot() -> None:
    rig = Rig()
    plant = rig.rover.devices.plant
    rates = {}
    for servo, (name, wheel) in zip(plant.servos, rig.config.wheels.items(), strict=True):
        # Wheels at right angles to their arm; the left side then rolls backwards.
        side = math.copysign(1.0, wheel.y_m)
        servo.place(math.atan2(-wheel.x_m, abs(wheel.y_m)) * side)
        rates[name] = -side * math.hypot(wheel.x_m, wheel.y_m)
    rig.drive({name: qpps_for(rate * 1.0) for name, rate in rates.items()})
    rig.wait(5.0)
    truth = rig.truth
    assert truth.twist.yaw_rate_rad_s == pytest.approx(1.0, rel=0.01)
    assert math.hypot(truth.pose.x_m, truth.pose.y_m) < 0.01


def test_the_battery_pays_for_what_is_drawn() -> None:
    rig = Rig()
    before = rig.truth
    start_s = rig.clock.now_s()
    rig.drive(2000)
    drawn_as = 0.0
    while rig.clock.now_s() < start_s + 60.0:
        rig.wait(0.5)
        drawn_as += 0.5 * rig.truth.battery_a
    after = rig.truth
    assert drawn_as > 60.0
    assert before.battery_charge - after.battery_charge == pytest.approx(
        drawn_as / (5.2 * 3600), rel=0.03
    )
    assert after.battery_v < before.battery_v


def test_it_sags_while_accelerating_and_gets_some_back_braking() -> None:
    rig = Rig()
    idle_v = rig.truth.battery_v
    rig.drive(2500)
    rig.wait(0.02)
    # Six motors near stall: tens of amperes.
    assert rig.truth.battery_a > 30.0
    assert rig.truth.battery_v < idle_v - 1.0
    rig.wait(2.0)
    cruising_a = rig.truth.battery_a
    # A gentle slowing down is regenerative.
    for address in (0x80, 0x81, 0x82):
        sign = -1 if address == 0x82 else 1
        first = -1 if address == 0x81 else sign
        rig.write(40, "Iii", 4000, first * 500, sign * 500, address=address)
    rig.wait(0.1)
    assert rig.truth.battery_a < 0.5 * cruising_a


def test_asking_often_changes_nothing() -> None:
    seldom, often = Rig(), Rig()
    for rig in (seldom, often):
        turn_by_hand(rig, 0.9)
        for qpps in (1500, -700, 0, 2500):
            rig.drive(qpps)
            until_s = rig.clock.now_s() + 0.7
            while rig is often and rig.clock.now_s() < until_s - 0.003:
                rig.wait(0.0007)
                rig.read(78, "II")
            rig.wait(until_s - rig.clock.now_s())
    first, second = seldom.truth, often.truth
    assert first.time_s == pytest.approx(second.time_s)
    for one, other in zip(first.wheels, second.wheels, strict=True):
        assert one.angle_rad == pytest.approx(other.angle_rad, abs=0.05)
        assert one.speed_rad_s == pytest.approx(other.speed_rad_s, abs=0.05)
    assert first.pose.x_m == pytest.approx(second.pose.x_m, abs=0.005)
    assert first.pose.y_m == pytest.approx(second.pose.y_m, abs=0.005)


def test_an_encoder_read_between_steps_is_within_a_count_of_the_truth() -> None:
    rig = Rig()
    rig.drive(2500)
    for _ in range(300):
        rig.wait(0.0011)
        count = rig.read(78, "II")[0]
        # The truth brings the plant to the moment of the reply, 12 bytes of wire later.
        wheel = rig.wheel("left_front")
        then_rad = wheel.angle_rad - wheel.speed_rad_s * 10 * 10 / 115200
        assert count == pytest.approx(then_rad / math.tau * TICKS, abs=1.0)


def test_at_rest_a_day_passes_in_one_step_and_still_drains_the_battery() -> None:
    plant = Plant(osr_config(), 0.0)
    plant.advance_to(0.1)
    assert plant.resting
    plant.advance_to(3600.0)
    assert plant.time_s == 3600.0
    assert plant.battery.drawn_as == pytest.approx(0.9 * 3600, rel=1e-3)


@given(
    st.lists(
        st.builds(
            WheelConfig,
            x_m=st.floats(-1, 1),
            y_m=st.floats(-1, 1),
            radius_m=st.floats(0.02, 0.3),
            max_speed_rad_s=st.floats(1.0, 50.0),
            motor=st.builds(
                MotorConfig,
                address=st.integers(0x80, 0x87),
                channel=st.integers(1, 2),
                inverted=st.booleans(),
            ),
            steer=st.none()
            | st.builds(
                SteerConfig,
                channel=st.integers(0, 15),
                centre_deg=st.floats(0, 300),
                min_deg=st.floats(-90, 0),
                max_deg=st.floats(0, 90),
                direction=st.sampled_from((-1, 1)),
            ),
        ),
        min_size=1,
        max_size=8,
        unique_by=lambda wheel: (wheel.motor.address, wheel.motor.channel),
    )
)
def test_any_wheel_table_drives(wheels) -> None:
    config = structs.replace(
        osr_config(), wheels={f"wheel {index}": wheel for index, wheel in enumerate(wheels)}
    )
    rig = Rig(config)
    for address in {wheel.motor.address for wheel in wheels}:
        assert rig.write(34, "hh", 20000, 20000, address=address) == b"\xff"
    rig.wait(1.0)
    for truth, wheel in zip(rig.truth.wheels, wheels, strict=True):
        forward = -truth.speed_rad_s if wheel.motor.inverted else truth.speed_rad_s
        assert 0.5 * wheel.max_speed_rad_s < forward < 0.9 * wheel.max_speed_rad_s
    pose = rig.truth.pose
    assert all(math.isfinite(value) for value in (pose.x_m, pose.y_m, pose.yaw_rad))
