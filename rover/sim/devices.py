"""A rover's worth of devices, joined: what the configuration says is there, and no more.

Everything takes the time as an argument and never goes back; the server passes the real
clock's, a test its own.
"""

import math

from rover.config import Config
from rover.sim.bus import Noise, RoboclawBus
from rover.sim.faults import (
    CorruptBytes,
    CutSerial,
    Dialect,
    EncoderState,
    Fault,
    InjectStatus,
    LockWheel,
    NackI2c,
    OffsetPower,
    PowerCycle,
    PressStop,
    SetBatteryCharge,
    SetBatteryVoltage,
    SetEncoder,
    SetFirmware,
    SetTemperature,
    ShortenReplies,
    Silence,
    UnplugI2c,
    WearFlash,
)
from rover.sim.i2c import I2cDevice, I2cWires
from rover.sim.ina260 import Ina260
from rover.sim.lines import LineLevels
from rover.sim.pca9685 import Pca9685
from rover.sim.plant import Plant
from rover.sim.roboclaw import Roboclaw
from rover.sim.roboclaw_output import Output
from rover.sim.roboclaw_settings import CLASSIC, NEWER, OLD_STATUS, Firmware, Settings
from rover.sim.roboclaw_status import Status
from rover.sim.truth import ControllerTruth, Truth, WheelTruth
from rover.units import qpps_from_rad_s

# What an encoder makes of the motor's turning.
_SIGNS = {EncoderState.WORKS: 1, EncoderState.DEAD: 0, EncoderState.REVERSED: -1}
_FIRMWARE = {Dialect.CLASSIC: CLASSIC, Dialect.OLD_STATUS: OLD_STATUS, Dialect.NEWER: NEWER}


