"""The corner servos register by register. JPL's: channels 0 rear right, 1 front right, 2 front
left, 3 rear left; 500-2500 us over 300 degrees, direction -1, 50 Hz.
"""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from rover.clock import ManualClock
from rover.errors import DeviceError, DeviceTimeoutError
from rover.hardware.pca9685 import Pca9685Steering
from rover.messages import ArmState, OneTarget
from rover.servo_pulses import prescale_for
from tests.builders import osr_config
from tests.hardware.fakes import ScriptedI2c, permitted, permitted_one

CONFIG = osr_config()
BOARD = 0x40
OFF = [0, 0, 0, 0x10]
# 20 ms at 50 Hz are 4096 counts, less what prescaler 122 differs from 122.07.
COUNTS_PER_US = 25.0 / 122.0


class Rig:
    def __init__(self, config=CONFIG) -> None:
        self.config = config
        self.clock = ManualClock()
        self.bus = ScriptedI2c()
        # After power-up the board sleeps and hears the all-call address.
        self.bus.registers[BOARD] = {0x00: 0x11, 0x01: 0x04, 0xFE: 0x1E}
        self.opened = 0
        self.steering = Pca9685Steering(config, self.clock, self._open)

    def _open(self) -> ScriptedI2c:
        self.opened += 1
        return self.bus

    def command(self, steer_deg: tuple[float, ...] | None = None, **gate: object) -> None:
        steer = steer_deg and tuple(math.radians(angle) for angle in steer_deg)
        self.steering.command(permitted(self.config, steer_rad=steer, **gate))

    def channel(self, number: int) -> list[int]:
        registers = self.bus.registers[BOARD]
        return [registers.get(6 + 4 * number + offset, 0) for offset in range(4)]

    def pulse_us(self, number: int) -> float:
        on_low, on_high, off_low, off_high = self.channel(number)
        assert (on_low, on_high, off_high & 0x10) == (0, 0, 0)
        return (off_low | off_high << 8) / COUNTS_PER_US

    @property
    def ready(self) -> bool:
        (entry,) = self.steering.health()
        return entry.ready


@pytest.fixture
def rig():
    made = Rig()
    made.steering.start()
    made.bus.transfers.clear()
    return made


# left_front, right_front, left_middle, right_middle, left_rear, right_rear
STRAIGHT = (0.0,) * 6


@pytest.mark.parametrize(("frequency_hz", "prescale"), [(50, 121), (60, 101), (24, 253), (200, 30)])
def test_prescaler(frequency_hz, prescale):
    assert prescale_for(frequency_hz) == prescale


def test_start_sets_the_board_up_asleep_and_with_everything_off():
    rig = Rig()
    rig.steering.start()
    assert rig.bus.writes() == [
        bytes((0x00, 0x30)),  # auto-increment, asleep, no all-call
        bytes((0xFA, 0x00, 0x00, 0x00, 0x10)),  # all channels fully off
        bytes((0xFE, 121)),
        bytes((0x01, 0x04)),  # totem pole
        bytes((0x00, 0x20)),  # awake
        bytes((0x00, 0xA0)),  # restart
    ]
    assert rig.ready
    assert rig.clock.now_s() >= 100.0 + 500e-6


def test_before_start_nothing_is_opened_or_sent():
    rig = Rig()
    rig.command(STRAIGHT)
    rig.steering.close()
    assert rig.opened == 0
    assert not rig.ready
    assert rig.steering.health()[0].silent_s == math.inf


def test_a_board_that_is_not_there():
    rig = Rig()
    rig.bus.missing.add(BOARD)
    with pytest.raises(DeviceError, match="nothing answers at 0x40"):
        rig.steering.start()
    assert not rig.ready
    assert rig.steering.health()[0].errors == ("nothing answers at 0x40",)


def test_another_chip_at_its_address():
    rig = Rig()
    rig.bus.transfer = lambda _address, _write, read_count: bytes(read_count)
    with pytest.raises(DeviceError, match="mode 0x00 instead of 0x20"):
        rig.steering.start()


def test_a_board_that_does_not_keep_its_frequency():
    rig = Rig()
    answer = rig.bus.transfer
    rig.bus.transfer = lambda address, write, read_count: (
        b"\x1e" if (write, read_count) == (b"\xfe", 1) else answer(address, write, read_count)
    )
    with pytest.raises(DeviceError, match="kept prescaler 30 instead of 121"):
        rig.steering.start()
    assert not rig.ready


