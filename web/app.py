"""The Flask application: the page, its WebSocket, and who is let in to them."""

import socket
import threading
from http import HTTPStatus

from flask import Flask, Response, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_sock import Sock
from simple_websocket import Server
from werkzeug.exceptions import (
    BadRequest,
    Forbidden,
    HTTPException,
    ServiceUnavailable,
    TooManyRequests,
)
from wsproto.utilities import RemoteProtocolError

from web import api, auth, calibrate_page, diagnosis, openapi, pad_page, pairing, shell, video
from web.access import Access
from web.answering import NO_ROOM
from web.api import json_error
from web.door import MAX_BODY_BYTES
from web.inflow import Budgets
from web.names import HostNames
from web.pad_desk import PadDesk
from web.remote import Remote
from web.sockets import MAX_MESSAGE_BYTES, PING_S, Place, Sockets, tune
from web.step_desk import StepDesk

# Who cannot watch may still have these: they tell nothing about the rover, or stop it.
_OPEN_ENDPOINTS = frozenset(
    {
        *("page", "static", "api.health", "openapi.openapi"),
        *("pairing.form", "pairing.pair", "diagnosis.page", "pad.page", None),
        *("calibrate.overview", "calibrate.step"),
    }
)
_OPEN_ROOM = "shell."
_STOP_PATH = "/api/stop"
_SOCKET_PATHS = "/ws"
# The endpoints behind them; only paired devices calibrate.
_DRIVING, _WATCHING = "converse", "watch_camera"
_PAD, _STEP = "calibrate_pad", "calibrate_step"
_CALIBRATING = frozenset({_PAD, _STEP})
# A page is some fifty requests. All devices behind one address share this.
_REQUESTS_HZ = 50.0
_BURST_REQUESTS = 300
_MAX_ADDRESSES = 256
_RECEIVE_BYTES = 16384
# Who sees the camera's picture costs the rover's radio more than who sees telemetry.
MAX_VIEWERS = 16


class _Misdirected(HTTPException):
    """Werkzeug has none for this."""

    code = HTTPStatus.MISDIRECTED_REQUEST
    name = "Misdirected Request"


