"""Transactions byte by byte, with their time."""

import pytest

from rover.clock import ManualClock
from rover.errors import BadReplyError, DeviceError, DeviceTimeoutError
from rover.hardware.roboclaw_bus import RoboclawBus
from tests.hardware.fakes import BYTE_S, ScriptedLine, with_crc

MARGIN_S = 0.010
ZERO_DUTY = bytes.fromhex("80 22 00 00 00 00 98 17")
SPEED = with_crc(bytes.fromhex("80 25 000002f1 000002f1"))
ENCODERS = b"\x80\x4e"
VERSION = b"RoboClaw 2x15a v4.2.4\n\x00"


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def line(clock):
    return ScriptedLine(clock)


@pytest.fixture
def bus(line, clock):
    return RoboclawBus(line, 115200, MARGIN_S, clock)


def test_a_packet_goes_out_in_one_write_and_is_acknowledged(bus, line):
    bus.send(ZERO_DUTY)
    assert line.packets() == [ZERO_DUTY]


@pytest.mark.parametrize("reply", [b"\x00", b"\xfe", b"\x80"])
def test_only_ff_acknowledges(bus, line, reply):
    line.spoil(0x80, 34, reply)
    with pytest.raises(BadReplyError, match=f"0x{reply.hex()} instead of 0xFF"):
        bus.send(ZERO_DUTY)


def test_data_is_returned_without_its_checksum(bus, line):
    line.data[0x80, 78] = bytes.fromhex("00000001 ffffffff")
    assert bus.read(ENCODERS, 8) == bytes.fromhex("00000001 ffffffff")


def test_the_time_of_a_reading_is_when_its_request_arrived(bus, line, clock):
    line.data[0x80, 78] = bytes(8)
    before_s = clock.now_s()
    bus.read(ENCODERS, 8)
    assert bus.arrived_s == pytest.approx(before_s + 2 * BYTE_S)


def test_a_bad_checksum_is_not_data(bus, line):
    line.spoil(0x80, 78, bytes(8) + b"\x12\x34")
    with pytest.raises(BadReplyError, match="checksum 0x1234"):
        bus.read(ENCODERS, 8)


def test_silence_ends_at_the_time_on_the_wire_and_the_margin(bus, line, clock):
    before_s = clock.now_s()
    with pytest.raises(DeviceTimeoutError, match="nothing came back in time for command 78"):
        bus.read(ENCODERS, 8)
    assert clock.now_s() - before_s == pytest.approx((2 + 10) * BYTE_S + MARGIN_S)


def test_a_reply_cut_short_is_a_timeout(bus, line):
    line.spoil(0x80, 78, b"\x01\x02\x03")
    with pytest.raises(DeviceTimeoutError, match="only 01 02 03"):
        bus.read(ENCODERS, 8)


def test_a_silence_that_was_shorter_is_made_up_to_10_ms(line, clock):
    bus = RoboclawBus(line, 115200, 0.002, clock)
    line.silent.add(0x80)
    started_s = clock.now_s()
    with pytest.raises(DeviceTimeoutError):
        bus.send(ZERO_DUTY)
    assert clock.now_s() < started_s + 0.005
    line.silent.clear()
    bus.send(ZERO_DUTY)
    sent_s = len(ZERO_DUTY) * 10 / 115200
    assert line.written[-1][0] >= started_s + sent_s + 0.010


def test_a_silence_of_10_ms_is_quiet_enough(bus, line, clock):
    line.silent.add(0x80)
    with pytest.raises(DeviceTimeoutError):
        bus.send(ZERO_DUTY)
    failed_s = clock.now_s()
    line.silent.clear()
    bus.send(ZERO_DUTY)
    assert line.flushes == [failed_s]
    assert line.written[-1][0] == failed_s


@pytest.mark.parametrize(
    "reply",
    [b"\x01\x02\x03", bytes(8) + b"\x12\x34"],
    ids=["cut short", "bad checksum"],
)
def test_after_an_error_the_bus_is_quiet_for_10_ms_and_flushed(bus, line, clock, reply):
    line.spoil(0x80, 78, reply)
    with pytest.raises(DeviceError):
        bus.read(ENCODERS, 8)
    failed_s = clock.now_s()
    line.data[0x80, 78] = bytes(8)
    bus.read(ENCODERS, 8)
    assert line.flushes == [pytest.approx(failed_s + 0.010)]
    assert line.written[-1][0] >= failed_s + 0.010


def test_what_a_stuck_port_keeps_is_taken_back_at_its_deadline(bus, line):
    line.stuck = True
    with pytest.raises(DeviceTimeoutError):
        bus.send(SPEED, ZERO_DUTY)
    line.go_on()
    assert line.delivered == []
    bus.send(ZERO_DUTY)
    assert [data for _, data in line.delivered] == [ZERO_DUTY]


