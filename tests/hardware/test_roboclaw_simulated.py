"""The wheel drive on simulated controllers with a plant behind them: what the wheels really do."""

import pytest

from rover.clock import ManualClock
from rover.config import Config
from rover.hardware.roboclaw import RoboclawDrive
from rover.messages import ArmState
from rover.sim.faults import (
    CorruptBytes,
    InjectStatus,
    PowerCycle,
    Silence,
)
from rover.sim.memory import SimulatedRover
from rover.sim.roboclaw_settings import CLASSIC, NEWER, OLD_STATUS, Firmware
from tests.builders import osr_config
from tests.hardware.fakes import permitted

TICK_S = 0.01
E_STOP_32 = 0x00000001
M1_OVER_CURRENT_32 = 0x00010000


class Rig:
    def __init__(self, config: Config | None = None, firmware: Firmware = CLASSIC) -> None:
        self.config = config or osr_config()
        self.clock = ManualClock()
        self.rover = SimulatedRover(self.config, self.clock, firmware=firmware)
        assert self.config.panel.motor_enable is not None
        self.rover.lines.set_level(self.config.panel.motor_enable, high=True)
        self.drive = RoboclawDrive(self.config, self.clock, lambda: self.rover.serial_line)
        self.drive.start()

    def run(
        self,
        duration_s: float,
        wheel_rad_s: tuple[float, ...] = (5.0,) * 6,
        state: ArmState = ArmState.ARMED,
    ) -> None:
        end_s = self.clock.now_s() + duration_s
        while self.clock.now_s() < end_s:
            now_s = self.clock.now_s()
            due_s = now_s + TICK_S
            targets = permitted(self.config, wheel_rad_s, state=state, now_s=now_s)
            self.drive.command(targets)
            self.drive.poll()
            self.clock.advance_to(due_s)

    def speeds_rad_s(self) -> list[float]:
        return [wheel.speed_rad_s for wheel in self.rover.truth().wheels]

    def ready(self) -> dict[str, bool]:
        return {entry.name[-4:]: entry.ready for entry in self.drive.health()}


@pytest.fixture
def rig():
    return Rig()


SPREAD = (4.0, 6.0, -3.0, 5.0, 2.0, -6.0)


@pytest.mark.parametrize("firmware", [CLASSIC, OLD_STATUS, NEWER])
def test_every_wheel_turns_as_it_is_told_and_reads_as_it_turns(firmware):
    rig = Rig(firmware=firmware)
    rig.run(1.5, SPREAD)
    truth = rig.rover.truth()
    for target, wheel, reading in zip(
        SPREAD, truth.wheels, rig.drive.feedback().wheels, strict=True
    ):
        assert wheel.speed_rad_s == pytest.approx(target, abs=0.4)
        assert reading.speed_rad_s == pytest.approx(wheel.speed_rad_s, abs=0.3)
        # A tick's motion may pass between the reading and now, and counts are whole.
        assert reading.position_rad == pytest.approx(wheel.angle_rad, abs=6.0 * 2 * TICK_S)


def test_the_controllers_timeout_stands_and_nothing_is_written_to_flash(rig):
    rig.run(0.5)
    for controller in rig.rover.truth().controllers:
        assert controller.timeout_s == pytest.approx(rig.config.roboclaw.serial_timeout_s)
        assert controller.nvm_writes == 0
        assert not controller.timed_out


def test_the_wheels_stop_by_themselves_when_nobody_talks_any_more(rig):
    rig.run(1.0)
    assert min(rig.speeds_rad_s()) > 4.0
    rig.clock.sleep_s(1.5)
    assert all(controller.timed_out for controller in rig.rover.truth().controllers)
    assert max(map(abs, rig.speeds_rad_s())) < 0.1


def test_without_power_the_wheels_come_to_rest(rig):
    rig.run(1.0)
    rig.run(1.5, state=ArmState.DISARMED)
    assert max(map(abs, rig.speeds_rad_s())) < 0.1


def test_stop_is_enough(rig):
    rig.run(1.0)
    rig.drive.stop()
    rig.clock.sleep_s(0.25)  # shorter than the controllers' own timeout
    assert not any(controller.timed_out for controller in rig.rover.truth().controllers)
    assert max(map(abs, rig.speeds_rad_s())) < 2.5


def test_status_bits_reach_the_health(rig):
    rig.rover.inject(InjectStatus(0x81, E_STOP_32 | M1_OVER_CURRENT_32))
    rig.run(0.2)
    (entry,) = (entry for entry in rig.drive.health() if entry.name.endswith("0x81"))
    assert entry.errors[0].startswith("E-stop")
    assert entry.warnings == ("M1 over-current",)


def test_a_power_cycle_while_driving_never_leaves_a_controller_without_its_timeout(rig):
    rig.run(0.5)
    rig.rover.inject(PowerCycle(0x82))
    rig.run(0.8)
    assert not rig.ready()["0x82"]
    # As the loop does, for a controller that is not ready is a fault.
    rig.run(0.1, state=ArmState.FAULT)
    (controller,) = (unit for unit in rig.rover.truth().controllers if unit.address == 0x82)
    assert controller.timeout_s == pytest.approx(rig.config.roboclaw.serial_timeout_s)
    assert rig.ready() == dict.fromkeys(("0x80", "0x81", "0x82"), True)


def test_a_controller_whose_wire_breaks_stops_by_itself_and_comes_back_confirmed(rig):
    rig.run(0.5)
    rig.rover.inject(Silence(0x80))
    rig.run(1.5)
    assert rig.ready() == {"0x80": False, "0x82": True, "0x81": True}
    left_front, right_front, left_middle, *_ = rig.speeds_rad_s()
    assert abs(left_front) < 0.1
    assert abs(left_middle) < 0.1
    assert right_front > 4.0
    rig.rover.inject(Silence(0x80, silent=False))
    rig.run(1.0, state=ArmState.FAULT)
    assert all(rig.ready().values())
    rig.run(1.0)
    assert min(rig.speeds_rad_s()) > 4.0


def test_noise_on_the_wire_never_shows_as_motion(rig):
    rig.run(0.5, (0.0,) * 6)
    rig.rover.inject(CorruptBytes(share=0.01))
    still = [wheel.position_rad for wheel in rig.drive.feedback().wheels]
    rig.run(3.0, (0.0,) * 6)
    assert [wheel.position_rad for wheel in rig.drive.feedback().wheels] == still
    rig.rover.inject(CorruptBytes())
    rig.run(1.5, (0.0,) * 6)
    assert all(rig.ready().values())
    assert all(not entry.warnings for entry in rig.drive.health())
