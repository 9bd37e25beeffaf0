"""The Flask application: the page, its WebSocket, and who is let in to them."""

import socket
from pathlib import Path

from flask import Flask, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_sock import Sock
from simple_websocket import Server
from werkzeug.exceptions import BadRequest, Forbidden, HTTPException, ServiceUnavailable
from wsproto.utilities import RemoteProtocolError

from web import auth
from web.api import blueprint, json_error
from web.frames import MAX_FRAME_BYTES
from web.remote import Remote
from web.sockets import MAX_MESSAGE_BYTES, MAX_SOCKETS, PING_S, Sockets, tune

_STATIC = Path(__file__).parent / "static"
# Who cannot watch may still have these: they tell nothing about the rover.
_OPEN_ENDPOINTS = frozenset({"page", "static", "api.health", None})


def create_app(remote: Remote, sockets: Sockets) -> Flask:
    """Return the application over ``remote``, whose WebSockets ``sockets`` keeps."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_FRAME_BYTES
    app.config["SOCK_SERVER_OPTIONS"] = {
        "ping_interval": PING_S,
        "max_message_size": MAX_MESSAGE_BYTES,
    }
    auth.protect(app, remote.key)
    app.before_request(lambda: _let_in(remote))
    app.register_blueprint(blueprint(remote))
    app.register_error_handler(HTTPException, _error)
    app.register_error_handler(RemoteProtocolError, _bad_handshake)
    modules = sorted(path.name for path in _STATIC.glob("*.js"))

    @app.get("/")
    def page() -> ResponseReturnValue:
        if "key" in request.args:
            return _enter(remote.key, request.args["key"])
        response = Response(
            render_template("remote.html", config=remote.config, modules=modules)
            if _may_watch(remote)
            else render_template("locked.html", wrong=False)
        )
        response.headers["Cache-Control"] = "no-store"
        return response

    def open_socket() -> None:
        """Prepare the connection before the WebSocket library takes it over."""
        if request.endpoint != "converse":
            return
        if sockets.is_full:
            raise ServiceUnavailable(f"{MAX_SOCKETS} pages are open already: close one")
        connection = request.environ.get("werkzeug.socket")
        if isinstance(connection, socket.socket):
            tune(connection)
        # Compressing every frame for every client costs more time than it saves on a LAN.
        request.environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)

    app.before_request(open_socket)

    def converse(ws: Server) -> None:
        sockets.serve(ws, request.user_agent.string, auth.request_has_key(remote.key))

    Sock(app).route("/ws")(converse)
    return app


def _may_watch(remote: Remote) -> bool:
    return remote.config.web.watch_without_key or auth.request_has_key(remote.key)


def _let_in(remote: Remote) -> None:
    """Turn away other web sites, and those who may not watch."""
    if request.method not in {"GET", "HEAD", "OPTIONS"} or request.path == "/ws":
        origin = auth.foreign_origin()
        if origin:
            raise Forbidden(f"pages of {origin} may not use this rover: open the rover's own page")
    if request.endpoint not in _OPEN_ENDPOINTS and not _may_watch(remote):
        raise Forbidden("watching needs the key: open the link that `rover web` prints")


def _enter(key: str, candidate: str) -> ResponseReturnValue:
    """Trade the key in the link for a cookie, and take it out of the address."""
    if not auth.is_key(key, candidate):
        return render_template("locked.html", wrong=True), Forbidden.code
    auth.remember_key()
    return redirect(url_for("page"))


def _error(error: HTTPException) -> ResponseReturnValue:
    """JSON for scripts, words for people."""
    if request.path.startswith(("/api", "/ws")):
        return json_error(error)
    return error


def _bad_handshake(error: RemoteProtocolError) -> ResponseReturnValue:
    return json_error(BadRequest(f"not a WebSocket handshake: {error}"))
