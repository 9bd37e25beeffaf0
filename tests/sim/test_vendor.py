"""The vendor's own library as an independent client of the served port."""

import pytest
from basicmicro import Basicmicro

from rover.hardware.bus.endpoint import EndpointClient, LineWrite
from rover.sim.faults import Dialect, SetFirmware
from tests.sim.rig import MOTOR_ENABLE
from tests.sim.served import Served, until

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    served = Served(tmp_path_factory.mktemp("vendor"), "--unpaced")
    lines = EndpointClient(str(served.directory / "gpio"), timeout_s=2.0)
    lines.request(LineWrite(MOTOR_ENABLE, high=True))
    lines.close()
    yield served
    served.end()


@pytest.fixture
def claw(served):
    # It writes byte by byte: a busy computer may well leave 10 ms between two of them.
    claw = Basicmicro(served.port, 115200, retries=5)
    assert claw.Open()
    yield claw
    claw.DutyM1M2(0x80, 0, 0)
    claw.close()


def signed(value: int, bits: int = 32) -> int:
    return value - (1 << bits) if value >= 1 << (bits - 1) else value


def test_version(claw) -> None:
    for address in (0x80, 0x81, 0x82):
        assert claw.ReadVersion(address) == (True, "USB Roboclaw 2x7a v4.2.4\n")


def test_speeds_encoders_currents_and_voltages(claw) -> None:
    assert claw.ResetEncoders(0x80)
    assert claw.SpeedM1M2(0x80, 1200, -800)

    def settled() -> bool:
        _, first, second = claw.GetISpeeds(0x80)
        return abs(signed(first) - 1200) < 3 and abs(signed(second) + 800) < 3

    until(settled)
    _, first, second = claw.GetEncoders(0x80)
    assert first > 300
    assert signed(second) < -200
    _, amps_1, amps_2 = claw.ReadCurrents(0x80)
    assert (amps_1, amps_2) == (pytest.approx(45, abs=10), pytest.approx(45, abs=10))
    ok, volts = claw.ReadMainBatteryVoltage(0x80)
    assert ok
    assert 150 <= volts <= 161
    _, duty_1, duty_2 = claw.ReadPWMs(0x80)
    assert duty_1 > 0 > duty_2


def test_serial_timeout(claw) -> None:
    assert claw.SetTimeout(0x81, 0.7)
    assert claw.GetTimeout(0x81) == (True, pytest.approx(0.7))
    assert claw.SetTimeout(0x81, 0)


def test_velocity_pid_is_the_same_written_and_read(claw) -> None:
    assert claw.SetM1VelocityPID(0x82, 3.5, 0.25, 0.125, 2790)
    ok, p, i, d, qpps = claw.ReadM1VelocityPID(0x82)
    assert (ok, p, i, d, qpps) == (1, 3.5, 0.25, 0.125, 2790)


def test_the_dialect_of_newer_firmware(served, claw) -> None:
    with served.truth() as truth:
        truth.inject(SetFirmware(0x82, Dialect.NEWER))
        assert claw.SetMainVoltages(0x82, 118, 182, 1)
        assert claw.ReadMinMaxMainVoltages(0x82) == (1, 118, 182, 1)
        assert claw.SetPinFunctions(0x82, 1, 0, 0, 0, 0)
        assert claw.ReadPinFunctions(0x82) == (1, 1, 0, 0, 0, 0)
        assert claw.SetM1DefaultAccel(0x82, 1000, 1000)
        assert claw.ReadError(0x82) == (1, 0)
        assert claw.ResetEStop(0x82)
        assert claw.SetEStopLock(0x82, claw.ESTOP_SW_RESET)
        assert claw.GetEStopLock(0x82) == (1, claw.ESTOP_SW_RESET)
        before = truth.truth().controllers[2].nvm_writes
        assert claw.WriteNVM(0x82)
        assert truth.truth().controllers[2].nvm_writes == before + 1


def test_configuration_word_and_current_limits(claw) -> None:
    assert claw.GetConfig(0x81) == (1, 0x8000 | 0x0100 | 0x00A0 | 0x0003)
    assert claw.SetM2MaxCurrent(0x81, 400, 0)
    assert claw.ReadM2MaxCurrent(0x81)[:2] == (1, 400)
