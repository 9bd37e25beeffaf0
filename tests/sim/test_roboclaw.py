"""What a unit does by itself: timeouts, shutdowns, limits, power."""

import math

import pytest
from msgspec import structs

from rover.sim.faults import (
    Dialect,
    InjectStatus,
    LockWheel,
    PowerCycle,
    SetBatteryVoltage,
    SetFirmware,
    SetTemperature,
    Silence,
    WearFlash,
)
from rover.sim.roboclaw_settings import NEWER, OLD_STATUS, config_word
from rover.sim.roboclaw_status import Status
from tests.builders import osr_config
from tests.sim.rig import MOTOR_ENABLE, UNITS, Rig

ACK = b"\xff"


def driving(rig: Rig, qpps: int = 2400) -> Rig:
    rig.drive(qpps)
    rig.wait(1.0)
    assert rig.fastest_rad_s() > 15
    return rig


def until_standing_s(rig: Rig, within_s: float = 1.0) -> float:
    start_s = rig.clock.now_s()
    while rig.fastest_rad_s() > 0.01:
        rig.wait(0.002)
        assert rig.clock.now_s() - start_s < within_s
    return rig.clock.now_s() - start_s


def test_zero_speed_stops_within_a_tenth_of_a_second() -> None:
    rig = driving(Rig())
    rig.drive(0)
    assert until_standing_s(rig) < 0.11


def test_zero_duty_stops_within_half_a_second() -> None:
    rig = driving(Rig())
    for address in UNITS:
        rig.write(34, "hh", 0, 0, address=address)
    assert 0.1 < until_standing_s(rig) < 0.5


def test_the_serial_timeout_stops_the_motors_at_its_moment() -> None:
    rig = Rig()
    for address in UNITS:
        rig.write(14, "B", 3, address=address)
    driving_s = rig.clock.now_s()
    rig.drive(2400)
    rig.wait(0.295 - (rig.clock.now_s() - driving_s))
    assert rig.fastest_rad_s() > 15
    assert not any(unit.timed_out for unit in rig.truth.controllers)
    rig.wait(0.010)
    assert all(unit.timed_out for unit in rig.truth.controllers)
    assert until_standing_s(rig) < 0.5
    assert [unit.timeout_s for unit in rig.truth.controllers] == pytest.approx([0.3] * 3)


def test_any_valid_packet_holds_the_timeout_off_for_its_unit_alone() -> None:
    rig = Rig()
    for address in UNITS:
        rig.write(14, "B", 2, address=address)
    rig.drive(1500)
    for _ in range(10):
        rig.wait(0.05)
        rig.read(24, "H", 0x80)
    assert [unit.timed_out for unit in rig.truth.controllers] == [False, True, True]
    assert rig.wheel("left_front").speed_rad_s > 10
    assert rig.wheel("right_rear").speed_rad_s == 0.0


def test_malformed_packets_do_not_hold_the_timeout_off() -> None:
    rig = Rig()
    rig.write(14, "B", 2)
    rig.write(35, "i", 1500)
    for _ in range(10):
        rig.exchange(b"\x80\x23\x00\x00\x05\xdc\x00\x00", 1)
    assert rig.truth.controllers[0].timed_out


def test_after_a_timeout_a_unit_moves_again_only_when_told_to() -> None:
    rig = Rig()
    rig.write(14, "B", 2)
    rig.write(35, "i", 1500)
    rig.wait(1.0)
    rig.read(24, "H")
    rig.wait(0.1)
    assert rig.wheel("left_front").speed_rad_s == 0.0
    assert rig.truth.controllers[0].timed_out
    rig.write(35, "i", 1500)
    rig.wait(0.15)
    assert rig.wheel("left_front").speed_rad_s > 10
    assert not rig.truth.controllers[0].timed_out


