"""HTTPS: the certificate, and a phone that drives over TLS."""

import contextlib
import datetime
import hashlib
import http.client
import itertools
import json
import socket
import ssl
import stat
import time

import msgspec
import pytest
from simple_websocket import Client

from rover.errors import ConfigError
from tests.builders import osr_config
from tests.web.fake_control import is_driving, is_stop
from web.certificate import GOOD_FOR, RENEW_BEFORE, load_certificate, own_addresses
from web.secure import MAX_AGREEING_FROM_ONE

NAMES = ("rover", "rover.local", "127.0.0.1", "::1")
NOW = datetime.datetime(2026, 5, 1, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
DEADLINE_S = 20.0


class TestCertificate:
    def test_it_is_made_once_and_its_key_is_its_owners_alone(self, tmp_path):
        made = load_certificate(tmp_path, NAMES, NOW)
        assert stat.S_IMODE(made.key_file.stat().st_mode) == 0o600
        assert load_certificate(tmp_path, NAMES, NOW + DAY) == made

    def test_the_fingerprint_is_what_browsers_show(self, tmp_path):
        made = load_certificate(tmp_path, NAMES)
        content = ssl.PEM_cert_to_DER_cert(made.certificate_file.read_text())
        assert made.fingerprint.replace(":", "").lower() == hashlib.sha256(content).hexdigest()

    @pytest.mark.parametrize(
        ("left", "same"), [(RENEW_BEFORE + DAY, True), (RENEW_BEFORE - DAY, False), (-DAY, False)]
    )
    def test_it_is_renewed_near_its_end_with_the_same_key(self, tmp_path, left, same):
        made = load_certificate(tmp_path, NAMES, NOW)
        key = made.key_file.read_bytes()
        later = load_certificate(tmp_path, NAMES, NOW + GOOD_FOR - left)
        assert (later == made) is same
        assert later.key_file.read_bytes() == key

    def test_it_is_renewed_for_another_name(self, tmp_path):
        made = load_certificate(tmp_path, NAMES, NOW)
        assert load_certificate(tmp_path, NAMES[1:], NOW) == made
        assert load_certificate(tmp_path, (*NAMES, "192.168.1.5"), NOW) != made

    @pytest.mark.parametrize("name", ["web.crt", "web.crt.key"])
    def test_a_broken_file_is_an_error_that_says_what_to_do(self, tmp_path, name):
        load_certificate(tmp_path, NAMES, NOW)
        (tmp_path / name).write_text("rubbish")
        with pytest.raises(ConfigError, match=rf"{name} holds no .* delete it"):
            load_certificate(tmp_path, NAMES, NOW)

    def test_a_directory_that_cannot_be_used_is_named(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(ConfigError, match="state directory"):
            load_certificate(tmp_path / "file" / "state", NAMES, NOW)

    def test_the_computers_own_addresses_are_addresses(self):
        assert {"127.0.0.1", "::1"} <= set(own_addresses())


class TestServer:
    @pytest.fixture
    def config(self):
        config = osr_config()
        return msgspec.structs.replace(config, web=msgspec.structs.replace(config.web, https="on"))

    @pytest.fixture
    def trusting(self, server, short_dir):
        """A client's settings: it trusts this rover's certificate, and checks the name."""
        return ssl.create_default_context(cafile=short_dir / "state" / "web.crt")

    def test_a_phone_pairs_drives_and_is_stopped_when_it_goes(self, server, control, trusting):
        assert server.origin == f"https://127.0.0.1:{server.port}"
        cookie = self.pair(server, trusting)
        phone = Client.connect(
            f"wss://127.0.0.1:{server.port}/ws", headers={"Cookie": cookie}, ssl_context=trusting
        )
        numbers = itertools.count()

        def push():
            clock_s = self.newest_state(phone)["clock_s"]
            for position in (0, 1):
                frame = {"type": "drive", "t": 1, "seq": next(numbers), "drive": position}
                wish = {"turn": 0, "mode": "arc", "limit": 1, "seen_s": clock_s}
                phone.send(json.dumps(frame | wish))

        control.wait_for_motion(is_driving, "driving", push)
        phone.close()
        control.wait_for_motion(is_stop, "a stop")

    def pair(self, server, trusting):
        connection = http.client.HTTPSConnection(
            "127.0.0.1", server.port, timeout=DEADLINE_S, context=trusting
        )
        with contextlib.closing(connection):
            token = server.access.invitations.make().token
            form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": server.origin}
            connection.request("POST", "/pair", f"invitation={token}", form)
            response = connection.getresponse()
            assert response.status == 303
            set_cookie = response.headers["Set-Cookie"]
            assert "Secure" in set_cookie
            return set_cookie.partition(";")[0]

    def newest_state(self, phone):
        """Wait for a state, and take in all that have come."""
        state = None
        while message := phone.receive(DEADLINE_S if state is None else 0):
            frame = json.loads(message)
            if frame["type"] == "state":
                state = frame
        assert state is not None
        return state

    def test_plain_http_gets_nothing(self, server):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_S)
        with contextlib.closing(connection):
            connection.request("GET", "/healthz")
            with pytest.raises((ConnectionError, http.client.BadStatusLine)):
                connection.getresponse()

    def test_who_agrees_on_no_key_makes_room(self, server, trusting):
        with contextlib.ExitStack() as stack:
            silent = [
                stack.enter_context(
                    socket.create_connection(("127.0.0.1", server.port), DEADLINE_S)
                )
                for _ in range(2 * MAX_AGREEING_FROM_ONE)
            ]
            connection = http.client.HTTPSConnection(
                "127.0.0.1", server.port, timeout=DEADLINE_S, context=trusting
            )
            stack.enter_context(contextlib.closing(connection))
            connection.request("GET", "/healthz")
            assert connection.getresponse().status == 200
            assert silent[0].recv(1) == b""

    def test_it_ends_in_time_with_connections_open(self, server, trusting):
        raw = socket.create_connection(("127.0.0.1", server.port), DEADLINE_S)
        with trusting.wrap_socket(raw, server_hostname="127.0.0.1") as secure:
            began_s = time.monotonic()
            server.close()
            assert time.monotonic() - began_s < 2.0
            assert secure.recv(1) == b""
