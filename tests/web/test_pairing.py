"""Pairing and revoking over HTTP and by the console, without any network but a Unix socket."""

import errno
import json
import logging
import os
import re
import socket
import stat
import threading

import pytest

from rover.clock import ManualClock
from rover.errors import ConfigError, LinkError
from rover.messages import RequestKind
from tests.web.rig import NoPictures, application
from tests.web.test_app import Client, error, fetch
from web.access import Access
from web.console import Console, Question, Wish, ask
from web.remote import Remote

ORIGIN = {"Origin": "http://localhost"}


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def client():
    return Client()


@pytest.fixture
def access(short_dir, clock):
    return Access(short_dir, clock)


@pytest.fixture
def app(config, client, clock, access):
    remote = Remote(config, client, client, clock, NoPictures())
    yield application(remote, access)
    remote.close()


@pytest.fixture
def phone(app):
    return app.test_client()


def pair(phone, **form):
    return phone.post("/pair", data=form, headers=ORIGIN)


def test_a_code_makes_a_browser_a_paired_device(phone, access, client):
    assert phone.post("/api/arm").status_code == 403
    response = pair(phone, code=access.invitations.make().code, name="Anna's phone")
    assert (response.status_code, response.location) == (303, "/")
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert phone.post("/api/arm").status_code == 200
    assert client.asked == [(RequestKind.ARM, "a script")]
    (listed,) = phone.get("/api/devices").json["devices"]
    assert (listed["name"], listed["is_this"]) == ("Anna's phone", True)


def test_a_scanned_link_pairs_by_one_press_and_not_by_being_fetched(phone, access):
    token = access.invitations.make().token
    page = phone.get(f"/pair?invitation={token}")
    assert token in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert access.devices.all() == ()
    assert pair(phone, invitation=token).status_code == 303
    assert len(access.devices.all()) == 1


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"code": ""},
        {"code": "x" * 500},
        {"invitation": "x"},
        {"code": "é" * 6},
        {"code": "\x00" * 6},
    ],
)
def test_what_does_not_fit_pairs_nobody(phone, access, form):
    access.invitations.make()
    response = pair(phone, **form)
    assert response.status_code == 403
    assert "Set-Cookie" not in response.headers
    assert "Ask for a new one" in response.text
    assert access.devices.all() == ()


def test_guessing_is_answered_with_how_long_to_wait(phone, access):
    access.invitations.make()
    pair(phone, code="x")
    response = pair(phone, code="x")
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "1"
    assert "wait 1 s" in response.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:81"},
        {"Origin": "ftp://localhost"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/pair", "/api/devices/revoke"])
def test_forms_of_other_sites_are_refused(phone, access, path, headers):
    phone.get(f"/?key={access.key}")
    token = access.invitations.make().token
    response = phone.post(path, data={"invitation": token}, headers=headers)
    assert response.status_code == 403
    assert len(access.devices.all()) == 1
    assert access.invitations.redeem_token(token).fits


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)", "iPhone"),
        ("Mozilla/5.0 (Linux; Android 14; Pixel 7) Mobile", "Android phone"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "Linux computer"),
        ("curl/8.0", "a device"),
    ],
)
def test_a_device_without_a_name_gets_one(app, access, said, name):
    phone = app.test_client()
    form = {"invitation": access.invitations.make().token, "name": "\n\t "}
    phone.post("/pair", data=form, headers={"User-Agent": said})
    assert [device.name for device in access.devices.all()] == [name]


def test_the_key_link_pairs_a_browser_once(phone, access):
    for _ in range(3):
        assert phone.get(f"/?key={access.key}").status_code == 302
    assert len(access.devices.all()) == 1


def test_the_list_is_for_paired_devices_only(phone):
    assert phone.get("/api/devices").status_code == 403
    assert phone.post("/api/devices/revoke", json={"device": "x"}).status_code == 403


