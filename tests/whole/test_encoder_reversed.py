"""Rovers with an encoder, or a motor's leads, the wrong way round, and told so by configuration."""

import pytest

from rover.config import Config
from rover.messages import Arc, ArmState, RequestKind, Spin
from rover.sim.faults import Dialect, PowerCycle, SetFirmware
from tests.builders import osr_config, with_motors
from tests.whole.memory_rover import MemoryRover

# The output that the simulator builds wrong.
WHEEL = "left_front"


def mended(wrong: str) -> Config:
    """What a calibration makes of JPL's rover that is built wrong so."""
    config = osr_config()
    inverted = config.wheels[WHEEL].motor.inverted
    change = {"encoder_reversed": True, "inverted": inverted is not (wrong == "reversed-leads")}
    return with_motors(config, {WHEEL: change})


def as_built(wrong: str, config: Config) -> MemoryRover:
    return MemoryRover(config, built=osr_config(), wrong=wrong)


@pytest.mark.parametrize("wrong", ["reversed-encoder", "reversed-leads"])
def test_a_mended_rover_drives_as_one_that_is_built_right(wrong: str) -> None:
    rover = as_built(wrong, mended(wrong)).armed()
    right = MemoryRover().armed()
    for motion in (Arc(0.8, 0.0), Arc(-0.6, 1.2), Spin(1.0), Arc(0.0, 0.0)):
        for other in (rover, right):
            other.say(motion)
            other.run(2.0)
            assert other.state is ArmState.ARMED, other.loop.arming.reason
        for ours, theirs, told in zip(
            rover.truth().wheels, right.truth().wheels, rover.telemetry.wheels, strict=True
        ):
            assert ours.speed_rad_s == pytest.approx(theirs.speed_rad_s, abs=0.1)
            assert told.speed_rad_s == pytest.approx(theirs.speed_rad_s, abs=0.3)
            assert told.position_rad == pytest.approx(theirs.angle_rad, abs=0.3)
    assert all(unit.nvm_writes == 0 for unit in rover.truth().controllers)


@pytest.mark.parametrize("wrong", ["reversed-encoder", "reversed-leads"])
def test_unmended_it_is_a_fault(wrong: str) -> None:
    rover = as_built(wrong, osr_config()).armed()
    rover.say(Arc(0.5, 0.0))
    rover.run(1.0)
    assert rover.state is ArmState.FAULT


def test_firmware_that_cannot_reverse_lets_nobody_arm_and_says_why() -> None:
    rover = as_built("reversed-encoder", mended("reversed-encoder"))
    address = rover.config.wheels[WHEEL].motor.address
    rover.simulated.inject(SetFirmware(address, Dialect.OLD_STATUS))
    rover.simulated.inject(PowerCycle(address))
    rover.run(2.0)
    refusals = rover.ask(RequestKind.ARM).refusals
    assert any(
        f"0x{address:02X}" in text and "cannot reverse encoders" in text for text in refusals
    ), refusals
    assert rover.stands()


@pytest.mark.parametrize("driven_s", [0.05, 3.0])
def test_a_controller_that_forgets_it_on_the_way_stops_the_rover(driven_s: float) -> None:
    """Its flash has the encoder the wrong way, with which a velocity loop runs away."""
    rover = as_built("reversed-encoder", mended("reversed-encoder")).armed()
    rover.say(Arc(0.5, 0.0))
    rover.run(driven_s)
    rover.simulated.inject(PowerCycle(rover.config.wheels[WHEEL].motor.address))
    rover.run(0.01)
    assert rover.time_to_stand_s(0.8) >= 0.0
    assert rover.state is ArmState.FAULT
    rover.say(Arc(0.0, 0.0))
    rover.run(1.0)
    assert rover.ask(RequestKind.CLEAR).accepted
    rover.run(1.0)
    assert rover.ask(RequestKind.ARM).accepted
    rover.run(1.0)
    rover.say(Arc(0.5, 0.0))
    rover.run(2.0)
    assert rover.state is ArmState.ARMED
    assert not rover.stands()
