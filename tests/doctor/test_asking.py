"""The doctor only asks: what it sends, when, and what it leaves alone."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from calibration.doctor.bench import (
    ADDRESSES,
    QUESTIONS,
    NotAQuestionError,
    QuestionLine,
    this_bench,
)
from calibration.doctor.bus_scan import BAUDS
from calibration.doctor.finding import Verdict
from rover.clock import SystemClock
from rover.errors import DeviceError, LinkError
from rover.hardware.bus.framing import crc16, pack_s32_pair, read_request, write_packet
from rover.hardware.roboclaw_bus import RoboclawBus
from rover.link import ControlLink
from rover.messages import Condition, DeviceHealth, Severity
from rover.sim.miswired import MISWIRED
from rover.sim.roboclaw_commands import CLASSIC_COMMANDS, NEWER_COMMANDS
from rover.sim.roboclaw_format import Read
from tests.doctor.rig import Patient
from tests.web.fake_control import still_rover
from tests.web.rig import short_directory

VERSION = 21


@pytest.fixture
def short_dir() -> Iterator[Path]:
    with short_directory() as directory:
        yield directory


@pytest.mark.parametrize("wrong", ["", *MISWIRED])
def test_nothing_but_questions_goes_over_the_wire(tmp_path: Path, wrong: str) -> None:
    patient = Patient(tmp_path, wrong=wrong)
    before = patient.rover.truth()
    patient.findings()
    assert patient.sent
    for _, baud, data in patient.sent:
        assert len(data) == 2
        assert data[0] in range(0x80, 0x88)
        for table in (CLASSIC_COMMANDS, NEWER_COMMANDS):
            assert isinstance(table[data[1]], Read)
        # Whoever listens at another rate than the rover's is asked for nothing but a version.
        assert baud == 115200 or data[1] == VERSION
    after = patient.rover.truth()
    assert [w.angle_rad for w in after.wheels] == [w.angle_rad for w in before.wheels]
    assert [w.steer_rad for w in after.wheels] == [w.steer_rad for w in before.wheels]
    assert not any(wheel.steer_powered for wheel in after.wheels)
    for unit in patient.rover.devices.units:
        assert unit.asked_s == -math.inf
        assert unit.nvm_writes == 0


def test_every_question_is_a_command_that_only_tells() -> None:
    for number in QUESTIONS:
        assert isinstance(CLASSIC_COMMANDS[number], Read)
        assert isinstance(NEWER_COMMANDS[number], Read)


@given(st.binary(max_size=20))
def test_the_line_lets_nothing_else_pass(data: bytes) -> None:
    class Wire:
        sent: list[bytes] = []  # noqa: RUF012

        def write(self, sent: bytes) -> None:
            self.sent.append(sent)

    wire = Wire()
    line = QuestionLine(wire)
    is_question = len(data) == 2 and data[0] in ADDRESSES and data[1] in QUESTIONS
    if is_question:
        line.write(data)
    else:
        with pytest.raises(NotAQuestionError):
            line.write(data)
    assert wire.sent[-1:] == ([data] if is_question else wire.sent[-1:])


@pytest.mark.parametrize("command", [0, 14, 34, 35, 37, 40, 57, 94, 95, 98])
def test_a_command_does_not_pass(command: int) -> None:
    line = QuestionLine(Patient.__new__(Patient))
    for data in (write_packet(0x80, command, bytes(8)), read_request(0x80, command)):
        with pytest.raises(NotAQuestionError):
            line.write(data)


def _bits(data: bytes) -> list[int]:
    """Give the levels of an idle line, then of ``data`` at 8N1, then of an idle line."""
    levels = [1] * 12
    for byte in data:
        levels += [0, *(byte >> bit & 1 for bit in range(8)), 1]
    return levels + [1] * 12


def _heard(data: bytes, sent_baud: int, heard_baud: int) -> bytes:
    """Return what a receiver of another rate makes of it, bad stop bits let pass."""
    levels = _bits(data)

    def level(at: float) -> int:
        place = int(at * sent_baud)
        return levels[place] if place < len(levels) else 1

    bit_s, end_s = 1 / heard_baud, len(levels) / sent_baud
    step_s = min(bit_s, 1 / sent_baud) / 16
    at_s, heard = step_s, b""
    while at_s < end_s:
        if level(at_s) == 0:
            value = sum(level(at_s + (1.5 + bit) * bit_s) << bit for bit in range(8))
            heard += bytes((value,))
            at_s += 9.5 * bit_s
            while level(at_s) == 0 and at_s < end_s:
                at_s += step_s  # a break is one byte, however long
        at_s += step_s
    return heard


@pytest.mark.parametrize("heard_baud", BAUDS)
def test_asked_at_a_wrong_rate_no_controller_hears_a_command(heard_baud: int) -> None:
    for sent_baud in BAUDS:
        for address in ADDRESSES:
            data = read_request(address, VERSION)
            heard = _heard(data, sent_baud, heard_baud)
            if sent_baud == heard_baud:
                assert heard == data
                continue
            for start in range(len(heard)):
                for end in range(start + 4, len(heard) + 1):
                    body, checksum = heard[start : end - 2], heard[end - 2 : end]
                    is_packet = crc16(body).to_bytes(2, "big") == checksum
                    assert not (heard[start] in ADDRESSES and is_packet)


def test_wheels_that_a_killed_control_left_turning_stop_before_the_first_question(
    tmp_path: Path,
) -> None:
    patient = Patient(tmp_path)
    _leave_turning(patient, timeout=3)
    left_s = patient.clock.now_s()
    assert patient.troubles() == []
    assert patient.sent[0][0] - left_s >= 0.3
    assert patient.rover.devices.units[0].timed_out


def test_wheels_that_turn_all_the_same_are_not_asked_on(tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    _leave_turning(patient, timeout=50)
    (finding,) = patient.troubles()
    assert finding.code == "wheels-turning"
    assert "power off" in finding.next_step
    # Each question puts the controllers' own stop off: after the encoders, no more.
    assert patient.sent[-1][2] == bytes((0x80, 78))
    patient.clock.sleep_s(6.0)
    assert all(abs(wheel.speed_rad_s) < 0.01 for wheel in patient.rover.truth().wheels)


def _leave_turning(patient: Patient, timeout: int) -> None:
    """Turn wheels and say nothing more, as a control that is killed."""
    patient.rover.lines.set_level(23, high=True)
    for unit in patient.rover.devices.units:
        unit.settings.timeout = timeout
    bus = RoboclawBus(patient.rover.serial_line, 115200, 0.01, patient.clock)
    for address in (0x80, 0x81, 0x82):
        bus.send(write_packet(address, 37, pack_s32_pair(900, 900)))
    patient.clock.sleep_s(0.2)


def test_while_control_runs_its_word_is_taken_and_nothing_is_opened(tmp_path: Path) -> None:
    devices = (
        DeviceHealth("RoboClaw 0x80", True, 0.01, firmware="USB Roboclaw 2x7a v4.2.4"),
        DeviceHealth("PCA9685 0x40", False, 9.0, errors=("nothing answers",)),
    )
    conditions = (
        Condition("steering", "PCA9685 0x40 has been silent for 9.0 s"),
        Condition("battery-low", "the battery is low", Severity.WARNING),
    )
    patient = Patient(tmp_path)
    telemetry = still_rover()
    patient.telemetry = structs.replace(telemetry, devices=devices, conditions=conditions)
    findings = patient.findings()
    assert patient.sent == []
    by_code = {finding.code: finding for finding in findings}
    assert by_code["device"].found == "USB Roboclaw 2x7a v4.2.4"
    assert by_code["told-error"].found == "PCA9685 0x40 has been silent for 9.0 s"
    assert by_code["told-error"].verdict is Verdict.FAIL
    assert by_code["told-error"].next_step == "Check the servo board's power and I2C plug."
    assert by_code["told-warning"].verdict is Verdict.WARN
    scan = next(f for f in findings if f.step == "motor controllers")
    assert scan.verdict is Verdict.SKIPPED
    assert "control has the bus" in scan.found
    assert "rover doctor --scan" in scan.next_step


class Lender:
    """A control that lends the bus to the doctor, and may end the loan after some questions."""

    def __init__(self, patient: Patient, questions: int = 10000, refusal: str = "") -> None:
        self._patient = patient
        self._questions = questions
        self._refusal = refusal
        self.given_back = 0
        patient.telemetry = still_rover()

    @contextmanager
    def lend(self, port: str) -> Iterator[Callable[[], None]]:
        if self._refusal:
            raise LinkError(self._refusal)
        assert port == self._patient.config.roboclaw.port
        try:
            yield self._allow
        finally:
            assert all(tap.closed for tap in self._patient.taps)
            self.given_back += 1

    def _allow(self) -> None:
        self._questions -= 1
        if self._questions < 0:
            raise DeviceError("the serial bus is not lent any more: a test")


def test_where_control_lends_the_bus_it_is_scanned_and_given_back(tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    lender = Lender(patient)
    patient.borrow = lender.lend
    findings = patient.findings()
    assert next(f.code for f in findings if f.step == "motor controllers") == "bus-lent"
    assert lender.given_back == 1
    assert patient.sent


def test_a_loan_that_ends_ends_the_scan(tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    lender = Lender(patient, questions=5)
    patient.borrow = lender.lend
    (finding,) = patient.troubles()
    assert finding.code == "port-trouble"
    assert "not lent any more" in finding.found
    assert len(patient.sent) == 5
    assert lender.given_back == 1


def test_what_control_says_against_lending_is_told(tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    patient.borrow = Lender(patient, refusal="the rover is armed: disarm it first").lend
    (finding,) = patient.troubles()
    assert (finding.code, finding.found) == ("bus-not-lent", "the rover is armed: disarm it first")
    assert patient.sent == []


def test_a_control_that_says_nothing_keeps_the_hardware(tmp_path: Path) -> None:
    patient = Patient(tmp_path, in_use=True)
    codes = {finding.code for finding in patient.troubles()}
    assert codes == {"control-mute"}
    assert patient.sent == []


def test_whether_control_runs_is_seen_without_keeping_its_lock(short_dir: Path) -> None:
    bench = this_bench(short_dir, SystemClock())
    assert not bench.in_use()
    assert list(short_dir.iterdir()) == []
    with ControlLink(short_dir):
        assert bench.in_use()
    assert not bench.in_use()
    # The next control finds its lock free.
    ControlLink(short_dir).close()


def test_what_stands_on_ground_that_gave_way_is_not_tried(tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    patient.remove("/dev/serial0")
    findings = {finding.step: finding for finding in patient.findings()}
    assert findings["motor controllers"].verdict is Verdict.SKIPPED
    assert findings["motor controllers"].found == (
        "not tried, because of serial port: there is no /dev/serial0"
    )
    assert patient.sent == []
    # What does not stand on it is.
    assert findings["servo board"].verdict is Verdict.OK
