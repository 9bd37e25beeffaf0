"""The pages of the calibration: what is done and what not, each step, and its WebSocket."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus

from flask import Blueprint, Response, abort, render_template, request
from simple_websocket import Server

from calibration.steps.catalogue import BY_NAME
from calibration.steps.listing import done_text
from rover.errors import ConfigError
from web.access import Access
from web.pairing import locked, paired
from web.remote import Remote
from web.sockets import Sockets
from web.step_desk import StepDesk
from web.talk import talk


def blueprint(access: Access, desk: StepDesk) -> Blueprint:
    """Return /calibrate and its steps, for paired devices alone."""
    pages = Blueprint("calibrate", __name__)

    @pages.get("/calibrate")
    def overview() -> Response:
        if access.visitor() is None:
            return locked()
        return _overview(desk, "")

    @pages.post("/calibrate")
    def undo() -> Response:
        device = paired(access)
        name = request.form.get("undo", "")
        if name not in {"gamepad", *BY_NAME}:
            abort(HTTPStatus.BAD_REQUEST, "there is no such step")
        try:
            return _overview(desk, desk.undo(name, device.name))
        except ConfigError as error:
            return _overview(desk, str(error))

    @pages.get("/calibrate/<name>")
    def step(name: str) -> Response:
        if name not in BY_NAME:
            abort(HTTPStatus.NOT_FOUND)
        if access.visitor() is None:
            return locked()
        return _kept_by_nobody(render_template("calibrate.html", entry=BY_NAME[name]))

    return pages


def conversation(
    remote: Remote, access: Access, sockets: Sockets, desk: StepDesk
) -> Callable[..., None]:
    """Return what serves /ws/calibrate/NAME."""

    def converse(ws: Server, name: str) -> None:
        talk(ws, remote, access, sockets, partial(desk.converse, name))

    return converse


def _overview(desk: StepDesk, said: str) -> Response:
    try:
        found, trouble = desk.statuses(), ""
    except ConfigError as error:
        found, trouble = (), str(error)
    return _kept_by_nobody(
        render_template(
            "calibrations.html",
            steps=[(one, done_text(one)) for one in found],
            said=said or trouble,
            path=desk.path,
        )
    )


def _kept_by_nobody(page: str) -> Response:
    response = Response(page)
    response.headers["Cache-Control"] = "no-store"
    return response
