"""The wheel drive against scripted controllers, byte by byte, on a clock that is held.

JPL's rover: 0x80 turns left front and left middle, 0x82 right front and right middle
(inverted), 0x81 right rear (inverted) and left rear.
"""

import contextlib
import itertools
import math
from collections.abc import Callable

import pytest
from msgspec import structs

from rover.errors import ConfigError, DeviceError
from rover.messages import ArmState, OneTarget
from tests.builders import osr_config
from tests.hardware.drive_rig import TICK_S, TURN_COUNTS, TURN_RAD_S, VERSION, Rig
from tests.hardware.fakes import permitted, permitted_one, with_crc

CONFIG = osr_config()
ADDRESSES = (0x80, 0x82, 0x81)


@pytest.fixture
def rig():
    made = Rig()
    made.drive.start()
    made.line.written.clear()
    return made


ALL_READY = {"0x80": True, "0x81": True, "0x82": True}


# Starting


def test_start_identifies_and_sets_the_timeout_and_reads_it_back():
    rig = Rig()
    rig.drive.start()
    for address in ADDRESSES:
        ask = bytes((address,))
        # 14: serial timeout of 3 * 100 ms.
        assert rig.line.packets(address) == [
            with_crc(ask + bytes.fromhex("22 0000 0000")),
            ask + b"\x15",
            ask + b"\x5a",
            ask + b"\x18",
            with_crc(ask + b"\x0e\x03"),
            ask + b"\x0f",
        ]
    assert rig.ready() == ALL_READY
    assert {entry.firmware for entry in rig.drive.health()} == {VERSION}


@pytest.mark.parametrize("silent", [(), (0x80,)], ids=["all answer", "one is silent"])
def test_wheels_that_were_left_turning_get_zero_duty_before_anything_is_asked(silent):
    """Any valid packet would keep them turning: a controller counts its timeout from the last."""
    rig = Rig()
    rig.line.silent |= set(silent)
    with contextlib.suppress(DeviceError):
        rig.drive.start()
    packets = rig.line.packets()
    first_other = next(n for n, data in enumerate(packets) if data[1] != 34)
    assert {data[0] for data in packets[:first_other]} == set(ADDRESSES)
    assert first_other == len(ADDRESSES) + len(silent)


def test_a_cable_that_is_back_brings_zero_duty_first(rig):
    rig.line.gone = True
    rig.tick()
    rig.clock.sleep_s(1.0)
    mark = len(rig.line.written)
    rig.drive.start()
    assert [data[1] for _, data in rig.line.written[mark : mark + 3]] == [34, 34, 34]


def test_nothing_is_opened_before_start():
    rig = Rig()
    assert rig.opened == []
    assert rig.ready() == dict.fromkeys(ALL_READY, False)
    assert all(math.isinf(entry.silent_s) for entry in rig.drive.health())
    rig.tick()
    rig.drive.stop()
    rig.drive.close()
    assert rig.line.written == []


def test_nobody_answers():
    rig = Rig()
    rig.line.silent |= {0x80, 0x81, 0x82}
    with pytest.raises(DeviceError, match=r"no RoboClaw answers on /dev/serial0 at 115200 baud"):
        rig.drive.start()
    for address in ADDRESSES:
        # Zero duty, and again; the version, asked for and twice again.
        assert [data[1] for data in rig.line.packets(address)] == [34, 34, 21, 21, 21]


def test_one_does_not_answer():
    rig = Rig()
    rig.line.silent.add(0x81)
    with pytest.raises(DeviceError, match=r"RoboClaw 0x81 does not answer.*multi-unit") as caught:
        rig.drive.start()
    assert "0x80" not in str(caught.value)
    assert rig.ready() == {"0x80": True, "0x82": True, "0x81": False}


def test_noise_at_start_is_tried_again():
    rig = Rig()
    rig.line.spoil(0x80, 21, b"\xa5\x5a", b"")
    rig.drive.start()
    assert rig.ready() == ALL_READY


def test_a_timeout_that_does_not_read_back_is_not_ready():
    rig = Rig()
    rig.line.stubborn.add(0x82)
    with pytest.raises(DeviceError, match=r"0x82.*serial timeout 0 s instead of 0\.3 s"):
        rig.drive.start()
    assert rig.ready() == {"0x80": True, "0x82": False, "0x81": True}


def test_a_timeout_that_cannot_be_read_back_is_not_ready():
    rig = Rig()
    del rig.line.data[0x82, 15]
    rig.line.stubborn.add(0x82)
    with pytest.raises(DeviceError, match="0x82"):
        rig.drive.start()
    assert rig.ready()["0x82"] is False


