"""The sockets' answers, without a process: what is asked is served here, step by step."""

import socket

import pytest

from rover.clock import ManualClock
from rover.errors import DeviceError
from rover.hardware.bus.endpoint import (
    Done,
    FrameBuffer,
    I2cData,
    I2cNack,
    I2cTransfer,
    LineLevel,
    LineRead,
    LineWrite,
    decode_reply,
    encode_frame,
)
from rover.sim.endpoints import Endpoint, answer_i2c, answer_lines, answer_truth
from rover.sim.faults import LockWheel
from rover.sim.truth import ReadTruth, encode_request
from tests.sim.rig import MOTOR_ENABLE, Rig

MAKERS = {"i2c": answer_i2c, "gpio": answer_lines, "truth": answer_truth}


class Table:
    """An endpoint and one client of it."""

    def __init__(self, path, kind: str) -> None:
        self.rig = Rig(enabled=False)
        self.endpoint = Endpoint(path, MAKERS[kind](self.rig.rover.devices))
        self.client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.client.settimeout(1.0)
        self.client.connect(str(path))
        self.serve()

    def serve(self) -> None:
        for fileno in self.endpoint.filenos():
            self.endpoint.serve(fileno, self.rig.clock.now_s())

    def ask(self, frame: bytes) -> bytes:
        """Return the payload of the reply, empty if it hung up."""
        self.client.sendall(frame)
        self.serve()
        received = self.client.recv(8192)
        return FrameBuffer().feed(received)[0] if received else b""

    def close(self) -> None:
        self.client.close()
        self.endpoint.close()


@pytest.fixture
def table(tmp_path):
    tables = []

    def make(kind: str) -> Table:
        tables.append(Table(tmp_path / kind, kind))
        return tables[-1]

    yield make
    for made in tables:
        made.close()


def test_i2c(table) -> None:
    i2c = table("i2c")
    reply = i2c.ask(encode_frame(I2cTransfer(0x45, b"\xfe", 2)))
    assert decode_reply(reply) == I2cData(b"\x54\x49")
    assert decode_reply(i2c.ask(encode_frame(I2cTransfer(0x46, b"", 1)))) == I2cNack()


def test_lines(table) -> None:
    lines = table("gpio")
    assert decode_reply(lines.ask(encode_frame(LineWrite(MOTOR_ENABLE, True)))) == Done()
    assert lines.rig.truth.motor_enable
    reply = lines.ask(encode_frame(LineRead(MOTOR_ENABLE)))
    assert decode_reply(reply) == LineLevel(True)


def test_truth(table) -> None:
    truth = table("truth")
    assert b"left_front" in truth.ask(encode_request(ReadTruth()))
    assert b"applied" in truth.ask(encode_request(LockWheel("left_front")))
    assert b"no wheel" in truth.ask(encode_request(LockWheel("left_wing")))


@pytest.mark.parametrize(
    ("kind", "frame"),
    [
        ("i2c", encode_frame(LineRead(5))),
        ("gpio", encode_frame(I2cTransfer(0x40, b"", 1))),
        ("i2c", encode_frame(I2cTransfer(0x40, b"", 100_000))),
        ("i2c", encode_frame(I2cTransfer(0x40, b"", -1))),
        ("truth", encode_frame(LineRead(5))),
        ("truth", b"\x00\x00\x00\x01\xc1"),
        ("gpio", b"\xff\xff\xff\xff"),
    ],
)
def test_what_makes_no_sense_is_hung_up_on(table, kind, frame) -> None:
    asked = table(kind)
    assert asked.ask(frame) == b""
    assert len(asked.endpoint.filenos()) == 1


def test_a_client_that_has_gone_is_forgotten(table) -> None:
    lines = table("gpio")
    assert len(lines.endpoint.filenos()) == 2
    lines.client.close()
    lines.serve()
    assert len(lines.endpoint.filenos()) == 1
    # Another's number, and one that was handled already, are left alone.
    lines.endpoint.serve(12345, 0.0)


def test_frames_that_arrive_together_are_answered_together(table) -> None:
    lines = table("gpio")
    lines.client.sendall(encode_frame(LineRead(1)) + encode_frame(LineRead(2)))
    lines.serve()
    assert len(FrameBuffer().feed(lines.client.recv(8192))) == 2


def test_a_socket_that_cannot_be_made_says_where(tmp_path) -> None:
    devices = Rig().rover.devices
    with pytest.raises(DeviceError, match="nowhere/i2c"):
        Endpoint(tmp_path / "nowhere" / "i2c", answer_i2c(devices))


def test_time_never_goes_back(table) -> None:
    lines = table("gpio")
    lines.rig.clock.advance_to(200.0)
    assert lines.rig.truth.time_s == 200.0
    lines.endpoint.serve(lines.endpoint.filenos()[1], ManualClock().now_s())
    assert lines.rig.truth.time_s == 200.0
