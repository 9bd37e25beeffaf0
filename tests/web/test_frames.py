import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rover.errors import BadMessageError
from rover.motion.sticks import DriveMode
from web.frames import MAX_FRAME_BYTES, DriveFrame, HaltFrame, PingFrame, RequestFrame, decode

DRIVE = {
    "type": "drive",
    "seq": 1,
    "t": 5.0,
    "drive": 0,
    "turn": 0,
    "mode": "arc",
    "limit": 1,
    "seen_s": None,
}
POSITION = st.floats(-1, 1)


def drive(**changes):
    return json.dumps(DRIVE | changes)


@given(POSITION, POSITION, st.sampled_from(DriveMode), st.floats(0.01, 1))
def test_a_drive_frame_says_what_was_sent(forward, left, mode, limit):
    frame = decode(drive(drive=forward, turn=left, mode=mode, limit=limit, seen_s=12.5))
    assert frame == DriveFrame(1, 5.0, forward, left, mode, limit, 12.5)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (drive(drive=math.nan), "malformed"),
        (drive(turn=math.inf), "malformed"),
        (drive(turn=-math.inf), "malformed"),
        (drive(drive=0.5).replace("0.5", "1e999"), "out of range"),
        (drive(drive=1.0001), "<= 1.0"),
        (drive(turn=-1.0001), ">= -1.0"),
        (drive(drive="0"), "got `str`"),
        (drive(drive=None), "got `null`"),
        (drive(drive=True), "got `bool`"),
        (drive(drive=[0]), "got `array`"),
        (drive(limit=0), "> 0.0"),
        (drive(limit=1.1), "<= 1.0"),
        (drive(seq=-1), ">= 0"),
        (drive(seq=1.5), "Expected `int`"),
        (drive(seq=2**70), "<= 9007199254740992"),
        (drive(t=-1), ">= 0.0"),
        (drive(seen_s=-1), ">= 0.0"),
        (drive(seen_s="now"), "Expected `float | null`"),
        (drive(mode="fly"), "Invalid enum value 'fly'"),
        (drive(extra=1), "unknown field `extra`"),
        (drive(type="destroy"), "Invalid value 'destroy'"),
        ('{"type":"drive"}', "missing required field"),
        (drive(mode="\ud800").replace("\\ud800", "\ud800"), "surrogates not allowed"),
        ('{"deep":' + "[" * 1500, "recursion"),
        ('{"t":1}', "missing required field `type`"),
        ('{"type":"request","t":1,"number":1,"kind":"explode"}', "Invalid enum value 'explode'"),
        ('{"type":"halt","t":1,"reason":"whatever"}', "Invalid enum value 'whatever'"),
        ("[]", "Expected `object`"),
        ("null", "Expected `object`"),
        ("", "not a frame"),
        ("{", "truncated"),
        ("[" * 2000, "not a frame"),
        ('{"type":"ping","t":' + "1" * MAX_FRAME_BYTES + "}", f"at most {MAX_FRAME_BYTES}"),
        ("é" * 1100, f"at most {MAX_FRAME_BYTES}"),
        (b'{"type":"ping","t":1}', "binary"),
    ],
)
def test_what_is_not_a_frame_is_refused_with_the_reason(text, says):
    with pytest.raises(BadMessageError) as caught:
        decode(text)
    assert says in str(caught.value)


@given(
    st.text(max_size=300)
    | st.binary(max_size=50)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: st.dictionaries(st.sampled_from([*DRIVE, "kind", "x"]), inner, max_size=8),
    ).map(json.dumps)
)
def test_anything_at_all_is_a_frame_or_refused(message):
    try:
        frame = decode(message)
    except BadMessageError:
        return
    if isinstance(frame, DriveFrame):
        assert max(abs(frame.drive), abs(frame.turn), frame.limit) <= 1
        assert frame.limit > 0


def test_the_other_frames_are_read():
    assert decode('{"type":"ping","t":7}') == PingFrame(7.0)
    assert isinstance(decode('{"type":"halt","t":7,"reason":"hidden"}'), HaltFrame)
    assert isinstance(decode('{"type":"request","t":7,"number":3,"kind":"stop"}'), RequestFrame)
