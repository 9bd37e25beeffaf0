"""The wire: when bytes are heard and answered, and what becomes of nonsense."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from rover.hardware.bus.framing import check_reply, read_request, write_packet
from rover.sim.faults import CorruptBytes, CutSerial, ShortenReplies
from tests.builders import osr_config
from tests.sim.rig import UNITS, Rig

BYTE_S = 10 / 115200
ACK = b"\xff"


def test_a_full_cycle_takes_exactly_its_time_on_the_wire() -> None:
    rig = Rig()
    start_s = rig.clock.now_s()
    for address in UNITS:
        rig.write(37, "ii", 1000, 1000, address=address)
        rig.read(78, "II", address)
        rig.read(79, "ii", address)
        rig.read(49, "hh", address)
    assert rig.clock.now_s() - start_s == pytest.approx(135 * BYTE_S, abs=1e-9)


@pytest.mark.parametrize("baud", [9600, 57600, 460800])
def test_other_baud_rates_take_their_own_time(baud) -> None:
    config = osr_config()
    config = structs.replace(config, roboclaw=structs.replace(config.roboclaw, baud=baud))
    rig = Rig(config)
    start_s = rig.clock.now_s()
    rig.read(78, "II")
    assert rig.clock.now_s() - start_s == pytest.approx(12 * 10 / baud, abs=1e-9)


def test_unpaced_it_answers_at_once() -> None:
    rig = Rig(paced=False)
    start_s = rig.clock.now_s()
    rig.read(78, "II")
    assert rig.clock.now_s() == start_s


def test_a_reply_arrives_byte_by_byte() -> None:
    rig = Rig()
    rig.line.write(read_request(0x80, 78))
    start_s = rig.clock.now_s()
    received = rig.line.read(10, start_s + 2 * BYTE_S + 3.5 * BYTE_S)
    assert len(received) == 3
    assert rig.clock.now_s() == pytest.approx(start_s + 5.5 * BYTE_S)
    rest = rig.line.read(7, start_s + 1.0)
    assert check_reply(read_request(0x80, 78), received + rest) == bytes(8)
    assert rig.clock.now_s() == pytest.approx(start_s + 12 * BYTE_S)


def test_a_read_without_a_reply_lasts_until_its_deadline() -> None:
    rig = Rig()
    start_s = rig.clock.now_s()
    assert rig.line.read(1, start_s + 0.02) == b""
    assert rig.clock.now_s() == pytest.approx(start_s + 0.02)
    assert rig.line.read(1, start_s) == b""


def test_requests_written_together_are_answered_one_after_the_other() -> None:
    rig = Rig()
    start_s = rig.clock.now_s()
    rig.line.write(read_request(0x80, 24) + read_request(0x81, 24))
    rig.line.write(read_request(0x82, 24))
    replies = rig.line.read(12, start_s + 1.0)
    for index, address in enumerate(UNITS):
        check_reply(read_request(address, 24), replies[4 * index : 4 * index + 4])
    assert rig.clock.now_s() == pytest.approx(start_s + 18 * BYTE_S)


def test_flushing_throws_away_only_what_has_arrived() -> None:
    rig = Rig()
    rig.line.write(read_request(0x80, 78))
    rig.wait(5.5 * BYTE_S)
    rig.line.flush_input()
    assert len(rig.line.read(10, rig.clock.now_s() + 0.1)) == 7


@pytest.mark.parametrize(("gap_s", "answered"), [(0.0095, True), (0.0105, False)])
def test_a_gap_of_more_than_ten_milliseconds_discards_a_packet(gap_s, answered) -> None:
    rig = Rig()
    packet = write_packet(0x80, 14, b"\x05")
    rig.line.write(packet[:3])
    rig.wait(3 * BYTE_S + gap_s)
    reply = rig.exchange(packet[3:], 1)
    assert reply == (ACK if answered else b"")
    rig.wait(0.02)
    assert rig.read(15, "B") == ((5,) if answered else (0,))


@pytest.mark.parametrize(("gap_s", "answered"), [(0.0095, True), (0.0105, False)])
def test_the_gap_counts_between_any_two_bytes_and_adds_nothing_up(gap_s, answered) -> None:
    rig = Rig(paced=False)
    for byte in write_packet(0x80, 14, b"\x05"):
        rig.line.write(bytes([byte]))
        rig.wait(gap_s)
    assert (rig.line.read(1, rig.clock.now_s() + 0.001) == ACK) is answered


@pytest.mark.parametrize("flipped", range(5))
def test_a_packet_with_any_bit_flipped_is_not_acknowledged(flipped) -> None:
    rig = Rig(paced=False)
    good = write_packet(0x80, 14, b"\x05")
    for bit in range(8):
        bad = bytearray(good)
        bad[flipped] ^= 1 << bit
        # A command turned into a reading one, which has no checksum, may be answered by data.
        assert rig.exchange(bytes(bad), 1) != ACK
        rig.wait(0.02)
        rig.line.flush_input()
    assert all(unit.timeout_s == 0.0 for unit in rig.truth.controllers)
    assert rig.write(14, "B", 5) == ACK


def test_after_a_bad_checksum_the_next_packet_is_heard_at_once() -> None:
    rig = Rig()
    assert rig.exchange(b"\x80\x0e\x05\x00\x00" + write_packet(0x80, 14, b"\x06"), 1) == ACK
    assert rig.read(15, "B") == (6,)


def test_an_unknown_command_makes_the_units_deaf_until_the_line_is_quiet() -> None:
    rig = Rig()
    assert rig.exchange(b"\x80\xc0" + read_request(0x80, 24), 4) == b""
    rig.wait(0.001)
    assert rig.read(24, "H") == (160,)
    rig.line.write(b"\x80\xc0")
    rig.wait(0.009)
    rig.line.write(read_request(0x80, 24))
    assert rig.line.read(4, rig.clock.now_s() + 0.009) == b""
    rig.wait(0.002)
    assert rig.read(24, "H") == (160,)


def test_bytes_that_are_no_address_are_skipped() -> None:
    rig = Rig()
    assert len(rig.exchange(b"\x00\x15\xff\x7f" + read_request(0x80, 24), 4)) == 4


def test_at_the_wrong_baud_rate_nobody_answers() -> None:
    rig = Rig()
    rig.rover.devices.bus.set_host_baud(57600)
    assert rig.exchange(read_request(0x80, 24), 4) == b""


def test_a_corrupted_request_is_not_answered_and_a_corrupted_reply_is() -> None:
    rig = Rig()
    rig.rover.inject(CorruptBytes(requests=1))
    assert rig.write(14, "B", 5) == b""
    assert rig.write(14, "B", 5) == ACK
    rig.rover.inject(CorruptBytes(replies=1))
    assert rig.write(14, "B", 5) not in (b"", ACK)
    assert rig.write(14, "B", 5) == ACK


def test_noise_hits_its_share_of_bytes_the_same_at_every_run() -> None:
    request = read_request(0x80, 24)
    undisturbed = Rig().exchange(request, 4)
    assert check_reply(request, undisturbed) == b"\x00\xa0"

    def good_replies() -> int:
        rig = Rig(paced=False)
        rig.rover.inject(CorruptBytes(share=0.01))
        good = 0
        for _ in range(500):
            good += rig.exchange(request, 4) == undisturbed
            rig.wait(0.02)
            rig.line.flush_input()
        return good

    first = good_replies()
    # Six bytes a transaction: 0.99 to the sixth power of them come through.
    assert 0.90 * 500 < first < 0.98 * 500
    assert good_replies() == first


@pytest.mark.parametrize("fault", [CorruptBytes(share=1.5), CorruptBytes(requests=-1)])
def test_impossible_noise_is_refused(fault) -> None:
    with pytest.raises(ValueError, match="share"):
        Rig().rover.inject(fault)


@given(
    chunks=st.lists(
        st.tuples(st.binary(max_size=40), st.floats(0.0, 0.015)),
        max_size=20,
    )
)
def test_whatever_came_before_a_quiet_line_is_as_good_as_new(chunks) -> None:
    rig = Rig()
    for data, pause_s in chunks:
        rig.line.write(data)
        rig.wait(pause_s)
    rig.wait(0.5)
    rig.line.flush_input()
    # Noise may have been a valid request, even one that moved a unit to another address.
    answers = [rig.exchange(read_request(0x80 + unit, 21), 28) for unit in range(8)]
    assert sum(len(answer) == 28 for answer in answers) == 3


@given(
    packets=st.lists(
        st.tuples(st.sampled_from(UNITS), st.integers(-3000, 3000), st.integers(-3000, 3000)),
        min_size=1,
        max_size=10,
    ),
    cuts=st.lists(st.integers(1, 12), min_size=1, max_size=10),
)
def test_it_makes_no_difference_how_the_bytes_are_cut(packets, cuts) -> None:
    data = b"".join(
        write_packet(address, 37, first.to_bytes(4, "big", signed=True) + bytes(4))
        for address, first, _ in packets
    )
    whole, cut = Rig(), Rig()
    whole.line.write(data)
    rest = data
    for size in cuts:
        cut.line.write(rest[:size])
        rest = rest[size:]
    cut.line.write(rest)
    for rig in (whole, cut):
        assert rig.line.read(len(packets), rig.clock.now_s() + 1.0) == ACK * len(packets)
    assert whole.clock.now_s() == pytest.approx(cut.clock.now_s(), abs=1e-9)
    for one, other in zip(whole.truth.wheels, cut.truth.wheels, strict=True):
        assert one.speed_rad_s == pytest.approx(other.speed_rad_s, abs=1e-6)
        assert one.angle_rad == pytest.approx(other.angle_rad, abs=1e-6)


def test_stray_bytes_come_before_a_reply_that_is_whole() -> None:
    rig = Rig()
    rig.rover.inject(CorruptBytes(stray=1.0))
    request = read_request(0x80, 78)
    received = rig.exchange(request, 14)
    assert 11 <= len(received) <= 14
    assert check_reply(request, received[-10:])
    rig.rover.inject(CorruptBytes())
    assert len(rig.exchange(request, 11)) == 10


def test_a_unit_that_sticks_sends_the_beginning_of_its_replies_alone() -> None:
    rig = Rig()
    whole = rig.exchange(read_request(0x81, 78), 10)
    rig.rover.inject(ShortenReplies(0x81, 3))
    assert rig.exchange(read_request(0x81, 78), 10) == whole[:3]
    assert len(rig.exchange(read_request(0x80, 78), 10)) == 10
    rig.rover.inject(ShortenReplies(0x81, None))
    assert rig.exchange(read_request(0x81, 78), 10) == whole


def test_with_the_cable_cut_nobody_hears_or_is_heard() -> None:
    rig = Rig()
    rig.rover.inject(CutSerial())
    assert rig.exchange(write_packet(0x80, 37, bytes(8)), 1) == b""
    assert rig.exchange(read_request(0x82, 78), 10) == b""
    rig.rover.inject(CutSerial(cut=False))
    assert rig.exchange(write_packet(0x80, 37, bytes(8)), 1) == ACK