def test_a_second_start_leaves_the_ready_ones_alone():
    rig = Rig()
    rig.line.silent.add(0x81)
    with pytest.raises(DeviceError):
        rig.drive.start()
    rig.line.silent.clear()
    rig.line.written.clear()
    rig.drive.start()
    assert rig.ready() == ALL_READY
    assert rig.line.packets(0x80) == rig.line.packets(0x82) == []


def test_a_timeout_is_rounded_down_to_what_the_controller_can():
    roboclaw = structs.replace(CONFIG.roboclaw, serial_timeout_s=0.49)
    rig = Rig(structs.replace(CONFIG, roboclaw=roboclaw))
    rig.drive.start()
    assert with_crc(b"\x80\x0e\x04") in rig.line.packets(0x80)


def test_two_wheels_on_one_output_are_refused():
    wheels = dict(CONFIG.wheels)
    wheels["right_rear"] = structs.replace(wheels["right_rear"], motor=wheels["left_front"].motor)
    with pytest.raises(ConfigError, match=r"wheels\.right_rear\.motor: output 1 of RoboClaw 0x80"):
        Rig(structs.replace(CONFIG, wheels=wheels))


# Commanding


def test_one_packet_a_controller_drives_both_motors_with_the_right_signs(rig):
    #          left_front right_front left_middle right_middle left_rear right_rear, turns a second
    turns = (1.0, 0.5, -1.0, 2.0, 0.25, -0.5)
    now_s = rig.clock.now_s()
    targets = permitted(CONFIG, tuple(turn * TURN_RAD_S for turn in turns), now_s=now_s)
    rig.drive.command(targets)
    assert rig.line.packets() == [
        with_crc(bytes.fromhex("80 25 000002f1 fffffd0f")),  # 753, -753
        with_crc(bytes.fromhex("82 25 fffffe87 fffffa1e")),  # -377, -1506: inverted
        with_crc(bytes.fromhex("81 25 00000179 000000bc")),  # 377 (inverted), 188
    ]


@pytest.mark.parametrize(("age_s", "command"), [(0.09, 37), (0.11, 34), (60.0, 34)])
def test_targets_that_have_lain_about_become_zero_duty(rig, age_s, command):
    targets = permitted(CONFIG, (TURN_RAD_S,) * 6, now_s=rig.clock.now_s() - age_s)
    rig.drive.command(targets)
    assert [packet[1] for packet in rig.line.packets()] == [command] * 3


@pytest.mark.parametrize("acknowledged", [True, False])
def test_a_speed_that_a_frozen_process_sends_late_is_taken_back_at_once(
    rig, monkeypatch, acknowledged
):
    """Stopped between its look at the clock and the write, it goes on with the write."""
    targets = permitted(CONFIG, (TURN_RAD_S,) * 6, now_s=rig.clock.now_s())
    write = rig.line.write

    def frozen_write(data: bytes) -> None:
        if data[:2] == b"\x82\x25":
            rig.clock.sleep_s(5.0)
            if not acknowledged:
                rig.line.spoil(0x82, 37, b"")
        write(data)

    monkeypatch.setattr(rig.line, "write", frozen_write)
    rig.drive.command(targets)
    assert [(data[0], data[1]) for data in rig.line.packets()] == [
        (0x80, 37),
        (0x82, 37),
        (0x82, 34),
        (0x81, 34),
    ]
    (late_s, _), (undone_s, _) = rig.line.written[1:3]
    assert undone_s - late_s < 0.025
    entry = rig.drive.health()[1]
    assert "stood still" in "".join(entry.warnings + entry.errors)


@pytest.mark.parametrize("state", [ArmState.DISARMED, ArmState.FAULT, ArmState.ESTOP])
def test_without_power_every_motor_gets_zero_duty(rig, state):
    rig.drive.command(permitted(CONFIG, (TURN_RAD_S,) * 6, state=state))
    assert rig.line.packets() == [
        with_crc(bytes((address, 34, 0, 0, 0, 0))) for address in ADDRESSES
    ]


@pytest.mark.parametrize(
    ("wheel", "address", "payload"),
    [
        (0, 0x80, "0ccd 0000"),  # a tenth of 32767
        (2, 0x80, "0000 0ccd"),
        (1, 0x82, "f333 0000"),  # inverted
        (5, 0x81, "f333 0000"),
    ],
)
def test_in_maintenance_one_motor_gets_its_duty_and_all_others_none(rig, wheel, address, payload):
    duty = tuple(0.1 if i == wheel else 0.0 for i in range(6))
    target = OneTarget(duty, (None,) * 6)
    rig.drive.command(permitted_one(CONFIG, target, rig.clock.now_s()))
    assert sorted(rig.line.packets()) == sorted(
        with_crc(bytes((other, 34)) + bytes.fromhex(payload if other == address else "0000 0000"))
        for other in ADDRESSES
    )


