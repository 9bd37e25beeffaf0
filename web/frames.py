"""What travels over the WebSocket, both directions: JSON, one object a message, typed.

Nothing a client sends is trusted: a frame of another shape, with a number out of range or
too long is refused with the reason. Stick positions are raw; shaping is the server's.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from rover.errors import BadMessageError
from rover.messages import ArmState, RequestKind
from rover.motion.sticks import DriveMode

MAX_FRAME_BYTES = 2048

# A stick's position; JSON has no NaN, and msgspec reads no infinity.
Position = Annotated[float, Meta(ge=-1, le=1)]
LimitFraction = Annotated[float, Meta(gt=0, le=1)]
# The page's performance.now(), milliseconds since it was opened.
PageTimeMs = Annotated[float, Meta(ge=0, le=1e12)]
# This computer's clock, as the server has told it.
ServerTimeS = Annotated[float, Meta(ge=0, le=1e12)]
ClientName = Annotated[str, Meta(max_length=40)]
Counter = Annotated[int, Meta(ge=0, le=2**53)]


class _Sent(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    """What a client may send: every field is checked, none may be added."""


class DriveFrame(_Sent, frozen=True, tag="drive"):
    """Where the thumbs are: ``drive`` positive forward, ``turn`` positive to the left.

    ``limit`` is the part of the full speed that a stick at its end asks for. ``seq`` goes up
    with every drive frame of a connection. ``seen_s`` is the ``clock_s`` of the newest state
    frame that the page had received by then, null before the first: it tells how long ago
    the rover was seen by whom moved the sticks.
    """

    seq: Counter
    t: PageTimeMs
    drive: Position
    turn: Position
    mode: DriveMode
    limit: LimitFraction
    seen_s: ServerTimeS | None


class HaltReason(StrEnum):
    """Why a page lets go of the rover."""

    HIDDEN = "hidden"
    LEFT = "left"
    CANCELLED = "cancelled"


class HaltFrame(_Sent, frozen=True, tag="halt"):
    """Stop the motion that this client asked for. It latches nothing."""

    t: PageTimeMs
    reason: HaltReason


class RequestFrame(_Sent, frozen=True, tag="request"):
    """Arm, disarm, stop or clear; the answer carries the same ``number``.

    ``seen`` is the state in which the person saw the rover, without which nothing is armed
    or cleared.
    """

    t: PageTimeMs
    number: Counter
    kind: RequestKind
    seen: ArmState | None = None


class AskFrame(_Sent, frozen=True, tag="ask"):
    """Ask who has the wheel for it."""

    t: PageTimeMs


class GiveFrame(_Sent, frozen=True, tag="give"):
    """Let ``to``, which asks for it, have the wheel; empty: whoever pushes a stick first."""

    t: PageTimeMs
    to: ClientName = ""


class KeepFrame(_Sent, frozen=True, tag="keep"):
    """Do not give the wheel to ``to``, which asks for it."""

    t: PageTimeMs
    to: ClientName


class PingFrame(_Sent, frozen=True, tag="ping"):
    """Only the time, for measuring the link while nobody drives from here."""

    t: PageTimeMs


ClientFrame = DriveFrame | HaltFrame | RequestFrame | AskFrame | GiveFrame | KeepFrame | PingFrame


class _Told(Struct, frozen=True, tag_field="type"):
    """What the server says."""


class WelcomeFrame(_Told, frozen=True, tag="welcome"):
    """The first frame: what the server calls this client, and what it may do."""

    client: str
    may_drive: bool


class ReasonCode(StrEnum):
    """What kind of thing was refused."""

    BAD_FRAME = "bad-frame"
    LATE = "late"
    TOO_MANY = "too-many"
    NOT_ALLOWED = "not-allowed"
    NOT_DRIVING = "not-driving"
    NOT_GIVEN = "not-given"


class ReasonFrame(_Told, frozen=True, tag="reason"):
    """Something this client sent was not used; ``text`` says why, for people."""

    code: ReasonCode
    text: str


class AnswerFrame(_Told, frozen=True, tag="answer"):
    """What became of the request ``number``: accepted, or every reason why not."""

    number: int
    kind: RequestKind
    accepted: bool
    refusals: tuple[str, ...]


class StateFrame(_Told, frozen=True, tag="state", omit_defaults=True):
    """The rover as control last told it, and this client's place in it.

    ``clock_s`` is the server's clock as the frame was sent, which drive frames echo. ``t`` is
    the newest page time that came from this client and ``held_ms`` how long ago that was, so
    that the page's clock less both is the link's round trip. ``driver`` has the wheel, empty
    if nobody, and ``asking``, left out if nobody does, are those that ask it for the wheel.
    ``age_ms`` is the telemetry's age as it was sent; without news from control ``telemetry`` is
    left out and ``age_ms`` is that of the last one (null: none); ``trouble``, left out when there
    is none, says why control cannot be understood. ``camera``, left out without one, is whether
    there are pictures to be had at /ws/camera.
    """

    clock_s: float
    t: float | None
    held_ms: float
    driver: str
    you_drive: bool
    age_ms: float | None
    telemetry: Raw | UnsetType = UNSET
    trouble: str = ""
    asking: tuple[str, ...] = ()
    camera: bool = False


ServerFrame = WelcomeFrame | ReasonFrame | AnswerFrame | StateFrame

_decoder: msgspec.json.Decoder[ClientFrame] = msgspec.json.Decoder(ClientFrame)
_encode = msgspec.json.Encoder().encode

# Besides msgspec's own error: half a surrogate pair, which is no UTF-8, and values within values
# by the thousand.
_UNREADABLE = (msgspec.DecodeError, UnicodeEncodeError, RecursionError)


def decode(message: str | bytes) -> ClientFrame:
    """Return the frame in ``message``. Raises BadMessageError that says what is wrong."""
    if isinstance(message, bytes):
        raise BadMessageError("a binary message: send JSON as text")
    try:
        size = len(message.encode())
        if size > MAX_FRAME_BYTES:
            raise BadMessageError(f"a message of {size} bytes: at most {MAX_FRAME_BYTES} are read")
        return _decoder.decode(message)
    except _UNREADABLE as error:
        raise BadMessageError(f"not a frame: {error}") from error


def encode(frame: ServerFrame) -> str:
    """Return ``frame`` as JSON text."""
    return _encode(frame).decode()
