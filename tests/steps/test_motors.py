"""Motors: whatever is wired wrong, who looks finds out, and the configuration is mended."""

import math

import msgspec
import pytest
from msgspec import structs

from calibration.steps.motors import ENOUGH_S, LONGEST_S, MotorsStep
from calibration.steps.step import wheel_choices
from calibration.steps.turning import EncoderFinding, Turn, TurnWatch
from calibration.steps.view import Outcome
from calibration.steps.wiring import Seen, changes, rows
from rover.config import Config, MotorConfig
from rover.messages import ArmState, Maintained, RequestKind, Rest, TurnWheel
from rover.sim.faults import LockWheel
from tests.builders import osr_config
from tests.steps.visit import Visit, saw
from tests.steps.wired import motors_as_built

MISTAKES = ["", "swapped-channels", "swapped-controllers", "reversed-motor"]


def look_at(visit: Visit, outputs: int = 6) -> None:
    """Go through the first outputs as a person does who looks at the wheels."""
    visit.press("y")
    for _ in range(outputs):
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
    look_at(visit)
    assert visit.rover.state is ArmState.DISARMED
    visit.press("w")
    assert visit.step.outcome is Outcome.WRITE
    assert motors_as_built(visit.rover.config, visit.step.changes()) == motors_as_built(
        osr_config(), {}, wrong
    )
    assert bool(visit.step.changes()) is bool(wrong)
    assert_only_slow_turns_of_one_wheel_were_ordered(visit)


@pytest.mark.parametrize("wrong", ["reversed-leads", "reversed-encoder"])
def test_an_encoder_that_counts_the_wrong_way_is_found(wrong):
    visit = Visit(MotorsStep, wrong=wrong)
    look_at(visit, 1)
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
    look_at(visit, 1)
    assert visit.step.changes() == {("wheels", first, "motor", "encoder_reversed"): False}


@pytest.mark.parametrize("wrong", ["dead-encoder", "weak-motor"])
def test_what_the_configuration_cannot_mend_is_named(wrong):
    visit = Visit(MotorsStep, wrong=wrong)
    look_at(visit, 1)
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
    turned = Seen("left_front", "left_front", True, watch.turn())
    assert turned.turn.encoder is EncoderFinding.CROSSED
    (row,) = rows(visit.rover.config, [turned])
    assert "left_middle's socket" in row.value
    assert changes(visit.rover.config, [turned]) == {}


def test_what_moves_while_the_output_has_no_power_does_not_count():
    """A wheel that is turned by hand between two turns."""
    visit = Visit(MotorsStep)
    watch = TurnWatch(visit.rover.config, "left_front")
    for step in range(20):
        watch.see(telling(visit, 10.0 + step * 0.05, 0.15 * (step < 10), [step * 0.1] + [0.0] * 5))
    turn = watch.turn()
    assert watch.turned_s == pytest.approx(0.45)
    assert turn.speed_rad_s == pytest.approx(2.0)


def test_short_turns_are_neither_a_dead_encoder_nor_a_worn_motor():
    """A person who lets go again and again: each time it has to come up to speed."""
    visit = Visit(MotorsStep)
    visit.press("y")
    visit.hold(0.1)
    assert "n" not in visit.keys
    while visit.view.text != "Which wheel moved?" and "n" not in visit.keys:
        visit.hold(0.1)
    if "n" in visit.keys:
        visit.press("n")
    visit.press("1", "f")
    visit.hold(ENOUGH_S + 0.3)
    visit.press("2", "f")
    short, long = visit.step._seen
    assert short.turn.encoder is EncoderFinding.GOOD
    assert short.turn.speed_rad_s == pytest.approx(long.turn.speed_rad_s, rel=0.25)


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


def with_motors(config: Config, **motors: MotorConfig) -> Config:
    wheels = {
        name: structs.replace(wheel, motor=motors.get(name, wheel.motor))
        for name, wheel in config.wheels.items()
    }
    return structs.replace(config, wheels=wheels)


def seen(configured: str, moved: str, **how: object) -> Seen:
    """Return what was seen of an output whose encoder is right, unless ``how`` says otherwise."""
    turn = {"encoder": EncoderFinding.GOOD, "speed_rad_s": 2.6, "current_a": 0.5, "other": ""}
    return Seen(configured, moved, how.pop("forward", True), Turn(**(turn | how)))


