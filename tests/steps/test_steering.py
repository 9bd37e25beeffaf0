"""Steering: wherever the horns sit, a person who looks finds straight ahead to half a degree."""

import pytest
from msgspec import structs

from calibration.steps.corner import MARGIN_DEG, Push
from calibration.steps.steering import SHOWN_S, SteeringStep
from calibration.steps.view import Outcome
from rover.config import Config
from rover.messages import ArmState, RequestKind, TurnServo
from tests.builders import osr_config
from tests.steps.visit import Visit
from tests.steps.wired import steering_as_built, with_changes
from tests.whole.memory_rover import MemoryRover

# What the issue asks for.
CENTRE_DEG = 0.5
MISTAKES = ["", "servos-off-centre", "swapped-servos", "reversed-servo"]


def uncalibrated() -> Config:
    config = osr_config()
    return structs.replace(config, steering=structs.replace(config.steering, calibrated=False))


def show(visit: Visit) -> tuple[str, str]:
    """Have a servo show itself; return the wheel that was seen to steer, and which way."""
    # It first jumps to the configured centre; a person looks at where it is led slowly.
    visit.wait(0.4, holding=True)
    before = visit.steers_deg()
    visit.wait(SHOWN_S, holding=True)
    after = visit.steers_deg()
    visit.wait(0.5)
    moved = {name: after[name] - before[name] for name in after}
    name = max(moved, key=lambda name: abs(moved[name]))
    if abs(moved[name]) < 2.0:
        return "", ""
    assert max(abs(way) for other, way in moved.items() if other != name) < 0.01
    return name, "l" if moved[name] > 0 else "r"


def lead(visit: Visit, wheel: str, target_deg: float) -> None:
    """Nudge as a person does: by large steps, then by small ones, to where it is nearest."""
    for _ in range(200):
        off_deg = target_deg - visit.steers_deg()[wheel]
        if abs(off_deg) < 0.4:
            return
        if abs(off_deg) > 5.0:
            key = "up" if off_deg > 0 else "down"
        else:
            key = "left" if off_deg > 0 else "right"
        visit.press(key)
        visit.wait(0.25)
    raise AssertionError(f"{wheel} does not come to {target_deg}: {visit.steers_deg()[wheel]}")


def look_at_all(visit: Visit, ends_deg: tuple[float, float] | None = None) -> None:
    """Go through all servos as a person does who looks at the wheels."""
    visit.press("y")
    for _ in range(4):
        wheel, way = show(visit)
        visit.press(visit.key_of(wheel), way)
        visit.wait(0.8)
        lead(visit, wheel, 0.0)
        visit.press("enter")
        if ends_deg is None:
            visit.press("k")
            continue
        lead(visit, wheel, ends_deg[1])
        visit.press("enter")
        visit.wait(3.0)
        lead(visit, wheel, ends_deg[0])
        visit.press("enter")


@pytest.mark.parametrize("wrong", MISTAKES)
def test_however_the_servos_are_built_in_straight_ahead_is_found(wrong):
    visit = Visit(SteeringStep, config=uncalibrated(), wrong=wrong)
    look_at_all(visit)
    visit.press("w")
    assert visit.step.outcome is Outcome.WRITE
    mended = with_changes(visit.rover.config, visit.step.changes())
    assert mended.steering.calibrated
    found, truth = steering_as_built(mended), steering_as_built(osr_config(), wrong)
    for wheel, (channel, centre_deg, direction) in truth.items():
        assert found[wheel][0] == channel
        assert found[wheel][1] == pytest.approx(centre_deg, abs=CENTRE_DEG)
        assert found[wheel][2] == direction


@pytest.mark.parametrize("wrong", MISTAKES[1:])
def test_the_mended_rover_points_its_wheels_straight(wrong):
    visit = Visit(SteeringStep, config=uncalibrated(), wrong=wrong)
    look_at_all(visit)
    mended = with_changes(visit.rover.config, visit.step.changes())
    driven = MemoryRover(osr_config(), wrong=wrong)
    driven.config = mended
    driven.start_loop(lambda config, clock: driven.pad)
    driven.armed()
    for wheel in driven.truth().wheels:
        assert abs(wheel.steer_rad) < 0.01


