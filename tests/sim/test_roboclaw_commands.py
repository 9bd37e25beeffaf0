"""Every command's bytes: what a unit answers, and that it keeps what it is given."""

import struct

import pytest

from rover.hardware.bus.framing import write_packet
from rover.sim.roboclaw_commands import CLASSIC_COMMANDS, FLASH_KEY, NEWER_COMMANDS
from rover.sim.roboclaw_settings import NEWER, OLD_STATUS
from tests.sim.rig import Rig

ACK = b"\xff"
S32_MIN = -(1 << 31)
# Those that driving, diagnosis and provisioning use, and the legacy ones that are ignored.
EXPECTED = {
    *range(14),
    *range(14, 26),
    *range(28, 41),
    *range(47, 51),
    *range(52, 65),
    *(68, 69, 74, 75, 78, 79, 80, 82, 83, 90, 91, 92, 93, 94, 95, 98, 99, 108),
    *(133, 134, 135, 136, 148, 149),
}


@pytest.fixture
def rig() -> Rig:
    return Rig(paced=False)


@pytest.fixture
def newer() -> Rig:
    return Rig(paced=False, firmware=NEWER)


def bitwise_crc(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021) & 0xFFFF if crc & 0x8000 else crc << 1
    return crc


def test_all_commands_are_there() -> None:
    assert set(CLASSIC_COMMANDS) >= EXPECTED
    assert set(NEWER_COMMANDS) >= EXPECTED | {200, 201, 202}


def test_a_reply_carries_the_checksum_of_request_and_data(rig) -> None:
    reply = rig.exchange(b"\x82\x18", 4)
    assert reply[:2] == (160).to_bytes(2, "big")
    assert reply[2:] == bitwise_crc(b"\x82\x18" + reply[:2]).to_bytes(2, "big")


def test_a_write_is_acknowledged_by_ff_alone(rig) -> None:
    packet = b"\x80\x0e\x05"
    packet += bitwise_crc(packet).to_bytes(2, "big")
    assert rig.exchange(packet, 5) == ACK


def test_version_ends_in_line_feed_and_null(rig) -> None:
    expected = b"USB Roboclaw 2x7a v4.2.4\n\0"
    reply = rig.exchange(b"\x81\x15", 48)
    assert reply == expected + bitwise_crc(b"\x81\x15" + expected).to_bytes(2, "big")


@pytest.mark.parametrize(
    ("write", "read", "form", "values"),
    [
        (14, 15, "B", (3,)),
        (58, 60, "HH", (60, 200)),
        (92, None, "B", (0x80,)),
        (98, 99, "H", (0x80A3,)),
        (57, 59, "HH", (115, 185)),
        (74, 75, "BBB", (2, 1, 4)),
        (148, 149, "B", (1,)),
    ],
)
def test_a_setting_reads_back_as_written(rig, write, read, form, values) -> None:
    assert rig.write(write, form, *values) == ACK
    if read is None:
        assert rig.read(91, "BB") == (values[0], 0)
    else:
        assert rig.read(read, form) == values


@pytest.mark.parametrize(
    ("write", "read", "form", "values"),
    [
        (57, 59, "HHB", (115, 185, 1)),
        (74, 75, "BBBBB", (0x81, 1, 2, 3, 4)),
        (148, 149, "BB", (1, 0)),
        (201, 202, "B", (0xAA,)),
    ],
)
def test_newer_firmware_has_longer_settings(newer, write, read, form, values) -> None:
    assert newer.write(write, form, *values) == ACK
    assert newer.read(read, form) == values


@pytest.mark.parametrize(("write", "read"), [(28, 55), (29, 56)])
def test_velocity_pid_is_written_d_p_i_and_read_p_i_d(rig, write, read) -> None:
    assert rig.write(write, "IIII", 111, 222, 333, 2800) == ACK
    assert rig.read(read, "IIII") == (222, 333, 111, 2800)
    other = 55 + 56 - read
    assert rig.read(other, "IIII") != (222, 333, 111, 2800)


@pytest.mark.parametrize(("write", "read"), [(61, 63), (62, 64)])
def test_position_pid_is_written_d_p_i_and_read_p_i_d(rig, write, read) -> None:
    assert rig.write(write, "IIIIIii", 1, 2, 3, 40, 50, -600, 700) == ACK
    assert rig.read(read, "IIIIIii") == (2, 3, 1, 40, 50, -600, 700)