def test_a_duty_that_has_lain_about_becomes_none(rig):
    target = OneTarget((0.1, 0.0, 0.0, 0.0, 0.0, 0.0), (None,) * 6)
    rig.drive.command(permitted_one(CONFIG, target, rig.clock.now_s() - 0.11))
    assert [packet[2:6] for packet in rig.line.packets()] == [bytes(4)] * 3


def test_a_controller_that_was_reset_is_not_brought_up_while_a_duty_turns_a_wheel(rig):
    rig.tick()
    target = OneTarget((0.0, 0.1, 0.0, 0.0, 0.0, 0.0), (None,) * 6)
    for unit in rig.drive._controllers:
        unit.confirmed = unit.address != 0x80
    rig.line.written.clear()
    rig.drive.command(permitted_one(CONFIG, target, rig.clock.now_s()))
    rig.drive.poll()
    assert 14 not in {packet[1] for packet in rig.line.packets(0x80)}


def test_an_output_without_a_wheel_stands_still():
    wheels = {name: wheel for name, wheel in CONFIG.wheels.items() if name != "left_middle"}
    rig = Rig(structs.replace(CONFIG, wheels=wheels))
    rig.drive.start()
    rig.line.written.clear()
    rig.tick((TURN_RAD_S,) * 5)
    assert rig.line.packets(0x80)[0] == with_crc(bytes.fromhex("80 25 000002f1 00000000"))


def test_a_tick_takes_the_wire_time_of_83_bytes(rig):
    assert rig.tick() == pytest.approx((3 * 13 + 3 * 12 + 8) * 10 / 115200)


# Reading


def test_encoders_are_read_every_tick_and_currents_and_status_in_turn(rig):
    for _ in range(7):
        rig.tick()
    for address in ADDRESSES:
        asked = [data[1] for data in rig.line.packets(address)]
        assert asked.count(78) == asked.count(37) == 7
        assert asked.count(49) == asked.count(90) == 1


def asked_in(rig: Rig, hurry: Callable[[], bool]) -> list[tuple[int, int]]:
    """Return whom a tick asks for what, the commands to drive left out."""
    mark = len(rig.line.written)
    rig.tick(hurry=hurry)
    return [(data[0], data[1]) for _, data in rig.line.written[mark + 3 :]]


def test_in_a_hurry_the_rest_of_the_readings_comes_first_next_time(rig):
    rig.tick()
    hurried = [asked_in(rig, lambda: True) for _ in range(8)]
    assert [len(asked) for asked in hurried] == [1] * 8
    encoders = [(address, 78) for address in ADDRESSES]
    assert [asked for [asked] in hurried[:3]] == encoders
    assert [asked for [asked] in hurried[4:7]] == encoders
    assert hurried[3] == [(0x82, 49)]
    assert hurried[7] == [(0x81, 49)]

    asks = iter([False, True])
    assert asked_in(rig, lambda: next(asks)) == encoders[:2]
    assert asked_in(rig, lambda: False) == [encoders[2], (0x80, 90), *encoders[:2]]
    assert asked_in(rig, lambda: False) == [*encoders, (0x82, 90)]


def test_however_late_a_tick_is_encoders_that_are_overdue_are_read(rig):
    rig.tick()
    rig.clock.sleep_s(CONFIG.deadlines.feedback_s / 2)
    encoders = [(address, 78) for address in ADDRESSES]
    assert asked_in(rig, lambda: True) == encoders
    assert len(asked_in(rig, lambda: True)) == 1


def test_a_command_that_was_not_taken_is_given_once_more_to_who_answered_lately(rig):
    rig.tick()
    rig.line.spoil(0x81, 37, b"")
    mark = len(rig.line.written)
    assert rig.drive.command(permitted(CONFIG, (1.0,) * 6, now_s=rig.clock.now_s())).complete
    told = [data[0] for _, data in rig.line.written[mark:] if data[1] == 37]
    assert set(told[:3]) == set(ADDRESSES)
    assert told[3:] == [0x81]
    assert rig.drive.health()[1].ready


def test_who_has_been_silent_for_a_while_is_not_waited_for_twice(rig):
    rig.ticks(0.05)
    rig.line.silent.add(0x81)
    rig.ticks(0.12)
    mark = len(rig.line.written)
    rig.tick()
    assert [data[0] for _, data in rig.line.written[mark:]].count(0x81) == 1


def test_a_reading_that_failed_comes_once_more_first(rig):
    rig.tick()
    rig.line.spoil(0x82, 49, b"")
    in_turn = [asked_in(rig, lambda: False)[-1] for _ in range(3)]
    assert in_turn == [(0x82, 49), (0x82, 49), (0x81, 49)]


