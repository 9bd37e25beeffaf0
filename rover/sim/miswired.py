"""Rovers built wrong: what a builder gets wrong between the box of parts and the first drive.

The configuration says how the rover should be; each entry here says how it really is, by another
configuration for the simulator alone, or by what is done to its devices. What a doctor, a
provisioning or a calibration is worth is measured with these. Anybody who has the devices can
put further faults in (``rover.sim.faults``).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from msgspec import structs

from rover.config import Config, WheelConfig
from rover.sim.bus import Noise
from rover.sim.devices import SimulatedDevices
from rover.sim.roboclaw import Roboclaw
from rover.sim.roboclaw_settings import CLASSIC, Firmware, OutputSettings, config_word

_MULTI_UNIT = 0x8000
_LOW_CURRENT_10MA = 100
_LATCHING = 0x00
_FACTORY_BAUD = 38400
_FREE_ADDRESS = 0x85
_OTHER_MONITOR = 0x44
_BRACKET_DEG = 40.0


@dataclass(frozen=True, slots=True)
class Miswired:
    """One mistake. ``built`` turns the configuration into the rover as it really is.

    ``spoil`` does the rest to its devices at a time; ``what`` is for people.
    """

    name: str
    what: str
    built: Callable[[Config], Config] = lambda config: config
    spoil: Callable[[SimulatedDevices, float], None] = lambda devices, now_s: None


def build(
    config: Config,
    now_s: float,
    wrong: str = "",
    *,
    paced: bool = True,
    firmware: Firmware = CLASSIC,
) -> SimulatedDevices:
    """Return the devices of ``config``'s rover, built with the mistake of that name, if any.

    Raises ValueError for a name that is not in ``MISWIRED``.
    """
    if wrong and wrong not in MISWIRED:
        known = "\n".join(f"  {entry.name}: {entry.what}" for entry in MISWIRED.values())
        raise ValueError(f"no rover is built wrong as {wrong!r}; there are:\n{known}")
    mistake = MISWIRED[wrong] if wrong else Miswired("", "")
    devices = SimulatedDevices(mistake.built(config), now_s, paced=paced, firmware=firmware)
    mistake.spoil(devices, now_s)
    for unit in devices.units:
        unit.settings_changed()
        unit.check(now_s)
    return devices


def _with_wheels(config: Config, change: Callable[[str, WheelConfig], WheelConfig]) -> Config:
    wheels = {name: change(name, wheel) for name, wheel in config.wheels.items()}
    return structs.replace(config, wheels=wheels)


def _drive_names(config: Config) -> list[str]:
    return list(config.wheels)


def _steered_names(config: Config) -> list[str]:
    return [name for name, wheel in config.wheels.items() if wheel.steer is not None]


def _motors_swapped(config: Config, first: str, second: str) -> Config:
    """Change two wheels' outputs; which way a motor is mounted stays with its wheel."""
    other = {first: config.wheels[second].motor, second: config.wheels[first].motor}

    def change(name: str, wheel: WheelConfig) -> WheelConfig:
        if name not in other:
            return wheel
        motor = structs.replace(other[name], inverted=wheel.motor.inverted)
        return structs.replace(wheel, motor=motor)

    return _with_wheels(config, change)


def _outputs_swapped(config: Config) -> Config:
    """The two motors of the first controller, each in the other's terminals."""
    first, *others = config.wheels
    address = config.wheels[first].motor.address
    second = next(name for name in others if config.wheels[name].motor.address == address)
    return _motors_swapped(config, first, second)


def _sides_swapped(config: Config) -> Config:
    """Two wheels on controllers of their own, each wired to the other's."""
    first, *others = config.wheels
    address = config.wheels[first].motor.address
    second = next(name for name in others if config.wheels[name].motor.address != address)
    return _motors_swapped(config, first, second)


def _first_motor_inverted(config: Config) -> Config:
    first = _drive_names(config)[0]

    def change(name: str, wheel: WheelConfig) -> WheelConfig:
        if name != first:
            return wheel
        motor = structs.replace(wheel.motor, inverted=not wheel.motor.inverted)
        return structs.replace(wheel, motor=motor)

    return _with_wheels(config, change)


