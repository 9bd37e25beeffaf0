"""The page on which a gamepad is calibrated, and its WebSocket."""

from collections.abc import Callable

from flask import Blueprint, Response, render_template, request
from simple_websocket import ConnectionClosed, Server

from calibration.questions import QUESTIONS
from web.access import Access
from web.pad_desk import BadKeyError, PadDesk
from web.pairing import locked, paired
from web.remote import Remote
from web.sockets import CLOSING, GOING_AWAY, POLICY_VIOLATION, Sockets, say_goodbye

# More than a person presses before the next look.
_MOST_WAITING = 16
_NORMAL = 1000


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
        device = paired(access)
        who = remote.name_client(request.user_agent.string)

        def hear(wait_s: float) -> list[str | bytes]:
            if sockets.is_ending or not ws.thread.is_alive():
                raise ConnectionClosed
            return _waiting(ws, wait_s)

        code, text = _NORMAL, "done"
        with sockets.guest():
            try:
                desk.converse(who, device.id, hear, ws.send)
            except BadKeyError as error:
                code, text = POLICY_VIOLATION, str(error)
            except (OSError, *CLOSING):
                # The page has gone, or the server goes.
                code, text = GOING_AWAY, "the web server ends"
            say_goodbye(ws, code, text)

    return converse


def _waiting(ws: Server, wait_s: float) -> list[str | bytes]:
    """Wait for a message, and take all that wait behind it. Raises BadKeyError for a flood."""
    if len(ws.input_buffer) > _MOST_WAITING:
        raise BadKeyError("too many keys at once")
    first = ws.receive(wait_s)
    if first is None:
        return []
    behind = [ws.receive(0) for _ in range(len(ws.input_buffer))]
    return [first, *(message for message in behind if message is not None)]
