"""One motor output driven on its own, with nobody around it to stop it again."""

from dataclasses import replace

import pytest

from calibration.provisioning.change import Interrupted
from calibration.provisioning.run import duty_run, speed_run
from calibration.provisioning.watch import Bounds, Motor
from rover.errors import DeviceError
from rover.sim.faults import SetTemperature
from tests.provisioning.rig import Table

BOUNDS = Bounds(stall_current_a=3.0, max_current_a=7.0, max_qpps=2800.0)


@pytest.fixture
def table(tmp_path) -> Table:
    table = Table(tmp_path, wrong="factory-loop")
    table.rover.lines.set_level(23, high=True)
    for unit in table.units:
        unit.settings.timeout = 3
    return table


def motor(table: Table) -> Motor:
    return Motor(table.unit(), 0, "left_front", BOUNDS)


def test_it_turns_at_its_duty_for_so_long_and_has_zero_duty_at_once(table: Table) -> None:
    began_s = table.clock.now_s()
    recording = duty_run(motor(table), 0.4, 0.2, 1.0, lambda: None)
    assert table.clock.now_s() - began_s == pytest.approx(1.0, abs=0.1)
    assert table.units[0].outputs[0].idle
    assert [sample.time_s for sample in recording] == sorted(s.time_s for s in recording)
    # A hundred looks a second, and what an encoder counts is what the wheel has turned.
    assert 80 < len(recording) <= 100
    turned_rad = table.rover.truth().wheels[0].angle_rad
    assert 0 < recording[-1].count < turned_rad * 753.2 / 6.28


def test_no_run_is_longer_than_two_seconds(table: Table) -> None:
    began_s = table.clock.now_s()
    duty_run(motor(table), 0.3, 0.2, 60.0, lambda: None)
    assert table.clock.now_s() - began_s < 2.1


def test_who_ends_it_finds_zero_duty_already(table: Table) -> None:
    def guard() -> None:
        if table.speeds().get("left_front", 0.0) > 3.0:
            raise Interrupted("a key was pressed")

    with pytest.raises(Interrupted):
        duty_run(motor(table), 0.4, 0.2, 2.0, guard)
    assert table.units[0].outputs[0].idle


def test_without_a_serial_timeout_nothing_turns(table: Table) -> None:
    table.units[0].settings.timeout = 0
    with pytest.raises(DeviceError, match="left_front is not turned without it"):
        duty_run(motor(table), 0.4, 0.2, 2.0, lambda: None)
    assert table.speeds() == {}


def test_a_wheel_that_turns_hard_is_not_turned_for_long(table: Table) -> None:
    wheel = table.rover.devices.plant.motors[0]
    wheel.parameters = replace(wheel.parameters, friction_a=3.5)
    began_s = table.clock.now_s()
    with pytest.raises(
        DeviceError, match=r"draws 3\.\d A for longer than a wheel that turns freely"
    ):
        duty_run(motor(table), 0.7, 0.2, 2.0, lambda: None)
    assert table.clock.now_s() - began_s < 1.0


def test_a_count_that_jumps_is_no_measurement(table: Table) -> None:
    def guard() -> None:
        output = table.units[0].outputs[0]
        if table.speeds().get("left_front", 0.0) > 3.0 and output.count(table.clock.now_s()) < 1000:
            output.set_count(50_000, table.clock.now_s())

    with pytest.raises(DeviceError, match="jumps by 4"):
        duty_run(motor(table), 0.4, 0.2, 2.0, guard)


def test_a_controller_that_cuts_its_motors_is_asked_why(table: Table) -> None:
    """With a loop that hardly turns the wheel nothing else shows it."""

    def guard() -> None:
        table.rover.inject(SetTemperature(0x80, 104.0))

    with pytest.raises(DeviceError, match="its controller has cut the motors: temperature"):
        speed_run(motor(table), 1400.0, 0.5, guard)
