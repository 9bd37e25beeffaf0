"""Encoders that break: what the controller counts then, and what its velocity loop does."""

import pytest

from rover.sim.faults import EncoderState, SetEncoder
from rover.sim.roboclaw_settings import OLD_STATUS
from tests.sim.rig import Rig

QPPS = 1200
# What the simulated controller's full duty makes of the motor, at the least.
RUNAWAY_RAD_S = 20.0


def wheel_rad_s(rig: Rig, name: str) -> float:
    return next(wheel.speed_rad_s for wheel in rig.truth.wheels if wheel.name == name)


@pytest.mark.parametrize("name", ["left_front", "right_front"])
def test_a_dead_encoder_counts_no_more_and_its_wheel_runs_away(name: str) -> None:
    rig = Rig()
    address, channel = {"left_front": (0x80, 0), "right_front": (0x82, 0)}[name]
    rig.drive(QPPS)
    rig.wait(0.5)
    steady_rad_s = wheel_rad_s(rig, name)
    before = rig.read(78, "ii", address)
    rig.rover.inject(SetEncoder(name, EncoderState.DEAD))
    rig.wait(1.0)
    after = rig.read(78, "ii", address)
    # It goes on for as long as the answer was on its way.
    assert abs(after[channel] - before[channel]) <= 2
    assert abs(after[1 - channel] - before[1 - channel]) > 0.9 * QPPS
    assert rig.read(79, "ii", address)[channel] == 0
    assert wheel_rad_s(rig, name) > max(RUNAWAY_RAD_S, 1.5 * steady_rad_s)


def test_a_reversed_encoder_counts_back_and_its_wheel_runs_away() -> None:
    rig = Rig()
    rig.drive(QPPS)
    rig.wait(0.5)
    before = rig.read(78, "ii", 0x80)[0]
    rig.rover.inject(SetEncoder("left_front", EncoderState.REVERSED))
    rig.wait(0.5)
    assert rig.read(78, "ii", 0x80)[0] < before
    assert rig.read(79, "ii", 0x80)[0] < -QPPS
    assert wheel_rad_s(rig, "left_front") > RUNAWAY_RAD_S


@pytest.mark.parametrize("state", [EncoderState.DEAD, EncoderState.REVERSED])
def test_zero_duty_stops_such_a_wheel_and_a_mended_one_drives(state: EncoderState) -> None:
    rig = Rig()
    rig.rover.inject(SetEncoder("left_front", state))
    rig.drive(QPPS)
    rig.wait(1.0)
    rig.write(34, "hh", 0, 0, address=0x80)
    rig.wait(1.0)
    assert wheel_rad_s(rig, "left_front") == 0.0
    rig.rover.inject(SetEncoder("left_front", EncoderState.WORKS))
    rig.drive(QPPS)
    rig.wait(1.0)
    assert wheel_rad_s(rig, "left_front") == pytest.approx(
        wheel_rad_s(rig, "left_middle"), rel=0.01
    )


def test_a_wheel_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="left_front"):
        Rig().rover.inject(SetEncoder("seventh", EncoderState.DEAD))


ENCODER, MOTOR = 0x40, 0x20


@pytest.mark.parametrize("name", ["left_front", "right_front"])
@pytest.mark.parametrize("state", [EncoderState.WORKS, EncoderState.REVERSED])
@pytest.mark.parametrize("mode", [0, ENCODER, MOTOR, ENCODER | MOTOR])
def test_each_bit_of_the_mode_turns_its_own_round(
    name: str, state: EncoderState, mode: int
) -> None:
    """By duty, which no loop takes a part in: which way the wheel turns, and what is counted."""
    rig = Rig()
    address = rig.config.wheels[name].motor.address
    rig.rover.inject(SetEncoder(name, state))
    assert rig.write(92, "B", mode, address=address) == b"\xff"
    assert rig.read(91, "BB", address) == (mode, 0)
    rig.write(32, "h", 8000, address=address)
    rig.wait(0.25)
    forward = 1 if name == "left_front" else -1
    turned = forward * (-1 if mode & MOTOR else 1)
    counted = (
        turned
        * forward
        * (-1 if mode & ENCODER else 1)
        * (-1 if state is EncoderState.REVERSED else 1)
    )
    assert wheel_rad_s(rig, name) * turned > 1.0
    assert rig.read(79, "ii", address)[0] * counted > 100
    assert rig.read(78, "ii", address)[0] * counted > 10


@pytest.mark.parametrize(
    ("state", "mode", "runs_away"),
    [
        (EncoderState.WORKS, 0, False),
        (EncoderState.WORKS, ENCODER, True),
        (EncoderState.WORKS, MOTOR, True),
        (EncoderState.WORKS, ENCODER | MOTOR, False),
        (EncoderState.REVERSED, 0, True),
        (EncoderState.REVERSED, ENCODER, False),
        (EncoderState.REVERSED, MOTOR, False),
        (EncoderState.REVERSED, ENCODER | MOTOR, True),
    ],
)
def test_the_velocity_loop_sees_the_encoder_as_the_mode_has_it(
    state: EncoderState, mode: int, runs_away: bool
) -> None:
    rig = Rig()
    rig.rover.inject(SetEncoder("left_front", state))
    rig.write(92, "B", mode, address=0x80)
    rig.drive(QPPS)
    rig.wait(0.5)
    assert (abs(wheel_rad_s(rig, "left_front")) > RUNAWAY_RAD_S) is runs_away


def test_what_has_been_counted_stays_when_the_direction_changes() -> None:
    rig = Rig()
    rig.drive(QPPS)
    rig.wait(0.5)
    rig.write(34, "hh", 0, 0, address=0x80)
    rig.wait(0.5)
    before = rig.read(78, "ii", 0x80)
    rig.write(92, "B", ENCODER, address=0x80)
    assert rig.read(78, "ii", 0x80) == before
    assert before[0] > 100


def test_old_firmware_does_not_know_the_bits_that_reverse() -> None:
    rig = Rig(firmware=OLD_STATUS)
    assert rig.write(93, "B", 0xFF, address=0x80) == b"\xff"
    assert rig.read(91, "BB", 0x80) == (0, 0xFF & ~(ENCODER | MOTOR))
