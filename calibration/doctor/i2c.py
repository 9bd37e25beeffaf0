"""The I2C bus: which addresses acknowledge, and whether those are the devices that should."""

from collections.abc import Callable, Iterator

from calibration.doctor.bench import Bench
from calibration.doctor.finding import Finding, skipped, well
from calibration.doctor.remedies import trouble
from calibration.doctor.surroundings import Surroundings
from rover.config import Config
from rover.errors import DeviceError
from rover.hardware.bus.i2c import I2cBus

STEP = "I2C bus"
# Where the two devices can be. Others may not like to be read; nobody asks them.
_ADDRESSES = range(0x40, 0x78)
# The only addresses that an INA260 can be given (data sheet: two pins, four levels each).
_MONITOR_ADDRESSES = range(0x40, 0x50)
# Every PCA9685 answers to it as well until it is told not to.
_ALL_CALL = 0x70
_MANUFACTURER, _DIE, _VOLTAGE = 0xFE, 0xFF, 0x02
_TEXAS_INSTRUMENTS, _INA260_DIE = 0x5449, 0x227
_VOLTS_PER_UNIT = 1.25e-3
# A battery is ruined long before it has so small a part of what it may be drained to.
_DEAD_PART = 0.5
_BOARD, _MONITOR = "servo board", "power monitor"


def look(surroundings: Surroundings, bench: Bench) -> Iterator[Finding]:
    """Look at every I2C bus that the configuration names, if nobody else has it."""
    config = surroundings.config
    steers = any(wheel.steer is not None for wheel in config.wheels.values())
    if not steers and not config.power.ina260:
        return
    if surroundings.telemetry is not None:
        yield skipped(STEP, "control-has-bus", "control has the bus; see what it says below")
        return
    buses: dict[str, list[Callable[[Config, I2cBus, list[int]], Iterator[Finding]]]] = {}
    if steers:
        buses.setdefault(config.steering.i2c_bus, []).append(_servo_board)
    if config.power.ina260:
        buses.setdefault(config.power.i2c_bus, []).append(_power_monitor)
    for name, parts in buses.items():
        yield from _bus(surroundings, bench, name, parts)


def _bus(
    surroundings: Surroundings,
    bench: Bench,
    name: str,
    parts: list[Callable[[Config, I2cBus, list[int]], Iterator[Finding]]],
) -> Iterator[Finding]:
    tried = f"opened {name}"
    if name.startswith("/dev/") and not surroundings.under_root(name).exists():
        yield trouble(STEP, "i2c-off", tried, f"there is no {name}")
        return
    if bench.in_use():
        yield skipped(STEP, "control-has-bus", "control, or the alarm, has the hardware")
        return
    try:
        bus = bench.open_i2c(name)
    except DeviceError as error:
        yield trouble(STEP, "i2c-trouble", tried, str(error))
        return
    try:
        config = surroundings.config
        wanted = {config.steering.address, config.power.address, *_ADDRESSES}
        there = [address for address in sorted(wanted) if _acknowledges(bus, address)]
        found = ", ".join(_hex(address) for address in there) or "nobody"
        yield well(STEP, "i2c-bus", f"read a byte from 0x40 to 0x77 on {name}", f"{found} answer")
        for part in parts:
            yield from part(surroundings.config, bus, there)
    except DeviceError as error:
        yield trouble(STEP, "i2c-trouble", f"asked on {name}", str(error))
    finally:
        bus.close()


def _servo_board(config: Config, _bus: I2cBus, there: list[int]) -> Iterator[Finding]:
    address = config.steering.address
    tried = f"looked for a PCA9685 at {_hex(address)}"
    if address in there:
        found = "it answers; whether its servos have power (V+) only a turning servo shows"
        yield well(_BOARD, "servo-board", tried, found)
    else:
        found = f"nothing answers at {_hex(address)}"
        if _ALL_CALL in there:
            found += f"; one has another address, for {_hex(_ALL_CALL)} answers"
        yield trouble(_BOARD, "servo-board-absent", tried, found)
    if not config.steering.calibrated:
        found = "steering.calibrated is false"
        yield trouble(_BOARD, "steering-uncalibrated", "read the configuration", found)


def _power_monitor(config: Config, bus: I2cBus, there: list[int]) -> Iterator[Finding]:
    address = config.power.address
    tried = f"asked for an INA260 at {_hex(address)}"
    if address in there and _is_ina260(bus, address):
        volts = _register(bus, address, _VOLTAGE) * _VOLTS_PER_UNIT * config.power.voltage_scale
        if volts < _DEAD_PART * config.power.minimum_v:
            found = f"it answers and reads {volts:.2f} V, which is no battery"
            yield trouble(_MONITOR, "power-monitor-unwired", tried, found)
        else:
            yield well(_MONITOR, "power-monitor", tried, f"it answers and reads {volts:.2f} V")
        return
    candidates = [
        other
        for other in there
        if other in _MONITOR_ADDRESSES and other not in (address, config.steering.address)
    ]
    other = next((found for found in candidates if _is_ina260(bus, found)), None)
    if other is not None:
        found = f"it is at {_hex(other)}"
        places = {"address": _hex(other)}
        yield trouble(_MONITOR, "power-monitor-elsewhere", tried, found, **places)
        return
    what = "something else answers" if address in there else "nothing answers"
    yield trouble(_MONITOR, "power-monitor-absent", tried, f"{what} at {_hex(address)}")


def _acknowledges(bus: I2cBus, address: int) -> bool:
    try:
        bus.transfer(address, b"", 1)
    except DeviceError:
        return False
    return True


def _is_ina260(bus: I2cBus, address: int) -> bool:
    try:
        manufacturer = _register(bus, address, _MANUFACTURER)
        die = _register(bus, address, _DIE)
    except DeviceError:
        return False
    return manufacturer == _TEXAS_INSTRUMENTS and die >> 4 == _INA260_DIE


def _register(bus: I2cBus, address: int, number: int) -> int:
    return int.from_bytes(bus.transfer(address, bytes((number,)), 2), "big")


def _hex(address: int) -> str:
    return f"0x{address:02X}"