def test_a_revoked_device_may_nothing_more(app, access):
    one, other = app.test_client(), app.test_client()
    for phone, name in ((one, "one"), (other, "other")):
        pair(phone, invitation=access.invitations.make().token, name=name)
    (mine,) = [one for one in other.get("/api/devices").json["devices"] if one["name"] == "one"]
    left = other.post("/api/devices/revoke", json={"device": mine["id"]}).json["devices"]
    assert [device["name"] for device in left] == ["other"]
    assert one.post("/api/arm").status_code == 403
    assert one.get("/api/devices").status_code == 403
    assert one.post("/api/stop").status_code == 200
    assert other.post("/api/arm").status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 400, 'JSON such as {"device"'),
        (b"{}", 400, "missing required field"),
        (b'{"device": 5}', 400, "Expected `str`"),
        (b'{"device": "unheard"}', 404, "no device 'unheard'"),
    ],
)
def test_a_bad_revocation_is_refused_with_the_reason(phone, access, body, status, says):
    phone.get(f"/?key={access.key}")
    response = phone.post("/api/devices/revoke", data=body)
    assert response.status_code == status
    assert says in error(response)


def test_a_cookie_of_another_key_is_worth_nothing(phone, app, access):
    pair(phone, invitation=access.invitations.make().token)
    cookie = phone.get_cookie("rover").value
    app.secret_key = "another"
    stranger = app.test_client()
    stranger.set_cookie("rover", cookie)
    assert stranger.post("/api/arm").status_code == 403


def test_a_list_that_breaks_meanwhile_lets_nobody_drive_but_everybody_stop(
    phone, access, short_dir
):
    pair(phone, invitation=access.invitations.make().token)
    (short_dir / "devices.json").write_text("{")
    assert phone.post("/api/arm").status_code == 403
    assert phone.post("/api/stop").status_code == 200
    assert phone.get("/").status_code == 200
    response = pair(phone, invitation=access.invitations.make().token)
    assert response.status_code == 503
    assert "delete it" in response.text


def test_no_secret_reaches_the_log(phone, access, caplog):
    caplog.set_level(logging.DEBUG)
    for _ in range(2):
        invitation = access.invitations.make()
        pair(phone, code="000000" if invitation.code != "000000" else "111111", name="wrong")
        pair(phone, invitation=invitation.token, name="Anna")
    phone.get("/?key=wrong-key-wrong-key")
    phone.get(f"/?key={access.key}")
    cookie = phone.get_cookie("rover").value
    phone.post("/api/devices/revoke", json={"device": access.devices.all()[0].id})
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert "paired 'Anna'" in said
    for secret in (access.key, invitation.code, invitation.token, cookie, "wrong-key", "000000"):
        assert secret not in said


def test_the_pairing_page_holds_nothing_inline_and_all_it_refers_to(phone):
    _, headers, page = fetch(phone, "/pair")
    assert "form-action 'self'" in headers["Content-Security-Policy"]
    assert "<style" not in page
    parts = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert {part.rpartition("/")[2] for part in parts} >= {"pair.js", "pair.css"}
    assert {part: fetch(phone, part)[0] for part in parts} == dict.fromkeys(parts, 200)


