"""The page, the key and the API, without any network."""

import json
import re
import threading

import msgspec
import pytest

from rover.clock import ManualClock
from rover.errors import LinkError
from rover.messages import REMOTE_REQUESTS, Answer, RequestKind, Stop
from tests.builders import osr_config
from tests.web.fake_control import still_rover
from tests.web.rig import NoPictures, application
from web.access import Access
from web.remote import Remote

KEY = "correct-horse-battery-staple"
SAME = {"Origin": "http://localhost"}


class Client:
    """A ControlClient whose answers the tests choose."""

    def __init__(self):
        self.asked = []
        self.sent = []
        self.answer = Answer(True)
        self.frames = []

    def drive(self, source, motion, stamp_s):
        self.sent.append(motion)

    def request(self, kind, who, timeout_s, stamp_s):
        self.asked.append((kind, who))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def telemetry(self, timeout_s):
        return self.frames.pop() if self.frames else None


@pytest.fixture
def config():
    return osr_config()


@pytest.fixture
def client():
    return Client()


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def remote(config, client, clock):
    remote = Remote(config, client, client, clock, NoPictures())
    yield remote
    remote.close()


@pytest.fixture
def access(tmp_path, clock):
    (tmp_path / "web.key").write_text(KEY)
    return Access(tmp_path, clock)


@pytest.fixture
def app(remote, access):
    return application(remote, access)


@pytest.fixture
def http(app):
    """A browser that keeps cookies."""
    return app.test_client()


@pytest.fixture
def driver(http):
    """A browser that has opened the link with the key."""
    http.get(f"/?key={KEY}")
    return http


def error(response):
    assert response.mimetype == "application/json"
    return response.json["error"]


class TestKey:
    def test_the_link_gives_a_cookie_and_leaves_the_address_clean(self, http):
        response = http.get(f"/?key={KEY}")
        assert (response.status_code, response.location) == (302, "/")
        cookie = response.headers["Set-Cookie"]
        assert KEY not in cookie
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert http.post("/api/arm").status_code == 200

    @pytest.mark.parametrize("wrong", ["", "x", KEY[:-1], KEY + "x", "é" * 20])
    def test_a_wrong_key_gives_nothing(self, http, client, wrong):
        response = http.get("/", query_string={"key": wrong})
        assert response.status_code == 403
        assert "Set-Cookie" not in response.headers
        assert http.post("/api/arm").status_code == 403
        assert client.asked == []

    def test_a_forged_cookie_gives_nothing(self, http, driver, client):
        value = http.get_cookie("rover").value
        http.set_cookie("rover", value[:-2] + ("AA" if value[-2:] != "AA" else "BB"))
        assert http.post("/api/arm").status_code == 403

    @pytest.mark.parametrize("kind", ["arm", "disarm", "clear"])
    def test_without_the_key_there_is_only_the_stop(self, http, client, kind):
        response = http.post(f"/api/{kind}")
        assert response.status_code == 403
        assert "needs a paired device" in error(response)
        assert http.post("/api/stop").status_code == 200
        assert client.asked == [(RequestKind.STOP, "a script")]

    def test_a_script_sends_the_key_as_a_token(self, http):
        good = {"Authorization": f"Bearer {KEY}"}
        bad = {"Authorization": f"Bearer {KEY}x"}
        assert http.post("/api/arm", headers=good).status_code == 200
        assert http.post("/api/arm", headers=bad).status_code == 403


class TestWatchingNeedsTheKey:
    @pytest.fixture
    def config(self):
        config = osr_config()
        web = msgspec.structs.replace(config.web, watch_without_key=False)
        return msgspec.structs.replace(config, web=web)

    @pytest.mark.parametrize("path", ["/api/telemetry", "/ws"])
    def test_nothing_is_shown(self, http, path):
        assert http.get(path).status_code in {400, 403}

    def test_but_anyone_stops(self, http, client):
        assert http.post("/api/stop").status_code == 200
        assert client.asked == [(RequestKind.STOP, "a script")]

    def test_the_page_says_what_to_do(self, http):
        assert "Pair this device" in http.get("/").text

    def test_the_key_opens_it(self, driver):
        assert "STOP" in driver.get("/").text
        assert driver.post("/api/stop").status_code == 200


class TestOrigin:
    @pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:81"])
    @pytest.mark.parametrize("kind", REMOTE_REQUESTS)
    def test_other_sites_ask_for_nothing(self, driver, client, origin, kind):
        response = driver.post(f"/api/{kind}", headers={"Origin": origin})
        assert response.status_code == 403
        assert origin in error(response)
        assert client.asked == client.sent == []

    def test_the_own_page_and_scripts_may(self, driver):
        assert driver.post("/api/stop", headers={"Origin": "http://localhost"}).status_code == 200
        assert driver.post("/api/stop").status_code == 200


