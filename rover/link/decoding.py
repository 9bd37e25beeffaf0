"""What came through a socket, decoded or refused: only BadMessageError leaves here. Pure.

Whoever can open the sockets can send any bytes at all, and control decodes them within a tick.
"""

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from rover.bus_messages import BusAsk, BusLoan
from rover.camera_messages import PictureHead, Wanted
from rover.errors import BadMessageError
from rover.messages import (
    Answer,
    DriveCommand,
    MaintenanceOrder,
    Request,
    Source,
    Telemetry,
    require_finite,
)
from rover.pad_messages import PadAsk, PadLoan

# Who may drive through the link: nobody else can pass for the gamepad and outrank the phone.
LINKED_SOURCES = frozenset({Source.WEB})
# In the place of a source's name: an order of a calibration.
MAINTENANCE_TOPIC = b"maintenance"
# A drive message is a source and a payload, an answer a number and a payload.
_PARTS = 2
# In front of a picture's head stands its length.
PICTURE_HEAD_BYTES = 2
# Parts as ROUTER hands a request over: identity, number, payload.
_REQUEST_PARTS = 3

# Besides its own error msgspec raises these, for text that is not UTF-8 and for values within
# values by the thousand.
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_Message = TypeVar("_Message")

_drive = msgspec.msgpack.Decoder(DriveCommand).decode
_order = msgspec.msgpack.Decoder(MaintenanceOrder).decode
_request = msgspec.msgpack.Decoder(Request).decode
_answer = msgspec.msgpack.Decoder(Answer).decode
_pad_ask = msgspec.msgpack.Decoder(PadAsk).decode
_pad_loan = msgspec.msgpack.Decoder(PadLoan).decode
_bus_ask = msgspec.msgpack.Decoder(BusAsk).decode
_bus_loan = msgspec.msgpack.Decoder(BusLoan).decode
_picture_head = msgspec.msgpack.Decoder(PictureHead).decode
_wanted = msgspec.msgpack.Decoder(Wanted).decode
_telemetry = msgspec.msgpack.Decoder(Telemetry).decode


def source_named(name: bytes) -> Source | None:
    """Return the source a drive message's first part names, or None if there is no such one."""
    try:
        return Source(name.decode("ascii"))
    except ValueError:
        return None


def drive_command(parts: Sequence[bytes]) -> DriveCommand:
    """Return the command of a drive message: finite, and of a source that may use the link.

    Raises BadMessageError that says what is wrong.
    """
    if len(parts) != _PARTS:
        raise BadMessageError(f"a drive message has {_PARTS} parts, this one {len(parts)}")
    command = _decoded(_drive, parts[1], "a drive command")
    if command.source != source_named(parts[0]):
        raise BadMessageError(f"a command of {command.source} under another source's name")
    if command.source not in LINKED_SOURCES:
        raise BadMessageError(f"{command.source} is read by control itself: send as web")
    if not math.isfinite(command.stamp_s):
        raise BadMessageError(f"stamp_s is {command.stamp_s}: send a finite number")
    require_finite(command.motion)
    return command


def maintenance_order(parts: Sequence[bytes]) -> MaintenanceOrder:
    """Return the order of a message on MAINTENANCE_TOPIC. Raises BadMessageError.

    Its numbers and its time are judged by those who know whose turn it is.
    """
    return _decoded(_order, parts[1] if len(parts) == _PARTS else b"", "an order")


def request(parts: Sequence[bytes]) -> Request:
    """Return a request as ROUTER hands it over. Raises BadMessageError.

    Its time is not looked at: a stop counts whatever the time says, and arming judges it.
    """
    payload = parts[2] if len(parts) == _REQUEST_PARTS else b""
    return _decoded(_request, payload, "a request")


def answer(parts: Sequence[bytes]) -> Answer:
    """Return control's answer. Raises BadMessageError."""
    return _decoded(_answer, parts[1] if len(parts) == _PARTS else b"", "an answer")


def pad_ask(parts: Sequence[bytes]) -> PadAsk:
    """Return what is asked about the gamepads, as ROUTER hands it over. Raises BadMessageError."""
    payload = parts[2] if len(parts) == _REQUEST_PARTS else b""
    return _decoded(_pad_ask, payload, "a question for the gamepads")


def pad_loan(parts: Sequence[bytes]) -> PadLoan:
    """Return control's answer to that. Raises BadMessageError."""
    payload = parts[1] if len(parts) == _PARTS else b""
    return _decoded(_pad_loan, payload, "an answer about the gamepads")


def bus_ask(parts: Sequence[bytes]) -> BusAsk:
    """Return what is asked of the serial bus, as ROUTER hands it over. Raises BadMessageError."""
    payload = parts[2] if len(parts) == _REQUEST_PARTS else b""
    return _decoded(_bus_ask, payload, "a question for the serial bus")


def bus_loan(parts: Sequence[bytes]) -> BusLoan:
    """Return control's answer to that. Raises BadMessageError."""
    payload = parts[1] if len(parts) == _PARTS else b""
    return _decoded(_bus_loan, payload, "an answer about the serial bus")


def telemetry(payload: bytes) -> Telemetry:
    """Return a frame of telemetry. Raises BadMessageError."""
    return _decoded(_telemetry, payload, "telemetry")


def wanted(payload: bytes) -> Wanted:
    """Return which pictures somebody watches. Raises BadMessageError."""
    return _decoded(_wanted, payload, "what somebody watches")


def picture(payload: bytes) -> tuple[PictureHead, bytes]:
    """Return a picture's head and its JPEG, which may be empty. Raises BadMessageError."""
    body = PICTURE_HEAD_BYTES + int.from_bytes(payload[:PICTURE_HEAD_BYTES], "big")
    head = _decoded(_picture_head, payload[PICTURE_HEAD_BYTES:body], "a picture")
    return head, payload[body:]


def _decoded(decode: Callable[[bytes], _Message], payload: bytes, what: str) -> _Message:
    try:
        return decode(payload)
    except _UNREADABLE as error:
        raise BadMessageError(f"not {what}: {error}") from error
