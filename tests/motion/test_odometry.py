"""Odometry against circles in closed form, a finely integrated drive, noise and bad readings."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rover.config import Config
from rover.messages import Arc, Crab, Motion, Pose, Spin, WheelFeedback, WheelReading
from rover.motion.kinematics import Kinematics
from rover.motion.odometry import Odometry
from tests.builders import osr_config
from tests.motion.wheel_tables import Row, agile_rovers, rolling_rovers, rover_of

JPL = osr_config()
TICK_S = 0.01
# JPL's controllers are read in turn: 0x80, 0x81, 0x82.
CONTROLLERS = ((0, 2), (4, 5), (1, 3))
# One encoder count at the wheel: 28 counts a motor turn, gear 26.9.
COUNT_RAD = math.tau / (28 * 26.9)


class Wheels:
    """Wheels that roll as they are told, without slip, and are read when the test says so."""

    def __init__(self, config: Config, shape: Motion | None = None, start_rad: float = 0.0) -> None:
        self.kinematics = Kinematics(config)
        self.count = len(config.wheels)
        self.now_s = 100.0
        self.steer_rad = self.kinematics.targets(shape or Arc(0.0, 0.0)).steer_rad
        self.rolled_rad = [start_rad] * self.count
        self.readings = [WheelReading()] * self.count

    def roll(self, motion: Motion, duration_s: float) -> None:
        targets = self.kinematics.targets(motion)
        self.steer_rad = targets.steer_rad
        for i, speed in enumerate(targets.wheel_rad_s):
            self.rolled_rad[i] += speed * duration_s
        self.now_s += duration_s

    def read(self, *wheels: int, noise_rad: float = 0.0, rng: random.Random | None = None) -> None:
        for i in wheels or range(self.count):
            position = self.rolled_rad[i]
            if rng is not None:
                position = round((position + rng.gauss(0.0, noise_rad)) / COUNT_RAD) * COUNT_RAD
            self.readings[i] = WheelReading(position_rad=position, position_stamp_s=self.now_s)

    def tell(self, odometry: Odometry) -> None:
        odometry.update(self.steer_rad, WheelFeedback(tuple(self.readings)))


def driven(config: Config, motion: Motion, duration_s: float, tick_s: float = TICK_S) -> Odometry:
    """Return the odometry after a steady motion, all wheels read every tick."""
    wheels = Wheels(config, motion, start_rad=7.0)
    odometry = Odometry(wheels.kinematics)
    for _ in range(round(duration_s / tick_s) + 1):
        wheels.read()
        wheels.tell(odometry)
        wheels.roll(motion, tick_s)
    return odometry


def assert_pose(pose: Pose, x_m: float, y_m: float, yaw_rad: float, tolerance: float) -> None:
    assert (pose.x_m, pose.y_m) == pytest.approx((x_m, y_m), abs=tolerance)
    assert math.remainder(pose.yaw_rad - yaw_rad, math.tau) == pytest.approx(0.0, abs=tolerance)


# --- Steady motions in closed form -----------------------------------------------------------


@given(rolling_rovers, st.floats(-1.0, 1.0), st.floats(-1.0, 1.0))
def test_circles_forwards_and_in_reverse_are_exact(config, speed, part):
    kinematics = Kinematics(config)
    curvature = part * kinematics.max_curvature_per_m
    speed *= kinematics.speed_fraction(Arc(speed, curvature))
    pose = driven(config, Arc(speed, curvature), 2.0, tick_s=0.2).pose
    turned = speed * 2.0 * curvature
    if abs(turned) < 1e-9:
        assert_pose(pose, speed * 2.0, 0.0, 0.0, 1e-7)
    else:
        x_m = math.sin(turned) / curvature
        y_m = (1.0 - math.cos(turned)) / curvature
        assert_pose(pose, x_m, y_m, turned, 1e-7)


@given(agile_rovers, st.floats(-1.0, 1.0), st.floats(-math.pi, math.pi))
def test_crabs_go_along_their_heading_without_turning(config, speed, heading):
    speed *= Kinematics(config).speed_fraction(Crab(speed, heading))
    pose = driven(config, Crab(speed, heading), 2.0, tick_s=0.2).pose
    assert_pose(pose, 2 * speed * math.cos(heading), 2 * speed * math.sin(heading), 0.0, 1e-7)


@pytest.mark.parametrize("yaw_rate", [1.5, -1.5])
def test_a_spin_turns_on_the_spot(yaw_rate):
    odometry = driven(JPL, Spin(yaw_rate), 10.0)
    assert_pose(odometry.pose, 0.0, 0.0, yaw_rate * 10.0, 1e-9)
    assert -math.pi < odometry.pose.yaw_rad <= math.pi
    assert odometry.twist.yaw_rate_rad_s == pytest.approx(yaw_rate)


def test_ten_full_circles_close():
    speed = math.tau * 10 / 2.0 / 60.0
    odometry = driven(JPL, Arc(speed, 2.0), 60.0)
    assert_pose(odometry.pose, 0.0, 0.0, 0.0, 1e-9)
    assert odometry.twist.vx_mps == pytest.approx(speed)
    assert odometry.twist.yaw_rate_rad_s == pytest.approx(2.0 * speed)


def test_there_and_back_ends_where_it_began():
    wheels = Wheels(JPL)
    odometry = Odometry(wheels.kinematics)
    out = [Arc(0.5, 1.3), Spin(-1.0), Arc(-0.4, -2.0), Arc(0.6, 0.0)]
    back = [Arc(-0.6, 0.0), Arc(0.4, -2.0), Spin(1.0), Arc(-0.5, 1.3)]
    farthest = 0.0
    for motion in out + back:
        wheels.roll(motion, 0.0)
        # Standing while the corners turn.
        for standing in (True, False):
            for _ in range(100):
                wheels.roll(motion, 0.0 if standing else TICK_S)
                wheels.now_s += TICK_S if standing else 0.0
                wheels.read()
                wheels.tell(odometry)
        farthest = max(farthest, math.hypot(odometry.pose.x_m, odometry.pose.y_m))
    assert farthest > 0.5
    assert_pose(odometry.pose, 0.0, 0.0, 0.0, 1e-9)


# --- A long drive, and noise -----------------------------------------------------------------


class Truth:
    """The pose by fine integration of the body's own speed: small steps along the heading."""

    def __init__(self) -> None:
        self.x_m = self.y_m = self.yaw_rad = self.way_m = 0.0

    def step(self, arc: Arc, duration_s: float) -> None:
        along = arc.speed_mps * duration_s
        turned = along * arc.curvature_per_m
        self.x_m += along * math.cos(self.yaw_rad + turned / 2)
        self.y_m += along * math.sin(self.yaw_rad + turned / 2)
        self.yaw_rad += turned
        self.way_m += abs(along)