def test_straight_ahead_is_each_servos_own_centre(rig):
    rig.command(STRAIGHT)
    for channel, centre_deg in ((0, 165), (1, 134), (2, 135), (3, 160)):
        expected_us = 500 + 2000 * centre_deg / 300
        assert rig.pulse_us(channel) == pytest.approx(expected_us, abs=0.5 / COUNTS_PER_US)


def test_left_turns_shorten_the_pulse_of_a_servo_mounted_the_other_way(rig):
    # left_front +30 degrees: servo at 135 - 30 = 105 degrees, 1200 us; left_rear -30: 160 + 30.
    rig.command((30.0, 0.0, 0.0, 0.0, -30.0, 0.0))
    assert rig.pulse_us(2) == pytest.approx(1200.0, abs=0.5 / COUNTS_PER_US)
    assert rig.pulse_us(3) == pytest.approx(500 + 2000 * 190 / 300, abs=0.5 / COUNTS_PER_US)


@given(st.floats(0, 360), st.floats(-65, 65), st.sampled_from([-1, 1]))
def test_pulses_stay_within_the_servos_range(centre_deg, angle_deg, direction):
    wheels = dict(CONFIG.wheels)
    steer = structs.replace(wheels["left_front"].steer, centre_deg=centre_deg, direction=direction)
    wheels["left_front"] = structs.replace(wheels["left_front"], steer=steer)
    rig = Rig(structs.replace(CONFIG, wheels=wheels))
    rig.steering.start()
    rig.command((angle_deg, 0.0, 0.0, 0.0, 0.0, 0.0))
    half_a_count_us = 0.5 / COUNTS_PER_US
    wanted_us = 500 + 2000 * (centre_deg + direction * angle_deg) / 300
    bounded_us = max(500.0, min(2500.0, wanted_us))
    assert rig.pulse_us(2) == pytest.approx(bounded_us, abs=half_a_count_us + 1e-6)


