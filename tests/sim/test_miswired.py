"""Rovers built wrong: the mistake is really in them, and nothing else is."""

import pytest
from msgspec import structs

from rover.clock import ManualClock
from rover.errors import BadReplyError, DeviceTimeoutError
from rover.hardware.bus.framing import (
    pack_s16_pair,
    pack_s32_pair,
    read_request,
    write_packet,
)
from rover.hardware.roboclaw_bus import RoboclawBus
from rover.sim.memory import SimulatedRover
from rover.sim.miswired import MISWIRED
from tests.builders import osr_config

BAUD = 115200


class Bench:
    """A rover with one mistake, its motors enabled, and a plain client on its wire."""

    def __init__(self, wrong: str) -> None:
        self.clock = ManualClock()
        self.rover = SimulatedRover(osr_config(), self.clock, wrong=wrong)
        self.rover.lines.set_level(23, high=True)
        self.bus = RoboclawBus(self.rover.serial_line, BAUD, 0.01, self.clock)

    def speed(self, address: int, counts_s: tuple[int, int], duration_s: float = 0.5) -> None:
        self.bus.send(write_packet(address, 37, pack_s32_pair(*counts_s)))
        self.clock.sleep_s(duration_s)

    def speeds(self) -> dict[str, float]:
        return {wheel.name: wheel.speed_rad_s for wheel in self.rover.truth().wheels}

    def read(self, address: int, command: int, count: int) -> bytes:
        return self.bus.read(read_request(address, command), count)


@pytest.mark.parametrize("wrong", list(MISWIRED))
def test_every_rover_built_wrong_can_be_looked_at(wrong: str) -> None:
    truth = Bench(wrong).rover.truth()
    assert len(truth.wheels) == 6
    assert {unit.nvm_writes for unit in truth.controllers} == {0}


def test_a_name_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"swapped-channels: both motors"):
        SimulatedRover(osr_config(), ManualClock(), wrong="?")


@pytest.mark.parametrize(
    ("wrong", "turns", "sign"),
    [
        ("", "left_front", 1),
        ("swapped-channels", "left_middle", 1),
        ("swapped-controllers", "right_front", 1),
        ("reversed-motor", "left_front", -1),
    ],
)
def test_the_first_output_turns_this_wheel(wrong: str, turns: str, sign: int) -> None:
    bench = Bench(wrong)
    bench.speed(0x80, (700, 0))
    speeds = bench.speeds()
    moving = {name: speed for name, speed in speeds.items() if abs(speed) > 1.0}
    assert list(moving) == [turns]
    # Across the rover the motor is mounted the other way round.
    assert moving[turns] * sign * (-1 if turns.startswith("right") else 1) > 0


@pytest.mark.parametrize(
    ("wrong", "forward", "counts_up"),
    [
        ("", True, True),
        ("reversed-motor", False, True),
        ("reversed-leads", False, False),
        ("reversed-encoder", True, False),
    ],
)
def test_leads_and_encoder_by_plain_duty(wrong: str, forward: bool, counts_up: bool) -> None:
    bench = Bench(wrong)
    bench.bus.send(write_packet(0x80, 34, pack_s16_pair(8000, 0)))
    bench.clock.sleep_s(0.5)
    assert (bench.speeds()["left_front"] > 0) is forward
    count = int.from_bytes(bench.read(0x80, 78, 8)[:4], "big", signed=True)
    assert (count > 0) is counts_up


def test_two_at_one_address_answer_at_once_and_cannot_be_read() -> None:
    bench = Bench("same-address")
    for command, count in ((24, 2), (78, 8), (99, 2)):
        with pytest.raises((BadReplyError, DeviceTimeoutError)):
            bench.read(0x80, command, count)
    assert bench.bus.read_version(0x81)
    with pytest.raises(DeviceTimeoutError, match="nothing"):
        bench.bus.read_version(0x82)


def test_a_controller_of_another_rate_is_heard_at_its_own() -> None:
    bench = Bench("wrong-baud")
    with pytest.raises(DeviceTimeoutError):
        bench.bus.read_version(0x81)
    bench.rover.devices.bus.set_host_baud(38400)
    assert RoboclawBus(bench.rover.serial_line, 38400, 0.01, bench.clock).read_version(0x81)


def test_settings_built_wrong_outlive_a_power_cycle() -> None:
    bench = Bench("single-unit")
    unit = bench.rover.devices.units[1]
    unit.power_cycle(bench.clock.now_s())
    assert unit.settings.config & 0x8000 == 0
    assert bench.rover.devices.units[0].settings.config & 0x8000


def test_servos_without_power_stay_where_they_are() -> None:
    angles = {}
    for wrong in ("", "servos-without-power"):
        bench = Bench(wrong)
        i2c = bench.rover.i2c
        i2c.transfer(0x40, bytes((0x00, 0x30)), 0)
        i2c.transfer(0x40, bytes((0xFE, 121)), 0)
        i2c.transfer(0x40, bytes((0x00, 0x20)), 0)
        i2c.transfer(0x40, bytes((0x06 + 4 * 2, 0, 0, 300 & 0xFF, 300 >> 8)), 0)
        bench.clock.sleep_s(1.0)
        angles[wrong] = {wheel.name: wheel.steer_rad for wheel in bench.rover.truth().wheels}
    assert angles[""]["left_front"] != 0.0
    assert set(angles["servos-without-power"].values()) == {0.0}


def test_a_weak_motor_falls_behind_under_full_duty() -> None:
    speeds = {}
    for wrong in ("", "weak-motor"):
        bench = Bench(wrong)
        bench.bus.send(write_packet(0x80, 34, pack_s16_pair(32767, 32767)))
        bench.clock.sleep_s(1.0)
        speeds[wrong] = bench.speeds()
    healthy, weak = speeds[""], speeds["weak-motor"]
    assert weak["left_front"] < 0.9 * healthy["left_front"]
    assert weak["left_middle"] == pytest.approx(healthy["left_middle"], rel=0.02)


def test_measures_differ_only_in_the_rover_itself() -> None:
    config = osr_config()
    built = MISWIRED["other-measures"].built(config)
    assert built.wheels["left_front"].radius_m == pytest.approx(0.078)
    assert structs.replace(built, wheels=config.wheels) == config


def test_the_monitor_is_at_another_address() -> None:
    bench = Bench("monitor-elsewhere")
    assert bench.rover.i2c.transfer(0x44, b"\xfe", 2) == b"\x54\x49"