def test_tells_when_the_last_byte_of_a_new_demand_arrived() -> None:
    rig = Rig()
    assert [unit.asked_s for unit in rig.truth.controllers] == [-math.inf] * 3
    packet_s = 12 * 10 / 115200
    before_s = rig.clock.now_s()
    rig.write(37, "ii", 500, 500)
    asked_s = rig.truth.controllers[0].asked_s
    assert asked_s == pytest.approx(before_s + packet_s)
    rig.wait(0.1)
    rig.write(37, "ii", 500, 500)
    assert rig.truth.controllers[0].asked_s == asked_s
    before_s = rig.clock.now_s()
    rig.write(37, "ii", 500, 501)
    assert rig.truth.controllers[0].asked_s == pytest.approx(before_s + packet_s)
    assert rig.truth.controllers[1].asked_s == -math.inf


def test_a_timeout_of_zero_is_off() -> None:
    rig = driving(Rig())
    rig.wait(300.0)
    assert rig.fastest_rad_s() > 15


def test_a_cut_wire_leaves_the_motors_running_until_the_timeout() -> None:
    rig = Rig()
    rig.write(14, "B", 5)
    rig.drive(1500)
    rig.rover.inject(Silence(0x80))
    assert rig.exchange(b"\x80\x15", 1) == b""
    rig.wait(0.3)
    assert rig.wheel("left_front").speed_rad_s > 10
    rig.wait(0.6)
    assert rig.wheel("left_front").speed_rad_s == 0.0
    rig.rover.inject(Silence(0x80, silent=False))
    assert rig.read(15, "B") == (5,)


def test_motor_enable_low_stops_the_motors_and_shows_as_emergency_stop() -> None:
    rig = driving(Rig())
    rig.rover.lines.set_level(MOTOR_ENABLE, high=False)
    assert rig.read(90, "I") == (1,)
    assert until_standing_s(rig) < 0.5
    # Told to drive meanwhile, it does not, then or later.
    assert rig.write(37, "ii", 1000, 1000) == ACK
    rig.wait(0.2)
    assert rig.fastest_rad_s() == 0.0
    rig.rover.lines.set_level(MOTOR_ENABLE, high=True)
    assert rig.read(90, "I") == (0,)
    rig.wait(0.2)
    assert rig.fastest_rad_s() == 0.0
    driving(rig)


def test_born_with_the_motors_disabled() -> None:
    rig = Rig(enabled=False)
    rig.write(37, "ii", 1000, 1000)
    rig.wait(0.5)
    assert rig.fastest_rad_s() == 0.0
    assert not rig.truth.motor_enable


def test_without_a_motor_enable_line_the_motors_are_enabled() -> None:
    config = osr_config()
    config = structs.replace(config, panel=structs.replace(config.panel, motor_enable=None))
    driving(Rig(config, enabled=False))


def test_a_latching_emergency_stop_needs_the_power_cycled() -> None:
    rig = Rig()
    rig.write(74, "BBB", 1, 0, 0)
    rig.write(94, "I", 0xE22EAB7A)
    rig.rover.lines.set_level(MOTOR_ENABLE, high=False)
    rig.rover.lines.set_level(MOTOR_ENABLE, high=True)
    assert rig.read(90, "I") == (1,)
    rig.rover.inject(PowerCycle(0x80))
    assert rig.read(90, "I") == (0,)
    assert rig.read(75, "BBB") == (1, 0, 0)


def test_newer_firmware_resets_a_latched_stop_by_command() -> None:
    rig = Rig(firmware=NEWER)
    rig.write(74, "BBBBB", 0x81, 0, 0, 0, 0)
    rig.rover.lines.set_level(MOTOR_ENABLE, high=False)
    assert rig.write(200) == ACK
    assert rig.read(90, "I") == (1,)
    rig.rover.lines.set_level(MOTOR_ENABLE, high=True)
    assert rig.read(90, "I") == (1,)
    assert rig.write(200) == ACK
    assert rig.read(90, "I") == (0,)


def test_power_cycled_it_forgets_what_was_not_saved() -> None:
    rig = Rig()
    rig.write(14, "B", 3)
    rig.write(22, "I", 77)
    rig.write(35, "i", 1000)
    rig.rover.inject(PowerCycle(0x80))
    rig.wait(0.5)
    assert rig.read(15, "B") == (0,)
    assert rig.read(78, "II")[0] < 30
    assert rig.wheel("left_front").speed_rad_s == 0.0


