"""PCA9685, INA260 and the bus they are on."""

import math

import pytest
from msgspec import structs

from rover.errors import DeviceError
from rover.sim.faults import (
    NackI2c,
    OffsetPower,
    SetBatteryVoltage,
    UnplugI2c,
)
from rover.sim.pca9685 import Pca9685
from tests.builders import osr_config
from tests.sim.rig import Rig

PCA, INA = 0x40, 0x45


class Board:
    """A PCA9685 alone, with the pulses it puts out."""

    def __init__(self) -> None:
        self.pulses: dict[int, float | None] = {}
        self.chip = Pca9685(PCA, self.pulses.__setitem__)

    def write(self, *data: int) -> None:
        self.chip.write(bytes(data))

    def read(self, register: int, count: int = 1) -> bytes:
        self.chip.write(bytes([register]))
        return self.chip.read(count)

    def awake_at_50_hz(self) -> "Board":
        self.write(0xFE, 121)
        self.write(0x00, 0x20)
        return self


def test_it_starts_asleep_with_every_output_off() -> None:
    board = Board()
    assert board.read(0x00) == b"\x11"
    assert board.read(0x09) == b"\x10"
    assert board.read(0xFE) == b"\x1e"
    assert board.pulses == {}


def test_a_channel_puts_out_the_pulse_its_counts_say() -> None:
    board = Board().awake_at_50_hz()
    board.write(0x06 + 4 * 2, 0x00, 0x00, 0x33, 0x01)
    assert board.pulses == {2: pytest.approx(307 * 122 / 25)}
    board.write(0x06 + 4 * 2, 0x01, 0x00, 0x34, 0x01)
    assert board.pulses[2] == pytest.approx(307 * 122 / 25)
    board.write(0x09 + 4 * 2, 0x10)
    assert board.pulses[2] is None


def test_the_prescaler_is_writable_only_asleep_and_never_below_three() -> None:
    board = Board().awake_at_50_hz()
    board.write(0xFE, 50)
    assert board.read(0xFE) == bytes([121])
    board.write(0x00, 0x10)
    board.write(0xFE, 1)
    assert board.read(0xFE) == b"\x03"


def test_without_auto_increment_all_bytes_go_to_one_register() -> None:
    board = Board()
    board.write(0x00, 0x00)
    board.write(0x06, 1, 2, 3, 4)
    assert board.read(0x06) == b"\x04"
    board.write(0x00, 0x20)
    assert board.read(0x06, 4) == b"\x04\x00\x00\x10"


def test_auto_increment_rolls_over_after_the_last_channel() -> None:
    board = Board().awake_at_50_hz()
    assert board.read(0x45, 2) == b"\x10\x20"


def test_all_channels_at_once() -> None:
    board = Board().awake_at_50_hz()
    board.write(0xFA, 0x00, 0x00, 0x33, 0x01)
    assert board.pulses == dict.fromkeys(range(16), pytest.approx(307 * 122 / 25))


def test_sleep_stops_the_pulses_until_a_restart() -> None:
    board = Board().awake_at_50_hz()
    board.write(0x06, 0x00, 0x00, 0x33, 0x01)
    board.write(0x00, 0x30)
    assert board.pulses[0] is None
    board.write(0x00, 0x20)
    assert board.pulses[0] is None
    assert board.read(0x00) == b"\xa0"
    board.write(0x00, 0xA0)
    assert board.pulses[0] == pytest.approx(307 * 122 / 25)
    assert board.read(0x00) == b"\x20"


def test_writing_a_pulse_is_a_restart_too() -> None:
    board = Board().awake_at_50_hz()
    board.write(0x06, 0x00, 0x00, 0x33, 0x01)
    board.write(0x00, 0x30)
    board.write(0x00, 0x20)
    board.write(0x06, 0x00, 0x00, 0x33, 0x01)
    assert board.pulses[0] == pytest.approx(307 * 122 / 25)


def test_full_on_and_equal_edges_are_no_pulse() -> None:
    board = Board().awake_at_50_hz()
    board.write(0x06, 0x00, 0x00, 0x33, 0x01)
    board.write(0x06, 0x00, 0x10, 0x33, 0x01)
    assert board.pulses[0] is None
    board.write(0x06, 0x33, 0x01, 0x33, 0x01)
    assert board.pulses[0] is None


def test_it_answers_the_all_call_while_that_is_on() -> None:
    chip = Board().chip
    assert chip.answers(PCA)
    assert chip.answers(0x70)
    assert not chip.answers(0x41)
    chip.write(b"\x00\x10")
    assert not chip.answers(0x70)


def servo_counts(config, name: str, steer_deg: float) -> tuple[int, int]:
    steer = config.wheels[name].steer
    servo_deg = steer.centre_deg + steer.direction * steer_deg
    counts = round((500 + servo_deg / 300 * 2000) * 25 / 122)
    return counts & 0xFF, counts >> 8