def test_limits_are_where_a_person_finds_them_with_a_margin():
    visit = Visit(SteeringStep, config=uncalibrated(), wrong="servos-off-centre")
    look_at_all(visit, ends_deg=(-50.0, 40.0))
    mended = with_changes(visit.rover.config, visit.step.changes())
    for wheel in mended.wheels.values():
        if wheel.steer is not None:
            assert wheel.steer.min_deg == pytest.approx(-50.0 + MARGIN_DEG, abs=1.5)
            assert wheel.steer.max_deg == pytest.approx(40.0 - MARGIN_DEG, abs=1.5)


def test_a_servo_that_meets_its_bracket_is_led_back():
    visit = Visit(SteeringStep, config=uncalibrated(), wrong="narrow-steering")
    visit.press("y")
    wheel, way = show(visit)
    visit.press(visit.key_of(wheel), way)
    lead(visit, wheel, 0.0)
    visit.press("enter")
    for _ in range(9):
        visit.press("up")
        visit.wait(0.3)
    # The bracket is at 40 degrees; so far it has been led to 45.
    visit.wait(1.5)
    assert "pushes against something" in visit.view.remark
    visit.wait(1.5)
    order = visit.link.ordered[-1]
    assert isinstance(order, TurnServo)
    assert 36.0 < visit.steers_deg()[wheel] <= 40.0
    visit.press("enter")
    visit.press("k")
    assert visit.view.number == 2


def test_a_servo_without_power_is_named():
    visit = Visit(SteeringStep, config=uncalibrated(), wrong="servos-without-power")
    visit.press("y")
    for _ in range(4):
        assert show(visit) == ("", "")
        visit.press("0")
    assert "V+" in visit.view.text
    assert "w" not in visit.keys


def test_limits_that_are_no_limits_are_asked_again():
    visit = Visit(SteeringStep, config=uncalibrated())
    visit.press("y")
    wheel, way = show(visit)
    visit.press(visit.key_of(wheel), way, "enter", "enter", "enter")
    assert "less than the 10 to each side" in visit.view.remark
    assert "to the left until" in visit.view.text


def test_only_one_servo_has_pulses_at_a_time():
    visit = Visit(SteeringStep, config=uncalibrated())
    visit.press("y")
    wheel, way = show(visit)
    visit.press(visit.key_of(wheel), way)
    visit.wait(1.0)
    assert [one.name for one in visit.rover.truth().wheels if one.steer_powered] == [wheel]
    visit.press("enter", "k")
    visit.wait(0.5)
    assert not any(one.steer_powered for one in visit.rover.truth().wheels)


def test_a_stop_lets_the_servo_go_limp_and_leaving_does_too():
    for end in ("stop", "leave"):
        visit = Visit(SteeringStep, config=uncalibrated())
        visit.press("y")
        wheel, way = show(visit)
        visit.press(visit.key_of(wheel), way)
        visit.wait(0.5)
        if end == "stop":
            visit.rover.ask(RequestKind.STOP)
        else:
            visit.press("q")
            visit.conversation.close()
        visit.wait(0.2)
        assert not any(one.steer_powered for one in visit.rover.truth().wheels)
        assert visit.rover.state is (ArmState.ESTOP if end == "stop" else ArmState.DISARMED)


def test_what_was_found_is_there_the_next_time():
    visit = Visit(SteeringStep, config=uncalibrated())
    visit.press("y")
    wheel, way = show(visit)
    visit.press(visit.key_of(wheel), way, "enter", "k", "q")
    visit.conversation.close()
    visit.begin(SteeringStep, visit.step.draft())
    assert "1 of 4" in visit.view.remark
    visit.press("y")
    assert visit.view.number == 2


def test_a_push_is_more_current_for_a_while_and_only_once_it_has_arrived():
    push = Push()

    def told(current_a, from_s, to_s, *, arrived=True):
        return any(
            push.pushes(current_a, step / 20, arrived=arrived)
            for step in range(int(from_s * 20), int(to_s * 20))
        )

    assert not told(1.0, 0.0, 2.0)
    assert not told(3.0, 2.0, 4.0, arrived=False)
    assert not told(3.0, 4.0, 4.6)
    assert told(3.0, 4.6, 5.2)
    assert not Push().pushes(None, 1.0, arrived=True)
