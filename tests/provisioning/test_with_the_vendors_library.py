"""What is written is what the vendor's own library reads: an independent witness."""

import contextlib

import pytest
from basicmicro import Basicmicro

from calibration.provisioning.bench import Bench, Wishes
from calibration.provisioning.session import set_up
from calibration.provisioning.wire import Wire
from rover.clock import SystemClock
from rover.hardware.absent import NoPanel
from rover.hardware.bus.serial_line import open_serial_line
from rover.sim.faults import Dialect, PowerCycle, SetFirmware
from tests.builders import osr_config
from tests.provisioning.rig import TODAY, Somebody
from tests.sim.served import Served

pytestmark = pytest.mark.process


def test_the_vendors_library_reads_what_was_set_up(tmp_path) -> None:
    served = Served(tmp_path / "sim", "--unpaced", "--built-wrong", "low-current")
    try:
        with served.truth() as truth:
            for address in (0x80, 0x81, 0x82):
                truth.inject(SetFirmware(address, Dialect.NEWER))
            clock = SystemClock()
            wire = Wire(
                lambda baud: open_serial_line(served.port, baud, clock), clock, margin_s=0.1
            )
            bench = Bench(
                wire, Somebody(), lambda: TODAY, lambda: None, NoPanel, contextlib.nullcontext
            )
            assert set_up(osr_config(), Wishes(served.port, tmp_path), bench)
            wire.close()
            truth.inject(PowerCycle(0x81))
        claw = Basicmicro(served.port, 115200, retries=5)
        assert claw.Open()
        assert claw.GetConfig(0x81) == (1, 0x81A3)
        assert claw.GetTimeout(0x81) == (True, pytest.approx(0.3))
        assert claw.ReadMinMaxMainVoltages(0x81) == (1, 115, 185, 0)
        assert claw.ReadM1MaxCurrent(0x81)[:2] == (1, 700)
        assert claw.ReadM2MaxCurrent(0x81)[:2] == (1, 700)
        assert claw.ReadEncoderModes(0x81) == (1, 0, 0)
        assert claw.ReadPinFunctions(0x81)[:2] == (1, 1)
        claw.close()
    finally:
        served.end()
