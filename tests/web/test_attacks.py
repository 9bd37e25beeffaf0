"""What strangers may do to the web server while somebody drives: the driver notices nothing."""

import contextlib
import http.client
import json
import random
import resource
import socket
import threading
import time

import msgspec
import pytest

from rover.messages import Arc, is_neutral
from tests.builders import osr_config
from tests.web.phone import RefusedError
from tests.web.test_sockets import FORM
from web import door, lease, sockets
from web.door import MAX_WAITING, MAX_WAITING_FROM_ONE

# Ours takes a millisecond or two; this is for a computer on which everything else runs too.
IN_TIME_S = 3.0
EVERY_S = 0.02
STRANGER = "127.0.0.66"
HONEST = "127.0.0.7"
DEADLINE_S = 20.0


@pytest.fixture
def config(monkeypatch):
    """A rover that drives by an old picture, for this computer may be busy with other tests."""
    monkeypatch.setattr(lease, "SILENCE_S", IN_TIME_S)
    config = osr_config()
    deadlines = msgspec.structs.replace(config.deadlines, web_s=IN_TIME_S)
    return msgspec.structs.replace(config, deadlines=deadlines)


class Driver(threading.Thread):
    """Holds the wheel, and notes how long each of its commands took to control."""

    def __init__(self, phone, control):
        super().__init__(daemon=True)
        self._phone = phone
        self._control = control
        self._ending = threading.Event()
        self.took_s = []
        self.trouble = None

    def run(self):
        try:
            self._phone.drive()
            number = 0
            while not self._ending.wait(EVERY_S):
                self._command(number)
                number += 1
        except (AssertionError, OSError) as error:
            self.trouble = error

    def _command(self, number):
        limit = 0.5 + number % 100 * 0.001
        mps = osr_config().motion.max_speed_mps * limit
        began_s = time.monotonic()
        self._phone.drive(1, limit=limit)
        self._control.wait_for(
            lambda: [c for c in self._control.commands[-5:] if c.motion == Arc(mps, 0.0)],
            f"{mps} m/s",
        )
        self.took_s.append(time.monotonic() - began_s)

    def end(self):
        """Drive on for some commands more, then let go of the stick."""
        count = len(self.took_s) + 5
        deadline_s = time.monotonic() + DEADLINE_S
        while len(self.took_s) < count and self.trouble is None:
            assert time.monotonic() < deadline_s
            self._ending.wait(EVERY_S)
        self._ending.set()
        self.join()
        if self.trouble is not None:
            raise self.trouble


@pytest.fixture
def driven(connect, control):
    """Somebody drives from before the attack until after it, and nothing but that moves."""
    driver = Driver(connect(), control)
    driver.start()
    control.wait_for(lambda: control.commands[5:], "driving")
    yield driver
    driver.end()
    assert max(driver.took_s) < IN_TIME_S
    for motion in control.motions:
        assert (
            is_neutral(motion) or 0.5 <= motion.speed_mps / osr_config().motion.max_speed_mps < 0.6
        )
    assert control.asked == []


@pytest.fixture
def dial(server):
    """Opens connections, by default of a stranger."""
    with contextlib.ExitStack() as opened:

        def dial(address=STRANGER):
            return opened.enter_context(
                socket.create_connection(("127.0.0.1", server.port), DEADLINE_S, (address, 0))
            )

        yield dial


def ask(server, method, path, body=None, *, headers=None, address=STRANGER):
    """One request; its status, 0 if the server hangs up before it answers."""
    connection = http.client.HTTPConnection(
        "127.0.0.1", server.port, timeout=DEADLINE_S, source_address=(address, 0)
    )
    try:
        connection.request(method, path, body, headers or {})
        return connection.getresponse().status
    except ConnectionError:
        return 0
    finally:
        connection.close()


def count_open(connections):
    """How many of ``connections`` the server has not hung up on."""
    still_open = 0
    for connection in connections:
        connection.setblocking(False)
        try:
            still_open += connection.recv(1) != b""
        except BlockingIOError:
            still_open += 1
        except ConnectionError:
            pass
    return still_open


def wait_until(condition, what):
    deadline_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline_s, what
        time.sleep(0.02)


def test_slow_loris(driven, server, dial, monkeypatch):
    monkeypatch.setattr(door, "REQUEST_WITHIN_S", 1.0)
    slow = [dial() for _ in range(100)]
    for byte in b"GET / HTTP/1.1\r\nX-Slow: aaaa":
        for connection in slow:
            with contextlib.suppress(ConnectionError):
                connection.send(bytes([byte]))
    assert ask(server, "GET", "/healthz", address=HONEST) == 200
    wait_until(lambda: count_open(slow) == 0, "the slow ones stay")


def test_slow_bodies(driven, server, dial, monkeypatch):
    monkeypatch.setattr(door, "REQUEST_WITHIN_S", 1.0)
    slow = [dial() for _ in range(30)]
    for connection in slow:
        connection.sendall(
            b"POST /api/stop HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{"
        )
    assert ask(server, "GET", "/healthz", address=HONEST) == 200
    wait_until(lambda: count_open(slow) == 0, "the slow ones stay")


def test_a_thousand_connections(driven, server, dial):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    many = [dial(f"127.0.1.{number % 50 + 1}") for number in range(1000)]
    wait_until(lambda: count_open(many) <= MAX_WAITING, "too many wait")
    assert ask(server, "GET", "/healthz", address=HONEST) == 200
    assert ask(server, "GET", "/healthz", address="127.0.1.1") == 200


