"""Velocity loops found by driving: bounded, stopped by anything, and right for every motor."""

import math
import re
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from msgspec import structs

from calibration.provisioning.change import Interrupted
from rover.errors import DeviceError, RoverError
from rover.sim import roboclaw_output
from rover.sim.faults import (
    CutSerial,
    EncoderState,
    LockWheel,
    PowerCycle,
    PressStop,
    SetBatteryVoltage,
    SetEncoder,
)
from rover.sim.roboclaw_settings import NEWER
from rover.units import qpps_from_rad_s
from tests.builders import osr_config
from tests.provisioning.rig import Table

NOMINAL_V = 15.2
TICKS = 28 * 26.9
FASTEST_RAD_S = 30.0
# A wheel with zero duty needs a quarter of a second, one that nobody asks any more 0.3 s longer.
STANDS_WITHIN_S = 0.8


def with_stop_button(wrong: str = "factory-loop", **options) -> dict:
    config = osr_config()
    config = structs.replace(config, panel=structs.replace(config.panel, stop_button=16))
    return {"wrong": wrong, "config": config, **options}


def give_motors(table: Table, motors: list[tuple[float, float, float]]) -> None:
    """Give the wheels motors of resistance, friction and slowness times the usual one."""
    for motor, (ohm, friction, slow) in zip(table.rover.devices.plant.motors, motors, strict=True):
        usual = motor.parameters
        motor.parameters = replace(
            usual,
            winding_ohm=usual.winding_ohm * ohm,
            friction_a=usual.friction_a * friction,
            time_constant_s=usual.time_constant_s * slow,
        )


def full_speed_qpps(table: Table, name: str, volts: float) -> float:
    plant = table.rover.devices.plant
    motor = plant.motors[plant.names.index(name)].parameters
    speed_rad_s = (volts - motor.friction_a * motor.winding_ohm) / motor.emf_v_s
    return qpps_from_rad_s(speed_rad_s, TICKS)


def outputs(table: Table) -> dict[str, tuple[int, int]]:
    """Return the unit's place and the output from 0 of every wheel."""
    return {
        name: (wheel.motor.address - 0x80, wheel.motor.channel - 1)
        for name, wheel in table.config.wheels.items()
    }


def true_step(table: Table, name: str, part: float) -> tuple[float, float]:
    """Step one wheel to a part of its QPPS; return its true overshoot and its final speed."""
    place, output = outputs(table)[name]
    unit = table.unit(place)
    qpps = table.units[place].settings.outputs[output].qpps
    target_rad_s = part * qpps / TICKS * math.tau
    unit.tell(35 + output, round(part * qpps).to_bytes(4, "big"))
    highest = 0.0
    for _ in range(200):
        # Its serial timeout is in force.
        unit.word()
        table.clock.sleep_s(0.006)
        speed = abs(table.speeds().get(name, 0.0))
        highest = max(highest, speed)
    unit.stop()
    table.clock.sleep_s(1.5)
    return highest / target_rad_s - 1.0, speed / target_rad_s


def looks_fine(table: Table) -> Callable[[int], None]:
    """Return what holds all rules of driving against the true wheels."""
    turning_since: dict[str, float] = {}

    def look(_number: int) -> None:
        now_s = table.clock.now_s()
        speeds = table.speeds()
        assert len(speeds) <= 1, f"two wheels turn: {speeds}"
        for name in set(turning_since) - set(speeds):
            del turning_since[name]
        for name, speed in speeds.items():
            assert abs(speed) < FASTEST_RAD_S
            assert now_s - turning_since.setdefault(name, now_s) < 2.0 + STANDS_WITHIN_S
            place, output = outputs(table)[name]
            settings = table.units[place].settings
            assert 1 <= settings.timeout <= 5
            assert settings.outputs[output].max_current == 700

    return look


def test_newer_firmware_gets_the_same_loops(tmp_path) -> None:
    table = Table(tmp_path, wrong="factory-loop", firmware=NEWER)
    assert table.set_up(loops=True)
    table.power_cycle()
    for name, (place, output) in outputs(table).items():
        qpps = table.units[place].settings.outputs[output].qpps
        assert qpps == pytest.approx(full_speed_qpps(table, name, NOMINAL_V), rel=0.025)


