"""The web process as a whole: its port, its start and its end."""

import contextlib
import http.client
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from rover.errors import ServeError
from tests.test_systemd import seconds, unit
from tests.web.fake_control import is_stop
from tests.web.phone import Phone
from tests.web.test_sockets import start_driving
from web.server import WebServer

END_S = 2.0
STOPPED_WITHIN_S = seconds(unit("rover-web.service")["Service"]["TimeoutStopSec"])


def test_a_busy_port_is_told_with_what_to_do(server, config, short_dir):
    with pytest.raises(ServeError, match=rf"port {server.port}: Address already in use; .*--port"):
        WebServer(config, short_dir, host="127.0.0.1", port=server.port, state_dir=short_dir / "b")


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_server_that_listens_everywhere_names_an_address_one_can_open(config, short_dir, host):
    if host == "::" and not socket.has_dualstack_ipv6():
        pytest.skip("this computer has no IPv6")
    server = WebServer(config, short_dir, host=host, port=0, state_dir=short_dir / "state")
    server.start()
    try:
        address = re.fullmatch(r"http://([\d.]+):(\d+)/\?key=.+", server.url).groups()
        with urllib.request.urlopen(f"http://{address[0]}:{address[1]}/healthz") as answer:
            assert answer.status == 200
    finally:
        server.close()


def test_an_address_of_another_computer_is_told(config, short_dir):
    with pytest.raises(ServeError, match=r"192\.0\.2\.7 port"):
        WebServer(config, short_dir, host="192.0.2.7", port=0, state_dir=short_dir / "b")


def test_it_ends_in_time_with_sockets_open_and_the_rover_stopped(server, control, connect):
    phone, watcher = connect(), connect(has_key=False)
    start_driving(phone, control)
    began_s = time.monotonic()
    server.close()
    assert time.monotonic() - began_s < END_S
    assert phone.wait_closed() == watcher.wait_closed() == 1001
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), 1)


def test_it_ends_in_time_with_a_phone_that_does_not_read(server, control, connect):
    control.update(rover="x" * 60000)
    connect()
    reader = connect()
    for _ in range(10):
        reader.wait("state")
    began_s = time.monotonic()
    server.close()
    assert time.monotonic() - began_s < END_S


def test_the_port_is_free_again_at_once(server, config, short_dir):
    server.close()
    WebServer(
        config, short_dir, host="127.0.0.1", port=server.port, state_dir=short_dir / "b"
    ).close()


def test_the_answer_does_not_name_its_software(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("GET", "/healthz")
    response = connection.getresponse()
    response.read()
    connection.close()
    assert response.status == 200
    assert response.headers["Server"] == "rover"


RUN = """
import pathlib, sys
from tests.builders import osr_config
from web.server import run_web
base = pathlib.Path(sys.argv[1])
run_web(osr_config(), base, host="127.0.0.1", port=0, state_dir=base / "state",
        ready=lambda server: print(server.url, flush=True))
"""


@pytest.mark.process
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_in_time(control, short_dir, number):
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", RUN, str(short_dir)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        url = process.stdout.readline()
        port, key = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?key=(\S+)\n", url).groups()
        with contextlib.closing(Phone(int(port), {"Authorization": f"Bearer {key}"})) as phone:
            control.wait_until_linked(phone.drive)
            start_driving(phone, control)
            process.send_signal(number)
            # Before systemd would kill it; the server alone is held to END_S.
            assert process.wait(STOPPED_WITHIN_S) == 0
            assert process.stderr.read() == ""
            control.wait_for_motion(is_stop, "a stop")
    finally:
        process.kill()
        process.communicate()
