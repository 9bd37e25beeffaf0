"""The HTTP interface for scripts as an OpenAPI description, made of the types that it speaks.

docs/openapi.json is the same: `python -m web.openapi` writes it.
"""

import sys
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import msgspec
from flask import Blueprint, Response
from msgspec import Raw

from calibration.doctor.finding import Report
from rover.messages import Answer, RequestKind, Telemetry
from web.api import Body, Health, Refusal, json_response
from web.pairing import DeviceList, Revocation

_REFERENCE = "#/components/schemas/{name}"
# JSON has no infinity: it is null.
_MAY_BE_INFINITE = ("command_age_s", "silent_s")
_WHAT = {
    RequestKind.ARM: "Arm the rover; refused with every reason against it.",
    RequestKind.DISARM: "Disarm the rover.",
    RequestKind.STOP: "Emergency stop; latches until it is cleared.",
    RequestKind.CLEAR: "Clear an emergency stop or a fault; the rover is then disarmed.",
}
_ERRORS = {
    400: "The request is not understood.",
    403: "A paired device or the key is needed, or another web site asks.",
    404: "There is no such thing.",
    411: "A body without Content-Length.",
    413: "A body of more than 2048 bytes.",
    415: "A body of another kind.",
    421: "The request calls the rover by a name that is not its own.",
    429: "Too many requests from one address.",
    503: "Control does not answer.",
}
# Any request may be answered with these.
_ALWAYS = (421, 429)

_Schema = dict[str, Any]
_PAIRED: list[dict[str, list[str]]] = [{"key": []}, {"device": []}]


def description() -> _Schema:
    """Return the description, OpenAPI 3.1."""
    types = (Answer, Body, DeviceList, Health, Refusal, Report, Revocation, Telemetry)
    schemas, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    named = dict(zip(types, schemas, strict=True))
    for component in components.values():
        for name in _MAY_BE_INFINITE:
            if name in component.get("properties", {}):
                component["properties"][name] = {"type": ["number", "null"]}
    error = named[Refusal]

    def answers(good: Mapping[int, tuple[str, _Schema]], *errors: int) -> _Schema:
        told = {
            str(status): _answer(text, schema) for status, (text, schema) in sorted(good.items())
        }
        return told | {
            str(status): _answer(_ERRORS[status], error) for status in sorted((*errors, *_ALWAYS))
        }

    def get(text: str, schema: _Schema, *errors: int, paired: bool = False) -> _Schema:
        operation: _Schema = {
            "summary": text,
            "responses": answers({200: ("As asked.", schema)}, *errors),
        }
        if paired:
            operation["security"] = _PAIRED
        return {"get": operation}

    def post(
        text: str, body: _Schema, responses: _Schema, *, required: bool, paired: bool
    ) -> _Schema:
        content = {"application/json": {"schema": body}}
        operation: _Schema = {
            "summary": text,
            "requestBody": {"required": required, "content": content},
            "responses": responses,
        }
        if paired:
            operation["security"] = _PAIRED
        return {"post": operation}

    asked = answers(
        {
            200: ("Carried out.", named[Answer]),
            409: ("Refused, with every reason.", named[Answer]),
        },
        *(400, 403, 411, 413, 503),
    )
    paths: _Schema = {
        "/healthz": get("Whether the web process lives.", named[Health]),
        "/api/openapi.json": get("This description.", {"type": "object"}),
        "/api/photo": _photo(answers({}, 403, 503)),
        "/api/telemetry": get("The newest telemetry.", named[Telemetry], 403, 503),
        "/api/doctor": get("What is wrong, and what to do.", named[Report], 403, 503, paired=True),
        "/api/devices": get("The paired devices.", named[DeviceList], 403, paired=True),
        "/api/devices/revoke": post(
            "Unpair a device; what it drives is stopped.",
            named[Revocation],
            answers(
                {200: ("Those that are left.", named[DeviceList])}, 400, 403, 404, 411, 413, 503
            ),
            required=True,
            paired=True,
        ),
    }
    for kind, text in _WHAT.items():
        is_open = kind is RequestKind.STOP
        paths[f"/api/{kind}"] = post(text, named[Body], asked, required=False, paired=not is_open)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Rover",
            "version": metadata.version("rockerbogie"),
            "description": "The remote for scripts. docs/api.md has the WebSocket and the rest.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer"},
                "device": {"type": "apiKey", "in": "cookie", "name": "rover"},
            },
        },
    }


def _photo(errors: _Schema) -> _Schema:
    picture = {"description": "As asked.", "content": {"image/jpeg": {"schema": {}}}}
    return {
        "get": {
            "summary": "What the camera sees now, whole.",
            "responses": {"200": picture} | errors,
        }
    }


def _answer(text: str, schema: _Schema) -> _Schema:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def blueprint() -> Blueprint:
    """Return /api/openapi.json."""
    described = Blueprint("openapi", __name__)
    content = Raw(msgspec.json.encode(description()))

    @described.get("/api/openapi.json")
    def openapi() -> Response:
        return json_response(content)

    return described


if __name__ == "__main__":
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(description())).decode() + "\n")
