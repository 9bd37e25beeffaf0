"""UMBmark: left wheels of another size than the right ones are found, however it is driven."""

import math

import pytest
from msgspec import structs

from calibration.steps.replaying import Measures, measured_so
from calibration.steps.square import SquareStep
from calibration.steps.view import Outcome
from rover.config import Config
from rover.messages import Arc, RequestKind, Spin
from tests.builders import osr_config
from tests.steps.visit import Visit
from tests.steps.wired import with_changes

SIDE_S, SPEED_MPS, SPIN_RAD_S = 4.0, 0.5, 1.0


def begin(config: Config, _draft: bytes) -> SquareStep:
    return SquareStep(config)


def drive_square(visit: Visit, way: float, sides: int = 4) -> tuple[float, float]:
    """Drive as a person does, corners by eye; return where it ends from where it began."""
    rover = visit.rover
    start = rover.truth().pose
    visit.wait(0.6)
    assert rover.ask(RequestKind.ARM).accepted
    rover.say(Arc(0.0, 0.0))
    visit.wait(1.0)
    for _ in range(sides):
        rover.say(Arc(SPEED_MPS, 0.0))
        visit.wait(SIDE_S)
        rover.say(Arc(0.0, 0.0))
        visit.wait(0.6)
        turned, last = 0.0, rover.truth().pose.yaw_rad
        rover.say(Spin(way * SPIN_RAD_S))
        while abs(turned) < math.radians(85.0):
            visit.wait(0.03)
            yaw = rover.truth().pose.yaw_rad
            turned += math.remainder(yaw - last, math.tau)
            last = yaw
        rover.say(Spin(0.0))
        visit.wait(0.6)
    rover.hush()
    rover.ask(RequestKind.DISARM)
    visit.wait(0.5)
    end = rover.truth().pose
    dx, dy = end.x_m - start.x_m, end.y_m - start.y_m
    cos, sin = math.cos(start.yaw_rad), math.sin(start.yaw_rad)
    return dx * cos + dy * sin, dy * cos - dx * sin


def measure_square(visit: Visit, way: float) -> None:
    visit.press("s", "enter")
    ahead_m, left_m = drive_square(visit, way)
    visit.press("enter")
    visit.enter(round(ahead_m, 3))
    visit.enter(round(left_m, 3))


def test_uneven_wheels_and_a_wrong_track_are_found_together():
    config = osr_config()
    built = measured_so(config, Measures(uneven=-0.02, width=1.04))
    visit = Visit(begin, config=config, built=built)
    measure_square(visit, 1.0)
    assert "w" not in visit.keys
    assert visit.step.changes() == {}
    measure_square(visit, -1.0)
    visit.press("w")
    assert visit.step.outcome is Outcome.WRITE
    found = with_changes(config, visit.step.changes())
    for name, wheel in built.wheels.items():
        # Wheels that contradict each other slip, and how is nobody's to know: the last half per
        # cent is what odometry needs to end where the rover does.
        assert found.wheels[name].radius_m == pytest.approx(wheel.radius_m, rel=0.01)
        assert found.wheels[name].y_m == pytest.approx(wheel.y_m, rel=0.01)
    # The proof: what is driven next ends, by odometry, where it truly does.
    before = odometry_misses(config, built)
    assert before > 0.15
    assert odometry_misses(found, built) < before / 3


def odometry_misses(config: Config, built: Config) -> float:
    """Return how far from the truth odometry ends after a square, in metres."""
    visit = Visit(begin, config=config, built=built)
    drive_square(visit, 1.0)
    visit.rover.run(0.1)
    told, truth = visit.rover.telemetry.pose, visit.rover.truth().pose
    return math.hypot(told.x_m - truth.x_m, told.y_m - truth.y_m)


def test_a_rover_that_is_as_drawn_stays_so():
    visit = Visit(begin)
    measure_square(visit, 1.0)
    measure_square(visit, -1.0)
    found = with_changes(visit.rover.config, visit.step.changes())
    for name, wheel in osr_config().wheels.items():
        assert found.wheels[name].radius_m == pytest.approx(wheel.radius_m, rel=0.003)
        assert found.wheels[name].y_m == pytest.approx(wheel.y_m, rel=0.005)


def test_what_is_no_square_is_told():
    visit = Visit(begin)
    visit.press("s", "enter")
    drive_square(visit, 1.0, sides=1)
    visit.press("enter")
    assert "four corners of 90" in visit.view.remark
    assert visit.view.asked is None


def test_a_place_that_cannot_be_is_not_believed():
    visit = Visit(begin)
    for way in (1.0, -1.0):
        visit.press("s", "enter")
        drive_square(visit, way)
        visit.press("enter")
        visit.enter(4.5)
        visit.enter(-4.5)
    assert "fit no rover" in visit.view.remark
    assert visit.step.changes() == {}


def test_a_control_that_was_started_anew_in_between_is_noticed():
    visit = Visit(begin)
    visit.press("s", "enter")
    telemetry = visit.rover.telemetry
    wheels = tuple(structs.replace(wheel, counted_since_s=99.0) for wheel in telemetry.wheels)
    visit.step.see(structs.replace(telemetry, wheels=wheels))
    assert "started anew" in visit.view.remark
    assert "s" in visit.keys