@pytest.mark.parametrize(("centre_deg", "error"), [(135.0, False), (290.0, True)])
def test_a_servo_at_its_end_is_an_error_for_as_long_as_it_is_asked(centre_deg, error):
    wheels = dict(CONFIG.wheels)
    steer = structs.replace(wheels["left_front"].steer, centre_deg=centre_deg)
    wheels["left_front"] = structs.replace(wheels["left_front"], steer=steer)
    rig = Rig(structs.replace(CONFIG, wheels=wheels))
    rig.steering.start()
    rig.command((-20.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    assert ("left_front" in " ".join(rig.steering.health()[0].errors)) is error
    rig.command((0.0,) * 6)
    assert rig.steering.health()[0].errors == ()
    rig.command((-20.0, 0.0, 0.0, 0.0, 0.0, 0.0), state=ArmState.DISARMED)
    assert rig.steering.health()[0].errors == ()


def test_neighbouring_channels_go_in_one_transfer(rig):
    rig.command(STRAIGHT)
    (write,) = rig.bus.writes()
    assert write[0] == 0x06
    assert len(write) == 1 + 4 * 4


def test_channels_with_a_gap_go_in_two():
    wheels = dict(CONFIG.wheels)
    steer = structs.replace(wheels["left_rear"].steer, channel=15)
    wheels["left_rear"] = structs.replace(wheels["left_rear"], steer=steer)
    rig = Rig(structs.replace(CONFIG, wheels=wheels))
    rig.steering.start()
    rig.bus.transfers.clear()
    rig.command(STRAIGHT)
    assert [(write[0], len(write)) for write in rig.bus.writes()] == [(6, 13), (6 + 60, 5)]
    rig.bus.transfers.clear()
    rig.command((0.0, 0.0, 0.0, 0.0, 10.0, 0.0))
    assert [write[0] for write in rig.bus.writes()] == [6 + 60]


def test_what_has_not_changed_is_not_sent(rig):
    rig.command(STRAIGHT)
    rig.bus.transfers.clear()
    rig.clock.sleep_s(0.01)
    rig.command(STRAIGHT)
    assert rig.bus.transfers == []


def test_the_board_is_looked_at_and_written_anew_within_half_a_second(rig):
    rig.command(STRAIGHT)
    rig.bus.transfers.clear()
    for _ in range(50):
        rig.clock.sleep_s(0.01)
        rig.command(STRAIGHT)
    assert (BOARD, b"\x00", 1) in rig.bus.transfers
    assert any(write[0] == 0x06 for write in rig.bus.writes())


@pytest.mark.parametrize("state", [ArmState.DISARMED, ArmState.ESTOP, ArmState.FAULT])
def test_release_is_the_fully_off_bit(rig, state):
    rig.command(STRAIGHT)
    rig.command(STRAIGHT, state=state)
    assert [rig.channel(number) for number in range(4)] == [OFF] * 4


def test_a_board_that_lost_its_settings_is_not_ready_until_started_again(rig):
    rig.command(STRAIGHT)
    rig.bus.registers[BOARD] = {0x00: 0x11, 0x01: 0x04, 0xFE: 0x1E}
    rig.clock.sleep_s(0.2)
    rig.command(STRAIGHT)
    assert not rig.ready
    assert "lost its settings" in rig.steering.health()[0].errors[0]
    rig.bus.transfers.clear()
    rig.command(STRAIGHT)
    assert rig.bus.transfers == []
    rig.steering.start()
    rig.command(STRAIGHT)
    assert rig.ready
    assert rig.pulse_us(2) == pytest.approx(1400.0, abs=0.5 / COUNTS_PER_US)


def test_one_failed_transfer_is_a_warning_and_made_good_at_the_next_tick(rig):
    rig.command(STRAIGHT)
    rig.bus.missing.add(BOARD)
    rig.command((10.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    assert rig.ready
    assert rig.steering.health()[0].warnings == ("nothing answers at 0x40",)
    rig.bus.missing.clear()
    rig.clock.sleep_s(0.01)
    rig.command((10.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    assert rig.pulse_us(2) == pytest.approx(500 + 2000 * 125 / 300, abs=0.5 / COUNTS_PER_US)
    rig.clock.sleep_s(0.24)
    rig.command((10.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    assert rig.ready


def test_a_board_that_went_silent_is_not_ready_after_its_deadline_and_seldom_tried(rig):
    rig.command(STRAIGHT)
    rig.bus.missing.add(BOARD)
    rig.bus.transfers.clear()
    went_s = rig.clock.now_s()
    while rig.ready:
        rig.clock.sleep_s(0.01)
        rig.command(STRAIGHT)
    assert rig.clock.now_s() - went_s == pytest.approx(CONFIG.deadlines.steering_s, abs=0.02)
    rig.bus.transfers.clear()
    for _ in range(100):
        rig.clock.sleep_s(0.01)
        rig.command(STRAIGHT)
    assert len(rig.bus.transfers) <= 5


def test_a_board_that_keeps_the_bus_hanging_is_seldom_tried_from_the_first_time_on(rig):
    rig.command(STRAIGHT)
    tries = []

    def hang(address: int, _write: bytes, _read_count: int) -> bytes:
        tries.append(rig.clock.now_s())
        rig.clock.sleep_s(0.02)
        raise DeviceTimeoutError(f"the transfer with 0x{address:02X} did not end")

    answer, rig.bus.transfer = rig.bus.transfer, hang
    for tick in range(100):
        rig.clock.sleep_s(0.01)
        rig.command((tick / 10, 0.0, 0.0, 0.0, 0.0, 0.0))
    assert not rig.ready
    assert min(later - earlier for earlier, later in pairwise(tries)) >= 0.2
    rig.bus.transfer = answer
    rig.clock.sleep_s(0.2)
    rig.command(STRAIGHT)
    assert rig.ready


def test_closing_lets_the_servos_go_limp(rig):
    rig.command(STRAIGHT)
    rig.bus.transfers.clear()
    rig.steering.close()
    assert rig.bus.writes() == [bytes((0xFA, 0x00, 0x00, 0x00, 0x10))]
    assert rig.bus.closed
    assert not rig.ready


def test_closing_a_board_that_is_gone_lets_go_of_the_bus(rig):
    rig.bus.missing.add(BOARD)
    rig.steering.close()
    assert rig.bus.closed
    assert rig.steering.health()[0].errors == ("nothing answers at 0x40",)


def test_it_can_be_started_again_after_closing(rig):
    rig.steering.close()
    rig.steering.start()
    assert rig.opened == 2
    assert rig.ready


def test_in_maintenance_one_servo_gets_pulses_and_the_others_go_limp():
    rig = Rig()
    rig.steering.start()
    rig.command((0.0,) * 6)
    angles = (None, None, None, None, 0.1, None)
    rig.steering.command(permitted_one(CONFIG, OneTarget((0.0,) * 6, angles)))
    # left_rear hangs on channel 3, at 160 degrees; left is less of its own angle.
    assert rig.pulse_us(3) == pytest.approx(
        500.0 + 2000.0 * (160.0 - math.degrees(0.1)) / 300.0, abs=2.6
    )
    assert [rig.channel(channel) for channel in (0, 1, 2)] == [OFF] * 3
    rig.steering.command(permitted_one(CONFIG, OneTarget((0.0,) * 6, (None,) * 6)))
    assert rig.channel(3) == OFF