def test_a_reading_that_failed_twice_waits_for_its_turn(rig):
    rig.tick()
    del rig.line.data[0x82, 49]
    in_turn = [asked_in(rig, lambda: False)[-1] for _ in range(4)]
    assert in_turn == [(0x82, 49), (0x82, 49), (0x81, 49), (0x80, 90)]


def test_the_slow_values_have_their_turn_within_63_ticks(rig):
    for _ in range(63):
        rig.tick()
    for address in ADDRESSES:
        asked = [data[1] for data in rig.line.packets(address)]
        assert asked.count(24) == asked.count(82) == asked.count(15) == 1


def test_a_slow_loop_reads_more_a_tick():
    rig = Rig(structs.replace(CONFIG, loop=structs.replace(CONFIG.loop, rate_hz=20.0)))
    rig.drive.start()
    rig.line.written.clear()
    rig.tick()
    in_turn = [data for data in rig.line.packets() if data[1] in (49, 90, 24, 15, 82)]
    assert len(in_turn) == 5


def test_positions_and_speeds_come_from_the_encoders(rig):
    rig.counts(0x80, 2**32 - 10, 0)
    rig.counts(0x82, 5, 0)
    rig.tick()
    for tick in range(1, 21):
        rig.counts(0x80, 2**32 - 10 + tick * 8, 0)  # across the top
        rig.counts(0x82, 5 - tick * 8, 0)  # across zero, and inverted
        rig.tick()
    left, right = rig.drive.feedback().wheels[:2]
    for wheel in (left, right):
        assert wheel.position_rad == pytest.approx(160 / (28 * 26.9) * math.tau)
        assert wheel.speed_rad_s == pytest.approx(800 / (28 * 26.9) * math.tau, rel=0.03)
        assert rig.clock.now_s() - wheel.position_stamp_s < TICK_S


def test_currents_by_wheel(rig):
    # M1 1.23 A, M2 -0.05 A, in units of 10 mA.
    rig.line.data[0x81, 49] = bytes.fromhex("007b fffb")
    assert rig.drive.feedback().wheels[0].current_a is None
    rig.ticks(0.1)
    *_, left_rear, right_rear = rig.drive.feedback().wheels
    assert right_rear.current_a == pytest.approx(1.23)
    assert left_rear.current_a == pytest.approx(-0.05)
    assert rig.clock.now_s() - right_rear.current_stamp_s < 0.1


def test_the_battery_is_what_the_first_controller_says(rig):
    rig.line.data[0x80, 24] = (152).to_bytes(2, "big")
    rig.ticks(0.7)
    power = rig.drive.power()
    assert (power.voltage_v, power.current_a, power.device) == (
        pytest.approx(15.2),
        None,
        "RoboClaw 0x80",
    )
    rig.line.silent.add(0x80)
    rig.ticks(3.0)
    power = rig.drive.power()
    assert (power.voltage_v, power.device) == (pytest.approx(14.8), "RoboClaw 0x82")
    assert rig.clock.now_s() - power.stamp_s < 0.7


@pytest.mark.parametrize("scale", [0.97, 1.1])
def test_the_battery_is_corrected(scale):
    roboclaw = structs.replace(CONFIG.roboclaw, voltage_scale=scale)
    rig = Rig(structs.replace(CONFIG, roboclaw=roboclaw))
    rig.drive.start()
    assert rig.drive.power().voltage_v == pytest.approx(14.8 * scale)


def test_no_battery_voltage_before_it_has_been_read():
    assert Rig().drive.power() is None


def test_temperatures(rig):
    assert rig.drive.temperatures_c() == (None, None, None)
    rig.ticks(0.7)
    assert rig.drive.temperatures_c() == pytest.approx((31.5, 31.5, 31.5))


# Standing

STILL = (0.0,) * 6