class TestApi:
    @pytest.mark.parametrize("kind", REMOTE_REQUESTS)
    def test_requests_reach_control_under_their_name(self, driver, client, kind):
        response = driver.post(f"/api/{kind}", json={"who": "my test"})
        assert response.json == {"accepted": True, "refusals": []}
        assert client.asked == [(kind, "my test")]

    def test_a_stop_takes_the_motion_away_too(self, driver, client):
        driver.post("/api/stop")
        assert client.sent == [Stop("stopped by a script")]

    def test_refusals_are_a_conflict_that_lists_them(self, driver, client):
        client.answer = Answer(False, ("one", "two"))
        response = driver.post("/api/arm")
        assert response.status_code == 409
        assert response.json == {"accepted": False, "refusals": ["one", "two"]}

    def test_a_silent_control_is_unavailable(self, driver, client):
        client.answer = LinkError("control did not answer within 0.6 s")
        response = driver.post("/api/arm")
        assert response.status_code == 503
        assert "did not answer" in error(response)

    @pytest.mark.parametrize(
        ("body", "says"),
        [
            ("{", "truncated"),
            ('{"who": 5}', "Expected `str`"),
            ('{"who": ""}', "matching regex"),
            ('{"who": "two\\nlines"}', "matching regex"),
            (json.dumps({"who": "x" * 41}), "length <= 40"),
            ('{"speed": 1}', "unknown field `speed`"),
            ("[]", "Expected `object`"),
        ],
    )
    def test_a_bad_body_is_refused(self, driver, client, body, says):
        response = driver.post("/api/arm", data=body)
        assert response.status_code == 400
        assert says in error(response)
        assert client.asked == []

    def test_a_huge_body_is_refused(self, driver, client):
        response = driver.post("/api/arm", data=b"x" * 5000)
        assert response.status_code == 413
        assert error(response)
        assert client.asked == []

    def test_unknown_names_and_methods_are_json_too(self, driver):
        response = driver.post("/api/explode")
        assert response.status_code == 404
        assert "arm, disarm, stop, clear" in error(response)
        response = driver.get("/api/arm")
        assert response.status_code == 405
        assert "POST" in response.headers["Allow"]
        assert error(response)
        assert driver.get("/api/nothing/here").status_code == 404
        assert driver.get("/ws").status_code == 400

    def test_a_get_never_changes_anything(self, driver, client):
        for path in ("/", "/api/stop", "/api/arm", "/healthz", "/api/telemetry"):
            driver.get(path)
        assert client.asked == client.sent == []


class TestTelemetry:
    def test_the_newest_is_given(self, http, remote, client, clock):
        client.frames = [msgspec.structs.replace(still_rover(), stamp_s=clock.now_s())]
        wait_for_telemetry(remote)
        response = http.get("/api/telemetry")
        assert response.json["rover"] == "Test rover"
        assert response.json["command_age_s"] is None
        assert response.headers["Cache-Control"] == "no-store"
        clock.sleep_s(1.2)
        response = http.get("/api/telemetry")
        assert response.status_code == 503
        assert error(response).startswith("nothing for 1.2 s from control")
        assert http.get("/healthz").json == {"status": "ok", "control_age_s": pytest.approx(1.2)}

    def test_before_the_first_there_is_none(self, http):
        response = http.get("/api/telemetry")
        assert response.status_code == 503
        assert "rover control" in error(response)
        assert http.get("/healthz").json == {"status": "ok", "control_age_s": None}


def wait_for_telemetry(remote):
    """Start reading and return when there is something."""
    heard = threading.Event()
    remote.hub.listen(heard.set)
    remote.start()
    assert heard.wait(5)


def fetch(http, path):
    """GET, with files closed: the status, the headers and the text."""
    with http.get(path) as response:
        return response.status_code, response.headers, response.text


def parts_of(page):
    """The paths of everything that the page refers to, other pages too."""
    return set(re.findall(r'(?:src|href)="(/[^"]+)"', page))


def loaded_by(page):
    """The paths of everything that the page loads: other pages only if a person goes there."""
    return parts_of(re.sub(r"<a\b[^>]*>", "", page))


class TestPage:
    @pytest.mark.parametrize("path", ["/", "/api/telemetry", "/static/main.js", "/none", "/api/x"])
    def test_security_headers_come_with_everything(self, http, path):
        _, headers, _ = fetch(http, path)
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"

    def test_the_page_holds_nothing_inline_and_nothing_from_elsewhere(self, http):
        _, _, page = fetch(http, "/")
        assert "<style" not in page
        assert not re.search(r"<script(?![^>]*\bsrc=)", page)
        assert not re.search(r"""\s(on\w+|style)=["']""", page)
        assert not re.search(r"""(src|href)=["'](https?:)?//""", page)

    def test_all_it_refers_to_is_there(self, http):
        parts = parts_of(fetch(http, "/")[2])
        assert any(path.endswith("/main.js") for path in parts)
        assert {path: http.get(path).status_code for path in parts} == dict.fromkeys(parts, 200)

    def test_modules_import_only_what_the_page_loads(self, http):
        parts = parts_of(fetch(http, "/")[2])
        modules = {path for path in parts if path.endswith(".js")}
        targets = {
            target
            for path in modules
            for target in re.findall(r'from "([^"]+)"', fetch(http, path)[2])
        }
        names = {path.rpartition("/")[2] for path in modules}
        assert {target.removeprefix("./") for target in targets} <= names

    def test_the_page_is_light(self, http):
        paths = ["/", *loaded_by(fetch(http, "/")[2])]
        plain = sum(len(http.get(path).data) for path in paths)
        packs = {"Accept-Encoding": "gzip"}
        packed = sum(len(http.get(path, headers=packs).data) for path in paths)
        assert plain < 150_000
        assert packed < 75_000