def ramped(arc: Arc, towards: Arc, duration_s: float) -> Arc:
    """Return the next moment's arc as the governor would: 3 m/s2, 6 per metre and second."""
    speed_step, bend_step = 3.0 * duration_s, 6.0 * duration_s
    faster = towards.speed_mps - arc.speed_mps
    tighter = towards.curvature_per_m - arc.curvature_per_m
    return Arc(
        arc.speed_mps + max(-speed_step, min(speed_step, faster)),
        arc.curvature_per_m + max(-bend_step, min(bend_step, tighter)),
    )


def wander(
    segments: int, seed: int, counts_of_noise: float | None = None
) -> tuple[Odometry, Truth]:
    """Drive random arcs, both ways, on wheels read in turn, two a tick."""
    rng = random.Random(seed)
    noise = random.Random(seed + 1) if counts_of_noise is not None else None
    wheels, truth, arc = Wheels(JPL), Truth(), Arc(0.0, 0.0)
    odometry = Odometry(wheels.kinematics)
    fine_s = 0.002
    tick = 0

    def drive(towards: Arc, ticks: int) -> None:
        nonlocal arc, tick
        for _ in range(ticks):
            wheels.read(
                *CONTROLLERS[tick % 3], noise_rad=(counts_of_noise or 0.0) * COUNT_RAD, rng=noise
            )
            wheels.tell(odometry)
            tick += 1
            for _ in range(round(TICK_S / fine_s)):
                arc = ramped(arc, towards, fine_s)
                wheels.roll(arc, fine_s)
                truth.step(arc, fine_s)

    drive(Arc(0.0, 0.0), 5)
    for _ in range(segments):
        drive(Arc(rng.uniform(-1.0, 1.0), rng.uniform(-2.0, 2.0)), rng.randint(10, 40))
    # Come to rest and let every wheel be read once more.
    drive(Arc(0.0, arc.curvature_per_m), 50)
    return odometry, truth


def drift_m(odometry: Odometry, truth: Truth) -> float:
    return math.hypot(odometry.pose.x_m - truth.x_m, odometry.pose.y_m - truth.y_m)


def test_a_thousand_random_segments_keep_the_pose_within_a_thousandth_of_the_way():
    odometry, truth = wander(1000, seed=2)
    assert truth.way_m > 80.0
    assert drift_m(odometry, truth) < 0.001 * truth.way_m
    yaw_error = math.remainder(odometry.pose.yaw_rad - truth.yaw_rad, math.tau)
    assert abs(yaw_error) < 0.03
    assert odometry.jumps == 0