@pytest.mark.parametrize(("write", "read"), [(133, 135), (134, 136)])
def test_current_limit_reads_back_with_zero_for_the_minimum(rig, write, read) -> None:
    assert rig.write(write, "II", 450, 0) == ACK
    assert rig.read(read, "II") == (450, 0)


def test_default_duty_accelerations(rig, newer) -> None:
    assert rig.write(68, "I", 1000) == ACK
    assert rig.write(69, "I", 2000) == ACK
    assert rig.read(81, "II") == (1000, 2000)
    assert newer.write(68, "II", 1000, 500) == ACK
    assert newer.write(69, "II", 1000, 500) == ACK


def test_encoders_are_set_reset_and_read_one_by_one_and_together(rig) -> None:
    assert rig.write(22, "I", 1234) == ACK
    assert rig.write(23, "I", 0xFFFFFFFE) == ACK
    assert rig.read(16, "IB") == (1234, 0)
    assert rig.read(17, "IB") == (0xFFFFFFFE, 0)
    assert rig.read(78, "II") == (1234, 0xFFFFFFFE)
    assert rig.write(20) == ACK
    assert rig.read(78, "II") == (0, 0)


def test_counting_below_zero_underflows_and_above_the_top_overflows(rig) -> None:
    rig.drive(dict.fromkeys(rig.config.wheels, -500))
    rig.wait(0.2)
    count, flags = rig.read(16, "IB")
    assert count > 0xFFFFFF00
    assert flags == 0b011
    assert rig.read(16, "IB")[1] == 0b010
    rig.drive(dict.fromkeys(rig.config.wheels, 500))
    rig.wait(0.5)
    count, flags = rig.read(16, "IB")
    assert count < 1000
    assert flags == 0b100


def test_speeds_are_signed_and_agree_in_every_form(rig) -> None:
    assert rig.write(37, "ii", 900, -1200) == ACK
    rig.wait(2.5)
    assert rig.read(79, "ii") == pytest.approx((900, -1200), abs=2)
    assert rig.read(108, "ii") == pytest.approx((900, -1200), abs=2)
    for command in (18, 30):
        assert rig.read(command, "iB") == (pytest.approx(900, abs=2), 0)
    for command in (19, 31):
        assert rig.read(command, "iB") == (pytest.approx(-1200, abs=2), 1)
    first, second = rig.read(48, "hh")
    assert 8000 < first < 14000
    assert -18000 < second < -11000


def test_the_averaged_speed_lags_by_its_second(rig) -> None:
    rig.drive(2000)
    rig.wait(0.5)
    assert rig.read(30, "iB")[0] == pytest.approx(2000, abs=40)
    # Half of the second it stood still; the way up took a part of the other half.
    assert 750 < rig.read(108, "ii")[0] < 1000


def test_currents_are_positive_driving_either_way_and_negative_braking(rig) -> None:
    rig.write(37, "ii", 1500, -1500)
    rig.wait(2.0)
    assert rig.read(49, "hh") == (pytest.approx(45, abs=2), pytest.approx(45, abs=2))
    rig.write(34, "hh", 0, 0)
    rig.wait(0.02)
    first, second = rig.read(49, "hh")
    assert first < -200
    assert second < -200


@pytest.mark.parametrize(
    ("command", "form", "values", "expected"),
    [
        (35, "i", (700,), (700, 0)),
        (36, "i", (-700,), (0, -700)),
        (37, "ii", (700, 300), (700, 300)),
        (38, "Ii", (50000, 700), (700, 0)),
        (39, "Ii", (50000, -700), (0, -700)),
        (40, "Iii", (50000, 700, 300), (700, 300)),
        (50, "IiIi", (50000, 700, 40000, -300), (700, -300)),
    ],
)
def test_a_speed_command_drives_the_motors_it_names(rig, command, form, values, expected) -> None:
    assert rig.write(command, form, *values) == ACK
    rig.wait(3.0)
    assert rig.read(79, "ii") == pytest.approx(expected, abs=3)