@pytest.mark.parametrize("steer_deg", [-60.0, -10.0, 0.0, 30.0])
def test_pulses_turn_the_wheel_they_belong_to(steer_deg) -> None:
    rig = Rig()
    bus = rig.rover.i2c
    bus.transfer(PCA, b"\xfe\x79", 0)
    bus.transfer(PCA, b"\x00\x20", 0)
    low, high = servo_counts(rig.config, "left_front", steer_deg)
    bus.transfer(PCA, bytes([0x06 + 4 * 2, 0, 0, low, high]), 0)
    rig.wait(1.0)
    wheel = rig.wheel("left_front")
    assert wheel.steer_rad == pytest.approx(math.radians(steer_deg), abs=math.radians(0.4))
    assert wheel.steer_powered
    assert not rig.wheel("right_front").steer_powered
    bus.transfer(PCA, bytes([0x09 + 4 * 2, 0x10]), 0)
    assert not rig.wheel("left_front").steer_powered


def test_ina260_tells_the_battery() -> None:
    rig = Rig()
    bus = rig.rover.i2c
    assert bus.transfer(INA, b"\xfe", 2) == b"\x54\x49"
    assert bus.transfer(INA, b"\xff", 2) == b"\x22\x70"
    rig.rover.inject(SetBatteryVoltage(15.0))
    rig.drive(2000)
    rig.wait(1.0)
    truth = rig.truth
    volts = int.from_bytes(bus.transfer(INA, b"\x02", 2), "big") * 1.25e-3
    amperes = int.from_bytes(bus.transfer(INA, b"\x01", 2), "big", signed=True) * 1.25e-3
    watts = int.from_bytes(bus.transfer(INA, b"\x03", 2), "big") * 10e-3
    assert volts == pytest.approx(truth.battery_v, abs=2e-3)
    assert amperes == pytest.approx(truth.battery_a, abs=2e-3)
    assert watts == pytest.approx(volts * amperes, abs=0.05)
    assert volts < 15.0 - 0.05
    assert amperes > 2.0


def test_ina260_configuration_reads_back_and_resets() -> None:
    bus = Rig().rover.i2c
    assert bus.transfer(INA, b"\x00", 2) == b"\x61\x27"
    bus.transfer(INA, b"\x00\x67\x27", 0)
    assert bus.transfer(INA, b"\x00", 2) == b"\x67\x27"
    bus.transfer(INA, b"\x00\x80\x00", 0)
    assert bus.transfer(INA, b"\x00", 2) == b"\x61\x27"
    assert bus.transfer(INA, b"\x06", 2) == b"\x00\x08"
    # Read-only registers stay, and one that does not exist reads as zero.
    bus.transfer(INA, b"\xfe\x00\x00", 0)
    assert bus.transfer(INA, b"\xfe", 2) == b"\x54\x49"
    assert bus.transfer(INA, b"\x55", 2) == b"\x00\x00"


@pytest.mark.parametrize("address", [PCA, INA])
def test_an_unplugged_device_does_not_acknowledge(address) -> None:
    rig = Rig()
    rig.rover.inject(UnplugI2c(address))
    with pytest.raises(DeviceError, match=f"0x{address:02X}"):
        rig.rover.i2c.transfer(address, b"\x00", 1)
    rig.rover.inject(UnplugI2c(address, unplugged=False))
    assert len(rig.rover.i2c.transfer(address, b"\x00", 1)) == 1


def test_a_rover_without_an_ina260_has_none() -> None:
    config = osr_config()
    rig = Rig(structs.replace(config, power=structs.replace(config.power, ina260=False)))
    with pytest.raises(DeviceError):
        rig.rover.i2c.transfer(INA, b"\xfe", 2)


def test_a_scan_finds_only_what_is_there() -> None:
    bus = Rig().rover.i2c
    found = []
    for address in range(0x03, 0x78):
        try:
            bus.transfer(address, b"", 1)
        except DeviceError:
            continue
        found.append(address)
    assert found == [PCA, INA, 0x70]


def test_a_device_out_of_sorts_acknowledges_again_after_so_many_transfers() -> None:
    rig = Rig()
    rig.rover.inject(NackI2c(0x45, 2))
    for _ in range(2):
        with pytest.raises(DeviceError):
            rig.rover.i2c.transfer(0x45, b"\x02", 2)
    assert rig.rover.i2c.transfer(0x45, b"\x02", 2)
    assert rig.rover.i2c.transfer(0x40, b"\x00", 1)


@pytest.mark.parametrize("offset_v", [-1.5, 2.0, -100.0])
def test_a_lying_power_monitor_is_off_by_what_it_was_told(offset_v: float) -> None:
    rig = Rig()
    rig.rover.inject(OffsetPower(offset_v))
    told_v = int.from_bytes(rig.rover.i2c.transfer(0x45, b"\x02", 2), "big") * 1.25e-3
    assert told_v == pytest.approx(max(0.0, rig.truth.battery_v + offset_v), abs=2e-3)