class Turning:
    """Left front and left middle, on 0x80, as their encoders show them while the rig ticks."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self._counts = [0.0, 0.0]

    def commanded(self, asked: tuple[float, ...], turns: tuple[float, float]) -> bytes:
        """Turn for a tick so many turns a second; return the command that 0x80 got."""
        for output, turns_s in enumerate(turns):
            self._counts[output] += turns_s * TURN_COUNTS * TICK_S
        self.rig.counts(0x80, *map(round, self._counts))
        mark = len(self.rig.line.written)
        self.rig.tick(asked)
        return self.rig.sent_since(mark, 0x80)[0]

    def for_s(
        self, duration_s: float, asked: tuple[float, ...], turns: tuple[float, float]
    ) -> list[int]:
        """Go on for a while; return the numbers of the commands that 0x80 got."""
        return [self.commanded(asked, turns)[1] for _ in range(round(duration_s / TICK_S))]


@pytest.fixture
def turning(rig):
    """Both wheels at one turn a second, as they were told."""
    wheels = Turning(rig)
    wheels.for_s(0.3, (TURN_RAD_S,) * 6, (1.0, 1.0))
    return wheels


def test_wheels_that_shall_stand_are_held_at_zero_until_they_do(turning):
    held = turning.commanded(STILL, (1.0, 1.0))
    assert held == with_crc(bytes.fromhex("80 25 00000000 00000000"))
    # What is measured is the mean over 50 ms.
    assert turning.for_s(0.05, STILL, (0.6, 0.6)) == [37] * 5
    assert set(turning.for_s(0.06, STILL, (0.0, 0.0))) == {37, 34}
    assert turning.for_s(0.2, STILL, (0.0, 0.0)) == [34] * 20


def test_wheels_are_held_for_three_tenths_of_a_second_at_most(turning):
    """What the integral has wound up can make a loop that holds zero creep on for long."""
    sent = turning.for_s(0.5, STILL, (0.5, 0.5))
    assert sent[:29] == [37] * 29
    assert sent[31:] == [34] * 19


@pytest.mark.parametrize("dead", [0, 1])
def test_a_wheel_whose_encoder_is_dead_is_not_held_for_a_moment(turning, dead):
    turns = (0.0, 1.0) if dead == 0 else (1.0, 0.0)
    turning.for_s(0.06, (TURN_RAD_S,) * 6, turns)
    assert turning.for_s(0.4, STILL, turns) == [34] * 40


def test_an_encoder_that_dies_while_its_wheel_is_held_ends_that(turning):
    assert turning.for_s(0.05, STILL, (1.0, 1.0)) == [37] * 5
    turning.for_s(0.06, STILL, (1.0, 0.0))
    assert turning.for_s(0.2, STILL, (1.0, 0.0)) == [34] * 20


def test_a_wheel_whose_encoder_counts_the_wrong_way_is_not_held(turning):
    """A loop that holds zero by a reversed encoder runs away."""
    turning.for_s(0.06, (TURN_RAD_S,) * 6, (1.0, -1.0))
    assert turning.for_s(0.1, STILL, (1.0, -1.0)) == [34] * 10


def test_a_wheel_that_has_been_let_go_of_is_not_held_when_it_is_pushed(turning):
    turning.for_s(0.1, STILL, (0.0, 0.0))
    assert turning.for_s(0.1, STILL, (1.0, 1.0)) == [34] * 10


def test_a_wheel_that_was_not_told_to_turn_need_not(turning):
    one = tuple(TURN_RAD_S if index == 0 else 0.0 for index in range(6))
    turning.for_s(0.4, one, (1.0, 0.0))
    assert turning.commanded(STILL, (1.0, 0.0))[1] == 37


def test_a_dead_encoder_counts_though_its_wheel_was_told_to_stand_a_moment_earlier(turning):
    turning.for_s(0.06, (TURN_RAD_S,) * 6, (0.0, 1.0))
    # At the end of its ramp the slower of the two is told less than one count a second first.
    last = (1e-3, 0.1, 0.1, 0.1, 0.1, 0.1)
    assert turning.commanded(last, (0.0, 1.0)) == with_crc(bytes.fromhex("80 25 00000000 0000000c"))
    assert turning.commanded(STILL, (0.0, 1.0))[1] == 34


def test_wheels_are_not_held_by_counts_that_were_read_long_ago(turning):
    turning.rig.clock.sleep_s(0.11)
    turning.rig.next_s = turning.rig.clock.now_s()
    assert turning.commanded(STILL, (1.0, 1.0))[1] == 34


@pytest.mark.parametrize("state", [ArmState.DISARMED, ArmState.FAULT, ArmState.ESTOP])
def test_without_power_wheels_that_turn_get_zero_duty_at_once(turning, state):
    turning.rig.state = state
    assert turning.commanded(STILL, (1.0, 1.0))[1] == 34
    turning.rig.state = ArmState.ARMED
    assert turning.commanded(STILL, (1.0, 1.0))[1] == 34


def test_wheels_that_never_turned_get_zero_duty(rig):
    rig.drive.command(permitted(CONFIG, now_s=rig.clock.now_s()))
    assert {data[1] for data in rig.line.packets()} == {34}


# Reading everything


def test_a_full_cycle_reads_encoders_speeds_and_currents_of_all(rig):
    rig.line.data[0x82, 79] = (-TURN_COUNTS).to_bytes(4, "big", signed=True) + bytes(4)
    rig.drive.command(permitted(CONFIG, (1.0,) * 6, now_s=rig.clock.now_s()))
    rig.drive.read_everything()
    assert [(data[0], data[1]) for data in rig.line.packets()] == [
        *((address, 37) for address in ADDRESSES),
        *((address, command) for address in ADDRESSES for command in (78, 79, 49)),
    ]
    assert rig.drive.feedback().wheels[1].speed_rad_s == pytest.approx(TURN_RAD_S, rel=1e-3)


# Status


def test_errors_and_warnings_of_a_controller_are_told(rig):
    rig.line.data[0x82, 90] = bytes.fromhex("00010041")
    rig.ticks(0.1)
    entry = rig.drive.health()[1]
    assert entry.ready
    assert entry.errors[0].startswith("E-stop")
    assert entry.errors[1:] == ("M1 driver fault",)
    assert entry.warnings == ("M1 over-current",)
    rig.line.data[0x82, 90] = bytes(4)
    rig.ticks(0.1)
    assert rig.drive.health()[1].errors == ()


def test_a_controller_with_16_bits_of_status():
    rig = Rig()
    rig.line.data[0x80, 90] = b"\x00\x04"
    rig.drive.start()
    assert rig.drive.health()[0].errors[0].startswith("E-stop")
    assert all(rig.tick() < 0.010 for _ in range(20))


def test_a_status_that_cannot_be_read_for_long_is_an_error(rig):
    del rig.line.data[0x80, 90]
    rig.ticks(1.9)
    assert rig.drive.health()[0].errors == ()
    rig.ticks(0.3)
    entry = rig.drive.health()[0]
    assert entry.ready
    assert "status cannot be read" in entry.errors[0]
    rig.line.data[0x80, 90] = bytes(4)
    rig.ticks(0.1)
    assert rig.drive.health()[0].errors == ()


# Failures


def test_one_bad_reply_is_a_warning_and_no_data(rig):
    rig.ticks(0.1)
    before = rig.drive.feedback().wheels[0]
    rig.counts(0x80, 7, 7)
    rig.line.spoil(0x80, 78, bytes(10))
    rig.tick()
    assert rig.drive.feedback().wheels[0].position_rad == before.position_rad
    assert rig.drive.feedback().wheels[0].position_stamp_s == before.position_stamp_s
    entry = rig.drive.health()[0]
    assert entry.ready
    assert entry.errors == ()
    assert "checksum" in entry.warnings[0]
    rig.ticks(1.1)
    assert rig.drive.health()[0].warnings == ()


def test_a_silent_controller_keeps_no_other_from_its_packet(rig):
    rig.line.silent.add(0x80)
    marks = []
    for _ in range(200):
        marks.append(len(rig.line.written))
        rig.tick()
    for start, end in zip(marks, [*marks[1:], len(rig.line.written)], strict=True):
        commanded = [data[0] for _, data in rig.line.written[start:end] if data[1] == 37]
        assert {0x81, 0x82} <= set(commanded)


def test_nobody_waits_for_the_deadline_of_a_controller_that_failed_before(rig):
    rig.line.silent.add(0x80)
    rig.tick()
    for _ in range(20):
        mark, begun_s = len(rig.line.written), max(rig.clock.now_s(), rig.next_s)
        rig.tick()
        sent_s = {
            data[0]: when_s - begun_s for when_s, data in rig.line.written[mark:] if data[1] == 37
        }
        # Whatever the last tick left of the 10 ms of quiet, and the packet before.
        assert sent_s[0x82] < 0.001
        assert sent_s[0x81] < 0.003


def test_a_silent_controller_is_soon_not_ready_and_says_why(rig):
    rig.ticks(0.05)
    rig.line.silent.add(0x82)
    silent_since_s = rig.clock.now_s()
    while rig.ready()["0x82"]:
        rig.tick()
    limit_s = CONFIG.deadlines.controller_s
    assert limit_s <= rig.clock.now_s() - silent_since_s + TICK_S < limit_s + 4 * TICK_S
    assert rig.ready() == {"0x80": True, "0x82": False, "0x81": True}
    entry = rig.drive.health()[1]
    assert entry.silent_s > limit_s
    assert "nothing came back" in entry.errors[-1]


def test_a_tick_with_a_silent_controller_costs_one_deadline_and_one_pause(rig):
    rig.line.silent.add(0x80)
    times_s = [rig.tick() for _ in range(300)]
    # 10 ms of margin, 10 ms of quiet, and the others' 5 ms.
    assert max(times_s) < 0.030


def test_a_lost_controller_costs_a_slow_tick_twice_a_second_only(rig):
    rig.line.silent.add(0x80)
    rig.ticks(0.5)
    mark = len(rig.line.written)
    times_s = [rig.tick() for _ in range(500)]
    slow = sum(took_s > 0.010 for took_s in times_s)
    assert 8 <= slow <= 11
    zero_duty = with_crc(bytes.fromhex("80 22 00000000"))
    assert rig.sent_since(mark, 0x80) == [zero_duty] * slow


def test_a_controller_that_hears_but_cannot_answer_gets_zero_duty_at_once_when_lost(rig):
    rig.line.silent.add(0x80)
    while rig.ready()["0x80"]:
        mark = len(rig.line.written)
        rig.tick()
    rig.tick()
    assert with_crc(bytes.fromhex("80 22 00000000")) in rig.sent_since(mark, 0x80)


def test_a_controller_lost_again_soon_gets_zero_duty_at_once_too(rig):
    rig.line.silent.add(0x80)
    rig.ticks(0.3)
    rig.line.silent.clear()
    rig.recover()
    rig.line.silent.add(0x80)
    while rig.ready()["0x80"]:
        rig.tick()
    mark = len(rig.line.written)
    rig.tick()
    rig.tick()
    assert with_crc(bytes.fromhex("80 22 00000000")) in rig.sent_since(mark, 0x80)


def test_controllers_that_come_back_together_are_brought_up_one_a_tick(rig):
    rig.line.silent |= {0x80, 0x81, 0x82}
    rig.ticks(1.0)
    rig.line.silent.clear()
    rig.state = ArmState.FAULT
    brought_up = []
    while not all(rig.ready().values()):
        mark = len(rig.line.written)
        rig.tick()
        brought_up.append(sum(data[1] == 14 for _, data in rig.line.written[mark:]))
    assert max(brought_up) == 1
    assert sum(brought_up) == 3


def test_a_controller_that_comes_back_is_confirmed_before_it_drives(rig):
    rig.line.silent.add(0x80)
    rig.ticks(1.0)
    rig.line.data[0x80, 15] = b"\x00"  # it was without power
    rig.line.silent.clear()
    mark = len(rig.line.written)
    rig.recover()
    rig.tick()
    sent = rig.sent_since(mark, 0x80)
    commands = [data[1] for data in sent]
    assert commands[:3] == [34, 14, 15]
    assert commands.index(37) > commands.index(15)
    assert rig.line.data[0x80, 15] == b"\x03"


def test_a_controller_that_comes_back_without_taking_its_timeout_never_drives(rig):
    rig.line.silent.add(0x80)
    rig.ticks(1.0)
    rig.line.data[0x80, 15] = b"\x00"
    rig.line.stubborn.add(0x80)
    rig.line.silent.clear()
    mark = len(rig.line.written)
    rig.state = ArmState.FAULT
    rig.ticks(1.0)
    assert 14 in {data[1] for data in rig.sent_since(mark, 0x80)}
    rig.state = ArmState.ARMED
    rig.ticks(1.0)
    assert not rig.ready()["0x80"]
    assert 37 not in {data[1] for data in rig.sent_since(mark, 0x80)}


def test_a_timeout_that_reads_back_wrong_while_driving_takes_the_power_away(rig):
    rig.line.stubborn.add(0x81)
    rig.line.data[0x81, 15] = b"\x00"
    rig.ticks(0.7)
    assert not rig.ready()["0x81"]
    assert "serial timeout 0 s instead of 0.3 s" in rig.drive.health()[2].errors[-1]
    mark = len(rig.line.written)
    rig.ticks(0.1)
    commanded = {data[1] for data in rig.sent_since(mark, 0x81)} & {34, 37}
    assert commanded == {34}


def reset_unnoticed(rig: Rig, address: int) -> None:
    """Let a controller forget its timeout; its encoders happen to stand where they stood."""
    rig.line.data[address, 15] = b"\x00"


def tick_until_the_timeout_is_read(rig: Rig, address: int, hurry: Callable[[], bool]) -> None:
    mark = len(rig.line.written)
    while (address, 15) not in {(data[0], data[1]) for _, data in rig.line.written[mark:]}:
        rig.tick(hurry=hurry)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("state", [ArmState.ARMED, ArmState.DISARMED])
def test_a_reset_that_is_found_by_reading_the_timeout_back_is_seen_before_it_is_mended(
    rig, address, state
):
    """A tick that was cut short has left encoders over: they come after the timeout."""
    rig.state = state
    rig.ticks(0.1)
    reset_unnoticed(rig, address)
    asked = itertools.cycle((False, True, True))
    tick_until_the_timeout_is_read(rig, address, lambda: next(asked))
    assert not rig.ready()[f"0x{address:02X}"]


def test_a_controller_is_made_ready_again_only_once_the_wheels_have_no_power(rig):
    rig.ticks(0.1)
    reset_unnoticed(rig, 0x82)
    mark = len(rig.line.written)
    rig.ticks(2.0)
    assert not rig.ready()["0x82"]
    assert 14 not in {data[1] for data in rig.sent_since(mark, 0x82)}
    rig.recover()
    assert rig.line.data[0x82, 15] == b"\x03"


def test_an_encoder_that_jumps_is_a_controller_that_was_reset(rig):
    rig.counts(0x80, 1_000_000, 1_000_000)
    rig.ticks(0.1)
    before = rig.drive.feedback().wheels[0].position_rad
    rig.counts(0x80, 0, 0)
    mark = len(rig.line.written)
    rig.tick()
    assert not rig.ready()["0x80"]
    rig.recover()
    assert with_crc(bytes.fromhex("80 0e 03")) in rig.sent_since(mark, 0x80)
    assert rig.drive.feedback().wheels[0].position_rad == before


def test_the_cable_out_stops_nothing_else_and_is_tried_again_once_a_second(rig):
    rig.line.gone = True
    rig.tick()
    assert rig.line.closed
    assert rig.ready() == dict.fromkeys(ALL_READY, False)
    assert rig.drive.health()[0].errors == ("the port is gone",)
    rig.drive.stop()
    rig.port_error = "cannot open /dev/serial0"
    rig.opened.clear()
    for _ in range(30):
        rig.clock.sleep_s(0.1)
        with pytest.raises(DeviceError, match=r"cannot open|is gone"):
            rig.drive.start()
    assert len(rig.opened) >= 2
    assert all(1.0 <= later - sooner < 1.2 for sooner, later in itertools.pairwise(rig.opened))
    rig.port_error = ""
    rig.clock.sleep_s(1.0)
    rig.drive.start()
    rig.tick()
    assert rig.ready() == ALL_READY


def test_a_port_lost_while_starting():
    rig = Rig()
    rig.line.gone = True
    rig.line.write = lambda _data: (_ for _ in ()).throw(DeviceError("the port is gone"))
    with pytest.raises(DeviceError, match="the port is gone"):
        rig.drive.start()


@pytest.mark.parametrize("gives_back", [True, False])
def test_what_a_stuck_adapter_has_kept_turns_no_wheel_when_it_goes_on(rig, gives_back):
    rig.ticks(0.1)
    rig.line.stuck, rig.line.gives_back = True, gives_back
    mark = len(rig.line.delivered)
    rig.ticks(1.0)
    rig.line.go_on()
    sent = [data for _, data in rig.line.delivered[mark:]]
    # Of the one packet that could not be taken back, if any, zero duty is on its heels.
    assert [data[1] for data in sent] == ([] if gives_back else [37, 34])
    assert len({data[0] for data in sent}) <= 1


# Stopping


def test_stop_tries_every_controller_even_if_some_are_silent(rig):
    rig.line.silent.add(0x80)
    rig.drive.stop()
    for address, count in ((0x80, 2), (0x81, 1), (0x82, 1)):
        packets = rig.line.packets(address)
        assert packets == [with_crc(bytes((address, 34, 0, 0, 0, 0)))] * count


def test_stop_tries_lost_controllers_too(rig):
    rig.line.silent.add(0x80)
    rig.ticks(1.0)
    rig.line.silent.clear()
    mark = len(rig.line.written)
    rig.drive.stop()
    assert rig.sent_since(mark, 0x80) == [with_crc(bytes.fromhex("80 22 00000000"))]


def test_close_stops_and_lets_go(rig):
    rig.drive.close()
    assert [data[1] for data in rig.line.packets()] == [34, 34, 34]
    assert rig.line.closed
    assert rig.ready() == dict.fromkeys(ALL_READY, False)


# Any number of controllers


def test_five_controllers_at_any_addresses():
    wheels = {
        f"wheel_{index}": structs.replace(
            wheel, motor=structs.replace(wheel.motor, address=0x83 + index % 5, channel=1)
        )
        for index, wheel in enumerate(list(CONFIG.wheels.values())[:5])
    }
    rig = Rig(structs.replace(CONFIG, wheels=wheels))
    for address in range(0x83, 0x88):
        for command in (21, 15, 24, 49, 78, 79, 82, 90):
            rig.line.data[address, command] = rig.line.data[0x80, command]
    rig.drive.start()
    rig.tick((TURN_RAD_S,) * 5)
    assert [entry.name for entry in rig.drive.health()] == [
        f"RoboClaw 0x{address:02X}" for address in range(0x83, 0x88)
    ]
    assert all(entry.ready for entry in rig.drive.health())
