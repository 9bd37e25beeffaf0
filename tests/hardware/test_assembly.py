import pytest
from gpiozero.pins.mock import MockFactory
from msgspec import structs

from rover.clock import ManualClock
from rover.errors import DeviceError
from rover.hardware import open_hardware
from rover.hardware.absent import NoPanel, NoPowerMonitor, NoSteering
from rover.hardware.gpio import GpioPanel
from rover.hardware.ina260 import Ina260Monitor
from rover.hardware.pca9685 import Pca9685Steering
from rover.hardware.roboclaw import RoboclawDrive
from tests.builders import osr_config
from tests.hardware.fakes import permitted

CONFIG = osr_config()


def test_a_full_rover():
    hardware = open_hardware(CONFIG, ManualClock())
    assert isinstance(hardware.drive, RoboclawDrive)
    assert isinstance(hardware.steering, Pca9685Steering)
    assert isinstance(hardware.power, Ina260Monitor)
    assert isinstance(hardware.panel, GpioPanel)


def test_what_is_not_there_is_stood_in_for():
    config = structs.replace(
        CONFIG,
        wheels={name: structs.replace(wheel, steer=None) for name, wheel in CONFIG.wheels.items()},
        power=structs.replace(CONFIG.power, ina260=False),
        panel=structs.replace(CONFIG.panel, gpio="none"),
    )
    hardware = open_hardware(config, ManualClock())
    assert isinstance(hardware.steering, NoSteering)
    assert isinstance(hardware.power, NoPowerMonitor)
    assert isinstance(hardware.panel, NoPanel)
    for device in (hardware.steering, hardware.power, hardware.panel):
        device.start()
        assert device.health() == ()
        device.close()
    hardware.steering.command(permitted(config))
    hardware.power.poll()
    assert hardware.power.power() is None
    hardware.panel.enable_motors(True)
    hardware.panel.show(armed=True, fault=False, link=True)
    assert not hardware.panel.stop_pressed()


def test_each_driver_opens_the_port_that_the_configuration_names(monkeypatch):
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    closed: list[bool] = []
    monkeypatch.setattr(MockFactory, "close", lambda _factory: closed.append(True))
    config = structs.replace(
        CONFIG,
        roboclaw=structs.replace(CONFIG.roboclaw, port="/nowhere/serial"),
        steering=structs.replace(CONFIG.steering, i2c_bus="/nowhere/i2c-3"),
        power=structs.replace(CONFIG.power, i2c_bus="/nowhere/i2c-4"),
    )
    hardware = open_hardware(config, ManualClock())
    for device, port in (
        (hardware.drive, "/nowhere/serial"),
        (hardware.steering, "/nowhere/i2c-3"),
        (hardware.power, "/nowhere/i2c-4"),
    ):
        with pytest.raises(DeviceError, match=f"cannot open {port}"):
            device.start()
    hardware.panel.start()
    hardware.panel.close()
    assert closed == [True]
