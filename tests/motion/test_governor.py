"""The governor: limits, ramps, stops, and corners that turn before wheels drive."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from rover.config import Config
from rover.messages import Arc, Crab, GovernedMotion, Limit, Motion, Selected, Source, Spin, Stop
from rover.motion.corners import Corners
from rover.motion.governor import Governor
from rover.motion.kinematics import Kinematics
from tests.builders import osr_config

CONFIG = osr_config()
LIMITS = CONFIG.motion
TICK_S = 0.01
REACH_M = max(math.hypot(wheel.x_m, wheel.y_m) for wheel in CONFIG.wheels.values())


class Drive:
    """A governor with its corners, ticked as the loop does."""

    def __init__(self, config: Config = CONFIG) -> None:
        self.kinematics = Kinematics(config)
        self.corners = Corners(config)
        self.governor = Governor(config, self.kinematics, self.corners)
        self.last = GovernedMotion(Stop("not yet"), ())

    def tick(
        self, motion: Motion, count: int = 1, *, armed: bool = True, slow: bool = False
    ) -> GovernedMotion:
        for _ in range(count):
            selected = Selected(motion, Source.WEB, 0.0)
            self.last = self.governor.step(selected, armed=armed, elapsed_s=TICK_S, slow=slow)
            if armed:
                targets = self.kinematics.targets(self.last.motion)
                self.corners.advance(targets.steer_rad, TICK_S)
        return self.last

    def ready(self) -> "Drive":
        """Wait until the corners are known to be where they should be."""
        self.tick(Arc(0.0, 0.0), 200)
        return self


@pytest.fixture
def drive() -> Drive:
    return Drive().ready()


def speed_of(motion: Motion) -> float:
    match motion:
        case Arc(speed, _) | Crab(speed, _):
            return speed
        case Spin(rate):
            return rate * REACH_M
        case Stop():
            return 0.0


def test_not_armed_is_stop_and_forgets(drive: Drive) -> None:
    drive.tick(Arc(1.0, 0.0), 100)
    governed = drive.tick(Arc(1.0, 0.0), armed=False)
    assert isinstance(governed.motion, Stop)
    assert governed.limited_by == (Limit.NOT_ARMED,)
    assert speed_of(drive.tick(Arc(1.0, 0.0)).motion) <= LIMITS.accel_mps2 * TICK_S + 1e-9


def test_the_rover_starts_straight_and_so_it_does_again_after_disarming(drive: Drive) -> None:
    assert Drive().tick(Stop("test")).motion == Arc(0.0, 0.0)
    drive.tick(Arc(0.5, 1.0), 300)
    drive.tick(Arc(0.5, 1.0), armed=False)
    assert drive.tick(Stop("test")).motion == Arc(0.0, 0.0)


def test_a_motion_that_is_nobodys_is_a_stop(drive: Drive) -> None:
    drive.tick(Arc(0.5, 0.0), 200)
    nobodys = Selected(Arc(0.5, 0.0), None, 0.0)
    governed = drive.governor.step(nobodys, armed=True, elapsed_s=TICK_S)
    assert speed_of(governed.motion) == pytest.approx(0.5 - LIMITS.stop_decel_mps2 * TICK_S)


@pytest.mark.parametrize(
    ("source", "deadline_s"),
    [(Source.GAMEPAD, CONFIG.deadlines.gamepad_s), (Source.WEB, CONFIG.deadlines.web_s)],
)
def test_a_command_counts_until_its_very_deadline(
    drive: Drive, source: Source, deadline_s: float
) -> None:
    drive.tick(Arc(0.5, 0.0), 200)
    for age_s, speed_mps in (
        (deadline_s, 0.5),
        (math.nextafter(deadline_s, 1.0), 0.5 - LIMITS.stop_decel_mps2 * TICK_S),
    ):
        selected = Selected(Arc(0.5, 0.0), source, age_s)
        governed = drive.governor.step(selected, armed=True, elapsed_s=TICK_S)
        assert speed_of(governed.motion) == pytest.approx(speed_mps)


def test_speed_rises_at_the_acceleration_and_reaches_what_was_asked(drive: Drive) -> None:
    for n in range(1, 11):
        governed = drive.tick(Arc(0.5, 0.0))
        assert speed_of(governed.motion) == pytest.approx(n * LIMITS.accel_mps2 * TICK_S)
        assert Limit.ACCELERATION in governed.limited_by
    assert drive.tick(Arc(0.5, 0.0), 100) == GovernedMotion(Arc(0.5, 0.0), ())


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_forward_and_reverse_have_the_same_limit(drive: Drive, sign: float) -> None:
    governed = drive.tick(Arc(sign * 99.0, 0.0), 300)
    assert speed_of(governed.motion) == pytest.approx(sign * LIMITS.turbo_speed_mps)
    assert governed.limited_by == (Limit.SPEED,)


@pytest.mark.parametrize("speed", [1.0, -1.0])
def test_a_turn_that_asks_too_much_of_a_wheel_keeps_its_curvature(
    drive: Drive, speed: float
) -> None:
    tight = Arc(speed * LIMITS.turbo_speed_mps, 2.0)
    governed = drive.tick(tight, 600)
    assert isinstance(governed.motion, Arc)
    assert governed.motion.curvature_per_m == pytest.approx(2.0)
    assert Limit.WHEEL_SPEED in governed.limited_by
    targets = drive.kinematics.targets(governed.motion)
    fastest = max(
        abs(asked) / wheel.max_speed_rad_s
        for asked, wheel in zip(targets.wheel_rad_s, CONFIG.wheels.values(), strict=True)
    )
    # The ramp adds a little at each tick, and the whole is scaled back to the limit.
    assert fastest == pytest.approx(1.0, abs=0.02)


def test_curvature_is_bounded_and_changes_no_faster_than_the_corners(drive: Drive) -> None:
    drive.tick(Arc(0.3, 0.0), 100)
    last = 0.0
    for _ in range(100):
        governed = drive.tick(Arc(0.3, 99.0))
        assert isinstance(governed.motion, Arc)
        curvature = governed.motion.curvature_per_m
        assert curvature - last <= LIMITS.curvature_rate_per_m_s * TICK_S + 1e-9
        assert Limit.CURVATURE in governed.limited_by
        last = curvature
    assert last == pytest.approx(drive.kinematics.max_curvature_per_m)


def test_a_stop_is_quick_and_stays_on_its_circle(drive: Drive) -> None:
    drive.tick(Arc(1.0, 0.8), 300)
    ticks = 0
    while speed_of(drive.tick(Stop("now")).motion) > 0.0:
        ticks += 1
        assert isinstance(drive.last.motion, Arc)
        assert drive.last.motion.curvature_per_m == pytest.approx(0.8)
    assert ticks * TICK_S <= 1.0 / LIMITS.stop_decel_mps2 + TICK_S
    assert isinstance(drive.last.motion, Arc)
    assert drive.last.motion.curvature_per_m == pytest.approx(0.8)


def test_turning_round_goes_through_standstill(drive: Drive) -> None:
    drive.tick(Arc(0.5, 0.0), 200)
    last = 0.5
    seen_zero = False
    for _ in range(200):
        speed = speed_of(drive.tick(Arc(-0.5, 0.0)).motion)
        assert last - speed <= LIMITS.decel_mps2 * TICK_S + 1e-9
        assert not (last > 0.0 > speed)
        seen_zero = seen_zero or speed == 0.0
        last = speed
    assert seen_zero
    assert last == pytest.approx(-0.5)


def test_from_arc_to_spin_the_wheels_stop_the_corners_turn_and_then_they_drive(
    drive: Drive,
) -> None:
    drive.tick(Arc(0.6, 0.0), 200)
    kinds = []
    assert Limit.CORNERS in drive.tick(Spin(1.0)).limited_by
    moved_askew = False
    for _ in range(400):
        governed = drive.tick(Spin(1.0))
        kinds.append(type(governed.motion))
        if isinstance(governed.motion, Spin) and speed_of(governed.motion) != 0.0:
            wanted = drive.kinematics.targets(governed.motion).steer_rad
            astray = max(abs(a - b) for a, b in zip(drive.corners.angles_rad, wanted, strict=True))
            moved_askew = moved_askew or astray > math.radians(25.0)
        if isinstance(governed.motion, Arc) and kinds.count(Spin):
            raise AssertionError("went back to the arc")
    assert not moved_askew
    assert drive.last == GovernedMotion(Spin(1.0), ())
    # The arc is left at rest: its last speed is zero.
    first_spin = kinds.index(Spin)
    assert first_spin * TICK_S >= 0.6 / LIMITS.decel_mps2 - TICK_S


def test_wheels_wait_after_arming_until_the_corners_are_known() -> None:
    drive = Drive()
    governed = drive.tick(Arc(1.0, 0.0))
    assert speed_of(governed.motion) == 0.0
    assert set(governed.limited_by) == {Limit.CORNERS}
    drive.tick(Arc(1.0, 0.0), 200)
    assert speed_of(drive.last.motion) == pytest.approx(1.0)


def test_the_spin_has_its_own_limit(drive: Drive) -> None:
    governed = drive.tick(Spin(-99.0), 500)
    assert governed.motion == Spin(pytest.approx(-LIMITS.max_yaw_rate_rad_s))
    assert Limit.SPEED in governed.limited_by


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("motion", [Arc(1.0, 0.5), Spin(1.5), Arc(9.0, 0.0)])
def test_a_rover_in_trouble_slows_down_by_its_ramp(
    drive: Drive, motion: Arc | Spin, sign: float
) -> None:
    asked: Motion = (
        Arc(sign * motion.speed_mps, motion.curvature_per_m)
        if isinstance(motion, Arc)
        else Spin(sign * motion.yaw_rate_rad_s)
    )
    drive.tick(asked, 400)
    before = abs(speed_of(drive.last.motion))
    assert before > LIMITS.slow_speed_mps + 0.1
    once = abs(speed_of(drive.tick(asked, slow=True).motion))
    assert once == pytest.approx(before - LIMITS.decel_mps2 * TICK_S)
    governed = drive.tick(asked, 100, slow=True)
    assert speed_of(governed.motion) == pytest.approx(sign * LIMITS.slow_speed_mps)
    assert Limit.TROUBLE in governed.limited_by


def test_a_rover_in_trouble_may_go_as_slowly_as_it_likes(drive: Drive) -> None:
    for speed_mps in (0.2, LIMITS.slow_speed_mps):
        governed = drive.tick(Arc(speed_mps, 0.0), 100, slow=True)
        assert governed == GovernedMotion(Arc(speed_mps, 0.0), ())


def test_trouble_that_flickers_does_not_make_the_speed_go_to_and_fro(drive: Drive) -> None:
    drive.tick(Arc(1.0, 0.0), 200)
    drive.tick(Arc(1.0, 0.0), 100, slow=True)
    for _ in range(5):
        drive.tick(Arc(1.0, 0.0), 190)
        assert speed_of(drive.tick(Arc(1.0, 0.0), slow=True).motion) == LIMITS.slow_speed_mps
    drive.tick(Arc(1.0, 0.0), 300)
    assert drive.last == GovernedMotion(Arc(1.0, 0.0), ())


def test_a_stop_is_no_slower_for_a_rover_in_trouble(drive: Drive) -> None:
    drive.tick(Arc(1.0, 0.0), 200)
    governed = drive.tick(Stop("test"), slow=True)
    assert speed_of(governed.motion) == pytest.approx(1.0 - LIMITS.stop_decel_mps2 * TICK_S)


def test_what_the_rover_cannot_do_is_not_done_halfway(drive: Drive) -> None:
    drive.tick(Arc(0.5, 0.2), 200)
    governed = drive.tick(Crab(0.5, 1.0), 200)
    assert Limit.CANNOT in governed.limited_by
    assert speed_of(governed.motion) == 0.0


def test_a_command_past_its_deadline_is_a_stop_whoever_let_it_through(drive: Drive) -> None:
    drive.tick(Arc(0.5, 0.0), 200)
    for age_s in (0.31, math.inf, math.nan):
        late = Selected(Arc(0.5, 0.0), Source.WEB, age_s)
        before = speed_of(drive.last.motion)
        drive.last = drive.governor.step(late, armed=True, elapsed_s=TICK_S)
        dropped = before - speed_of(drive.last.motion)
        assert dropped == pytest.approx(LIMITS.stop_decel_mps2 * TICK_S)


@pytest.mark.parametrize(
    "motion", [Arc(math.nan, 0.0), Arc(0.5, math.nan), Spin(math.nan), Crab(math.nan, 0.0)]
)
def test_what_is_not_a_number_moves_nothing_and_bends_nothing(drive: Drive, motion: Motion) -> None:
    governed = drive.tick(motion, 100).motion
    assert math.isfinite(speed_of(governed))
    assert not isinstance(governed, Arc) or governed.curvature_per_m == 0.0
    if motion != Arc(0.5, math.nan):
        assert speed_of(governed) == 0.0


def test_a_crabbing_rover_slides_where_it_is_told() -> None:
    """Every wheel steered: heading may change, and the speed follows the corners."""
    wheels = {
        name: structs.replace(wheel, steer=wheel.steer or CONFIG.wheels["left_front"].steer)
        for name, wheel in CONFIG.wheels.items()
    }
    drive = Drive(structs.replace(CONFIG, wheels=wheels)).ready()
    assert drive.tick(Crab(0.5, 0.6), 200).motion == Crab(pytest.approx(0.5), 0.6)
    drive.tick(Crab(0.5, -0.6))
    slowest = min(speed_of(drive.tick(Crab(0.5, -0.6)).motion) for _ in range(100))
    assert slowest < 0.45
    assert drive.tick(Crab(0.5, -0.6), 100).motion == Crab(pytest.approx(0.5), -0.6)


@pytest.mark.parametrize("every_wheel", [False, True])
def test_no_wheel_turns_round_at_speed_for_another_heading(*, every_wheel: bool) -> None:
    """Behind is as far ahead as any heading can be from another, and its corners are the same."""
    steer = CONFIG.wheels["left_front"].steer
    wheels = {
        name: structs.replace(wheel, steer=wheel.steer or (steer if every_wheel else None))
        for name, wheel in CONFIG.wheels.items()
    }
    drive = Drive(structs.replace(CONFIG, wheels=wheels)).ready()
    headings = (0.0, math.pi, 1.0, 2.2) if every_wheel else (0.0, math.pi)
    last = drive.kinematics.targets(drive.last.motion).wheel_rad_s
    for heading in (*headings, *headings):
        for _ in range(150):
            motion = drive.tick(Crab(0.5, heading)).motion
            now = drive.kinematics.targets(motion).wheel_rad_s
            assert all(a * b >= 0.0 for a, b in zip(last, now, strict=True))
            last = now
        assert motion == Crab(pytest.approx(0.5), heading)


ANY_FLOAT = st.one_of(st.floats(-3.0, 3.0), st.floats(allow_nan=True, allow_infinity=True))
ANY_MOTION = st.one_of(
    st.builds(Arc, ANY_FLOAT, ANY_FLOAT),
    st.builds(Spin, ANY_FLOAT),
    st.builds(Crab, ANY_FLOAT, st.floats(-3.2, 3.2)),
    st.builds(Stop, st.just("any")),
)


@given(st.lists(st.tuples(ANY_MOTION, st.booleans(), st.integers(1, 30)), max_size=12))
def test_whatever_is_asked_no_limit_is_passed_and_no_speed_jumps(
    story: list[tuple[Motion, bool, int]],
) -> None:
    drive = Drive()
    for motion, armed, ticks in story:
        for _ in range(ticks):
            before = drive.last.motion
            after = drive.tick(motion, armed=armed).motion
            if not armed:
                assert isinstance(after, Stop)
                continue
            gained = abs(speed_of(after)) - abs(speed_of(before))
            assert gained <= LIMITS.accel_mps2 * TICK_S + 1e-9
            if type(before) is not type(after) and not isinstance(before, Stop):
                assert speed_of(before) == pytest.approx(0.0, abs=1e-3)
            if isinstance(after, Arc):
                assert abs(after.speed_mps) <= LIMITS.turbo_speed_mps + 1e-9
                assert abs(after.curvature_per_m) <= drive.kinematics.max_curvature_per_m + 1e-9
            if isinstance(after, Spin):
                assert abs(after.yaw_rate_rad_s) <= LIMITS.max_yaw_rate_rad_s + 1e-9
            targets = drive.kinematics.targets(after)
            for asked, wheel in zip(targets.wheel_rad_s, CONFIG.wheels.values(), strict=True):
                assert abs(asked) <= wheel.max_speed_rad_s + 1e-6