def test_a_hundred_connections_of_one_address_leave_all_others_room(driven, dial, monkeypatch):
    # Nobody goes for having said nothing for so long.
    monkeypatch.setattr(door, "REQUEST_WITHIN_S", 1000.0)
    many = [dial() for _ in range(100)]
    honest = [dial(HONEST) for _ in range(5)]
    wait_until(lambda: count_open(many) <= MAX_WAITING_FROM_ONE, "too many wait")
    assert count_open(honest) == 5


def test_watchers_keep_no_driver_out(driven, server, connect):
    watchers = [connect(has_key=False) for _ in range(sockets.MAX_WATCHERS_FROM_ONE)]
    for _ in range(10):
        with pytest.raises(RefusedError, match="HTTP 503"):
            connect(has_key=False)
    assert connect().name
    watchers[0].close()
    # Its place is free again.
    wait_until(lambda: can_connect(connect), "no place")


def can_connect(connect):
    try:
        connect(has_key=False)
    except RefusedError:
        return False
    return True


def test_a_ten_megabyte_frame(driven, connect):
    phone = connect()
    with contextlib.suppress(ConnectionError):
        phone.send_text("x" * 10_000_000)
    with contextlib.suppress(ConnectionError):
        assert phone.wait_closed() in {1009, 1006}


def test_ten_megabytes_of_body(driven, dial):
    for field in (
        "Content-Length: 10000000",
        "Content-Length: -5",
        "Content-Length: 99999999999999999999",
        "Transfer-Encoding: chunked",
    ):
        connection = dial()
        head = f"POST /api/arm HTTP/1.1\r\nHost: 127.0.0.1\r\n{field}\r\n\r\n"
        connection.sendall(head.encode())
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                connection.sendall(b"x" * 100_000)
        with contextlib.suppress(ConnectionError):
            answer = connection.recv(4096)
            assert answer == b"" or int(answer.split()[1]) in {400, 403, 411, 413}, field


def test_a_hundred_wrong_codes(driven, server):
    code = server.access.invitations.make().code
    statuses = set()
    for number in range(100):
        wrong = f"{(int(code) + 1 + number) % 10**6:06}"
        statuses.add(
            ask(
                server,
                "POST",
                "/pair",
                f"code={wrong}",
                headers=FORM,
                address=f"127.0.2.{number + 1}",
            )
        )
    assert statuses == {403, 429}
    # By then the right one is void too, and so are the tries of all addresses together.
    assert ask(server, "POST", "/pair", f"code={code}", headers=FORM, address=HONEST) == 429
    assert server.access.devices.all() == ()


OTHER_SITES = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "https://127.0.0.1"},
    {"Origin": "file://"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Host": "evil.example"},
    {"Host": "evil.example", "Origin": "http://evil.example"},
]


def test_other_sites_reach_nothing_with_the_key_even(driven, server):
    key = {"Authorization": f"Bearer {server.access.key}"}
    for headers in OTHER_SITES:
        for path in ("/api/stop", "/api/arm", "/api/disarm", "/pair", "/api/devices/revoke"):
            assert ask(server, "POST", path, headers=headers | key) in {403, 421}, headers
        assert open_socket(server, headers | key) in {403, 421}, headers


def open_socket(server, headers):
    """Ask for a WebSocket; the status of the answer."""
    handshake = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
    }
    return ask(server, "GET", "/ws", headers=handshake | headers)


@pytest.fixture
def hardly_refilled(monkeypatch):
    """A budget that a slow computer's questions use up as well."""
    monkeypatch.setattr("web.app._REQUESTS_HZ", 1.0)


def test_one_address_asks_so_often_and_no_more_but_may_stop(hardly_refilled, control, server):
    statuses = [ask(server, "GET", "/healthz") for _ in range(330)]
    assert set(statuses) == {200, 429}
    assert statuses[:250] == [200] * 250
    assert ask(server, "POST", "/api/stop") == 200
    assert ask(server, "GET", "/healthz", address=HONEST) == 200


def rubbish(chance):
    """Something that no page sends."""
    frame = {
        "type": chance.choice(["drive", "halt", "request", "give", "keep", "ask", "ping", "x", 5]),
        "t": chance.choice([1, -1, "x", None, 1e300]),
        "seq": chance.choice([1, 0, -1, 2**60, "x"]),
        "drive": chance.choice([0, 1, 2, -5, None, "1"]),
        "kind": chance.choice(["fly", "", None, 3]),
        "to": chance.choice(["phone 1", "computer 1", "", 5]),
    }
    fields = chance.sample(list(frame), chance.randint(0, len(frame)))
    text = json.dumps({name: frame[name] for name in fields})
    return chance.choice([text, text[: chance.randint(0, len(text))], chance.randbytes(40)])


@pytest.mark.parametrize("has_key", [True, False])
def test_rubbish_by_websocket(driven, connect, has_key):
    chance = random.Random(4)
    for _ in range(4):
        phone = connect(has_key=has_key)
        with contextlib.suppress(ConnectionError):
            for _ in range(60):
                message = rubbish(chance)
                if isinstance(message, bytes):
                    phone.send_binary(message)
                else:
                    phone.send_text(message)
            phone.send_raw(chance.randbytes(200))
        phone.close()


def test_rubbish_by_http(driven, server, dial):
    chance = random.Random(5)
    begin = [
        b"",
        b"GET / HTTP/1.1\r\n",
        b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n",
        b"\x16\x03\x01",
    ]
    for _ in range(60):
        said = chance.choice(begin) + chance.randbytes(chance.randint(0, 300)) + b"\r\n\r\n"
        with contextlib.suppress(ConnectionError):
            dial(f"127.0.3.{chance.randint(1, 20)}").sendall(said)
    assert ask(server, "GET", "/healthz", address=HONEST) == 200
