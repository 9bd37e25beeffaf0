"""The battery: a multimeter's word against what the rover measures."""

import pytest
from msgspec import structs

from calibration.steps.battery import BatteryStep
from calibration.steps.view import Outcome
from rover.config import Config
from rover.messages import Arc, RequestKind
from rover.sim.faults import OffsetPower
from tests.builders import osr_config
from tests.steps.visit import Visit
from tests.steps.wired import with_changes
from tests.whole.memory_rover import MemoryRover


def begin(config: Config, _draft: bytes) -> BatteryStep:
    return BatteryStep(config)


def test_what_is_measured_is_right_afterwards():
    visit = Visit(begin)
    visit.rover.simulated.inject(OffsetPower(-0.6))
    visit.wait(2.0)
    truth_v = visit.rover.truth().battery_v
    assert visit.rover.telemetry.power.voltage_v == pytest.approx(truth_v - 0.6, abs=0.05)
    visit.enter(round(truth_v, 2))
    visit.enter(5.0)
    visit.press("w")
    assert visit.step.outcome is Outcome.WRITE
    mended = with_changes(visit.rover.config, visit.step.changes())
    assert mended.power.capacity_ah == 5.0
    rover = MemoryRover(mended)
    rover.simulated.inject(OffsetPower(-0.6))
    rover.run(2.0)
    assert rover.telemetry.power.voltage_v == pytest.approx(rover.truth().battery_v, abs=0.05)
    for reading in rover.telemetry.supplies:
        assert reading.voltage_v == pytest.approx(rover.truth().battery_v, abs=0.1)


def test_a_second_correction_builds_on_the_first():
    config = osr_config()
    scaled = structs.replace(config, power=structs.replace(config.power, voltage_scale=1.02))
    visit = Visit(begin, config=scaled)
    visit.wait(1.0)
    visit.enter(round(visit.rover.truth().battery_v, 2))
    assert visit.step.changes()["power", "voltage_scale"] == pytest.approx(1.0, abs=0.003)


def test_a_voltage_that_cannot_be_is_not_believed():
    visit = Visit(begin)
    visit.wait(1.0)
    visit.enter(12.0)
    assert "more than 10 % away" in visit.view.remark
    assert visit.view.asked.unit == "V"
    assert visit.step.changes() == {}


def test_either_may_be_left_as_it_is():
    visit = Visit(begin)
    visit.wait(1.0)
    visit.press("s")
    visit.enter(4.4)
    assert visit.step.changes() == {("power", "capacity_ah"): 4.4}
    visit.press("b")
    visit.press("s", "s")
    assert visit.step.changes() == {}
    assert "w" not in visit.keys


def test_a_battery_under_load_is_not_compared():
    visit = Visit(begin)
    visit.rover.ask(RequestKind.ARM)
    visit.rover.say(Arc(0.0, 0.0))
    visit.wait(1.0)
    visit.enter(16.0)
    assert "disarm it first" in visit.view.remark
    assert visit.step.changes() == {}


def test_without_anything_that_measures_it_says_so():
    step = BatteryStep(osr_config())
    step.enter(16.0, 0.0)
    assert "Nothing on this rover tells a voltage" in step.view().remark


def test_what_was_told_a_while_ago_is_of_another_battery():
    visit = Visit(begin)
    visit.wait(1.0)
    frame = visit.rover.telemetry
    visit.step.see(structs.replace(frame, stamp_s=frame.stamp_s + 60.0, supplies=()))
    visit.step.enter(16.0, 1.0)
    assert "Nothing on this rover tells a voltage" in visit.view.remark


def test_a_rover_that_is_measured_by_its_controllers_alone_is_corrected():
    config = osr_config()
    alone = structs.replace(config, power=structs.replace(config.power, ina260=False))
    visit = Visit(begin, config=alone)
    visit.wait(1.0)
    visit.enter(round(visit.rover.truth().battery_v, 2))
    visit.press("s")
    assert set(visit.step.changes()) == {("roboclaw", "voltage_scale")}