def test_motors_weak_and_strong_get_loops_that_do_not_overshoot(tmp_path) -> None:
    table = Table(tmp_path, wrong="factory-loop")
    motors = [(1, 1, 1), (2, 2.5, 1), (0.6, 0.5, 0.6), (1.5, 1, 2.5), (1, 3, 1.5), (0.8, 1.5, 0.4)]
    give_motors(table, motors)
    table.at_look = looks_fine(table)
    assert table.set_up(loops=True)
    table.power_cycle()
    assert [unit.nvm_writes for unit in table.units] == [1, 1, 1]
    table.rover.lines.set_level(23, high=True)
    for name, (place, output) in outputs(table).items():
        qpps = table.units[place].settings.outputs[output].qpps
        assert qpps == pytest.approx(full_speed_qpps(table, name, NOMINAL_V), rel=0.025)
        for volts in (13.0, NOMINAL_V, 16.8):
            table.rover.inject(SetBatteryVoltage(volts))
            for part in (0.15, 0.5, 0.75):
                overshoot, final = true_step(table, name, part)
                assert overshoot <= 0.10, (name, volts, part)
                assert final == pytest.approx(1.0, abs=0.03), (name, volts, part)


@pytest.mark.parametrize("scale", [0.2, 6.0])
def test_where_gains_mean_something_else_they_are_found_by_trying(
    tmp_path, monkeypatch, scale: float
) -> None:
    """The vendor does not tell what a gain of 1 is: what is seen counts."""
    monkeypatch.setattr(roboclaw_output, "_PID_ONE", roboclaw_output._PID_ONE / scale)
    table = Table(tmp_path, wrong="factory-loop")
    assert table.set_up(loops=True)
    table.rover.lines.set_level(23, high=True)
    for name in outputs(table):
        overshoot, final = true_step(table, name, 0.5)
        assert overshoot <= 0.10
        assert final == pytest.approx(1.0, abs=0.03)


def test_the_steps_are_shown_as_letters_and_as_a_picture(tmp_path) -> None:
    table = Table(tmp_path, wrong="factory-loop")
    assert table.set_up(loops=True)
    assert (
        len(re.findall(r"\w+: before never there.*; after \d+ ms, overshoot \d%", table.text)) == 6
    )
    (picture,) = tmp_path.glob("*.svg")
    root = ElementTree.parse(picture).getroot()
    lines = [element for element in root.iter() if element.tag.endswith("polyline")]
    assert [line.get("class") for line in lines] == ["before", "after"] * 6
    for line in lines:
        points = [tuple(map(float, point.split(","))) for point in line.get("points").split()]
        assert len(points) > 80
        assert all(0 <= x <= 340 and 0 <= y <= 210 for x, y in points)


def test_a_weak_wheel_bounds_them_all(tmp_path) -> None:
    table = Table(tmp_path, wrong="weak-motor")
    assert table.set_up(loops=True)
    usable = 0.9 * full_speed_qpps(table, "left_front", NOMINAL_V) / TICKS * math.tau
    said = re.search(r"The weakest wheel, left_front.*at most ([\d.]+), nine tenths", table.text)
    assert float(said[1]) == pytest.approx(usable, rel=0.02)


# Whatever comes in between.


def press_stop(table: Table) -> None:
    table.rover.inject(PressStop(pressed=True))


def press_key(_table: Table) -> None:
    raise Interrupted("a key was pressed")


def get_signal(table: Table) -> None:
    table.stopping = True


class Killed(BaseException):
    """What no part of the program knows."""


def die(_table: Table) -> None:
    raise Killed


def pull_cable(table: Table) -> None:
    table.rover.inject(CutSerial())


def reset_it(table: Table) -> None:
    table.rover.inject(PowerCycle(0x80))


def hold_wheel(table: Table) -> None:
    table.rover.inject(LockWheel("left_front"))


def encoder_dies(table: Table) -> None:
    table.rover.inject(SetEncoder("left_front", EncoderState.DEAD))


def encoder_turns_round(table: Table) -> None:
    table.rover.inject(SetEncoder("left_front", EncoderState.REVERSED))


def current_spikes(table: Table) -> None:
    table.units[0].outputs[0].current_10ma = lambda: 1200


def be_frozen(table: Table) -> None:
    """As if the process had been stopped for some seconds."""
    table.clock.sleep_s(5.0)


