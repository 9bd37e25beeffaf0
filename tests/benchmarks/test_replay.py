"""A drive that is played back: the same answers at the same times, or a complaint."""

from typing import NamedTuple

import pytest

from benchmarks.replay import (
    ReplayError,
    ReplayingI2c,
    ReplayingLine,
    Tape,
    TapingI2c,
    TapingLine,
)
from rover.clock import ManualClock
from rover.hardware.bus.framing import read_request
from rover.sim.memory import SimulatedRover
from tests.builders import osr_config

BATTERY, ENCODERS = read_request(0x80, 24), read_request(0x81, 78)
INA260, VOLTAGE = 0x45, b"\x02"


def exchange(line, clock, request: bytes, count: int) -> tuple[bytes, float]:
    line.write(request)
    return line.read(count, clock.now_s() + 0.05), clock.now_s()


class Recorded(NamedTuple):
    tape: Tape
    answers: list[tuple[bytes, float]]
    voltage: bytes


@pytest.fixture
def recorded() -> Recorded:
    """Two reads on the serial line, and one on the I2C bus."""
    tape, clock = Tape(), ManualClock()
    simulated = SimulatedRover(osr_config(), clock)
    line = TapingLine(simulated.serial_line, clock, tape)
    return Recorded(
        tape,
        [exchange(line, clock, BATTERY, 4), exchange(line, clock, ENCODERS, 10)],
        TapingI2c(simulated.i2c, tape).transfer(INA260, VOLTAGE, 2),
    )


def test_the_same_questions_get_the_same_answers_at_the_same_times(recorded) -> None:
    clock = ManualClock()
    line = ReplayingLine(clock, recorded.tape)
    answers = [exchange(line, clock, BATTERY, 4), exchange(line, clock, ENCODERS, 10)]
    assert answers == recorded.answers
    assert [len(data) for data, _ in answers] == [4, 10]
    assert answers[0][1] > ManualClock().now_s()
    assert ReplayingI2c(recorded.tape).transfer(INA260, VOLTAGE, 2) == recorded.voltage


def test_another_question_is_an_error(recorded) -> None:
    clock = ManualClock()
    with pytest.raises(ReplayError, match="81 4e instead of 80 18"):
        exchange(ReplayingLine(clock, recorded.tape), clock, ENCODERS, 10)
    with pytest.raises(ReplayError):
        ReplayingI2c(recorded.tape).transfer(INA260, b"\x01", 2)
