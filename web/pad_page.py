"""The page on which a gamepad is calibrated, and its WebSocket."""

from collections.abc import Callable

from flask import Blueprint, Response, render_template
from simple_websocket import Server

from calibration.questions import QUESTIONS
from web.access import Access
from web.pad_desk import PadDesk
from web.pairing import locked
from web.remote import Remote
from web.sockets import Sockets
from web.talk import talk


def blueprint(access: Access) -> Blueprint:
    """Return /pad, for paired devices alone."""
    pages = Blueprint("pad", __name__)

    @pages.get("/pad")
    def page() -> Response:
        if access.visitor() is None:
            return locked()
        response = Response(render_template("pad.html", count=len(QUESTIONS)))
        response.headers["Cache-Control"] = "no-store"
        return response

    return pages


def conversation(
    remote: Remote, access: Access, sockets: Sockets, desk: PadDesk
) -> Callable[[Server], None]:
    """Return what serves /ws/pad."""

    def converse(ws: Server) -> None:
        talk(ws, remote, access, sockets, desk.converse)

    return converse