class SimulatedDevices:
    """RoboClaws on a wire, a servo board and a power monitor on another, lines, and a plant."""

    def __init__(
        self, config: Config, now_s: float, *, paced: bool = True, firmware: Firmware = CLASSIC
    ) -> None:
        self._config = config
        self._now_s = now_s
        self.plant = Plant(config, now_s)
        self.units = _units(config, self.plant, firmware)
        self.bus = RoboclawBus(self.units, config.roboclaw.baud, self._elapse, paced=paced)
        self._usb: list[RoboclawBus] = []
        self._outputs = {
            output.wheel: output
            for unit in self.units
            for output in unit.outputs
            if output.wheel is not None
        }
        self._power_offset_v = 0.0
        self.lines = LineLevels(config.panel, self._enable_motors)
        self._channels = {
            servo.channel: servo for servo in self.plant.servos if servo.channel is not None
        }
        devices: list[I2cDevice] = []
        if self._channels:
            devices.append(Pca9685(config.steering.address, self._pulse))
        if config.power.ina260:
            devices.append(Ina260(config.power.address, self._measure))
        self.i2c = I2cWires(devices)
        self._enable_motors(self.lines.motors_enabled)

    def advance_to(self, time_s: float) -> None:
        """Let time pass to ``time_s``; an earlier time changes nothing."""
        self.bus.run_to(time_s)
        for usb in self._usb:
            usb.run_to(time_s)
        self._elapse(time_s)

    def plug_in_usb(self, unit: int) -> RoboclawBus:
        """Return the USB port of a unit, by its place among them."""
        usb = RoboclawBus((self.units[unit],), self._config.roboclaw.baud, self._elapse, usb=True)
        self._usb.append(usb)
        return usb

    def transfer(self, address: int, write: bytes, read_count: int, now_s: float) -> bytes | None:
        """Do an I2C transfer at ``now_s``; None if nobody acknowledges."""
        self.advance_to(now_s)
        return self.i2c.transfer(address, write, read_count)

    def drive_line(self, line: int, *, high: bool, now_s: float) -> None:
        """Drive a GPIO line at ``now_s``."""
        self.advance_to(now_s)
        self.lines.drive(line, high=high)

    def truth(self, now_s: float) -> Truth:
        """Return what is so at ``now_s``, or a little later if the wire is that far ahead."""
        self.advance_to(now_s)
        plant = self.plant
        plant.advance_to(self._now_s)
        wheels = tuple(
            WheelTruth(
                name,
                motor.speed_rad_s,
                motor.angle_rad,
                servo.steer_rad,
                motor.current_a,
                servo.powered,
            )
            for name, motor, servo in zip(plant.names, plant.motors, plant.servos, strict=True)
        )
        controllers = tuple(
            ControllerTruth(
                unit.settings.address,
                unit.timed_out,
                unit.asked_s,
                unit.settings.timeout / 10.0,
                int(unit.status),
                unit.nvm_writes,
            )
            for unit in self.units
        )
        return Truth(
            time_s=plant.time_s,
            wheels=wheels,
            controllers=controllers,
            pose=plant.body.pose,
            twist=plant.body.twist,
            battery_v=plant.battery.voltage_v,
            battery_a=plant.battery.current_a,
            battery_charge=plant.battery.charge,
            motor_enable=self.lines.motors_enabled,
        )

    def inject(self, fault: Fault, now_s: float) -> None:
        """Put ``fault`` in at ``now_s``. Raises ValueError if this rover has no such part."""
        self.advance_to(now_s)
        self.plant.change(self._now_s)
        match fault:
            case PressStop(pressed):
                if self._config.panel.stop_button is None:
                    raise ValueError("no stop button on this rover: set panel.stop_button")
                self.lines.stop_pressed = pressed
            case SetBatteryCharge(charge):
                self.plant.battery.set_charge(charge)
            case SetBatteryVoltage(open_circuit_v):
                self.plant.battery.set_voltage(open_circuit_v)
            case LockWheel(wheel, locked):
                self.plant.motors[self._wheel(wheel)].lock(locked)
            case SetEncoder(wheel, state):
                self._outputs[self._wheel(wheel)].set_encoder(_SIGNS[state], self._now_s)
            case UnplugI2c() | NackI2c() | OffsetPower():
                self._inject_on_i2c(fault)
            case CorruptBytes():
                self.bus.noise = Noise(fault.share, fault.requests, fault.replies, fault.stray)
            case CutSerial(cut):
                self.bus.cut = cut
            case _:
                self._inject_in_unit(fault)
        for unit in self.units:
            unit.check(self._now_s)

    def _inject_on_i2c(self, fault: UnplugI2c | NackI2c | OffsetPower) -> None:
        match fault:
            case UnplugI2c(address, unplugged):
                (self.i2c.unplugged.add if unplugged else self.i2c.unplugged.discard)(address)
            case NackI2c(address, count):
                self.i2c.nacks[address] = count
            case OffsetPower(offset_v):
                self._power_offset_v = offset_v

    def _inject_in_unit(
        self,
        fault: Silence
        | InjectStatus
        | SetTemperature
        | PowerCycle
        | WearFlash
        | SetFirmware
        | ShortenReplies,
    ) -> None:
        unit = self._unit(fault.address)
        match fault:
            case Silence(_, silent):
                (self.bus.silent.add if silent else self.bus.silent.discard)(unit)
            case InjectStatus(_, bits):
                unit.injected = Status(bits)
            case SetTemperature(_, celsius):
                unit.temperatures_c = (celsius, celsius)
            case PowerCycle():
                unit.power_cycle(self._now_s)
            case WearFlash(_, worn):
                unit.flash_worn = worn
            case SetFirmware(_, dialect):
                unit.firmware = _FIRMWARE[dialect]
            case ShortenReplies(_, None):
                self.bus.sticking.pop(unit, None)
            case ShortenReplies(_, int(length)):
                self.bus.sticking[unit] = length

    def _wheel(self, name: str) -> int:
        """Return a wheel's place in the table. Raises ValueError."""
        if name not in self.plant.names:
            raise ValueError(f"no wheel {name!r}: {', '.join(self.plant.names)}")
        return self.plant.names.index(name)

    def _unit(self, address: int) -> Roboclaw:
        for unit in self.units:
            if unit.settings.address == address:
                return unit
        known = ", ".join(f"0x{unit.settings.address:02X}" for unit in self.units)
        raise ValueError(f"no controller at 0x{address:02X}: there are {known}")

    def _elapse(self, time_s: float) -> None:
        """Let time pass for everything but the wire."""
        self._now_s = max(self._now_s, time_s)
        due_s = min([unit.timeout_due_s for unit in self.units], default=math.inf)
        while due_s <= time_s:
            for unit in self.units:
                unit.check(due_s)
            due_s = min(unit.timeout_due_s for unit in self.units)
        if self.plant.approach(time_s):
            for unit in self.units:
                unit.check(time_s)

    def _enable_motors(self, enabled: bool) -> None:
        for unit in self.units:
            unit.set_estop_input(not enabled, self._now_s)

    def _pulse(self, channel: int, pulse_us: float | None) -> None:
        servo = self._channels.get(channel)
        if servo is not None:
            self.plant.change(self._now_s)
            servo.set_pulse(pulse_us)

    def _measure(self) -> tuple[float, float]:
        self.plant.advance_to(self._now_s)
        battery = self.plant.battery
        return max(0.0, battery.voltage_v + self._power_offset_v), battery.current_a


def _units(config: Config, plant: Plant, firmware: Firmware) -> tuple[Roboclaw, ...]:
    """Return one unit for each address in the wheel table, with both its outputs."""
    ticks = config.roboclaw.ticks_per_wheel_turn
    wheels = {
        (wheel.motor.address, wheel.motor.channel): (index, wheel.motor.inverted)
        for index, wheel in enumerate(config.wheels.values())
    }
    units = []
    for address in sorted({address for address, _ in wheels}):
        connected = [wheels.get((address, channel)) for channel in (1, 2)]
        first, second = (
            round(qpps_from_rad_s(plant.motors[wheel[0]].parameters.no_load_rad_s, ticks))
            if wheel
            else 0
            for wheel in connected
        )
        settings = Settings.provisioned(config, address, (first, second), firmware)
        outputs = [
            Output(
                plant,
                wheel[0] if wheel else None,
                inverted=bool(wheel and wheel[1]),
                ticks_per_turn=ticks,
                settings=chosen,
            )
            for wheel, chosen in zip(connected, settings.outputs, strict=True)
        ]
        units.append(Roboclaw(plant, outputs, settings, firmware))
    return tuple(units)