@pytest.mark.parametrize("seed", range(3))
def test_noise_of_a_count_on_every_reading_does_not_add_up(seed):
    odometry, truth = wander(150, seed, counts_of_noise=1.0)
    assert truth.way_m > 10.0
    assert drift_m(odometry, truth) < 0.005 * truth.way_m
    yaw_error = math.remainder(odometry.pose.yaw_rad - truth.yaw_rad, math.tau)
    assert abs(yaw_error) < 0.02


def test_noise_does_not_move_a_rover_that_stands():
    wheels, rng = Wheels(JPL), random.Random(5)
    odometry = Odometry(wheels.kinematics)
    for _ in range(6000):
        wheels.read(noise_rad=COUNT_RAD, rng=rng)
        wheels.tell(odometry)
        wheels.roll(Arc(0.0, 1.0), TICK_S)
    # A count is 0.6 mm of rolling.
    assert_pose(odometry.pose, 0.0, 0.0, 0.0, 0.003)


# --- Readings that come late, twice, never, or wrong -----------------------------------------


def test_nothing_read_is_nothing_moved():
    wheels = Wheels(JPL)
    odometry = Odometry(wheels.kinematics)
    wheels.tell(odometry)
    wheels.tell(odometry)
    assert odometry.pose == Pose(0.0, 0.0, 0.0)
    assert odometry.stamp_s == -math.inf


def test_the_first_reading_is_where_the_encoders_happened_to_be():
    wheels = Wheels(JPL, start_rad=-1234.5)
    odometry = Odometry(wheels.kinematics)
    wheels.read()
    wheels.tell(odometry)
    assert odometry.pose == Pose(0.0, 0.0, 0.0)
    assert odometry.stamp_s == 100.0
    assert odometry.jumps == 0


def test_a_reading_told_twice_counts_once():
    wheels = Wheels(JPL)
    odometry = Odometry(wheels.kinematics)
    for _ in range(50):
        wheels.read()
        for _ in range(3):
            wheels.tell(odometry)
        wheels.roll(Arc(0.5, 0.0), TICK_S)
    assert odometry.pose.x_m == pytest.approx(49 * TICK_S * 0.5)


def test_the_same_stamp_with_another_angle_is_no_news():
    wheels = Wheels(JPL)
    odometry = Odometry(wheels.kinematics)
    for _ in range(2):
        wheels.read()
        wheels.tell(odometry)
        wheels.roll(Arc(0.5, 0.0), TICK_S)
    before = odometry.pose
    wheels.readings = [
        WheelReading(position_rad=r.position_rad + 0.1, position_stamp_s=r.position_stamp_s)
        for r in wheels.readings
    ]
    wheels.tell(odometry)
    assert odometry.pose == before


def test_wheels_read_in_turn_lag_by_a_round_but_are_not_bent_by_it():
    # If left wheels counted before right ones, a straight drive would wind to and fro.
    wheels = Wheels(JPL)
    odometry = Odometry(wheels.kinematics)
    for tick in range(300):
        wheels.read(*CONTROLLERS[tick % 3])
        wheels.tell(odometry)
        assert odometry.pose.y_m == pytest.approx(0.0, abs=1e-9)
        assert odometry.pose.yaw_rad == pytest.approx(0.0, abs=1e-9)
        if tick > 10:
            assert wheels.now_s - odometry.stamp_s == pytest.approx(2 * TICK_S)
            assert odometry.twist.vx_mps == pytest.approx(1.0)
        wheels.roll(Arc(1.0, 0.0), TICK_S)
    # At 1 m/s the way is the time; the pose's own stamp leaves no lag in it.
    assert odometry.pose.x_m == pytest.approx(odometry.stamp_s - 100.0, abs=1e-9)


def test_a_wheel_read_rarely_is_waited_for():
    wheels = Wheels(JPL, Arc(0.5, 1.5))
    odometry = Odometry(wheels.kinematics)
    for tick in range(101):
        wheels.read(*range(6 if tick % 10 == 0 else 5))
        wheels.tell(odometry)
        wheels.roll(Arc(0.5, 1.5), TICK_S)
    turned = 0.5 * 1.5 * 1.0
    assert_pose(odometry.pose, math.sin(turned) / 1.5, (1 - math.cos(turned)) / 1.5, turned, 1e-9)


def test_the_others_go_on_without_a_silent_wheel_and_take_it_back():
    wheels = Wheels(JPL, Arc(0.3, 2.0))
    odometry = Odometry(wheels.kinematics)
    for tick in range(301):
        silent = 50 <= tick < 200
        wheels.read(*(range(1, 6) if silent else range(6)))
        wheels.tell(odometry)
        if tick == 199:
            # Left behind a quarter of a second after it fell silent.
            assert odometry.stamp_s == pytest.approx(wheels.now_s)
        wheels.roll(Arc(0.3, 2.0), TICK_S)
    turned = 0.3 * 2.0 * 3.0
    assert_pose(odometry.pose, math.sin(turned) / 2, (1 - math.cos(turned)) / 2, turned, 1e-9)
    assert odometry.jumps == 0


