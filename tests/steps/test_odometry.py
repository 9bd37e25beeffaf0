"""Odometry: a line and turns that are driven and measured give radius and track to 1 %."""

import json
import math

import pytest
from msgspec import structs

from calibration.steps.measuring import width_for, yaw_rad
from calibration.steps.odometry import OdometryStep
from calibration.steps.view import Outcome
from rover.config import Config
from rover.messages import Arc, RequestKind, Spin
from rover.motion.kinematics import Kinematics
from rover.sim.miswired import MISWIRED
from tests.builders import osr_config
from tests.steps.visit import Visit
from tests.steps.wired import with_changes

# What the issue asks for.
PART = 0.01


def drive(visit: Visit, motion: object, duration_s: float) -> None:
    """Arm as a person does, drive, stand, and disarm."""
    rover = visit.rover
    visit.wait(0.5)
    answer = rover.ask(RequestKind.ARM)
    assert answer.accepted, answer.refusals
    rover.say(Arc(0.0, 0.0))
    visit.wait(1.0)
    rover.say(motion)
    visit.wait(duration_s)
    rover.say(Arc(0.0, 0.0))
    visit.wait(2.0)
    rover.hush()
    rover.ask(RequestKind.DISARM)
    visit.wait(1.0)


def drive_line(visit: Visit, speed_mps: float = 0.4, duration_s: float = 6.0) -> float:
    """Drive straight; return what a tape measures."""
    before = visit.rover.truth().pose
    drive(visit, Arc(speed_mps, 0.0), duration_s)
    after = visit.rover.truth().pose
    return math.hypot(after.x_m - before.x_m, after.y_m - before.y_m)


def turn_whole_times(visit: Visit, turns: int, way: float = 1.0) -> None:
    """Turn on the spot until the rover has truly made so many turns, as a person sees it.

    The last bit is turned by hand: a person nudges until it lies along the tape.
    """
    rover = visit.rover
    rover.ask(RequestKind.ARM)
    rover.say(Arc(0.0, 0.0))
    visit.wait(1.0)
    rover.say(Spin(way * 0.8))
    turned, last = 0.0, rover.truth().pose.yaw_rad
    slow = False
    while abs(turned) < turns * math.tau - 0.004:
        visit.wait(0.03)
        yaw = rover.truth().pose.yaw_rad
        turned += math.remainder(yaw - last, math.tau)
        last = yaw
        left = turns * math.tau - abs(turned)
        if left < 0.35 and not slow:
            slow = True
            rover.say(Spin(way * 0.08))
    rover.say(Spin(0.0))
    visit.wait(1.0)
    rover.hush()
    rover.ask(RequestKind.DISARM)
    visit.wait(0.5)


def calibrated(visit: Visit) -> Config:
    visit.press("w")
    assert visit.step.outcome is Outcome.WRITE
    return with_changes(visit.rover.config, visit.step.changes())


def measure_line(visit: Visit, **how: float) -> None:
    visit.press("s", "enter")
    measured_m = drive_line(visit, **how)
    visit.press("enter")
    visit.enter(round(measured_m, 3))


def measure_turns(visit: Visit, turns: int, way: float = 1.0) -> None:
    visit.press("t", "enter")
    turn_whole_times(visit, turns, way)
    visit.press("enter")
    visit.enter(turns)


def test_radius_and_track_come_out_within_a_per_cent():
    visit = Visit(OdometryStep, wrong="other-measures")
    truth = MISWIRED["other-measures"].built(osr_config())
    for name, wheel in osr_config().wheels.items():
        assert truth.wheels[name].radius_m != pytest.approx(wheel.radius_m, rel=2 * PART)
        assert truth.wheels[name].y_m != pytest.approx(wheel.y_m, rel=2 * PART)
    measure_line(visit)
    measure_line(visit, speed_mps=-0.4)
    measure_turns(visit, 2)
    found = calibrated(visit)
    for name, wheel in truth.wheels.items():
        assert found.wheels[name].radius_m == pytest.approx(wheel.radius_m, rel=PART)
        assert found.wheels[name].y_m == pytest.approx(wheel.y_m, rel=PART)
        assert found.wheels[name].x_m == wheel.x_m


def test_it_may_be_left_while_it_drives():
    """On a phone the remote's page takes the place of this one."""
    visit = Visit(OdometryStep)
    visit.press("s", "enter", "q")
    draft = visit.step.draft()
    measured_m = drive_line(visit)
    visit.begin(OdometryStep, draft)
    visit.wait(0.1)
    assert "it has gone" in visit.view.text
    visit.press("enter")
    visit.enter(measured_m)
    assert all(value == pytest.approx(0.075, rel=PART) for value in visit.step.changes().values())


def test_a_curve_is_no_line():
    visit = Visit(OdometryStep)
    visit.press("s", "enter")
    drive(visit, Arc(0.4, 0.4), 8.0)
    visit.press("enter")
    assert "No straight line" in visit.view.remark
    assert visit.view.asked is None