def _servos_off_centre(config: Config) -> Config:
    """Each horn sits some teeth off, by another angle at every corner."""
    offsets_deg = (8.0, -11.0, 14.0, -5.0)
    off_deg = dict(zip(_steered_names(config), offsets_deg, strict=False))

    def change(name: str, wheel: WheelConfig) -> WheelConfig:
        if wheel.steer is None:
            return wheel
        centre_deg = wheel.steer.centre_deg + off_deg.get(name, 3.0)
        return structs.replace(wheel, steer=structs.replace(wheel.steer, centre_deg=centre_deg))

    return _with_wheels(config, change)


def _servos_swapped(config: Config) -> Config:
    first, second = _steered_names(config)[:2]
    channels = {
        name: steer.channel
        for name, other in ((first, second), (second, first))
        if (steer := config.wheels[other].steer) is not None
    }

    def change(name: str, wheel: WheelConfig) -> WheelConfig:
        if wheel.steer is None or name not in channels:
            return wheel
        return structs.replace(wheel, steer=structs.replace(wheel.steer, channel=channels[name]))

    return _with_wheels(config, change)


def _servo_reversed(config: Config) -> Config:
    first = _steered_names(config)[0]

    def change(name: str, wheel: WheelConfig) -> WheelConfig:
        if wheel.steer is None or name != first:
            return wheel
        steer = structs.replace(wheel.steer, direction=-wheel.steer.direction)
        return structs.replace(wheel, steer=steer)

    return _with_wheels(config, change)


def _other_measures(config: Config) -> Config:
    """Tyres a little larger and a body a little wider than the drawing says."""
    return _with_wheels(
        config,
        lambda _name, wheel: structs.replace(
            wheel, radius_m=wheel.radius_m * 1.04, y_m=wheel.y_m * 1.03
        ),
    )


def _monitor_elsewhere(config: Config) -> Config:
    return structs.replace(config, power=structs.replace(config.power, address=_OTHER_MONITOR))


def _no_monitor(config: Config) -> Config:
    return structs.replace(config, power=structs.replace(config.power, ina260=False))


def _save(unit: Roboclaw) -> None:
    """Have it in flash too, as if it had come so: its writes are not the rover's."""
    unit.save()
    unit.nvm_writes = 0


def _unit(
    index: int, change: Callable[[Roboclaw], None]
) -> Callable[[SimulatedDevices, float], None]:
    def spoil(devices: SimulatedDevices, _now_s: float) -> None:
        change(devices.units[index])
        _save(devices.units[index])

    return spoil


def _every_unit(change: Callable[[Roboclaw], None]) -> Callable[[SimulatedDevices, float], None]:
    def spoil(devices: SimulatedDevices, _now_s: float) -> None:
        for unit in devices.units:
            change(unit)
            _save(unit)

    return spoil


def _renamed(address: int | None = None, baud: int | None = None) -> Callable[[Roboclaw], None]:
    def change(unit: Roboclaw) -> None:
        settings = unit.settings
        settings.config = config_word(address or settings.address, baud or settings.baud)

    return change


def _alone(unit: Roboclaw) -> None:
    unit.settings.config &= ~_MULTI_UNIT


def _feeble(unit: Roboclaw) -> None:
    for output in unit.settings.outputs:
        output.max_current = _LOW_CURRENT_10MA


def _as_delivered(unit: Roboclaw) -> None:
    """A velocity loop that nobody has set."""
    for output in unit.settings.outputs:
        new = OutputSettings()
        output.velocity_p, output.velocity_i, output.velocity_d = (
            new.velocity_p,
            new.velocity_i,
            new.velocity_d,
        )
        output.qpps = new.qpps


def _latches(unit: Roboclaw) -> None:
    unit.settings.pins = (_LATCHING, *unit.settings.pins[1:])


def _absolute_encoders(unit: Roboclaw) -> None:
    for output in unit.settings.outputs:
        output.encoder_mode = 1


def _set_encoder(sign: int) -> Callable[[SimulatedDevices, float], None]:
    return lambda devices, now_s: devices.units[0].outputs[0].set_encoder(sign, now_s)


def _weak_motor(devices: SimulatedDevices, _now_s: float) -> None:
    """Brushes that are worn: twice the resistance, and a gearbox that rubs."""
    motor = devices.plant.motors[0]
    motor.parameters = replace(
        motor.parameters,
        winding_ohm=motor.parameters.winding_ohm * 2.0,
        friction_a=motor.parameters.friction_a * 2.5,
    )


def _servos_unfed(devices: SimulatedDevices, _now_s: float) -> None:
    for servo in devices.plant.servos:
        servo.supplied = False


