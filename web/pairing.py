"""The page on which a device is paired, and the list of those that are."""

import logging
import math
import re
from http import HTTPStatus

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from msgspec import Struct
from werkzeug.exceptions import Forbidden, NotFound, ServiceUnavailable

from rover.errors import ConfigError
from web.access import Access
from web.api import decode_body, json_response
from web.devices import MAX_NAME, Device

_log = logging.getLogger(__name__)

_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]+")
# What a browser says of itself -> what people call it; the first that fits.
_KINDS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android phone"),
    ("Macintosh", "Mac"),
    ("Windows", "Windows computer"),
    ("Linux", "Linux computer"),
)


class Revocation(Struct, frozen=True, forbid_unknown_fields=True):
    """Which device shall not drive any more."""

    device: str


class Listed(Struct, frozen=True):
    """A paired device as the page shows it; times are Unix times."""

    id: str
    name: str
    paired_unix_s: float
    seen_unix_s: float
    is_this: bool


class DeviceList(Struct, frozen=True):
    """All paired devices, the one seen last first."""

    devices: tuple[Listed, ...]


def blueprint(access: Access) -> Blueprint:
    """Return /pair and /api/devices over ``access``."""
    pairing = Blueprint("pairing", __name__)

    @pairing.get("/pair")
    def form() -> Response:
        return _page(request.args.get("invitation", ""))

    @pairing.post("/pair")
    def pair() -> ResponseReturnValue:
        token = request.form.get("invitation", "")
        if token:
            verdict = access.invitations.redeem_token(token)
            trouble = "This link has been used, or is older than five minutes."
        else:
            address = request.remote_addr or ""
            verdict = access.invitations.redeem_code(request.form.get("code", ""), address)
            trouble = "That code does not fit, or is not good any more."
        if verdict.wait_s > 0.0:
            wait_s = math.ceil(verdict.wait_s)
            response = _page("", f"Too many wrong codes: wait {wait_s} s and try again.")
            response.status_code = HTTPStatus.TOO_MANY_REQUESTS
            response.headers["Retry-After"] = str(wait_s)
            return response
        if not verdict.fits:
            _log.warning("somebody at %s tried a wrong pairing code", request.remote_addr)
            response = _page("", f"{trouble} Ask for a new one.")
            response.status_code = HTTPStatus.FORBIDDEN
            return response
        _pair(access, request.form.get("name", ""))
        return redirect(url_for("page"), HTTPStatus.SEE_OTHER)

    @pairing.get("/api/devices")
    def devices() -> Response:
        return json_response(_listed(access, paired(access)))

    @pairing.post("/api/devices/revoke")
    def revoke() -> Response:
        visitor = paired(access)
        device_id = decode_body(Revocation, '{"device": "0123abcd"}').device
        try:
            device = access.revoke(device_id)
        except (ConfigError, OSError) as error:
            raise ServiceUnavailable(
                f"it may not drive any more, but is back when the web server starts anew, for the "
                f"list cannot be written: {error}; mend that, and revoke it again"
            ) from error
        if device is None:
            raise NotFound(f"no device {device_id!r} is paired: GET /api/devices lists them")
        return json_response(_listed(access, visitor))

    return pairing


def enter(access: Access, candidate: str) -> ResponseReturnValue:
    """Pair who has opened the link with the key, and take the key out of the address."""
    if access.visitor() is None:
        if not access.has_key(candidate):
            return _page("", "That link does not fit any more."), Forbidden.code
        _pair(access, "")
    return redirect(url_for("page"))


def locked() -> Response:
    """Return the page that people see instead of one that is not for them."""
    return _page("")


def _page(invitation: str, trouble: str = "") -> Response:
    response = Response(
        render_template(
            "pair.html",
            invitation=invitation,
            trouble=trouble,
            name=_device_kind(),
            max_name=MAX_NAME,
        )
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _pair(access: Access, name: str) -> None:
    name = _CONTROL_CHARACTERS.sub(" ", name).strip()[:MAX_NAME]
    try:
        access.pair(name or _device_kind())
    except (ConfigError, OSError) as error:
        raise ServiceUnavailable(f"cannot write down that you are paired: {error}") from error


def paired(access: Access) -> Device:
    """Return the paired device that asks. Raises Forbidden for any other."""
    visitor = access.visitor()
    if visitor is None:
        raise Forbidden("only a paired device may see this: open /pair")
    return visitor


def _listed(access: Access, visitor: Device) -> DeviceList:
    return DeviceList(
        tuple(
            Listed(
                device.id,
                device.name,
                device.paired_unix_s,
                device.seen_unix_s,
                device.id == visitor.id,
            )
            for device in access.devices.all()
        )
    )


def _device_kind() -> str:
    said = request.user_agent.string
    return next((name for mark, name in _KINDS if mark in said), "a device")
