"""One suite for each protocol of ``rover.hardware.base``, run over every implementation."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest

from rover.errors import DeviceError
from rover.hardware.base import PowerMonitor, Reach, Steering, WheelDrive
from rover.messages import ArmState, WheelReading
from rover.sim.roboclaw_settings import CLASSIC, NEWER, OLD_STATUS
from tests.hardware import benches
from tests.hardware.benches import CONFIG, Bench
from tests.hardware.fakes import permitted

ROLLING = (3.0,) * 6
TURNED = (0.2, 0.15, 0.0, 0.0, -0.2, -0.15)
TICK_S = 0.01

Made = Callable[[], Bench[Any]]

DRIVES = {
    "scripted": benches.scripted_drive,
    "port": benches.drive_without_port,
    "simulated": partial(benches.simulated_drive, CLASSIC),
    "simulated, 16 bits of status": partial(benches.simulated_drive, OLD_STATUS),
    "simulated, newer": partial(benches.simulated_drive, NEWER),
}
STEERINGS = {
    "scripted": benches.scripted_steering,
    "simulated": benches.simulated_steering,
    "none": benches.no_steering,
}
MONITORS = {
    "scripted": benches.scripted_power,
    "simulated": benches.simulated_power,
    "none": benches.no_power,
}
PANELS = {
    "memory": benches.scripted_panel,
    "simulated": benches.simulated_panel,
    "gpiozero": benches.gpiozeros_own_panel,
    "none": benches.no_panel,
}


def real(made: Mapping[str, Made]) -> Mapping[str, Made]:
    """Leave out the stand-in: what is not there cannot be taken away."""
    return {name: make for name, make in made.items() if name != "none"}


@pytest.fixture(params=DRIVES.values(), ids=DRIVES)
def drive_bench(request):
    return request.param()


@pytest.fixture(params=STEERINGS.values(), ids=STEERINGS)
def steering_bench(request):
    return request.param()


@pytest.fixture(params=real(STEERINGS).values(), ids=real(STEERINGS))
def real_steering_bench(request):
    return request.param()


@pytest.fixture(params=MONITORS.values(), ids=MONITORS)
def power_bench(request):
    return request.param()


@pytest.fixture(params=real(MONITORS).values(), ids=real(MONITORS))
def real_power_bench(request):
    return request.param()


@pytest.fixture(params=PANELS.values(), ids=PANELS)
def panel_bench(request):
    bench = request.param()
    yield bench
    bench.plug_in()
    bench.driver.close()


@pytest.fixture(params=real(PANELS).values(), ids=real(PANELS))
def real_panel_bench(request):
    bench = request.param()
    yield bench
    bench.plug_in()
    bench.driver.close()


class TestWheelDrive:
    def run(self, bench: Bench[WheelDrive], duration_s: float) -> None:
        end_s = bench.clock.now_s() + duration_s
        while bench.clock.now_s() < end_s:
            due_s = bench.clock.now_s() + TICK_S
            bench.driver.command(permitted(CONFIG, ROLLING, now_s=bench.clock.now_s()))
            bench.driver.poll()
            bench.clock.advance_to(due_s)

    def test_before_start_nothing_is_known_and_nothing_raises(self, drive_bench):
        drive = drive_bench.driver
        self.run(drive_bench, 0.05)
        drive.stop()
        assert drive.power() is None
        assert drive_bench.none_ready(drive.health())
        assert all(math.isinf(entry.silent_s) for entry in drive.health())
        for wheel in drive.feedback().wheels:
            assert wheel.position_rad is None
            assert wheel.speed_rad_s is None
            assert wheel.current_a is None
        drive.close()

    def test_started_it_is_ready_and_knows_its_firmware(self, drive_bench):
        drive_bench.driver.start()
        health = drive_bench.driver.health()
        assert drive_bench.all_ready(health)
        assert all(entry.firmware for entry in health)

    def test_every_wheel_is_read_and_the_battery_too(self, drive_bench):
        drive_bench.driver.start()
        self.run(drive_bench, 1.0)
        now_s = drive_bench.clock.now_s()
        wheels = drive_bench.driver.feedback().wheels
        assert len(wheels) == len(CONFIG.wheels)
        for wheel in wheels:
            assert wheel.position_rad is not None
            assert wheel.speed_rad_s is not None
            assert wheel.current_a is not None
            assert now_s - wheel.position_stamp_s <= 2 * TICK_S
            assert now_s - wheel.current_stamp_s <= 0.2
        power = drive_bench.driver.power()
        assert 10.0 < power.voltage_v < 20.0
        assert now_s - power.stamp_s < 1.0
        assert drive_bench.all_ready(drive_bench.driver.health())

    def test_a_device_that_is_not_there_says_so_and_can_come_later(self, drive_bench):
        drive_bench.unplug()
        with pytest.raises(DeviceError):
            drive_bench.driver.start()
        assert drive_bench.none_ready(drive_bench.driver.health())
        assert all(entry.errors for entry in drive_bench.driver.health())
        drive_bench.plug_in()
        drive_bench.clock.sleep_s(1.0)
        drive_bench.driver.start()
        assert drive_bench.all_ready(drive_bench.driver.health())

    def test_a_device_that_goes_is_not_ready_by_its_deadline_and_nothing_raises(self, drive_bench):
        drive_bench.driver.start()
        self.run(drive_bench, 0.2)
        before = drive_bench.driver.feedback()
        drive_bench.unplug()
        self.run(drive_bench, CONFIG.deadlines.controller_s + 0.1)
        assert drive_bench.none_ready(drive_bench.driver.health())
        for old, new in zip(before.wheels, drive_bench.driver.feedback().wheels, strict=True):
            assert new.position_stamp_s == old.position_stamp_s
            assert new.position_rad == old.position_rad
        drive_bench.driver.stop()
        drive_bench.driver.close()

    def reach(self, bench: Bench[WheelDrive]) -> Reach:
        now_s = bench.clock.now_s()
        return bench.driver.command(permitted(CONFIG, ROLLING, now_s=now_s))

    def test_a_command_tells_whether_it_was_acknowledged(self, drive_bench):
        assert self.reach(drive_bench) == Reach(acknowledged=False, complete=True)
        drive_bench.driver.start()
        assert self.reach(drive_bench) == Reach(acknowledged=True, complete=True)

    def test_a_command_that_reaches_nobody_is_complete_once_all_are_known_to_be_missing(
        self, drive_bench
    ):
        drive_bench.driver.start()
        self.run(drive_bench, 0.05)
        drive_bench.unplug()
        gone_s = drive_bench.clock.now_s()
        while any(entry.ready for entry in drive_bench.driver.health()):
            assert drive_bench.clock.now_s() - gone_s < CONFIG.deadlines.controller_s + 0.1
            reach = self.reach(drive_bench)
            ready = any(entry.ready for entry in drive_bench.driver.health())
            assert reach == Reach(acknowledged=False, complete=not ready)
            drive_bench.driver.poll()
        assert self.reach(drive_bench) == Reach(acknowledged=False, complete=True)

    def test_a_device_that_comes_back_is_ready_again(self, drive_bench):
        drive_bench.driver.start()
        drive_bench.unplug()
        self.run(drive_bench, 1.0)
        drive_bench.plug_in()
        drive_bench.clock.sleep_s(1.0)
        drive_bench.driver.start()
        self.run(drive_bench, 0.1)
        assert drive_bench.all_ready(drive_bench.driver.health())

    def test_let_go_of_its_bus_is_left_alone_until_it_is_taken_back(self, drive_bench):
        drive = drive_bench.driver
        drive.start()
        self.run(drive_bench, 0.2)
        drive.let_go("lent to a test")
        assert drive_bench.none_ready(drive.health())
        for _ in range(3):
            drive_bench.clock.sleep_s(1.0)
            with pytest.raises(DeviceError, match="lent to a test"):
                drive.start()
            assert self.reach(drive_bench) == Reach(acknowledged=False, complete=True)
            drive.poll()
        # Nothing of before is believed any more.
        assert drive.power() is None
        for wheel in drive.feedback().wheels:
            assert wheel == WheelReading()
        for entry in drive.health():
            assert not entry.firmware
            assert math.isinf(entry.silent_s)
            assert "lent to a test" in entry.errors
        drive.take_back()
        drive.start()
        self.run(drive_bench, 0.2)
        assert drive_bench.all_ready(drive.health())

    def test_closed_it_is_not_ready_and_may_be_started_again(self, drive_bench):
        drive_bench.driver.start()
        drive_bench.driver.close()
        assert drive_bench.none_ready(drive_bench.driver.health())
        drive_bench.driver.start()
        assert drive_bench.all_ready(drive_bench.driver.health())


class TestSteering:
    def run(self, bench: Bench[Steering], duration_s: float) -> None:
        end_s = bench.clock.now_s() + duration_s
        while bench.clock.now_s() < end_s:
            bench.driver.command(permitted(CONFIG, steer_rad=TURNED))
            bench.clock.sleep_s(TICK_S)

    def test_before_start_nothing_raises(self, steering_bench):
        self.run(steering_bench, 0.05)
        assert steering_bench.none_ready(steering_bench.driver.health())
        steering_bench.driver.close()

    @pytest.mark.parametrize("state", list(ArmState))
    def test_started_it_stays_ready_whatever_is_asked_of_it(self, steering_bench, state):
        steering_bench.driver.start()
        for _ in range(100):
            steering_bench.driver.command(permitted(CONFIG, steer_rad=TURNED, state=state))
            steering_bench.clock.sleep_s(TICK_S)
            assert steering_bench.all_ready(steering_bench.driver.health())

    def test_a_device_that_is_not_there_says_so_and_can_come_later(self, real_steering_bench):
        real_steering_bench.unplug()
        with pytest.raises(DeviceError):
            real_steering_bench.driver.start()
        assert real_steering_bench.none_ready(real_steering_bench.driver.health())
        real_steering_bench.plug_in()
        real_steering_bench.driver.start()
        assert real_steering_bench.all_ready(real_steering_bench.driver.health())

    def test_a_device_that_goes_is_not_ready_by_its_deadline_and_nothing_raises(
        self, steering_bench
    ):
        steering_bench.driver.start()
        self.run(steering_bench, 0.1)
        steering_bench.unplug()
        self.run(steering_bench, CONFIG.deadlines.steering_s + 0.05)
        assert steering_bench.none_ready(steering_bench.driver.health())
        steering_bench.driver.close()

    def test_closed_it_may_be_started_again(self, steering_bench):
        steering_bench.driver.start()
        steering_bench.driver.close()
        assert steering_bench.none_ready(steering_bench.driver.health())
        steering_bench.driver.start()
        assert steering_bench.all_ready(steering_bench.driver.health())


class TestPowerMonitor:
    def run(self, bench: Bench[PowerMonitor], duration_s: float) -> None:
        end_s = bench.clock.now_s() + duration_s
        while bench.clock.now_s() < end_s:
            bench.driver.poll()
            bench.clock.sleep_s(TICK_S)

    def test_before_start_nothing_is_known_and_nothing_raises(self, power_bench):
        self.run(power_bench, 0.2)
        assert power_bench.driver.power() is None
        assert power_bench.none_ready(power_bench.driver.health())
        power_bench.driver.close()

    def test_started_it_measures(self, power_bench):
        power_bench.driver.start()
        self.run(power_bench, 2.0)
        assert power_bench.all_ready(power_bench.driver.health())
        if not power_bench.stands_in:
            power = power_bench.driver.power()
            assert 10.0 < power.voltage_v < 20.0
            assert power_bench.clock.now_s() - power.stamp_s <= 0.12

    def test_a_device_that_is_not_there_says_so_and_can_come_later(self, real_power_bench):
        real_power_bench.unplug()
        with pytest.raises(DeviceError):
            real_power_bench.driver.start()
        assert real_power_bench.none_ready(real_power_bench.driver.health())
        real_power_bench.plug_in()
        real_power_bench.driver.start()
        assert real_power_bench.all_ready(real_power_bench.driver.health())

    def test_a_device_that_goes_keeps_its_last_value_with_its_time(self, power_bench):
        power_bench.driver.start()
        self.run(power_bench, 0.2)
        before = power_bench.driver.power()
        power_bench.unplug()
        self.run(power_bench, 3.0)
        assert power_bench.none_ready(power_bench.driver.health())
        assert power_bench.driver.power() == before
        power_bench.driver.close()


class TestPanel:
    def test_before_start_nothing_raises(self, panel_bench):
        panel = panel_bench.driver
        assert panel_bench.none_ready(panel.health())
        panel.enable_motors(False)
        panel.show(armed=True, fault=True, link=True)
        assert panel.stop_pressed() is not panel_bench.stands_in
        panel.close()

    def test_started_it_is_ready_and_nobody_presses(self, panel_bench):
        panel_bench.driver.start()
        assert panel_bench.all_ready(panel_bench.driver.health())
        assert not panel_bench.driver.stop_pressed()

    def test_the_stop_button_is_followed(self, real_panel_bench):
        real_panel_bench.driver.start()
        for pressed in (True, False, True):
            real_panel_bench.press(pressed)
            assert real_panel_bench.driver.stop_pressed() is pressed

    def test_a_device_that_goes_is_not_ready_and_nothing_raises(self, real_panel_bench):
        panel = real_panel_bench.driver
        panel.start()
        panel.enable_motors(True)
        real_panel_bench.unplug()
        panel.enable_motors(False)
        panel.show(armed=True, fault=True, link=True)
        assert real_panel_bench.none_ready(panel.health())
        panel.close()

    def test_a_device_that_is_not_there_says_so_and_can_come_later(self, real_panel_bench):
        real_panel_bench.unplug()
        with pytest.raises(DeviceError):
            real_panel_bench.driver.start()
        assert real_panel_bench.none_ready(real_panel_bench.driver.health())
        assert real_panel_bench.driver.stop_pressed()
        real_panel_bench.plug_in()
        real_panel_bench.driver.start()
        assert real_panel_bench.all_ready(real_panel_bench.driver.health())

    def test_closed_it_may_be_started_again(self, panel_bench):
        panel_bench.driver.start()
        panel_bench.driver.close()
        assert panel_bench.none_ready(panel_bench.driver.health())
        panel_bench.driver.start()
        assert panel_bench.all_ready(panel_bench.driver.health())
