"""Framing against checksums worked out by long division, and packets written out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rover.errors import BadReplyError
from rover.hardware.bus import framing
from tests.hardware.fakes import crc_by_division, with_crc

u32 = st.integers(0, 0xFFFFFFFF)
s32 = st.integers(-0x80000000, 0x7FFFFFFF)
s16 = st.integers(-0x8000, 0x7FFF)


def test_crc_of_the_standard_check_string():
    # CRC-16/XMODEM in the catalogue of parametrised CRC algorithms.
    assert framing.crc16(b"123456789") == 0x31C3


def test_crc_of_nothing():
    assert framing.crc16(b"") == 0


@given(st.binary(max_size=64), st.integers(0, 64))
def test_crc_is_the_remainder_of_the_division_and_can_be_gone_on_with(data, cut):
    assert framing.crc16(data) == crc_by_division(data)
    assert framing.crc16(data[cut:], framing.crc16(data[:cut])) == framing.crc16(data)


@pytest.mark.parametrize(
    ("address", "command", "payload", "packet"),
    [
        # Zero duty on both motors of 0x80.
        (0x80, 34, "00000000", "80 22 00 00 00 00 98 17"),
        # M1 at 1000 and M2 at -1000 counts a second on 0x81.
        (0x81, 37, "000003e8fffffc18", "81 25 00 00 03 e8 ff ff fc 18 ed d5"),
        # Serial timeout of 0.3 s on 0x82.
        (0x82, 14, "03", "82 0e 03 46 56"),
    ],
)
def test_write_packets(address, command, payload, packet):
    made = framing.write_packet(address, command, bytes.fromhex(payload))
    assert made.hex(" ") == packet


def test_a_write_packet_may_carry_nothing():
    assert framing.write_packet(0x80, 95) == with_crc(b"\x80\x5f")


def test_a_read_request_is_two_bytes():
    assert framing.read_request(0x80, 78) == b"\x80\x4e"


def test_a_good_reply_gives_its_data():
    # Main battery of 0x80 at 14.8 V; the checksum covers 80 18 00 94.
    assert framing.check_reply(b"\x80\x18", bytes.fromhex("0094 f4c7")) == b"\x00\x94"


@given(st.binary(min_size=2, max_size=2), st.binary(max_size=48))
def test_any_good_reply_gives_its_data(request_bytes, data):
    assert framing.check_reply(request_bytes, with_crc(data, request_bytes)) == data


@given(
    st.binary(min_size=2, max_size=2),
    st.binary(min_size=1, max_size=8),
    st.data(),
)
def test_a_flipped_bit_is_found(request_bytes, data, draw):
    reply = bytearray(with_crc(data, request_bytes))
    bit = draw.draw(st.integers(0, len(reply) * 8 - 1))
    reply[bit // 8] ^= 1 << bit % 8
    with pytest.raises(BadReplyError):
        framing.check_reply(request_bytes, bytes(reply))


def test_a_reply_meant_for_another_controller_is_refused():
    with pytest.raises(BadReplyError, match="checksum 0xF4C7 in the reply to 81 18"):
        framing.check_reply(b"\x81\x18", bytes.fromhex("0094 f4c7"))


def test_a_refusal_names_the_checksum_that_came_and_the_one_expected():
    request, data = b"\x80\x4e", bytes(range(8))
    with pytest.raises(BadReplyError) as refused:
        framing.check_reply(request, data + b"\x12\x34")
    expected = with_crc(data, request)[-2:].hex().upper()
    assert str(refused.value) == f"checksum 0x1234 in the reply to 80 4e, 0x{expected} expected"


@pytest.mark.parametrize("reply", [b"", b"\x00"])
def test_a_reply_without_a_whole_checksum_is_refused(reply):
    with pytest.raises(BadReplyError, match="too short"):
        framing.check_reply(b"\x80\x18", reply)


@given(u32, u32)
def test_unsigned_pairs(first, second):
    data = first.to_bytes(4, "big") + second.to_bytes(4, "big")
    assert framing.unpack_u32_pair(data) == (first, second)


@given(s32, s32)
def test_signed_pairs(first, second):
    data = first.to_bytes(4, "big", signed=True) + second.to_bytes(4, "big", signed=True)
    assert framing.unpack_s32_pair(data) == (first, second)


@given(s16, s16)
def test_short_signed_pairs(first, second):
    data = first.to_bytes(2, "big", signed=True) + second.to_bytes(2, "big", signed=True)
    assert framing.unpack_s16_pair(data) == (first, second)
    assert framing.pack_s16_pair(first, second) == data


@pytest.mark.parametrize(
    ("speeds", "packed"),
    [
        ((1, -1), "00000001 ffffffff"),
        ((2**40, -(2**40)), "7fffffff 80000001"),
    ],
)
def test_speeds_are_bounded_to_what_fits(speeds, packed):
    assert framing.pack_s32_pair(*speeds) == bytes.fromhex(packed)


def test_bytes_and_words():
    assert framing.pack_u8(255) == b"\xff"
    assert framing.unpack_u8(b"\x03") == 3
    assert framing.unpack_u16(b"\x01\x02") == 258


def test_wire_time():
    assert framing.wire_time_s(135, 115200) == pytest.approx(11.72e-3, abs=1e-5)


@given(u32, st.integers(-0x7FFFFFFF, 0x7FFFFFFF))
def test_a_counter_may_wrap_either_way(old, step):
    assert framing.count_difference((old + step) % 2**32, old) == step