def test_what_is_too_short_is_told():
    visit = Visit(OdometryStep)
    visit.press("s", "enter")
    drive(visit, Arc(0.4, 0.0), 2.0)
    visit.press("enter")
    assert "too short" in visit.view.remark
    visit.press("b", "t", "enter", "enter")
    assert "too few" in visit.view.remark


def test_a_rover_that_rolls_is_at_no_end():
    visit = Visit(OdometryStep)
    visit.press("s", "enter")
    visit.rover.ask(RequestKind.ARM)
    visit.rover.say(Arc(0.0, 0.0))
    visit.wait(1.0)
    visit.rover.say(Arc(0.4, 0.0))
    visit.wait(2.0)
    visit.press("enter")
    assert "still rolls" in visit.view.remark


def test_a_length_that_cannot_be_is_asked_again():
    visit = Visit(OdometryStep)
    visit.press("s", "enter")
    drive_line(visit)
    visit.press("enter")
    for measured_m in (1.0, 9.0):
        visit.enter(measured_m)
        assert "too far from that" in visit.view.remark
        assert visit.view.asked
        assert visit.step.changes() == {}


def test_a_number_of_turns_that_cannot_be_is_asked_again():
    visit = Visit(OdometryStep)
    visit.press("t", "enter")
    turn_whole_times(visit, 2, -1.0)
    visit.press("enter")
    visit.enter(4)
    assert "turned 2.0 times" in visit.view.remark
    visit.enter(2)
    # Turns alone leave the radius as it is.
    assert {path[2] for path in visit.step.changes()} == {"y_m"}


def test_a_wider_rover_turns_less_for_the_same_way():
    """Against geometry: the middle wheels run on a circle of half the track, unsteered."""
    config = osr_config()
    targets = Kinematics(config).targets(Spin(1.0))
    turned = tuple(speed * 10.0 for speed in targets.wheel_rad_s)
    assert yaw_rad(config, turned) == pytest.approx(10.0)
    wider = {
        name: structs.replace(wheel, y_m=wheel.y_m * 1.05) for name, wheel in config.wheels.items()
    }
    truth = structs.replace(config, wheels=wider)
    middle = list(config.wheels).index("right_middle")
    way_m = Kinematics(truth).targets(Spin(1.0)).wheel_rad_s[middle] * 0.075
    assert way_m == pytest.approx(0.253 * 1.05)
    turns = 10.0 / math.tau
    real = tuple(speed * 10.0 for speed in Kinematics(truth).targets(Spin(1.0)).wheel_rad_s)
    assert width_for(config, real, turns) == pytest.approx(1.05, abs=0.003)


def test_a_control_that_was_started_anew_in_between_is_noticed():
    """Its wheels count from nought again: what they tell then is no way that was driven."""
    visit = Visit(OdometryStep)
    visit.press("s", "enter", "q")
    draft = visit.step.draft()
    visit.rover.start_loop(lambda config, clock: visit.rover.pad)
    visit.rover.run(1.0)
    drive_line(visit)
    visit.begin(OdometryStep, draft)
    visit.wait(0.1)
    visit.press("enter")
    assert "started anew" in visit.view.remark
    assert visit.view.asked is None
    assert visit.step.changes() == {}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda draft: draft.replace(b'"turned_rad":[', b'"turned_rad":[1.0,'),
        lambda draft: draft.replace(b'"measured":', b'"measured":0.000'),
        lambda draft: draft.replace(b'"names":["left_front"', b'"names":["front"'),
        lambda draft: draft[:-2],
    ],
    ids=["another wheel", "no length", "other names", "cut off"],
)
def test_a_draft_that_makes_no_sense_is_forgotten(spoil):
    names = list(osr_config().wheels)
    draft = (
        b'{"names":["' + b'","'.join(name.encode() for name in names) + b'"],"stage":"choose",'
        b'"start":{"angles_rad":[],"since_s":[]},"spins":[],'
        b'"lines":[{"turned_rad":[40.0,40.0,40.0,40.0,40.0,40.0],"measured":3.0}]}'
    )
    assert OdometryStep(osr_config(), draft).changes()
    step = OdometryStep(osr_config(), spoil(draft))
    assert step.changes() == {}
    assert step.view().found == ()


@pytest.mark.parametrize(("turns", "kept"), [(2.0, True), (4.0, False)])
def test_a_draft_with_turns_that_cannot_be_is_forgotten(turns, kept):
    config = osr_config()
    turned = [speed * 2.0 * math.tau for speed in Kinematics(config).targets(Spin(1.0)).wheel_rad_s]
    draft = {
        "names": list(config.wheels),
        "stage": "choose",
        "start": {"angles_rad": [], "since_s": []},
        "lines": [],
        "spins": [{"turned_rad": turned, "measured": turns}],
    }
    step = OdometryStep(config, json.dumps(draft).encode())
    assert bool(step.changes()) is kept
