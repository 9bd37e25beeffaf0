"""What a browser is asked to hold to, where a request comes from, and the owner's key.

Over plain HTTP all this keeps neighbours and other web sites from driving, not somebody who can
read the network's packets.
"""

import hmac
import os
import secrets
import stat
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Response, request

from rover.errors import ConfigError

_COOKIE_LIFE = timedelta(days=180)
_MIN_KEY_CHARACTERS = 16

# No inline script or style, nothing from elsewhere; 'self' covers the page's own WebSocket.
_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    # Browsers name no origin in a form that they send where nothing may be told.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


def load_key(state_dir: Path) -> str:
    """Return the key in ``state_dir``/web.key, making one on the first start.

    The file is readable by its owner only, and is made so again if it was not. Raises
    ConfigError if it cannot be used.
    """
    path = state_dir / "web.key"
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return _read_key(path)
        with os.fdopen(descriptor, "w") as file:
            key = secrets.token_urlsafe(_MIN_KEY_CHARACTERS)
            file.write(key + "\n")
    except OSError as error:
        raise ConfigError(
            f"cannot keep the key for driving in {path}: {error.strerror}; "
            "choose a state directory that can be written"
        ) from error
    return key


def _read_key(path: Path) -> str:
    key = path.read_text().strip()
    if len(key) < _MIN_KEY_CHARACTERS or not key.isascii() or not key.isprintable():
        raise ConfigError(
            f"{path} does not hold a key of {_MIN_KEY_CHARACTERS} or more plain characters: "
            "delete it, and a new one is made"
        )
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        path.chmod(0o600)
    return key


def protect(app: Flask, key: str, *, is_secure: bool) -> None:
    """Sign ``app``'s cookies with ``key`` and send its security headers with every answer.

    ``is_secure``: cookies go over HTTPS only.
    """
    app.secret_key = key
    app.config.update(
        SESSION_COOKIE_NAME="rover",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=is_secure,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=_COOKIE_LIFE,
    )

    def add_headers(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers[name] = value
        return response

    app.after_request(add_headers)


def is_key(key: str, candidate: str) -> bool:
    """Tell whether ``candidate`` is the key, in a time that tells nothing about it."""
    return hmac.compare_digest(key.encode(), candidate.encode())


def bearer_token() -> str:
    """Return what this request has as ``Authorization: Bearer``, empty if nothing."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def foreign_origin() -> str:
    """Return the other web site that this request comes from, empty if there is none.

    Browsers name the origin with every WebSocket and POST; programs need not. Where a browser
    also says that the request crosses sites, that counts, whatever the origin.
    """
    origin = request.headers.get("Origin", "")
    if request.headers.get("Sec-Fetch-Site", "none") not in {"same-origin", "none"}:
        return origin or "another web site"
    parts = urlsplit(origin)
    if not origin or (parts.scheme in {"http", "https"} and parts.netloc == request.host):
        return ""
    return origin
