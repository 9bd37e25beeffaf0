"""The remote for scripts: telemetry by GET, requests by POST, everything as JSON."""

from http import HTTPStatus
from typing import Annotated, TypeVar

import msgspec
from flask import Blueprint, Response, request
from msgspec import Meta, Struct
from werkzeug.exceptions import (
    BadRequest,
    Forbidden,
    HTTPException,
    NotFound,
    ServiceUnavailable,
)

from rover.errors import LinkError
from rover.messages import REMOTE_REQUESTS, RequestKind
from web.access import Access
from web.remote import Remote

# Telemetry older than this is not what the rover does now.
_FRESH_S = 0.5
_encode = msgspec.json.Encoder().encode


Content = TypeVar("Content", bound=Struct)


class Body(Struct, frozen=True, forbid_unknown_fields=True):
    """What may come with a request: the name that people will see in the events."""

    # It ends up in logs: no line breaks or other control characters.
    who: Annotated[str, Meta(max_length=40, pattern=r"^[^\x00-\x1f\x7f]+$")] = "a script"


class Refusal(Struct, frozen=True):
    """Why a call was not carried out."""

    error: str


class Health(Struct, frozen=True):
    """That the web process lives, and how long ago control was heard (null: never)."""

    status: str
    control_age_s: float | None


def json_response(content: Struct | msgspec.Raw, status: int = HTTPStatus.OK) -> Response:
    """Return ``content`` as an answer that no cache keeps."""
    response = Response(_encode(content), status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def json_error(error: HTTPException) -> Response:
    """Return an HTTP error as JSON, keeping headers such as Allow."""
    response = json_response(
        Refusal(error.description or error.name), error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    )
    for name, value in error.get_headers():
        if name not in response.headers:
            response.headers[name] = value
    return response


def blueprint(remote: Remote, access: Access) -> Blueprint:
    """Return /api and /healthz over ``remote``."""
    api = Blueprint("api", __name__)

    @api.get("/healthz")
    def health() -> Response:
        return json_response(Health("ok", remote.hub.age_s()))

    @api.get("/api/telemetry")
    def telemetry() -> Response:
        newest, age_s = remote.hub.newest, remote.hub.age_s()
        if newest is None or age_s is None or age_s > _FRESH_S:
            heard = "nothing yet" if age_s is None else f"nothing for {age_s:.1f} s"
            raise ServiceUnavailable(
                remote.hub.trouble or f"{heard} from control: is `rover control` running?"
            )
        return json_response(newest.telemetry)

    @api.post("/api/<name>")
    def ask(name: str) -> Response:
        kind = next((kind for kind in REMOTE_REQUESTS if kind == name), None)
        if kind is None:
            kinds = ", ".join(REMOTE_REQUESTS)
            raise NotFound(f"there is no /api/{name} to POST to, only: {kinds}")
        if kind is not RequestKind.STOP and access.visitor() is None:
            raise Forbidden(
                f"{kind} needs a paired device, or the key as `Authorization: Bearer KEY`"
            )
        who = decode_body(Body, '{"who": "my script"}', Body()).who
        try:
            answer = remote.asker.ask(kind, who).result()
        except LinkError as error:
            raise ServiceUnavailable(str(error)) from error
        return json_response(answer, HTTPStatus.OK if answer.accepted else HTTPStatus.CONFLICT)

    return api


def decode_body(kind: type[Content], example: str, otherwise: Content | None = None) -> Content:
    """Return this request's body, or ``otherwise`` if it has none. Raises BadRequest."""
    content = request.get_data()
    if not content and otherwise is not None:
        return otherwise
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        optional = "no body, or " if otherwise is not None else ""
        raise BadRequest(f"send {optional}JSON such as {example}: {error}") from error
