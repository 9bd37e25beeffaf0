"""Frames of a page, fuzzed: the decoder alone, and a whole conversation."""

import json
import math
from collections.abc import Callable
from typing import cast

import msgspec
from msgspec import structs

from benchmarks.fuzz.independent import agrees
from benchmarks.fuzz.target import BrokenRuleError, Family, Target, require
from rover.clock import ManualClock
from rover.errors import BadMessageError
from rover.messages import Answer, Motion, RequestKind, Source, Stop, is_neutral
from rover.motion.sticks import DriveMode
from tests.builders import osr_config
from tests.web.fake_control import still_rover
from web.drive import DriveSession
from web.frames import (
    MAX_FRAME_BYTES,
    AskFrame,
    ClientFrame,
    DriveFrame,
    GiveFrame,
    HaltFrame,
    HaltReason,
    KeepFrame,
    PingFrame,
    RequestFrame,
    ServerFrame,
    decode,
    encode,
)
from web.hub import Hub
from web.lease import Lease
from web.remote import Remote

_CONFIG = osr_config()
_ROUNDING = 1e-9
_JSON = msgspec.json.Encoder().encode
# Between two messages of a conversation; the byte before a message says how long it waited.
_END = b"\0"
_WAIT_S = 0.01
_MOST_TOLD = 4


def _text(data: bytes) -> str:
    """Return ``data`` as text; what is not UTF-8 becomes half surrogate pairs, as in a str."""
    return data.decode("utf-8", "surrogateescape")


def _frames(data: bytes) -> bool:
    text = _text(data)
    try:
        frame = decode(text)
    except BadMessageError:
        return False
    _hold_frame(frame, text)
    return True


def _hold_frame(frame: ClientFrame, text: str) -> None:
    require(len(text.encode()) <= MAX_FRAME_BYTES, "what is too long is refused")
    plain = json.loads(text)
    require(agrees(frame, plain), "a frame is what its text says")
    unknown = set(plain) - {"type", *frame.__struct_fields__}
    require(not unknown, "a frame has no field that is not known")
    numbers = [value for value in structs.astuple(frame) if isinstance(value, float)]
    require(all(math.isfinite(number) for number in numbers), "every number is finite")
    require(0.0 <= frame.t <= 1e12, "the page's time is in its range")  # noqa: PLR2004
    if isinstance(frame, DriveFrame):
        require(abs(frame.drive) <= 1.0 and abs(frame.turn) <= 1.0, "sticks are within -1 to 1")
        require(0.0 < frame.limit <= 1.0, "a limit is a part of the whole")
        require(0 <= frame.seq <= 1 << 53, "a count is in its range")


class _Control:
    """Where commands go to."""

    def __init__(self) -> None:
        self.sent: list[Motion] = []

    def drive(self, source: Source, motion: Motion, stamp_s: float) -> None:
        require(source is Source.WEB, "a page drives as the web")
        require(math.isfinite(stamp_s), "a command has a time")
        self.sent.append(motion)


class _Asker:
    """Grants all requests at once, and stops the motion as the real one does."""

    def __init__(self, control: _Control) -> None:
        self._control = control
        self.asked: list[RequestKind] = []

    def ask_then(self, kind: RequestKind, who: str, tell: Callable[[Answer], None]) -> None:
        self.asked.append(kind)
        if kind is RequestKind.STOP:
            self._control.drive(Source.WEB, Stop(f"stopped by {who}"), 0.0)
        tell(Answer(True))


class _Remote:
    """What a conversation needs of a Remote, without its threads."""

    def __init__(self) -> None:
        self.config = _CONFIG
        self.clock = ManualClock()
        self.client = _Control()
        self.asker = _Asker(self.client)
        self.hub = Hub(_NoTelemetry(), self.clock)
        self.hub.show(_TELEMETRY)
        self.lease = Lease(self.clock)


class _NoTelemetry:
    def telemetry(self, timeout_s: float) -> None:
        """Return nothing: the hub's own thread is never started."""