def test_what_a_wheel_rolled_while_it_was_silent_is_not_added_when_it_is_back():
    wheels = Wheels(JPL)
    odometry = Odometry(wheels.kinematics)
    for tick in range(200):
        wheels.read(*(range(1, 6) if 50 <= tick < 140 else range(6)))
        wheels.tell(odometry)
        if tick == 139:
            standing = odometry.pose
        wheels.roll(Arc(0.5 if tick < 100 else 0.0, 0.0), TICK_S)
    assert standing.x_m == pytest.approx(100 * TICK_S * 0.5)
    assert odometry.pose == standing


def test_one_wheel_alone_is_not_believed():
    wheels = Wheels(JPL)
    odometry = Odometry(wheels.kinematics)
    wheels.read(3)
    for _ in range(100):
        wheels.read(3)
        wheels.tell(odometry)
        wheels.roll(Arc(0.5, 0.0), TICK_S)
    assert odometry.pose == Pose(0.0, 0.0, 0.0)
    assert odometry.twist.vx_mps == 0.0


def test_a_short_silence_of_all_is_bridged_and_a_long_one_is_not():
    for silence_s, bridged in ((0.8, True), (1.2, False)):
        wheels = Wheels(JPL)
        odometry = Odometry(wheels.kinematics)
        wheels.read()
        wheels.tell(odometry)
        wheels.roll(Arc(0.5, 0.0), silence_s)
        wheels.read()
        wheels.tell(odometry)
        assert odometry.pose.x_m == pytest.approx(0.5 * silence_s if bridged else 0.0)
        wheels.roll(Arc(0.5, 0.0), TICK_S)
        wheels.read()
        wheels.tell(odometry)
        assert odometry.twist.vx_mps == pytest.approx(0.5)
        assert odometry.jumps == 0


@pytest.mark.parametrize("jump_rad", [50.0, -50.0, 1e9, math.nan, math.inf])
def test_an_encoder_that_was_reset_is_discarded_and_counted(jump_rad):
    wheels = Wheels(JPL, Arc(0.4, 1.0))
    odometry = Odometry(wheels.kinematics)
    for tick in range(101):
        wheels.read()
        if tick == 40:
            wheels.readings[1] = WheelReading(position_rad=jump_rad, position_stamp_s=wheels.now_s)
        if tick == 70:
            wheels.rolled_rad[4] = -25.0
            wheels.read()
        wheels.tell(odometry)
        wheels.roll(Arc(0.4, 1.0), TICK_S)
    # Wheel 1 jumped there and back, wheel 4 once for good.
    assert odometry.jumps == 3
    assert_pose(odometry.pose, math.sin(0.4), 1 - math.cos(0.4), 0.4, 1e-9)


def test_all_encoders_reset_at_once_move_nothing():
    wheels = Wheels(JPL, start_rad=400.0)
    odometry = Odometry(wheels.kinematics)
    for tick in range(101):
        if tick == 50:
            wheels.rolled_rad = [0.0] * 6
        wheels.read()
        wheels.tell(odometry)
        wheels.roll(Arc(0.5, 0.0), TICK_S)
    assert odometry.jumps == 6
    # Only the way of the one tick between the readings is lost.
    assert odometry.pose.x_m == pytest.approx(99 * TICK_S * 0.5)


def test_the_fastest_wheel_downhill_is_no_jump():
    config = rover_of(
        *(Row(0.0, y, None, max_speed_rad_s=10.0) for y in (0.2, -0.2)), max_curvature_per_m=1.0
    )
    odometry = Odometry(Kinematics(config))
    for tick in range(100):
        reading = WheelReading(position_rad=14.0 * tick * 0.1, position_stamp_s=tick * 0.1)
        odometry.update((0.0, 0.0), WheelFeedback((reading, reading)))
    assert odometry.jumps == 0
    assert odometry.twist.vx_mps == pytest.approx(14.0 * 0.075)


def test_reset_makes_the_present_place_the_origin_and_loses_no_reading():
    wheels = Wheels(JPL, Arc(0.4, 2.0))
    odometry = Odometry(wheels.kinematics)
    for tick in range(101):
        wheels.read()
        wheels.tell(odometry)
        if tick == 50:
            odometry.reset()
            assert odometry.pose == Pose(0.0, 0.0, 0.0)
        wheels.roll(Arc(0.4, 2.0), TICK_S)
    turned = 0.4 * 2.0 * 0.5
    assert_pose(odometry.pose, math.sin(turned) / 2, (1 - math.cos(turned)) / 2, turned, 1e-9)


def test_feedback_of_another_rover_is_an_error():
    with pytest.raises(ValueError, match="shorter"):
        Odometry(Kinematics(JPL)).update((0.0,) * 6, WheelFeedback((WheelReading(),)))
