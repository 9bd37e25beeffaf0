"""The server in this process: what goes wrong at its start, and one turn after another."""

import os
import threading
import time

import pytest
from msgspec import structs

from rover.clock import SystemClock
from rover.errors import ConfigError, DeviceError
from rover.hardware.bus.framing import check_reply, read_request
from rover.hardware.bus.serial_line import open_serial_line
from rover.sim.server import HardwareServer
from tests.builders import osr_config


@pytest.fixture
def served(tmp_path):
    with HardwareServer(osr_config(), tmp_path, paced=True) as server:
        thread = threading.Thread(target=server.serve)
        thread.start()
        yield tmp_path
        server.stop()
        thread.join(5.0)
        assert not thread.is_alive()
    assert os.listdir(tmp_path) == []


def test_it_answers_and_stops_when_told(served) -> None:
    line = open_serial_line(str(served / "serial0"), 115200, SystemClock())
    for command, count in ((24, 4), (78, 10), (21, 28)):
        request = read_request(0x81, command)
        start_s = time.monotonic()
        line.write(request)
        assert check_reply(request, line.read(count, start_s + 1.0))
        assert time.monotonic() - start_s >= (2 + count) * 10 / 115200
    line.close()


def test_an_impossible_baud_rate_is_a_mistake_in_the_configuration(tmp_path) -> None:
    config = osr_config()
    config = structs.replace(config, roboclaw=structs.replace(config.roboclaw, baud=12345))
    with pytest.raises(ConfigError, match="12345"):
        HardwareServer(config, tmp_path / "new", paced=True)
    assert os.listdir(tmp_path) == []


def test_a_file_in_place_of_the_directory_is_refused(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DeviceError, match="choose another --dir"):
        HardwareServer(osr_config(), tmp_path / "file", paced=True)


def test_a_path_too_long_for_a_socket_is_refused_and_nothing_stays(tmp_path) -> None:
    deep = tmp_path / ("d" * 100)
    with pytest.raises(DeviceError, match="choose another --dir"):
        HardwareServer(osr_config(), deep, paced=True)
    assert not deep.exists()


def test_two_servers_cannot_have_one_directory(served) -> None:
    with pytest.raises(DeviceError, match="in use"):
        HardwareServer(osr_config(), served, paced=True)
    assert (served / "serial0").is_symlink()