class _Conversation:
    """One page's session, message by message, held against what each may lead to."""

    def __init__(self, *, may_drive: bool) -> None:
        self.remote = _Remote()
        self.accepted = False
        self._may_drive = may_drive
        self._told: list[ServerFrame] = []
        # Whether the sticks have been at rest since the last halt.
        self._rested = False
        self._session = DriveSession(
            cast(Remote, self.remote),
            "phone 1",
            "a device" if may_drive else None,
            self._told.append,
        )

    def say(self, message: bytes) -> bool:
        """Pass one message on; tells whether the connection stays open."""
        clock, control, asker = self.remote.clock, self.remote.client, self.remote.asker
        clock.sleep_s(message[0] * _WAIT_S if message else 0.0)
        text = _text(message[1:])
        self._told.clear()
        control.sent.clear()
        asker.asked.clear()
        self._session.receive((text,), clock.now_s())
        try:
            frame: ClientFrame | None = decode(text)
        except BadMessageError:
            frame = None
            self._rested = False
        self.accepted |= frame is not None
        require(len(self._told) <= _MOST_TOLD, "a message is answered by a few at most")
        for told in self._told:
            encode(told)
        self._hold(frame)
        return not self._session.is_hopeless

    def _hold(self, frame: ClientFrame | None) -> None:
        sent, asked = self.remote.client.sent, self.remote.asker.asked
        if not isinstance(frame, RequestFrame):
            require(not asked, "nothing is asked for but by a request")
        elif not self._may_drive:
            require(set(asked) <= {RequestKind.STOP}, "who watches may stop and nothing else")
        # Nobody asks for the wheel here, so it is given to nobody in particular.
        if isinstance(frame, HaltFrame) or (isinstance(frame, GiveFrame) and not frame.to):
            self._rested = False
        for motion in sent:
            if isinstance(motion, Stop):
                continue
            require(self._may_drive, "who watches does not drive")
            if not isinstance(frame, DriveFrame):
                raise BrokenRuleError("nothing but a drive frame moves the rover")
            _hold_motion(frame, motion)
            if is_neutral(motion):
                self._rested = True
            require(self._rested, "motion comes after rest")


def _hold_motion(frame: DriveFrame, motion: Motion) -> None:
    limits = _CONFIG.motion
    mps, rad_s = limits.max_speed_mps * frame.limit, limits.max_yaw_rate_rad_s * frame.limit
    bounds = {
        "speed_mps": mps,
        "yaw_rate_rad_s": rad_s,
        "curvature_per_m": limits.max_curvature_per_m,
        "heading_rad": math.pi / 2,
    }
    for name, value in structs.asdict(motion).items():
        require(abs(value) <= bounds[name] + _ROUNDING, f"{name} is within its limit")


def _conversation(data: bytes) -> bool:
    """Hold a whole conversation; the first byte says whether the page has the key."""
    talk = _Conversation(may_drive=data[:1] != b"w")
    for message in data[1:].split(_END):
        if not talk.say(message):
            break
    return talk.accepted


_TELEMETRY = structs.replace(still_rover(), stamp_s=100.0)
_DRIVE = DriveFrame(1, 5.0, 0.5, -0.25, DriveMode.ARC, 1.0, 100.0)
_FRAMES: tuple[ClientFrame, ...] = (
    _DRIVE,
    structs.replace(_DRIVE, mode=DriveMode.SPIN, limit=0.3),
    structs.replace(_DRIVE, mode=DriveMode.CRAB, drive=-1.0),
    structs.replace(_DRIVE, seen_s=None),
    HaltFrame(5.0, HaltReason.HIDDEN),
    *(RequestFrame(5.0, 7, kind, _TELEMETRY.state) for kind in RequestKind),
    AskFrame(5.0),
    GiveFrame(5.0),
    GiveFrame(5.0, "phone 2"),
    KeepFrame(5.0, "phone 2"),
    PingFrame(5.0),
)
_TOKENS = (
    *(json.dumps(name).encode() for name in (*DriveMode, *HaltReason, *RequestKind, "type")),
    *(json.dumps(name).encode() for name in DriveFrame.__struct_fields__),
    *(b"0.0", b"0.5", b"-0.25", b"1.0", b"5.0", b"100.0", b"1.0000001"),
    *(b"null", b"true", b"-0.0", b"1e999", b"NaN", b"Infinity", b"-1", b"9007199254740993"),
    *(b"[", b"]", b"{", b"}", b'{"a":', b",", b":", b'"', b"\\", b"\\ud800", b"\xed\xa0\x80"),
)


def _talks() -> tuple[bytes, ...]:
    """Return conversations: at rest, then moving, then something else, then moving again."""
    rest = structs.replace(_DRIVE, seq=1, drive=0.0, turn=0.0)
    moving = structs.replace(_DRIVE, seq=2)
    again = structs.replace(_DRIVE, seq=3)
    talks = []
    for between in _FRAMES[4:]:
        messages = (_JSON(frame) for frame in (rest, moving, between, again))
        talks.append(b"d" + _END.join(b"\x01" + message for message in messages))
    return (*talks, b"w" + talks[0][1:], b"d" + b"\x01" + _JSON(moving))


TARGETS = (
    Target(
        "frames",
        Family.WEBSOCKET,
        _frames,
        tuple(_JSON(frame) for frame in _FRAMES),
        _TOKENS,
    ),
    Target(
        "conversations",
        Family.WEBSOCKET,
        _conversation,
        _talks(),
        (*_TOKENS, _END + b"\x01", *(_END + b"\x01" + _JSON(frame) for frame in _FRAMES)),
        weight=0.5,
    ),
)