@pytest.mark.parametrize(
    ("volts", "classic", "old", "newer"),
    [
        (11.0, Status.WARN_MAIN_LOW, 1 << 11, Status.WARN_MAIN_LOW | Status.MAIN_LOW),
        (19.0, Status.WARN_MAIN_HIGH | Status.MAIN_HIGH, 1 << 10 | 1 << 5, None),
    ],
)
def test_main_battery_out_of_its_limits(volts, classic, old, newer) -> None:
    for firmware, form, expected in (
        (None, "I", classic),
        (OLD_STATUS, "H", old),
        (NEWER, "I", newer or classic),
    ):
        rig = Rig(firmware=firmware) if firmware else Rig()
        driving(rig)
        rig.rover.inject(SetBatteryVoltage(volts))
        assert rig.read(90, form) == (expected,)
        until_standing_s(rig)
        rig.rover.inject(SetBatteryVoltage(16.0))
        assert rig.read(90, form) == (0,)


def test_heat_warns_and_then_shuts_down() -> None:
    rig = driving(Rig())
    rig.rover.inject(SetTemperature(0x80, 90.0))
    assert rig.read(90, "I") == (Status.WARN_TEMPERATURE | Status.WARN_TEMPERATURE_2,)
    assert rig.read(82, "H") == (900,)
    assert rig.wheel("left_front").speed_rad_s > 10
    rig.rover.inject(SetTemperature(0x80, 105.0))
    assert rig.read(90, "I")[0] & (Status.TEMPERATURE | Status.TEMPERATURE_2)
    rig.wait(0.5)
    assert rig.wheel("left_front").speed_rad_s == 0.0
    assert rig.wheel("left_rear").speed_rad_s > 10


def test_injected_bits_show_and_a_fault_stops_its_unit() -> None:
    rig = driving(Rig())
    rig.rover.inject(InjectStatus(0x82, Status.WARN_BOOT))
    assert rig.read(90, "I", 0x82) == (Status.WARN_BOOT,)
    assert rig.wheel("right_front").speed_rad_s > 10
    rig.rover.inject(InjectStatus(0x82, Status.M1_FAULT))
    rig.wait(0.5)
    assert rig.wheel("right_front").speed_rad_s == 0.0
    assert rig.wheel("left_front").speed_rad_s > 10
    rig.rover.inject(InjectStatus(0x82, 0))
    assert rig.read(90, "I", 0x82) == (0,)


def test_a_stalled_wheel_draws_current_up_to_the_limit_and_warns() -> None:
    rig = Rig()
    rig.write(133, "II", 400, 0)
    rig.rover.inject(LockWheel("left_front"))
    rig.drive(1500)
    rig.wait(1.0)
    assert rig.read(49, "hh")[0] == 400
    assert rig.read(90, "I") == (Status.WARN_M1_OVERCURRENT,)
    assert rig.wheel("left_front").speed_rad_s == 0.0
    assert rig.wheel("left_middle").speed_rad_s > 10
    rig.rover.inject(LockWheel("left_front", locked=False))
    rig.wait(1.0)
    assert rig.wheel("left_front").speed_rad_s == pytest.approx(1500 / 753.2 * math.tau, rel=0.02)


def test_inverted_motors_count_the_other_way() -> None:
    rig = Rig()
    rig.drive(1000)
    rig.wait(2.0)
    assert all(wheel.speed_rad_s > 5 for wheel in rig.truth.wheels)
    first, second = rig.read(79, "ii", 0x82)
    assert first == pytest.approx(-1000, abs=2)
    assert second == pytest.approx(-1000, abs=2)


def test_encoders_count_the_true_angle() -> None:
    rig = Rig()
    rig.drive(1234)
    rig.wait(3.21)
    count = rig.read(78, "II", 0x80)[0]
    turns = rig.wheel("left_front").angle_rad / math.tau
    assert count == pytest.approx(turns * 28 * 26.9, abs=2)