def battery_empties(table: Table) -> None:
    table.rover.inject(SetBatteryVoltage(9.0))


# And what is said then.
MISHAPS = {
    press_stop: "the stop button is pressed",
    press_key: "a key was pressed",
    get_signal: "ended by SIGTERM",
    die: "",
    pull_cable: "left_front turns: it stops by its own timeout; check the cable",
    reset_it: "was reset|backwards",
    hold_wheel: "look for what holds it",
    encoder_dies: "stopped counting",
    encoder_turns_round: "counts backwards",
    current_spikes: r"draws 12\.0 A, 7 A are allowed",
    be_frozen: r"not looked at for 5\.0 s",
    battery_empties: "stopped counting|hardly turns|has not settled",
}


@pytest.mark.parametrize("at_look", [60, 400, 700])
@pytest.mark.parametrize("mishap", MISHAPS, ids=lambda mishap: mishap.__name__)
def test_anything_that_comes_between_stops_the_wheel(tmp_path, mishap, at_look: int) -> None:
    """In the probe, in the run at 70 % duty, and in a step: left_front's all."""
    table = Table(tmp_path, **with_stop_button())
    before = [unit.settings.copy() for unit in table.units]
    fine = looks_fine(table)
    happened_s, turned_s = math.inf, -math.inf

    def turning() -> None:
        nonlocal turned_s
        if table.speeds():
            turned_s = table.clock.now_s()

    def look(number: int) -> None:
        nonlocal happened_s
        if happened_s == math.inf:
            fine(number)
        if number == at_look:
            assert table.speeds().get("left_front", 0.0) > 1.0
            happened_s = table.clock.now_s()
            table.clock.passed = turning
            mishap(table)

    table.at_look = look
    with pytest.raises((RoverError, Killed)) as caught:
        table.set_up(loops=True)
    assert re.search(MISHAPS[mishap], str(caught.value))
    table.clock.sleep_s(STANDS_WITHIN_S)
    turning()
    assert turned_s - happened_s < STANDS_WITHIN_S or mishap is be_frozen
    assert table.speeds() == {}
    truth = table.rover.truth()
    assert not truth.motor_enable
    assert [unit.nvm_writes for unit in truth.controllers] == [0, 0, 0]
    if mishap is pull_cable:
        assert "switch the power off and on" in table.text
        table.power_cycle()
    assert [unit.settings for unit in table.units] == before
    table.clock.sleep_s(3.0)
    assert table.speeds() == {}


def test_a_reset_between_two_runs_is_seen_before_the_next(tmp_path) -> None:
    """What it has forgotten is the serial timeout."""
    table = Table(tmp_path, wrong="factory-loop")
    state = ["left_front"]

    def look(_number: int) -> None:
        speeds = table.speeds()
        if state == ["left_front"] and "middle" in table.somebody.words and not speeds:
            state[0] = "reset"
            reset_it(table)
        assert state == ["left_front"] or not speeds

    table.at_look = look
    with pytest.raises(DeviceError, match="0x80 was reset, its serial timeout is gone"):
        table.set_up(loops=True)
    assert state == ["reset"]


@pytest.mark.parametrize("with_old_loop", [True, False])
def test_an_encoder_that_dies_while_the_wheel_stands_closes_no_loop_for_long(
    tmp_path, with_old_loop: bool
) -> None:
    """A velocity loop that sees nothing goes to full duty: 0.3 s of it at most, and only once."""
    table = Table(tmp_path, wrong="" if with_old_loop else "factory-loop")
    said = "a step with the loop as it is" if with_old_loop else "a step with P"
    dead_s = pushed_s = 0.0

    def look(_number: int) -> None:
        nonlocal dead_s, pushed_s
        if not dead_s and said in table.somebody.words and not table.speeds():
            dead_s = table.clock.now_s()
            encoder_dies(table)
        if dead_s and abs(table.units[0].outputs[0].pwm()) > 0.25 * 32767:
            pushed_s = pushed_s or table.clock.now_s()

    table.at_look = look
    with pytest.raises(DeviceError, match=r"left_front .*does not count"):
        table.set_up(loops=True)
    assert dead_s < pushed_s
    assert table.clock.now_s() - pushed_s < 1.5
    assert table.speeds().get("left_front", 0.0) < FASTEST_RAD_S


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ("dead-encoder", r"left_front \(M1 of 0x80\) does not count.*dead or not plugged"),
        ("reversed-encoder", r"left_front .*counts backwards.*swap"),
        ("reversed-leads", r"left_front .*counts backwards.*swap"),
        ("hot-controller", r"RoboClaw 0x80 does not drive: temperature"),
        ("latching-stop", r"once RoboClaw 0x80, .* has its stop input set.*Nothing was written"),
    ],
)
def test_what_is_built_wrong_is_named_before_a_loop_is_closed(tmp_path, wrong, complaint) -> None:
    table = Table(tmp_path, wrong=wrong)
    turned = [0.0]

    def look(_number: int) -> None:
        turned[0] = max([turned[0], *map(abs, table.speeds().values())])

    table.at_look = look
    with pytest.raises(DeviceError, match=complaint):
        table.set_up(loops=True)
    assert turned[0] < 0.35 * FASTEST_RAD_S
    assert [unit.nvm_writes for unit in table.units] == [0, 0, 0]