def create_app(
    remote: Remote, sockets: Sockets, access: Access, desk: PadDesk, step_desk: StepDesk
) -> Flask:
    """Return the application over ``remote``, whose WebSockets ``sockets`` keeps.

    Gamepads are calibrated at ``desk``, all else at ``step_desk``.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["SOCK_SERVER_OPTIONS"] = {
        "ping_interval": PING_S,
        "max_message_size": MAX_MESSAGE_BYTES,
        "receive_bytes": _RECEIVE_BYTES,
    }
    auth.protect(app, access.key, is_secure=remote.config.web.https == "on")

    def end_device(device_id: str) -> None:
        sockets.end_device(device_id)
        desk.end_device(device_id)
        step_desk.end_device(device_id)

    access.on_revoke(end_device)
    names = HostNames(remote.config.web.hosts.split())
    budgets = Budgets(_REQUESTS_HZ, _BURST_REQUESTS, _MAX_ADDRESSES)

    def limit() -> None:
        """Turn away who asks too often, or calls the rover by a name that is not its own."""
        if not names.fits(request.host):
            raise _Misdirected(
                f"this rover is not called {request.host}: open it by its address, or add the "
                "name to web.hosts"
            )
        is_stop = request.method == "POST" and request.path == _STOP_PATH
        if not is_stop and not budgets.spend(request.remote_addr or "", remote.clock.now_s()):
            raise TooManyRequests(f"more than {_REQUESTS_HZ:.0f} requests a second: wait a moment")

    app.before_request(limit)
    app.before_request(lambda: _let_in(remote, access))
    app.register_blueprint(api.blueprint(remote, access))
    app.register_blueprint(pairing.blueprint(access))
    app.register_blueprint(diagnosis.blueprint(remote, access))
    app.register_blueprint(pad_page.blueprint(access))
    app.register_blueprint(calibrate_page.blueprint(access, step_desk))
    app.register_blueprint(video.blueprint(remote.pictures))
    app.register_blueprint(openapi.blueprint())
    app.register_error_handler(HTTPException, _error)
    app.register_error_handler(RemoteProtocolError, _bad_handshake)
    app.register_blueprint(shell.blueprint(shell.Shell()))

    @app.get("/")
    def page() -> ResponseReturnValue:
        if "key" in request.args:
            return pairing.enter(access, request.args["key"])
        if not _may_watch(remote, access):
            return pairing.locked()
        response = Response(render_template("remote.html", config=remote.config))
        response.headers["Cache-Control"] = "no-store"
        return response

    _count_places(app, sockets, access)

    def converse(ws: Server) -> None:
        visitor = access.visitor()
        sockets.serve(ws, request.user_agent.string, None if visitor is None else visitor.id)

    sock = Sock(app)
    sock.route(_SOCKET_PATHS, endpoint=_DRIVING)(converse)
    sock.route(f"{_SOCKET_PATHS}/pad", endpoint=_PAD)(
        pad_page.conversation(remote, access, sockets, desk)
    )
    sock.route(f"{_SOCKET_PATHS}/calibrate/<name>", endpoint=_STEP)(
        calibrate_page.conversation(remote, access, sockets, step_desk)
    )
    sock.route(f"{_SOCKET_PATHS}/camera", endpoint=_WATCHING)(
        video.conversation(remote.pictures, remote.clock, sockets)
    )
    return app


def _count_places(app: Flask, sockets: Sockets, access: Access) -> None:
    """Have every WebSocket take a place before the library takes it over, and leave it.

    Those who see the camera's picture have seats of their own: they keep no driver out.
    """
    seats = threading.Semaphore(MAX_VIEWERS)

    def open_socket() -> None:
        """Prepare the connection before the WebSocket library takes it over."""
        if request.endpoint not in {_DRIVING, _WATCHING, *_CALIBRATING}:
            return
        if request.endpoint in _CALIBRATING:
            pairing.paired(access)
        if NO_ROOM in request.environ:
            raise ServiceUnavailable("no thread is free")
        if request.endpoint == _WATCHING:
            if not seats.acquire(blocking=False):
                raise ServiceUnavailable(f"{MAX_VIEWERS} pages see the picture already")
            g.seat = True
        else:
            place = Place(request.remote_addr or "", access.visitor() is not None)
            refusal = sockets.enter(place)
            if refusal:
                raise ServiceUnavailable(refusal)
            g.place = place
        connection = request.environ.get("werkzeug.socket")
        if isinstance(connection, socket.socket):
            tune(connection)
        # Compressing every frame for every client costs more time than it saves on a LAN.
        request.environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)

    def close_socket(_error: BaseException | None) -> None:
        if "place" in g:
            sockets.leave(g.place)
        if "seat" in g:
            seats.release()

    app.before_request(open_socket)
    app.teardown_request(close_socket)


def _may_watch(remote: Remote, access: Access) -> bool:
    return remote.config.web.watch_without_key or access.visitor() is not None


def _let_in(remote: Remote, access: Access) -> None:
    """Turn away other web sites, and those who may not watch."""
    if request.method not in {"GET", "HEAD", "OPTIONS"} or request.path.startswith(_SOCKET_PATHS):
        origin = auth.foreign_origin()
        if origin:
            raise Forbidden(f"pages of {origin} may not use this rover: open the rover's own page")
    if request.method == "POST" and request.path == _STOP_PATH:
        return
    if (request.endpoint or "").startswith(_OPEN_ROOM):
        return
    if request.endpoint not in _OPEN_ENDPOINTS and not _may_watch(remote, access):
        raise Forbidden("watching needs a paired device: open /pair")


def _error(error: HTTPException) -> ResponseReturnValue:
    """JSON for scripts, words for people."""
    if request.path.startswith(("/api", _SOCKET_PATHS)):
        return json_error(error)
    return error


def _bad_handshake(error: RemoteProtocolError) -> ResponseReturnValue:
    return json_error(BadRequest(f"not a WebSocket handshake: {error}"))
