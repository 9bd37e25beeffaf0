"""The whole rover drives: what the simulated wheels truly do, and what odometry makes of it."""

import math

import pytest

from rover.messages import Arc, ArmState, Limit, Motion, Pose, RequestKind, Source, Spin
from rover.sim.faults import Silence
from tests.whole.memory_rover import MemoryRover


def moved(before: Pose, after: Pose) -> tuple[float, float, float]:
    return after.x_m - before.x_m, after.y_m - before.y_m, after.yaw_rad - before.yaw_rad


@pytest.mark.parametrize("speed_mps", [0.5, -0.5])
def test_straight_ahead_and_back(speed_mps: float) -> None:
    rover = MemoryRover().armed()
    before = rover.truth().pose
    rover.say(Arc(speed_mps, 0.0))
    rover.run(4.0)
    dx, dy, turned = moved(before, rover.truth().pose)
    # 4 s at 0.5 m/s, less what speeding up takes: half of 0.5 m/s / 1.5 m/s2, and some lag.
    assert abs(dx) == pytest.approx(2.0 - 0.5 * 0.5**2 / 1.5, abs=0.08)
    assert math.copysign(1.0, dx) == math.copysign(1.0, speed_mps)
    assert dy == pytest.approx(0.0, abs=0.01)
    assert turned == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("speed_mps", [0.6, -0.6])
@pytest.mark.parametrize("curvature_per_m", [0.8, -0.8, 2.0])
def test_an_arc_turns_about_its_centre(speed_mps: float, curvature_per_m: float) -> None:
    rover = MemoryRover().driving(Arc(speed_mps, curvature_per_m), 3.0)
    twist = rover.truth().twist
    assert twist.vx_mps == pytest.approx(speed_mps, rel=0.02)
    assert twist.yaw_rate_rad_s == pytest.approx(speed_mps * curvature_per_m, rel=0.03)
    assert twist.vy_mps == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("rate_rad_s", [1.0, -1.0])
def test_a_spin_stays_in_place_and_left_is_positive(rate_rad_s: float) -> None:
    rover = MemoryRover().armed()
    before = rover.truth().pose
    rover.say(Spin(rate_rad_s))
    rover.run(4.0)
    twist = rover.truth().twist
    assert twist.yaw_rate_rad_s == pytest.approx(rate_rad_s, rel=0.03)
    dx, dy, _ = moved(before, rover.truth().pose)
    assert math.hypot(dx, dy) < 0.03


def test_no_wheel_moves_before_the_rover_is_armed() -> None:
    rover = MemoryRover()
    rover.say(Arc(0.0, 0.0))
    rover.run(0.5)
    rover.say(Arc(1.0, 0.0))
    rover.run(1.0)
    assert rover.state is ArmState.DISARMED
    assert rover.telemetry.limited_by == (Limit.NOT_ARMED,)
    assert all(wheel.angle_rad == 0.0 for wheel in rover.truth().wheels)
    answer = rover.ask(RequestKind.ARM)
    assert answer.refusals == ("web: let go of the sticks first",)


def test_from_arc_to_spin_the_corners_turn_before_the_wheels_drive() -> None:
    rover = MemoryRover().driving(Arc(0.8, 0.0))
    rover.say(Spin(1.0))
    seen_waiting = False
    for _ in range(200):
        rover.tick()
        truth = rover.truth()
        spinning = math.atan(0.274 / 0.177)
        astray = abs(abs(truth.wheels[0].steer_rad) - spinning)
        if rover.telemetry.governed == Spin(0.0):
            seen_waiting = True
        if math.radians(10.0) < astray < math.radians(50.0):
            assert rover.stands() or abs(truth.wheels[2].speed_rad_s) < 1.0
    assert seen_waiting
    assert rover.truth().twist.yaw_rate_rad_s == pytest.approx(1.0, rel=0.03)


def test_the_fastest_wheel_is_never_asked_for_more_than_it_has() -> None:
    rover = MemoryRover().armed()
    limits = [wheel.max_speed_rad_s for wheel in rover.config.wheels.values()]
    for motion in (Arc(1.5, 2.0), Arc(-1.5, 2.2), Spin(-1.5), Arc(1.5, -2.2)):
        rover.say(motion)
        for _ in range(150):
            rover.tick()
            for wheel, limit in zip(rover.truth().wheels, limits, strict=True):
                assert abs(wheel.speed_rad_s) <= limit * 1.08