@pytest.mark.parametrize(
    ("command", "form", "values", "signs"),
    [
        (32, "h", (16000,), (1, 0)),
        (33, "h", (-16000,), (0, -1)),
        (34, "hh", (16000, -16000), (1, -1)),
        (52, "hI", (16000, 100000), (1, 0)),
        (53, "hI", (-16000, 100000), (0, -1)),
        (54, "hIhI", (16000, 100000, 16000, 100000), (1, 1)),
    ],
)
def test_a_duty_command_drives_the_motors_it_names(rig, command, form, values, signs) -> None:
    assert rig.write(command, form, *values) == ACK
    rig.wait(1.0)
    pwm = rig.read(48, "hh")
    speeds = rig.read(79, "ii")
    for sign, duty, speed in zip(signs, pwm, speeds, strict=True):
        assert duty == pytest.approx(sign * 16000, abs=1)
        assert (speed > 500, speed < -500) == (sign > 0, sign < 0)


def test_an_acceleration_is_kept_on_the_way_up(rig) -> None:
    rig.write(40, "Iii", 1000, 2000, 2000)
    rig.wait(1.0)
    assert rig.read(79, "ii")[0] == pytest.approx(1000, abs=60)
    rig.wait(2.0)
    assert rig.read(79, "ii")[0] == pytest.approx(2000, abs=10)


def test_a_duty_acceleration_is_kept_on_the_way_up(rig) -> None:
    rig.write(52, "hI", 20000, 10000)
    rig.wait(1.0)
    assert rig.read(48, "hh")[0] == pytest.approx(10000, abs=120)


@pytest.mark.parametrize("speed", [S32_MIN, -S32_MIN - 1])
def test_an_absurd_speed_is_only_full_duty(rig, speed) -> None:
    assert rig.write(35, "i", speed) == ACK
    rig.wait(1.0)
    assert abs(rig.read(48, "hh")[0]) == 32767
    assert rig.fastest_rad_s() < 26


def test_buffers_are_empty_and_batteries_are_the_same(rig) -> None:
    assert rig.read(47, "BB") == (0x80, 0x80)
    assert rig.read(24, "H") == rig.read(25, "H") == (160,)
    assert rig.read(82, "H") == rig.read(83, "H") == (300,)


def test_the_status_has_the_width_of_the_firmware() -> None:
    assert Rig().read(90, "I") == (0,)
    assert Rig(firmware=OLD_STATUS).read(90, "H") == (0,)
    assert Rig(enabled=False).read(90, "I") == (1,)
    assert Rig(firmware=OLD_STATUS, enabled=False).read(90, "H") == (4,)


def test_flash_is_written_only_with_its_key_and_counted(rig) -> None:
    rig.write(14, "B", 7)
    assert rig.write(94, "I", 0x12345678) == b""
    assert [unit.nvm_writes for unit in rig.truth.controllers] == [0, 0, 0]
    assert rig.write(94, "I", FLASH_KEY) == ACK
    assert [unit.nvm_writes for unit in rig.truth.controllers] == [1, 0, 0]
    rig.write(14, "B", 9)
    assert rig.write(95) == ACK
    assert rig.read(15, "B") == (7,)


def test_defaults_are_restored_with_a_key_only_by_newer_firmware(rig, newer) -> None:
    for claw in (rig, newer):
        claw.write(14, "B", 7)
        claw.write(28, "IIII", 1, 2, 3, 4)
    assert rig.write(80) == ACK
    assert newer.write(80, "I", 1) == b""
    assert newer.read(15, "B") == (7,)
    assert newer.write(80, "I", FLASH_KEY) == ACK
    for claw in (rig, newer):
        assert claw.read(15, "B") == (0,)
        assert claw.read(55, "IIII") == (0x10000, 0x8000, 0x4000, 44000)


@pytest.mark.parametrize("command", range(14))
def test_the_commands_of_old_are_ignored(rig, command) -> None:
    assert rig.exchange(write_packet(0x80, command, b"\x40"), 1) == b""
    rig.wait(0.5)
    assert rig.fastest_rad_s() == 0.0
    assert rig.read(24, "H") == (160,)


def test_each_unit_keeps_its_own_state(rig) -> None:
    for index, address in enumerate((0x80, 0x81, 0x82)):
        rig.write(14, "B", index + 1, address=address)
        rig.write(22, "I", 100 * index, address=address)
    for index, address in enumerate((0x80, 0x81, 0x82)):
        assert rig.read(15, "B", address) == (index + 1,)
        assert rig.read(78, "II", address) == (100 * index, 0)


def test_only_configured_addresses_answer(rig) -> None:
    assert rig.exchange(struct.pack("BB", 0x83, 21), 1) == b""
