"""From the configuration to the rover's drivers."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rover.clock import Clock
from rover.config import Config
from rover.hardware.absent import NoPanel, NoPowerMonitor, NoSteering
from rover.hardware.base import Panel, PowerMonitor, Steering, WheelDrive
from rover.hardware.bus.bus_locks import BusLocks
from rover.hardware.bus.i2c import open_i2c_bus
from rover.hardware.bus.serial_line import open_serial_line
from rover.hardware.gpio import GpioPanel
from rover.hardware.ina260 import Ina260Monitor
from rover.hardware.pca9685 import Pca9685Steering
from rover.hardware.roboclaw import RoboclawDrive

if TYPE_CHECKING:
    from gpiozero.pins import Factory


@dataclass(frozen=True, slots=True)
class Hardware:
    """Everything that the rover's body has, real or simulated."""

    drive: WheelDrive
    steering: Steering
    power: PowerMonitor
    panel: Panel


def open_hardware(config: Config, clock: Clock) -> Hardware:
    """Make the drivers that ``config`` names; each opens its port only when it is started.

    What the configuration says is not there is stood in for by a driver that does nothing.
    """
    roboclaw, steering, power, panel = (
        config.roboclaw,
        config.steering,
        config.power,
        config.panel,
    )
    locks = BusLocks()
    steers = any(wheel.steer is not None for wheel in config.wheels.values())
    return Hardware(
        drive=RoboclawDrive(
            config, clock, lambda: open_serial_line(roboclaw.port, roboclaw.baud, clock)
        ),
        steering=Pca9685Steering(config, clock, lambda: open_i2c_bus(steering.i2c_bus, locks))
        if steers
        else NoSteering(),
        power=Ina260Monitor(config, clock, lambda: open_i2c_bus(power.i2c_bus, locks))
        if power.ina260
        else NoPowerMonitor(),
        panel=NoPanel()
        if panel.gpio == "none"
        else GpioPanel(config, lambda: _open_pin_factory(panel.gpio)),
    )


def _open_pin_factory(spec: str) -> "Factory":
    from rover.hardware.bus.lines import open_pin_factory  # noqa: PLC0415 - 60 ms to import

    return open_pin_factory(spec)
