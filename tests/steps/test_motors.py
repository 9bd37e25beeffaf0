"""Motors: whatever is wired wrong, who looks finds out, and the configuration is mended."""

import math

import pytest
from msgspec import structs

from calibration.steps.motors import ENOUGH_S, LONGEST_S, MotorsStep
from calibration.steps.turning import EncoderFinding, TurnWatch
from calibration.steps.view import Outcome
from calibration.steps.wiring import Seen, changes, rows
from rover.messages import ArmState, Maintained, RequestKind, Rest, TurnWheel
from rover.sim.faults import LockWheel
from tests.builders import osr_config
from tests.steps.visit import Visit, saw
from tests.steps.wired import motors_as_built

MISTAKES = ["", "swapped-channels", "swapped-controllers", "reversed-motor"]


def look_at_all(visit: Visit) -> None:
    """Go through all outputs as a person does who looks at the wheels."""
    visit.press("y")
    for _ in visit.names:
        moved = visit.hold(ENOUGH_S + 0.3)
        name = saw(moved)
        if not name:
            visit.press("0")
            continue
        others = [abs(way) for wheel, way in moved.items() if wheel != name]
        assert max(others) < 0.01, "two wheels moved"
        visit.press(visit.key_of(name), "f" if moved[name] > 0 else "b")


@pytest.mark.parametrize("wrong", MISTAKES)
def test_what_is_wired_wrong_is_found_and_right_afterwards(wrong):
    visit = Visit(MotorsStep, wrong=wrong)
    look_at_all(visit)
    assert visit.rover.state is ArmState.DISARMED
    visit.press("w")
    assert visit.step.outcome is Outcome.WRITE
    assert motors_as_built(visit.rover.config, visit.step.changes()) == motors_as_built(
        osr_config(), {}, wrong
    )
    assert bool(visit.step.changes()) is bool(wrong)


@pytest.mark.parametrize("wrong", ["reversed-leads", "reversed-encoder"])
def test_an_encoder_that_counts_the_wrong_way_is_found(wrong):
    visit = Visit(MotorsStep, wrong=wrong)
    look_at_all(visit)
    found = visit.step.changes()
    first = visit.names[0]
    assert found["wheels", first, "motor", "encoder_reversed"] is True
    inverted = found.get(("wheels", first, "motor", "inverted"))
    assert inverted is (True if wrong == "reversed-leads" else None)
    assert {path[1] for path in found} == {first}


def test_an_encoder_that_is_reversed_already_is_turned_round():
    config = osr_config()
    first = next(iter(config.wheels))
    wheel = config.wheels[first]
    motor = structs.replace(wheel.motor, encoder_reversed=True)
    wheels = config.wheels | {first: structs.replace(wheel, motor=motor)}
    visit = Visit(MotorsStep, config=structs.replace(config, wheels=wheels))
    look_at_all(visit)
    assert visit.step.changes() == {("wheels", first, "motor", "encoder_reversed"): False}


@pytest.mark.parametrize("wrong", ["dead-encoder", "weak-motor"])
def test_what_the_configuration_cannot_mend_is_named(wrong):
    visit = Visit(MotorsStep, wrong=wrong)
    look_at_all(visit)
    (row,) = (row for row in visit.view.found if row.name == visit.names[0])
    expected = "encoder counts nothing" if wrong == "dead-encoder" else "worn brushes"
    assert expected in row.value
    assert visit.step.changes() == {}


def telling(visit, now_s, duty, places, current_a=0.4):
    """Return telemetry in which the first output turns and the wheels' encoders tell this."""
    telemetry = visit.rover.telemetry
    wheels = tuple(
        structs.replace(wheel, position_rad=place, current_a=current_a)
        for wheel, place in zip(telemetry.wheels, places, strict=True)
    )
    maintained = Maintained("a test", visit.names[0], duty=duty)
    return structs.replace(telemetry, stamp_s=now_s, wheels=wheels, maintenance=maintained)


def test_crossed_encoder_plugs_are_named():
    """Both encoders of a controller in each other's sockets: the motor's own counts nothing."""
    visit = Visit(MotorsStep)
    watch = TurnWatch(visit.rover.config, "left_front")
    for step in range(20):
        places = [0.0] * 6
        places[visit.names.index("left_middle")] = step * 0.1
        watch.see(telling(visit, 10.0 + step * 0.05, 0.15, places))
    seen = Seen("left_front", "left_front", True, watch.turn())
    assert seen.turn.encoder is EncoderFinding.CROSSED
    (row,) = rows(visit.rover.config, [seen])
    assert "left_middle's socket" in row.value
    assert changes(visit.rover.config, [seen]) == {}


