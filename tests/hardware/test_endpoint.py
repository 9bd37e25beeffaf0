"""The simulator's wire format and its client, against a real socket."""

import itertools
import struct
import threading

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rover.errors import BadMessageError, DeviceError, DeviceTimeoutError
from rover.hardware.bus.endpoint import (
    MAX_FRAME_BYTES,
    Done,
    EndpointClient,
    FrameBuffer,
    I2cData,
    I2cNack,
    I2cTransfer,
    LineLevel,
    LineRead,
    LineWrite,
    decode_reply,
    decode_request,
    encode_frame,
)
from tests.hardware.socket_server import serving

REQUESTS = (I2cTransfer(0x40, b"\x00\x30", 0), LineWrite(23, True), LineRead(17))
REPLIES = (I2cData(b"\x54\x49"), I2cNack(), LineLevel(False), Done())


def payload_of(frame: bytes) -> bytes:
    (length,) = struct.unpack(">I", frame[:4])
    assert len(frame) == 4 + length
    return frame[4:]


@pytest.mark.parametrize("message", REQUESTS)
def test_requests_come_back_as_they_went(message):
    assert decode_request(payload_of(encode_frame(message))) == message


@pytest.mark.parametrize("message", REPLIES)
def test_replies_come_back_as_they_went(message):
    assert decode_reply(payload_of(encode_frame(message))) == message


def test_a_frame_is_a_length_and_a_tagged_map():
    payload = payload_of(encode_frame(LineWrite(23, True)))
    assert msgspec.msgpack.decode(payload) == {"type": "line_write", "line": 23, "high": True}


@pytest.mark.parametrize("payload", [b"", b"\xc1", msgspec.msgpack.encode({"type": "fly"})])
def test_nonsense_is_refused(payload):
    with pytest.raises(BadMessageError):
        decode_request(payload)
    with pytest.raises(BadMessageError):
        decode_reply(payload)


@given(st.lists(st.sampled_from(REQUESTS), max_size=6), st.lists(st.integers(0, 400)))
def test_frames_are_found_however_the_stream_is_cut(messages, cuts):
    stream = b"".join(encode_frame(message) for message in messages)
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    buffer = FrameBuffer()
    found = [
        decode_request(payload)
        for start, end in itertools.pairwise(edges)
        for payload in buffer.feed(stream[start:end])
    ]
    assert found == messages


def test_a_frame_too_large_is_refused_before_it_is_read():
    with pytest.raises(BadMessageError, match=f"at most {MAX_FRAME_BYTES}"):
        FrameBuffer().feed(struct.pack(">I", MAX_FRAME_BYTES + 1))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "device.sock"


@pytest.fixture
def client(path):
    made = EndpointClient(str(path), timeout_s=5.0)
    yield made
    made.close()


def test_request_and_reply(path, client):
    with serving(path, lambda request: I2cData(bytes(request.read_count))):
        assert client.request(I2cTransfer(0x45, b"\xfe", 2)) == I2cData(b"\x00\x00")
        assert client.request(I2cTransfer(0x45, b"\xfe", 3)) == I2cData(b"\x00\x00\x00")
        client.close()


def test_nobody_there(client, path):
    with pytest.raises(DeviceError, match=rf"no simulated device behind {path}.*hardware-sim"):
        client.connect()


def test_no_reply_in_time_hangs_up_so_that_a_late_one_answers_nothing(path):
    released = threading.Event()

    def respond(request: object) -> Done | LineLevel:
        if isinstance(request, LineRead):
            released.wait(5)
            return LineLevel(True)
        return Done()

    impatient = EndpointClient(str(path), timeout_s=0.03)
    with serving(path, respond):
        with pytest.raises(DeviceTimeoutError, match=r"no reply to LineRead within 0\.03 s"):
            impatient.request(LineRead(17))
        released.set()
        patient = EndpointClient(str(path), timeout_s=5.0)
        assert patient.request(LineWrite(23, True)) == Done()
        patient.close()


def test_a_server_that_hangs_up_is_connected_to_anew(path, client):
    replies = iter([b"", Done()])
    with serving(path, lambda _request: next(replies)):
        with pytest.raises(DeviceError, match="has gone"):
            client.request(LineWrite(23, True))
        assert client.request(LineWrite(23, True)) == Done()
        client.close()


@pytest.mark.parametrize("raw", [b"\x00\x00\x00\x01\xc1", b"\xff\xff\xff\xff"])
def test_a_server_that_answers_nonsense(path, client, raw):
    with serving(path, lambda _request: raw):
        with pytest.raises(DeviceError) as caught:
            client.request(LineRead(17))
        assert isinstance(caught.value.__cause__, BadMessageError)
