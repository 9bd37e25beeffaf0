"""The page's own files: kept for ever under their content's name, and only they."""

import gzip
import json
import re

import pytest
from msgspec import structs

from rover.clock import ManualClock
from tests.builders import osr_config
from tests.web.rig import NoPictures, application
from tests.web.test_app import Client
from web.access import Access
from web.remote import Remote
from web.shell import Shell


@pytest.fixture(scope="module")
def shell() -> Shell:
    return Shell()


def browser(directory, watch):
    """A browser that is not paired, of a rover that lets such ones watch or not."""
    config = osr_config()
    web = structs.replace(config.web, watch_without_key=watch)
    clock = ManualClock()
    remote = Remote(structs.replace(config, web=web), Client(), Client(), clock, NoPictures())
    return application(remote, Access(directory, clock)).test_client()


@pytest.fixture
def http(tmp_path):
    return browser(tmp_path, watch=True)


def asset(shell, name):
    return f"/static/version/{shell.version}/{name}"


def test_a_file_may_be_kept_for_ever_and_is_packed_for_who_can_unpack(http, shell):
    plain = http.get(asset(shell, "main.js"))
    packed = http.get(asset(shell, "main.js"), headers={"Accept-Encoding": "gzip"})
    assert plain.status_code == packed.status_code == 200
    assert "immutable" in plain.headers["Cache-Control"]
    assert plain.headers["Vary"] == "Accept-Encoding"
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert plain.mimetype == "text/javascript"


@pytest.mark.parametrize("path", ["/static/version/000000000000/main.js", "{}nothing.js"])
def test_another_version_and_another_file_are_not_there(http, shell, path):
    assert http.get(path.format(asset(shell, ""))).status_code == 404


def test_the_page_is_never_kept(http, shell):
    page = http.get("/")
    assert page.headers["Cache-Control"] == "no-store"
    assert f'data-version="{shell.version}"' in page.text
    answer = http.get("/static/shell")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json == {"version": shell.version}


def test_the_worker_keeps_files_and_nothing_that_a_rover_says(http, shell):
    worker = http.get("/static/worker")
    assert worker.headers["Service-Worker-Allowed"] == "/"
    assert worker.headers["Cache-Control"] == "no-cache"
    kept = json.loads(re.match(r"const SHELL = (.*);\n", worker.text)[1])
    assert kept["version"] == shell.version
    for path in [kept["offline"], *kept["files"]]:
        assert path.startswith("/static/")
        assert http.get(path).status_code == 200
    assert asset(shell, "main.js") in kept["files"]


def test_the_page_without_a_rover_refers_to_what_is_kept(http, shell):
    page = http.get("/static/offline").text
    parts = {part.rpartition("/")[2] for part in re.findall(r'(?:src|href)="([^"]+)"', page)}
    assert {"offline.js", "base.css"} <= parts <= set(shell.kept)
    assert "<style" not in page


def test_an_app_can_be_made_of_it(http, shell):
    manifest = json.loads(http.get(asset(shell, "manifest.webmanifest")).data)
    assert manifest["start_url"] == manifest["scope"] == manifest["id"] == "/"
    sizes = {(icon["sizes"], icon.get("purpose", "any")) for icon in manifest["icons"]}
    assert {("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")} <= sizes
    for icon in manifest["icons"]:
        answer = http.get(asset(shell, icon["src"]))
        assert answer.mimetype == icon["type"]
        if icon["type"] == "image/png":
            width, height = (int.from_bytes(answer.data[at : at + 4], "big") for at in (16, 20))
            assert f"{width}x{height}" == icon["sizes"]


def test_the_shell_tells_nothing_about_the_rover_and_is_open(tmp_path, shell):
    http = browser(tmp_path, watch=False)
    assert http.get("/api/telemetry").status_code == 403
    paths = ["/static/worker", "/static/offline", "/static/shell", asset(shell, "pair.css")]
    assert [http.get(path).status_code for path in paths] == [200] * 4