def test_two_encoders_in_each_others_plug_are_named(tmp_path) -> None:
    table = Table(tmp_path, wrong="factory-loop")
    first, second = table.units[0].outputs
    count_1, count_2 = first.count, second.count
    first.count, second.count = count_2, count_1
    with pytest.raises(DeviceError, match=r"the two encoders are swapped"):
        table.set_up(loops=True)


def test_a_wheel_that_goes_on_turning_is_not_followed_by_another(tmp_path) -> None:
    table = Table(tmp_path, wrong="factory-loop")
    output = table.units[0].outputs[0]
    counted = [0]

    def running(_now_s: float) -> int:
        counted[0] += 100
        return counted[0]

    output.count = running
    with pytest.raises(DeviceError, match="goes on turning with zero duty: cut its power"):
        table.set_up(loops=True)
    assert table.looks < 100


@pytest.mark.parametrize("loops", [True, None])
def test_wheels_on_the_ground_are_not_turned(tmp_path, loops) -> None:
    table = Table(tmp_path, wrong="factory-loop")
    table.somebody.answers = {"off the ground": False, "flash": False}
    if loops:
        with pytest.raises(DeviceError, match="none was turned, nothing was written"):
            table.set_up(loops=loops)
    else:
        assert not table.set_up(loops=loops)
        assert "No wheel was turned." in table.text
    assert table.looks == 0
    assert [unit.nvm_writes for unit in table.units] == [0, 0, 0]


def test_loops_are_offered_only_where_they_are_the_factorys(tmp_path) -> None:
    table = Table(tmp_path)
    assert table.set_up(loops=None)
    assert not any("velocity loops" in question for question in table.somebody.asked)
    table = Table(tmp_path, wrong="factory-loop")
    table.somebody.answers = {"Measure them now": False}
    assert table.set_up(loops=None)
    assert any("velocity loops" in question for question in table.somebody.asked)
    assert table.looks == 0


def test_what_was_measured_may_be_thrown_away(tmp_path) -> None:
    table = Table(tmp_path, wrong="factory-loop")
    table.somebody.answers = {"flash": False}
    before = [unit.settings.copy() for unit in table.units]
    assert not table.set_up(loops=True)
    assert [unit.settings for unit in table.units] == before
    assert [unit.nvm_writes for unit in table.units] == [0, 0, 0]


def test_a_wheel_that_rubs_gets_no_loop(tmp_path) -> None:
    table = Table(tmp_path, wrong="factory-loop")
    give_motors(table, [(1, 9.0, 1)] + [(1, 1, 1)] * 5)
    with pytest.raises(DeviceError, match=r"left_front"):
        table.set_up(loops=True)
    assert [unit.nvm_writes for unit in table.units] == [0, 0, 0]


def test_power_that_goes_is_not_answered_with_harder_gains(tmp_path) -> None:
    """This firmware tells a low battery by a warning alone; its motors just stand."""
    table = Table(tmp_path, wrong="factory-loop")

    def look(_number: int) -> None:
        if "a step with P" in table.somebody.words and not table.speeds():
            battery_empties(table)

    table.at_look = look
    with pytest.raises(DeviceError, match=r"hardly turns when it is asked for 1\d\d\d counts"):
        table.set_up(loops=True)
    assert table.somebody.words.count("a step with P") == 1