def test_what_moves_while_the_output_has_no_power_does_not_count():
    """A wheel that is turned by hand between two turns."""
    visit = Visit(MotorsStep)
    watch = TurnWatch(visit.rover.config, "left_front")
    for step in range(20):
        watch.see(telling(visit, 10.0 + step * 0.05, 0.15 * (step < 10), [step * 0.1] + [0.0] * 5))
    turn = watch.turn()
    assert watch.turned_s == pytest.approx(0.45)
    assert turn.speed_rad_s == pytest.approx(2.0)


def test_a_wheel_that_is_held_is_doubted_to_be_in_the_air():
    visit = Visit(MotorsStep)
    visit.rover.simulated.inject(LockWheel(visit.names[0]))
    visit.press("y")
    visit.wait(1.5, holding=True)
    assert "in the air" in visit.view.text
    assert visit.keys >= {"y", "n"}
    assert visit.rover.stands()
    visit.press("n")
    assert "Lift the rover" in visit.view.text
    visit.wait(0.5)
    assert visit.rover.state is ArmState.DISARMED


def test_nothing_turns_before_the_wheels_are_said_to_be_in_the_air():
    visit = Visit(MotorsStep)
    visit.wait(1.0, holding=True)
    assert visit.rover.state is ArmState.DISARMED
    assert visit.link.ordered == []


def test_a_finger_that_is_lifted_stops_the_wheel():
    visit = Visit(MotorsStep)
    visit.press("y")
    visit.wait(0.8, holding=True)
    assert not visit.rover.stands()
    visit.wait(0.3 + 0.3)
    assert visit.rover.stands()
    assert visit.rover.state is ArmState.MAINTENANCE


def test_a_wheel_that_is_held_on_to_stops_by_itself():
    visit = Visit(MotorsStep)
    visit.press("y")
    visit.wait(LONGEST_S + 1.5, holding=True)
    assert visit.rover.stands()


def test_a_person_who_has_gone_moves_nothing():
    """A page that is closed says neither hold nor here: the rover is disarmed soon."""
    visit = Visit(MotorsStep)
    visit.press("y")
    visit.wait(0.8, holding=True)
    visit.is_there = False
    visit.wait(0.8)
    assert visit.rover.stands()
    visit.wait(3.0)
    assert visit.rover.state is ArmState.DISARMED
    assert "stopped" in visit.view.remark


def test_a_stop_ends_it_and_it_goes_on_where_it_was():
    visit = Visit(MotorsStep)
    visit.press("y")
    visit.hold(ENOUGH_S + 0.3)
    visit.press("1", "f")
    visit.wait(0.5, holding=True)
    visit.rover.ask(RequestKind.STOP)
    visit.wait(0.5, holding=True)
    assert visit.rover.stands()
    assert visit.rover.state is ArmState.ESTOP
    assert "emergency stop" in visit.view.remark.lower()
    assert "Lift the rover" in visit.view.text
    visit.press("y")
    assert "Nothing can be moved" in visit.view.remark
    visit.rover.ask(RequestKind.CLEAR)
    visit.wait(1.5)
    visit.press("y")
    assert visit.view.number == 2
    assert visit.view.hold


def test_what_was_found_is_there_the_next_time():
    visit = Visit(MotorsStep)
    visit.press("y")
    visit.hold(ENOUGH_S + 0.3)
    visit.press("1", "f", "q")
    assert visit.step.outcome is Outcome.LEAVE
    visit.conversation.close()
    draft = visit.step.draft()
    visit.begin(MotorsStep, draft)
    assert "1 of 6" in visit.view.remark
    visit.press("y")
    assert visit.view.number == 2
    visit.press("q")
    visit.begin(MotorsStep, draft[:-3])
    assert visit.view.number == 1


def test_a_draft_of_another_wiring_is_forgotten():
    visit = Visit(MotorsStep)
    visit.press("y")
    visit.hold(ENOUGH_S + 0.3)
    visit.press("1", "f", "q")
    config = osr_config()
    wheels = dict(reversed(config.wheels.items()))
    other = MotorsStep(structs.replace(config, wheels=wheels), visit.step.draft())
    assert other.view().number == 1


def test_two_outputs_cannot_turn_one_wheel():
    visit = Visit(MotorsStep)
    visit.press("y")
    for _ in visit.names:
        visit.hold(ENOUGH_S + 0.3)
        visit.press("1", "f")
    assert "twice" in visit.view.text
    assert "w" not in visit.keys


def test_only_slow_turns_of_one_wheel_are_ever_ordered():
    visit = Visit(MotorsStep)
    look_at_all(visit)
    turns = [order for order in visit.link.ordered if isinstance(order, TurnWheel)]
    assert {order.wheel for order in turns} == set(visit.names)
    assert {order.duty for order in turns} == {visit.rover.config.maintenance.duty}
    assert any(isinstance(order, Rest) for order in visit.link.ordered)
    assert math.isclose(visit.rover.config.maintenance.duty, 0.15)