def test_a_device_is_revoked_though_the_list_cannot_be_written(app, access, monkeypatch):
    """On a full disk it ends what it drives and may nothing more; people are told what to do."""
    ended = []
    access.on_revoke(ended.append)
    mine, other = app.test_client(), app.test_client()
    for phone, name in ((mine, "lost"), (other, "other")):
        pair(phone, code=access.invitations.make().code, name=name)
    (lost,) = [one for one in other.get("/api/devices").json["devices"] if one["name"] == "lost"]

    def full(*_args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("web.devices.write_private", full)
    response = other.post("/api/devices/revoke", json={"device": lost["id"]})
    assert response.status_code == 503
    assert "may not drive any more" in response.json["error"]
    assert "No space left" in response.json["error"]
    assert ended == [lost["id"]]
    assert mine.post("/api/arm").status_code == 403
    assert mine.get("/api/devices").status_code == 403
    monkeypatch.undo()
    assert other.post("/api/devices/revoke", json={"device": lost["id"]}).status_code == 200


class TestConsole:
    @pytest.fixture(autouse=True)
    def served(self, short_dir, access):
        served = Console(short_dir, access, lambda: ("http://rover:8080", ""))
        served.start()
        yield served
        served.close()

    def test_it_gives_codes_that_fit(self, short_dir, access, phone):
        reply = ask(short_dir, Question(Wish.INVITE))
        assert reply.link.startswith("http://rover:8080/pair?invitation=")
        assert pair(phone, code=reply.code).status_code == 303

    def test_it_lists_without_hashes_and_revokes_by_id_or_name(self, short_dir, access):
        revoked = []
        access.on_revoke(revoked.append)
        ids = [access.devices.add(name).device.id for name in ("one", "two", "two")]
        devices = ask(short_dir, Question(Wish.LIST)).devices
        assert {device.id for device in devices} == set(ids)
        assert {device.token_sha256 for device in devices} == {""}
        assert "several devices" in ask(short_dir, Question(Wish.REVOKE, "two")).error
        assert "no device" in ask(short_dir, Question(Wish.REVOKE, "none")).error
        for called in ("one", ids[1]):
            assert ask(short_dir, Question(Wish.REVOKE, called)).error == ""
        assert revoked == ids[:2]
        assert [device.id for device in access.devices.all()] == [ids[2]]

    def test_a_second_server_leaves_it_to_the_first(self, short_dir, access, phone, caplog):
        second = Console(short_dir, access, lambda: ("http://second:8081", ""))
        second.start()
        assert "another `rover web`" in caplog.text
        assert ask(short_dir, Question(Wish.LIST)).origin == "http://rover:8080"
        second.close()
        assert ask(short_dir, Question(Wish.LIST)).origin == "http://rover:8080"

    def test_one_that_comes_after_answers(self, short_dir, access, served):
        served.close()
        next_one = Console(short_dir, access, lambda: ("http://next:8080", ""))
        next_one.start()
        assert ask(short_dir, Question(Wish.LIST)).origin == "http://next:8080"
        next_one.close()

    def test_only_its_owner_may_ask(self, short_dir):
        assert stat.S_IMODE((short_dir / "pair.sock").stat().st_mode) == 0o600

    @pytest.mark.parametrize("line", [b"\n", b"{}\n", b"x\n", b'{"wish":"drive"}\n', b"\xff\n"])
    def test_rubbish_is_an_error_and_it_goes_on(self, short_dir, line):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5.0)
            connection.connect(str(short_dir / "pair.sock"))
            connection.sendall(line)
            assert "not a question" in json.loads(connection.recv(4096))["error"]
        assert ask(short_dir, Question(Wish.LIST)).error == ""

    def test_a_broken_list_is_told(self, short_dir):
        (short_dir / "devices.json").write_text("{")
        assert "delete it" in ask(short_dir, Question(Wish.LIST)).error

    def test_a_listener_that_fails_for_a_while_is_heard_again(self, short_dir, monkeypatch, caplog):
        accept, failed = socket.socket.accept, threading.Event()

        def fail_once(listener):
            if not failed.is_set():
                failed.set()
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            return accept(listener)

        monkeypatch.setattr(socket.socket, "accept", fail_once)
        assert failed.wait(5.0)
        assert ask(short_dir, Question(Wish.LIST)).error == ""
        assert "cannot be heard" in caplog.text

    def test_it_takes_its_socket_away(self, short_dir, served):
        served.close()
        with pytest.raises(LinkError, match="is `rover web` running"):
            ask(short_dir, Question(Wish.LIST))
        assert not (short_dir / "pair.sock").exists()


def test_a_path_too_long_for_a_socket_is_told(tmp_path, access):
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    with pytest.raises(ConfigError, match="short path"):
        Console(deep, access, lambda: ("", ""))
