"""The camera's picture for a page: a WebSocket of its own, and photos by HTTP.

Driving never waits for it: it has its own connection, its own thread, and lower words to say than
a command has.
"""

import time
from collections.abc import Callable

import msgspec
from flask import Blueprint, Response
from msgspec import Struct
from simple_websocket import Server
from werkzeug.exceptions import ServiceUnavailable

from rover.camera_messages import Rung
from rover.clock import Clock
from web.pace import Pace
from web.pictures import Picture, Pictures
from web.sockets import CLOSING, GOING_AWAY, POLICY_VIOLATION, Sockets, say_goodbye

# How long a picture is waited for before it is looked what else there is to say.
_WAIT_S = 0.25
# A camera that has been asleep takes a second or two to start.
_PHOTO_WITHIN_S = 5.0
_HEAD_BYTES = 2
_MOST_ACK_BYTES = 64


class SeenFrame(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="seen"):
    """What a page says once it has drawn a picture: its number."""

    number: int


class CameraFrame(Struct, frozen=True, tag_field="type", tag="camera"):
    """What a page is told when there is no picture: why, in ``trouble``."""

    trouble: str


class HeadFrame(Struct, frozen=True, tag_field="type", tag="picture"):
    """What comes before the JPEG in a binary message, after two bytes with its length.

    ``age_ms`` is how old the picture was when it was sent.
    """

    number: int
    rung: Rung
    width_px: int
    height_px: int
    age_ms: float


_encode = msgspec.json.Encoder().encode
_seen = msgspec.json.Decoder(SeenFrame).decode


class BadSeenError(Exception):
    """A page sent what no page of this server sends."""


def packed(picture: Picture, now_s: float) -> bytes:
    """Return a picture as it goes to a page."""
    head = picture.head
    age_ms = max(0.0, now_s - head.stamp_s) * 1000.0
    frame = _encode(HeadFrame(head.number, head.rung, head.width_px, head.height_px, age_ms))
    return len(frame).to_bytes(_HEAD_BYTES, "big") + frame + picture.jpeg


def converse(
    pictures: Pictures,
    clock: Clock,
    hear: Callable[[float], str | bytes | None],
    tell: Callable[[str | bytes], None],
) -> None:
    """Show one page the newest picture, again and again, until ``hear`` raises that it has gone.

    ``hear`` waits so long for a message. Raises BadSeenError for one that makes no sense.
    """
    pace = Pace(clock.now_s())
    number = -1
    trouble = ""
    while True:
        with pictures.watching(pace.rung):
            rung = pace.rung
            while pace.rung is rung:
                picture = pictures.newer(rung, number, _WAIT_S)
                if picture is None:
                    if pictures.trouble != trouble:
                        trouble = pictures.trouble
                        tell(_encode(CameraFrame(trouble)).decode())
                    _nothing(hear(0.0))
                    continue
                trouble, number = "", picture.head.number
                sent_s = clock.now_s()
                tell(packed(picture, sent_s))
                while not _is_seen(hear(_WAIT_S), number):
                    pass
                now_s = clock.now_s()
                pace.seen(now_s - sent_s, now_s)


def _nothing(message: str | bytes | None) -> None:
    if message is not None:
        raise BadSeenError("a picture was seen that nobody sent")


def _is_seen(message: str | bytes | None, number: int) -> bool:
    """Return whether the page has drawn picture ``number``; None is a page that is slow."""
    if message is None:
        return False
    try:
        if len(message) > _MOST_ACK_BYTES:
            raise BadSeenError("too long to say that a picture was seen")
        if _seen(message).number == number:
            return True
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadSeenError(f'send {{"type":"seen","number":{number}}}: {error}') from error
    raise BadSeenError("a picture was seen that nobody sent")


def conversation(pictures: Pictures, clock: Clock, sockets: Sockets) -> Callable[[Server], None]:
    """Return what serves /ws/camera."""

    def serve(ws: Server) -> None:
        def hear(wait_s: float) -> str | bytes | None:
            if sockets.is_ending or not ws.thread.is_alive():
                raise ConnectionResetError("the page has gone, or the server goes")
            message: str | bytes | None = ws.receive(wait_s)
            return message

        code, text = GOING_AWAY, "the web server ends"
        with sockets.guest():
            try:
                converse(pictures, clock, hear, ws.send)
            except BadSeenError as error:
                code, text = POLICY_VIOLATION, str(error)
            except (OSError, *CLOSING):
                pass
            say_goodbye(ws, code, text)

    return serve


def blueprint(pictures: Pictures) -> Blueprint:
    """Return /api/photo: the newest picture, whole."""
    pages = Blueprint("video", __name__)

    @pages.get("/api/photo")
    def photo() -> Response:
        if not pictures.has_camera:
            raise ServiceUnavailable("this rover has no camera, or `rover camera` does not run")
        with pictures.watching(Rung.PHOTO):
            picture = pictures.newer(Rung.PHOTO, -1, _PHOTO_WITHIN_S)
        if picture is None:
            raise ServiceUnavailable(pictures.trouble or "the camera takes no picture: ask again")
        response = Response(picture.jpeg, mimetype="image/jpeg")
        # People look for it by when it was taken.
        name = time.strftime("rover-%Y-%m-%d-%H%M%S.jpg")
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        response.headers["Cache-Control"] = "no-store"
        return response

    return pages