def _narrow_steering(devices: SimulatedDevices, _now_s: float) -> None:
    """A bracket that is mounted the wrong way round: every corner meets it to the left."""
    for servo in devices.plant.servos:
        servo.ends_rad = (-math.inf, math.radians(_BRACKET_DEG))


def _silent(devices: SimulatedDevices, _now_s: float) -> None:
    devices.bus.silent.add(devices.units[-1])


def _all_silent(devices: SimulatedDevices, _now_s: float) -> None:
    devices.bus.silent.update(devices.units)


def _no_servo_board(devices: SimulatedDevices, _now_s: float) -> None:
    devices.i2c.remove(0)


def _flat_battery(devices: SimulatedDevices, _now_s: float) -> None:
    devices.plant.battery.set_voltage(12.2)


def _noisy(devices: SimulatedDevices, _now_s: float) -> None:
    devices.bus.noise = Noise(share=0.02)


def _hot(unit: Roboclaw) -> None:
    unit.temperatures_c = (104.0, 40.0)


_ALL = (
    Miswired(
        "swapped-channels",
        "both motors of a controller in each other's terminals",
        _outputs_swapped,
    ),
    Miswired("swapped-controllers", "two wheels wired to each other's controller", _sides_swapped),
    Miswired("reversed-motor", "a motor and its encoder turn the other way", _first_motor_inverted),
    Miswired(
        "reversed-leads",
        "a motor's two leads are swapped, its encoder's are not",
        _first_motor_inverted,
        _set_encoder(-1),
    ),
    Miswired("reversed-encoder", "an encoder's two signals are swapped", spoil=_set_encoder(-1)),
    Miswired("dead-encoder", "an encoder's plug is off", spoil=_set_encoder(0)),
    Miswired("weak-motor", "a motor with worn brushes and a stiff gearbox", spoil=_weak_motor),
    Miswired("other-measures", "wheels 4 % larger and tracks 3 % wider", _other_measures),
    Miswired("servos-off-centre", "every servo horn sits some teeth off", _servos_off_centre),
    Miswired("swapped-servos", "two servos in each other's channel", _servos_swapped),
    Miswired("reversed-servo", "a servo that turns the other way", _servo_reversed),
    Miswired(
        "narrow-steering",
        "corners that meet their brackets, 40 degrees to the left",
        spoil=_narrow_steering,
    ),
    Miswired("servos-without-power", "the servo board's V+ is not fed", spoil=_servos_unfed),
    Miswired("no-servo-board", "the servo board is not plugged in", spoil=_no_servo_board),
    Miswired("no-power-monitor", "the INA260 is not there", _no_monitor),
    Miswired("monitor-elsewhere", "the INA260 has another address", _monitor_elsewhere),
    Miswired(
        "wrong-address",
        "a controller has an address that is nobody's",
        spoil=_unit(-1, _renamed(address=_FREE_ADDRESS)),
    ),
    Miswired(
        "same-address", "two controllers have one address", spoil=_unit(-1, _renamed(address=0x80))
    ),
    Miswired(
        "wrong-baud",
        "a controller has another baud rate",
        spoil=_unit(1, _renamed(baud=_FACTORY_BAUD)),
    ),
    Miswired(
        "factory-baud",
        "every controller has the factory's rate",
        spoil=_every_unit(_renamed(baud=_FACTORY_BAUD)),
    ),
    Miswired("single-unit", "a controller without multi-unit mode", spoil=_unit(1, _alone)),
    Miswired("silent-controller", "a controller without power, or off the bus", spoil=_silent),
    Miswired("silent-bus", "no controller answers: RX and TX swapped, say", spoil=_all_silent),
    Miswired("noisy-wire", "a wire that picks up noise", spoil=_noisy),
    Miswired("low-current", "motor currents limited to 1 A", spoil=_every_unit(_feeble)),
    Miswired(
        "factory-loop", "velocity loops as they are delivered", spoil=_every_unit(_as_delivered)
    ),
    Miswired("latching-stop", "S3 latches the emergency stop", spoil=_every_unit(_latches)),
    Miswired(
        "absolute-encoders",
        "a controller set to absolute encoders",
        spoil=_unit(0, _absolute_encoders),
    ),
    Miswired("flat-battery", "a battery that is empty", spoil=_flat_battery),
    Miswired("hot-controller", "a controller that is too hot", spoil=_unit(0, _hot)),
)
# By name, in the order of the walk from the wheels to the battery.
MISWIRED = {entry.name: entry for entry in _ALL}