def test_after_a_stuck_port_goes_on_there_is_a_silence_first(bus, line, clock):
    """The far end may have got half of a packet."""
    line.stuck = True
    with pytest.raises(DeviceTimeoutError):
        bus.send(SPEED, ZERO_DUTY)
    failed_s = clock.now_s()
    line.go_on()
    bus.send(ZERO_DUTY)
    assert line.written[-1][0] >= failed_s + 0.010


def test_a_port_that_gives_nothing_back_gets_the_undo_and_nothing_more(bus, line):
    line.stuck, line.gives_back = True, False
    with pytest.raises(DeviceTimeoutError):
        bus.send(SPEED, ZERO_DUTY)
    for _ in range(5):
        with pytest.raises(DeviceTimeoutError, match=r"20 bytes .* stuck in the port"):
            bus.send(SPEED, ZERO_DUTY)
        with pytest.raises(DeviceTimeoutError, match="stuck"):
            bus.read(ENCODERS, 8)
    line.go_on()
    assert [data for _, data in line.delivered] == [SPEED, ZERO_DUTY]
    bus.send(ZERO_DUTY)
    assert line.packets()[-1] == ZERO_DUTY


def test_a_packet_of_which_a_part_was_taken_is_followed_by_silence(bus, line, clock, monkeypatch):
    def tear(_data: bytes) -> None:
        raise DeviceTimeoutError("took 5 of 13 bytes")

    with monkeypatch.context() as patched:
        patched.setattr(line, "write", tear)
        with pytest.raises(DeviceTimeoutError):
            bus.send(SPEED, ZERO_DUTY)
    torn_s = clock.now_s()
    bus.send(ZERO_DUTY)
    assert line.written[-1][0] >= torn_s + 0.010


def test_a_late_answer_is_not_taken_for_the_next(bus, line):
    line.spoil(0x80, 34, b"\x00\xff\xff")  # two acknowledgements are left in the port
    with pytest.raises(BadReplyError):
        bus.send(ZERO_DUTY)
    line.data[0x80, 78] = bytes.fromhex("00000001 00000002")
    assert bus.read(ENCODERS, 8) == bytes.fromhex("00000001 00000002")


def test_time_that_has_passed_since_an_error_counts_as_quiet(bus, line, clock):
    line.silent.add(0x80)
    with pytest.raises(DeviceTimeoutError):
        bus.send(ZERO_DUTY)
    line.silent.clear()
    clock.sleep_s(0.020)
    before_s = clock.now_s()
    bus.send(ZERO_DUTY)
    assert line.written[-1][0] == before_s


def test_without_an_error_nothing_waits(bus, line, clock):
    before_s = clock.now_s()
    bus.send(ZERO_DUTY)
    bus.send(ZERO_DUTY)
    assert line.flushes == []
    assert clock.now_s() - before_s == pytest.approx(2 * (8 + 1) * BYTE_S)


def test_a_version_ends_where_it_says(bus, line):
    line.data[0x80, 21] = VERSION
    assert bus.read_version(0x80) == "RoboClaw 2x15a v4.2.4"


@pytest.mark.parametrize("cut", [0, 1, len(VERSION) - 1, len(VERSION), len(VERSION) + 1])
def test_a_version_cut_short_is_a_timeout(bus, line, cut):
    line.spoil(0x80, 21, with_crc(VERSION, b"\x80\x15")[:cut])
    with pytest.raises(DeviceTimeoutError):
        bus.read_version(0x80)


def test_a_version_with_a_bad_checksum(bus, line):
    line.spoil(0x80, 21, VERSION + b"\x12\x34")
    with pytest.raises(BadReplyError, match="checksum"):
        bus.read_version(0x80)


def test_a_version_without_end(bus, line):
    line.spoil(0x80, 21, b"x" * 60)
    with pytest.raises(BadReplyError, match="more than 48 bytes"):
        bus.read_version(0x80)


@pytest.mark.parametrize("word", [b"\x00\x04", b"\x00\x01\x00\x02"])
def test_the_width_of_the_status_is_found_out(bus, line, word):
    line.data[0x80, 90] = word
    assert bus.read_status(0x80, None) == word


def test_a_known_width_costs_no_margin(bus, line, clock):
    line.data[0x80, 90] = b"\x00\x04"
    before_s = clock.now_s()
    assert bus.read_status(0x80, 2) == b"\x00\x04"
    assert clock.now_s() - before_s < 0.001


def test_a_status_of_another_length_is_refused(bus, line):
    line.spoil(0x80, 90, b"\x01\x02\x03\x04\x05")
    with pytest.raises(DeviceTimeoutError):
        bus.read_status(0x80, None)


def test_a_port_that_is_gone_is_neither_late_nor_wrong(bus, line):
    line.gone = True
    with pytest.raises(DeviceError) as caught:
        bus.send(ZERO_DUTY)
    assert not isinstance(caught.value, DeviceTimeoutError | BadReplyError)


def test_closing_closes_the_line(bus, line):
    bus.close()
    assert line.closed
