"""Every implementation of the drivers' protocols, each on a bench with its device."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from gpiozero.pins.mock import MockFactory
from msgspec import structs

from rover.clock import ManualClock
from rover.errors import DeviceError
from rover.hardware.absent import NoPanel, NoPowerMonitor, NoSteering
from rover.hardware.base import Panel, PowerMonitor, Steering, WheelDrive
from rover.hardware.bus.lines import EndpointFactory
from rover.hardware.gpio import GpioPanel
from rover.hardware.ina260 import Ina260Monitor
from rover.hardware.pca9685 import Pca9685Steering
from rover.hardware.roboclaw import RoboclawDrive
from rover.messages import DeviceHealth
from rover.sim.faults import PressStop, Silence, UnplugI2c
from rover.sim.memory import SimulatedRover
from rover.sim.roboclaw_settings import Firmware
from tests.builders import osr_config
from tests.hardware.drive_rig import Rig
from tests.hardware.fakes import INA260_ADDRESS, MemoryLines, ScriptedI2c, WordBus

PCA9685_ADDRESS = 0x40
STOP_BUTTON = 17
CONFIG = structs.replace(
    osr_config(), panel=structs.replace(osr_config().panel, stop_button=STOP_BUTTON)
)
ADDRESSES = sorted({wheel.motor.address for wheel in CONFIG.wheels.values()})

DriverT = TypeVar("DriverT")


def nothing() -> None:
    """Do nothing: there is no device to take away."""


@dataclass
class Bench(Generic[DriverT]):
    """A driver, its clock, and what takes its device away and gives it back.

    ``stands_in``: for a device that the rover does not have, which cannot go away.
    """

    driver: DriverT
    clock: ManualClock
    unplug: Callable[[], None] = nothing
    plug_in: Callable[[], None] = nothing
    press: Callable[[bool], None] | None = None
    stands_in: bool = False

    def all_ready(self, health: tuple[DeviceHealth, ...]) -> bool:
        return bool(health) != self.stands_in and all(entry.ready for entry in health)

    def none_ready(self, health: tuple[DeviceHealth, ...]) -> bool:
        return self.stands_in or (bool(health) and not any(entry.ready for entry in health))


def scripted_drive() -> Bench[WheelDrive]:
    rig = Rig(CONFIG)

    def unplug() -> None:
        rig.line.silent |= set(ADDRESSES)

    return Bench(rig.drive, rig.clock, unplug, rig.line.silent.clear)


def drive_without_port() -> Bench[WheelDrive]:
    """Make a drive whose port itself comes and goes."""
    rig = Rig(CONFIG)

    def unplug() -> None:
        rig.line.gone = True
        rig.port_error = "there is no such port"

    def plug_in() -> None:
        rig.port_error = ""

    return Bench(rig.drive, rig.clock, unplug, plug_in)


def simulated_drive(firmware: Firmware) -> Bench[WheelDrive]:
    clock = ManualClock()
    rover = SimulatedRover(CONFIG, clock, firmware=firmware)
    assert CONFIG.panel.motor_enable is not None
    rover.lines.set_level(CONFIG.panel.motor_enable, high=True)

    def silence(silent: bool) -> None:
        for address in ADDRESSES:
            rover.inject(Silence(address, silent))

    return Bench(
        RoboclawDrive(CONFIG, clock, lambda: rover.serial_line),
        clock,
        lambda: silence(True),
        lambda: silence(False),
    )


def scripted_steering() -> Bench[Steering]:
    clock, bus = ManualClock(), ScriptedI2c()
    bus.registers[PCA9685_ADDRESS] = {0x00: 0x11, 0x01: 0x04, 0xFE: 0x1E}
    return Bench(
        Pca9685Steering(CONFIG, clock, lambda: bus),
        clock,
        lambda: bus.missing.add(PCA9685_ADDRESS),
        bus.missing.clear,
    )


def simulated_steering() -> Bench[Steering]:
    clock = ManualClock()
    rover = SimulatedRover(CONFIG, clock)
    return Bench(
        Pca9685Steering(CONFIG, clock, lambda: rover.i2c),
        clock,
        lambda: rover.inject(UnplugI2c(PCA9685_ADDRESS)),
        lambda: rover.inject(UnplugI2c(PCA9685_ADDRESS, unplugged=False)),
    )


def no_steering() -> Bench[Steering]:
    return Bench(NoSteering(), ManualClock(), stands_in=True)


def scripted_power() -> Bench[PowerMonitor]:
    clock, bus = ManualClock(), WordBus()
    bus.words[0x02] = 11840

    def set_missing(missing: bool) -> None:
        bus.missing = missing

    return Bench(
        Ina260Monitor(CONFIG, clock, lambda: bus),
        clock,
        lambda: set_missing(True),
        lambda: set_missing(False),
    )


def simulated_power() -> Bench[PowerMonitor]:
    clock = ManualClock()
    rover = SimulatedRover(CONFIG, clock)
    return Bench(
        Ina260Monitor(CONFIG, clock, lambda: rover.i2c),
        clock,
        lambda: rover.inject(UnplugI2c(INA260_ADDRESS)),
        lambda: rover.inject(UnplugI2c(INA260_ADDRESS, unplugged=False)),
    )


def no_power() -> Bench[PowerMonitor]:
    return Bench(NoPowerMonitor(), ManualClock(), stands_in=True)


def scripted_panel() -> Bench[Panel]:
    lines = MemoryLines()

    def open_factory() -> EndpointFactory:
        if lines.broken:
            raise DeviceError("the lines are gone")
        return EndpointFactory(lines)

    def set_broken(broken: bool) -> None:
        lines.broken = broken

    def press(pressed: bool) -> None:
        lines.levels[STOP_BUTTON] = not pressed

    return Bench(
        GpioPanel(CONFIG, open_factory),
        ManualClock(),
        lambda: set_broken(True),
        lambda: set_broken(False),
        press,
    )


def simulated_panel() -> Bench[Panel]:
    clock = ManualClock()
    rover = SimulatedRover(CONFIG, clock)
    broken = False

    class Lines:
        def set_level(self, line: int, high: bool) -> None:
            self._check()
            rover.lines.set_level(line, high)

        def level(self, line: int) -> bool:
            self._check()
            return rover.lines.level(line)

        def _check(self) -> None:
            if broken:
                raise DeviceError("the simulated hardware has gone")

    def set_broken(value: bool) -> None:
        nonlocal broken
        broken = value

    return Bench(
        GpioPanel(CONFIG, lambda: EndpointFactory(Lines())),
        clock,
        lambda: set_broken(True),
        lambda: set_broken(False),
        lambda pressed: rover.inject(PressStop(pressed)),
    )


def gpiozeros_own_panel() -> Bench[Panel]:
    """Make a panel on gpiozero's own mock pins: the factory that its tests of devices use."""
    factories: list[MockFactory] = []
    broken = False

    def open_factory() -> MockFactory:
        if broken:
            raise DeviceError("no GPIO pins on this computer")
        factories.append(MockFactory())
        return factories[-1]

    def set_broken(value: bool) -> None:
        nonlocal broken
        broken = value
        if broken and factories:
            # A closed pin cannot be driven or read any more.
            for pin in factories[-1].pins.values():
                pin.function = "input"

    def press(pressed: bool) -> None:
        pin = factories[-1].pin(STOP_BUTTON)
        (pin.drive_low if pressed else pin.drive_high)()

    return Bench(
        GpioPanel(CONFIG, open_factory),
        ManualClock(),
        lambda: set_broken(True),
        lambda: set_broken(False),
        press,
    )


def no_panel() -> Bench[Panel]:
    return Bench(NoPanel(), ManualClock(), stands_in=True)