def test_a_draft_of_another_rover_is_forgotten():
    visit = Visit(MotorsStep)
    visit.press("y")
    visit.hold(ENOUGH_S + 0.3)
    visit.press("1", "b", "q")
    draft = visit.step.draft()
    config = osr_config()
    first = config.wheels["left_front"].motor
    assert MotorsStep(config, draft).changes() == {
        ("wheels", "left_front", "motor", "inverted"): not first.inverted
    }
    # What was seen holds for the way it was configured then: not for one that was undone since.
    turned = with_motors(config, left_front=structs.replace(first, inverted=not first.inverted))
    ordered = structs.replace(config, wheels=dict(reversed(config.wheels.items())))
    for other in (turned, ordered):
        assert MotorsStep(other, draft).view().number == 1
        assert MotorsStep(other, draft).changes() == {}
    for word in (b'"moved":"flying"', b'"moved":7'):
        broken = draft.replace(b'"moved":"left_front"', word)
        assert broken != draft
        assert MotorsStep(config, broken).view().number == 1


def test_an_encoders_direction_stays_with_the_output():
    """Two plugs exchanged, of which one output was told to count the other way round."""
    config = osr_config()
    front, middle = (config.wheels[name].motor for name in ("left_front", "left_middle"))
    config = with_motors(config, left_front=structs.replace(front, encoder_reversed=True))
    found = changes(config, [seen("left_front", "left_middle"), seen("left_middle", "left_front")])
    assert found["wheels", "left_middle", "motor", "encoder_reversed"] is True
    assert found["wheels", "left_front", "motor", "encoder_reversed"] == "none"
    assert (front.address, front.channel) != (middle.address, middle.channel)


def test_a_wheel_that_is_loose_on_its_shaft_is_told():
    config = osr_config()
    (row,) = rows(config, [seen("left_front", "")])
    assert "loose on its shaft" in row.value


def test_outputs_that_no_wheel_has_are_where_to_look_for_a_plug():
    config = osr_config()
    wheels = {name: config.wheels[name] for name in config.wheels if name != "left_middle"}
    free = config.wheels["left_middle"].motor
    dead = seen("left_front", "", encoder=EncoderFinding.SILENT, current_a=0.0)
    (row,) = rows(structs.replace(config, wheels=wheels), [dead])
    assert f"M{free.channel} of 0x{free.address:02X}" in row.value
    (row,) = rows(config, [dead])
    assert "plugged into" not in row.value


def finished(*found: Seen) -> MotorsStep:
    """Return a step at its end, all other outputs right."""
    config = osr_config()
    odd = {one.configured: one for one in found}
    everything = tuple(odd.get(name, seen(name, name)) for name in config.wheels)
    outputs = [[name, msgspec.to_builtins(wheel.motor)] for name, wheel in config.wheels.items()]
    draft = {"outputs": outputs, "seen": msgspec.to_builtins(everything)}
    step = MotorsStep(config, msgspec.json.encode(draft))
    step.press("y", 1.0)
    return step


def test_what_hands_must_put_right_is_not_called_right():
    for odd in (
        seen("left_front", "", encoder=EncoderFinding.SILENT, current_a=0.0),
        seen("left_front", "left_front", encoder=EncoderFinding.SILENT),
        seen("left_front", "left_front", encoder=EncoderFinding.CROSSED, other="left_middle"),
    ):
        step = finished(odd)
        assert "left_front: put right by hand" in step.view().text
        assert {choice.key for choice in step.view().choices} == {"a", "q"}
        # What else was found may be written all the same.
        more = finished(odd, seen("right_rear", "right_rear", forward=False))
        assert "left_front: put right by hand" in more.view().text
        assert "w" in {choice.key for choice in more.view().choices}
    assert "Everything is wired" in finished().view().text


def test_each_of_many_wheels_has_a_key_that_a_terminal_has():
    names = [f"wheel_{number}" for number in range(14)]
    choices = wheel_choices(names)
    assert [choice.wheel for choice in choices] == names
    keys = [choice.key for choice in choices]
    assert len({*keys, "0", "a", "q"}) == len(names) + 3
    assert all(len(key) == 1 for key in keys)


def test_two_outputs_cannot_turn_one_wheel():
    step = finished(seen("right_rear", "left_front"))
    assert "twice" in step.view().text
    assert "w" not in {choice.key for choice in step.view().choices}


def assert_only_slow_turns_of_one_wheel_were_ordered(visit: Visit) -> None:
    turns = [order for order in visit.link.ordered if isinstance(order, TurnWheel)]
    assert {order.wheel for order in turns} == set(visit.names)
    assert {order.duty for order in turns} == {visit.rover.config.maintenance.duty}
    assert any(isinstance(order, Rest) for order in visit.link.ordered)
    assert math.isclose(visit.rover.config.maintenance.duty, 0.15)
