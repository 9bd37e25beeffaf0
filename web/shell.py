"""The page's own files, under a path that tells their content, and the worker that keeps them.

A browser may keep such a file for ever: what changes has another path. The page itself, which
names the paths, is never kept, so that no page is older than the server that it talks to.
"""

import gzip
import hashlib
import json
import mimetypes
from pathlib import Path

from flask import Blueprint, Response, jsonify, render_template, request, url_for
from msgspec import Struct
from werkzeug.exceptions import NotFound

_STATIC = Path(__file__).parent / "static"
_WORKER = "worker.js"
# Scripts that are not the remote's, or that it loads only where there is a camera.
_APART = frozenset(
    {
        *(_WORKER, "pair.js", "offline.js", "pad.js", "pad-picture.js"),
        *("calibrate.js", "calibrate-wheels.js", "camera.js", "camera-picture.js"),
    }
)
_FOR_EVER = "public, max-age=31536000, immutable"
_VERSION_CHARACTERS = 12
_ALREADY_SMALL = frozenset({".png"})

mimetypes.add_type("application/manifest+json", ".webmanifest")


class _File(Struct, frozen=True):
    """A file of the page; ``packed`` is its content in gzip's format, empty if that is no gain."""

    content: bytes
    packed: bytes
    kind: str


class Shell:
    """All files in ``web/static``, read once; ``version`` changes when any of them does."""

    def __init__(self) -> None:
        paths = sorted(path for path in _STATIC.iterdir() if path.is_file())
        self._files = {path.name: _read(path) for path in paths}
        digest = hashlib.sha256()
        for name, file in self._files.items():
            digest.update(name.encode() + b"\0" + file.content + b"\0")
        self.version = digest.hexdigest()[:_VERSION_CHARACTERS]

    @property
    def modules(self) -> list[str]:
        """The scripts of the remote."""
        return [name for name in self._files if name.endswith(".js") and name not in _APART]

    @property
    def kept(self) -> list[str]:
        """What is kept for the time without a rover: all but large icons and the worker."""
        return [name for name in self._files if not name.endswith(".png") and name != _WORKER]

    def file(self, name: str) -> _File:
        """Return the file ``name``. Raises KeyError."""
        return self._files[name]


def _read(path: Path) -> _File:
    content = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    packed = b"" if path.suffix in _ALREADY_SMALL else gzip.compress(content, mtime=0)
    return _File(content, packed, kind)


def blueprint(shell: Shell) -> Blueprint:
    """Return the routes of ``shell``; templates find its files by ``asset(name)``."""
    routes = Blueprint("shell", __name__, url_prefix="/static")

    def asset(name: str) -> str:
        return url_for("shell.asset_of", version=shell.version, name=name)

    @routes.app_context_processor
    def for_templates() -> dict[str, object]:
        return {"asset": asset, "shell_version": shell.version, "modules": shell.modules}

    @routes.get("/version/<version>/<name>")
    def asset_of(version: str, name: str) -> Response:
        try:
            file = shell.file(name)
        except KeyError as error:
            raise NotFound from error
        if version != shell.version:
            raise NotFound
        packs = bool(file.packed) and request.accept_encodings.quality("gzip") > 0
        response = Response(file.packed if packs else file.content, mimetype=file.kind)
        if packs:
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = _FOR_EVER
        return response

    @routes.get("/worker")
    def worker() -> Response:
        """The service worker, told what to keep."""
        kept = {
            "version": shell.version,
            "offline": url_for("shell.offline"),
            "files": [asset(name) for name in shell.kept],
        }
        script = f"const SHELL = {json.dumps(kept)};\n".encode() + shell.file(_WORKER).content
        response = Response(script, mimetype="text/javascript")
        response.headers["Cache-Control"] = "no-cache"
        response.headers["Service-Worker-Allowed"] = "/"
        return response

    @routes.get("/offline")
    def offline() -> str:
        """What an installed page shows while no rover answers."""
        return render_template("offline.html")

    @routes.get("/shell")
    def version() -> Response:
        """Which page belongs to this server: one that has been open for longer loads anew."""
        response = jsonify(version=shell.version)
        response.headers["Cache-Control"] = "no-store"
        return response

    return routes