def test_with_factory_gains_it_drives_badly() -> None:
    rig = Rig()
    rig.write(80)
    rig.write(35, "i", 1500)
    rig.wait(0.5)
    assert rig.wheel("left_front").speed_rad_s < 0.5 * 1500 / 753.2 * math.tau


def test_a_lower_qpps_overdrives_until_the_loop_corrects() -> None:
    rig = Rig()
    d, p, i = 0, 0, 0
    rig.write(28, "IIII", d, p, i, 2000)
    rig.write(35, "i", 1000)
    rig.wait(1.0)
    # With no gains at all, half of QPPS is half duty.
    assert rig.read(48, "hh")[0] == pytest.approx(32767 / 2, abs=1)


def test_address_and_baud_follow_the_configuration_word() -> None:
    rig = Rig()
    assert rig.write(98, "H", config_word(0x85, 115200)) == ACK
    assert rig.exchange(b"\x80\x15", 1) == b""
    assert rig.read(99, "H", 0x85) == (0x80A3 | 0x0500,)
    assert rig.write(98, "H", config_word(0x85, 57600), address=0x85) == ACK
    assert rig.exchange(b"\x85\x15", 1) == b""
    rig.rover.devices.bus.set_host_baud(57600)
    assert rig.read(99, "H", 0x85) == (0x8583,)


def test_a_unit_flashed_with_another_firmware_speaks_its_dialect() -> None:
    rig = Rig()
    rig.rover.inject(SetFirmware(0x81, Dialect.NEWER))
    assert rig.read(59, "HHB", 0x81) == (115, 185, 0)
    assert rig.read(59, "HH", 0x80) == (115, 185)


def test_an_impossible_baud_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="115200"):
        config_word(0x80, 12345)


def test_a_unit_with_one_motor_has_a_second_output_with_nothing_on_it() -> None:
    config = osr_config()
    wheels = {name: wheel for name, wheel in config.wheels.items() if name != "left_middle"}
    rig = Rig(structs.replace(config, wheels=wheels))
    rig.write(37, "ii", 1000, 1000)
    rig.wait(1.0)
    assert rig.read(79, "ii") == (pytest.approx(1000, abs=10), 0)
    assert rig.read(78, "II")[1] == 0
    assert rig.read(108, "ii")[1] == 0


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        (Silence(0x87), "0x87.*0x80, 0x81, 0x82"),
        (LockWheel("left_wing"), "left_wing.*left_front"),
        (SetBatteryVoltage(-1.0), "allowed 0"),
    ],
)
def test_a_fault_in_a_part_that_is_not_there_is_refused(fault, complaint) -> None:
    with pytest.raises(ValueError, match=complaint):
        Rig().rover.inject(fault)


@pytest.mark.parametrize("bit", [15, 22, 28, 30, 31])
def test_bits_that_only_newer_firmware_has_can_be_injected_too(bit: int) -> None:
    rig = Rig()
    rig.rover.inject(InjectStatus(0x81, 1 << bit))
    assert rig.read(90, "I", 0x81) == (1 << bit,)


def test_in_another_mode_than_packet_serial_it_is_deaf_on_its_pins_and_hears_over_usb() -> None:
    rig = Rig()
    usb = rig.rover.usb_line(0)
    assert rig.write(98, "H", 0x0000) == ACK
    assert rig.exchange(b"\x80\x63", 4) == b""
    rig.line = usb
    # There it answers to every address, at any rate.
    assert rig.read(99, "H", 0x84) == (0,)
    assert rig.write(98, "H", config_word(0x80, 115200), address=0x87) == ACK
    rig.line = rig.rover.serial_line
    assert rig.read(99, "H") == (0x80A3,)


def test_worn_flash_acknowledges_and_keeps_nothing() -> None:
    rig = Rig()
    rig.rover.inject(WearFlash(0x80))
    rig.write(14, "B", 3)
    assert rig.write(94, "I", 0xE22EAB7A) == ACK
    assert rig.write(95) == ACK
    assert rig.read(15, "B") == (0,)