ROUTE: list[tuple[Motion, float]] = [
    (Arc(0.8, 0.0), 4.0),
    (Arc(0.6, 1.2), 4.0),
    (Spin(-1.0), 3.0),
    (Arc(-0.7, -0.9), 5.0),
    (Spin(0.8), 2.0),
    (Arc(1.2, 0.3), 4.0),
    (Arc(0.0, 0.0), 2.0),
]


def test_odometry_follows_the_true_pose_through_arcs_spins_and_reverse() -> None:
    rover = MemoryRover().armed()
    start = rover.truth().pose
    length_m = 0.0
    last = start
    for motion, duration_s in ROUTE:
        rover.say(motion)
        for _ in range(round(duration_s * rover.config.loop.rate_hz)):
            rover.tick()
            now = rover.truth().pose
            length_m += math.hypot(now.x_m - last.x_m, now.y_m - last.y_m)
            last = now
    rover.run(0.2)
    true, believed = rover.truth().pose, rover.telemetry.pose
    off_m = math.hypot(true.x_m - believed.x_m, true.y_m - believed.y_m)
    off_rad = abs(math.remainder(true.yaw_rad - believed.yaw_rad, math.tau))
    assert length_m > 12.0
    assert off_m < 0.02 * length_m
    assert off_rad < math.radians(4.0)


def test_minutes_of_driving_never_fault_and_always_end_in_a_stop() -> None:
    rover = MemoryRover().armed()
    motions: list[Motion] = [
        Arc(1.0, 0.0), Spin(1.2), Arc(-0.8, 1.5), Arc(0.4, -2.2), Spin(-0.7), Arc(1.5, 0.4),
    ]  # fmt: skip
    for n in range(30):
        rover.say(motions[n % len(motions)])
        rover.run(3.0)
        assert rover.state is ArmState.ARMED, rover.loop.arming.reason
        assert not rover.stands()
        rover.say(Arc(0.0, 0.0))
        rover.time_to_stand_s(1.5)
    assert rover.telemetry.missed_ticks <= 1


def test_telemetry_tells_what_is_asked_allowed_and_measured() -> None:
    rover = MemoryRover().driving(Arc(9.0, 0.5))
    telemetry = rover.telemetry
    assert telemetry.state is ArmState.ARMED
    assert telemetry.source is Source.WEB
    assert telemetry.asked == Arc(9.0, 0.5)
    assert isinstance(telemetry.governed, Arc)
    assert telemetry.governed.speed_mps <= rover.config.motion.turbo_speed_mps
    assert Limit.SPEED in telemetry.limited_by
    for view, truth in zip(telemetry.wheels, rover.truth().wheels, strict=True):
        assert view.name == truth.name
        assert view.speed_rad_s == pytest.approx(truth.speed_rad_s, rel=0.03)
        assert view.asked_rad_s == pytest.approx(truth.speed_rad_s, rel=0.03)
        assert view.steer_rad == pytest.approx(truth.steer_rad, abs=0.03)
    assert telemetry.power is not None
    assert telemetry.power.voltage_v == pytest.approx(rover.truth().battery_v, abs=0.1)


def test_telemetry_tells_how_far_each_wheel_has_turned() -> None:
    rover = MemoryRover().driving(Arc(0.5, 0.5))
    before = rover.telemetry
    rover.run(2.0)
    for view, earlier in zip(rover.telemetry.wheels, before.wheels, strict=True):
        assert view.position_rad is not None
        assert earlier.position_rad is not None
        elapsed_s = rover.telemetry.stamp_s - before.stamp_s
        turned_rad = view.position_rad - earlier.position_rad
        assert turned_rad == pytest.approx(view.asked_rad_s * elapsed_s, rel=0.03)


def test_a_wheel_that_was_never_read_has_no_angle() -> None:
    rover = MemoryRover()
    address = rover.config.wheels["left_front"].motor.address
    rover.simulated.inject(Silence(address))
    rover.run(1.0)
    for view in rover.telemetry.wheels:
        silent = rover.config.wheels[view.name].motor.address == address
        assert view.position_rad == (None if silent else 0.0)
