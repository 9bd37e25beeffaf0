"""A web server over a fake control process, and phones that connect to it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rover.config import Config
from tests.builders import osr_config
from tests.web.fake_control import FakeControl
from tests.web.phone import Phone
from tests.web.rig import short_directory, web_server
from web.server import WebServer


@pytest.fixture
def short_dir() -> Iterator[Path]:
    with short_directory() as directory:
        yield directory


@pytest.fixture
def config() -> Config:
    return osr_config()


@pytest.fixture
def control(short_dir: Path) -> Iterator[FakeControl]:
    """A control process that publishes, answers and remembers."""
    with FakeControl(short_dir) as control:
        yield control


@pytest.fixture
def server(short_dir: Path, config: Config, control: FakeControl) -> Iterator[WebServer]:
    """A web server on a free port of this computer."""
    with web_server(config, short_dir, control) as server:
        yield server


@pytest.fixture
def connect(server: WebServer) -> Iterator[Callable[..., Phone]]:
    """Opens phones: ``connect()`` has the key, ``connect(has_key=False)`` only watches."""
    phones = []

    def connect(*, has_key: bool = True, headers: dict[str, str] | None = None) -> Phone:
        key = {"Authorization": f"Bearer {server.access.key}"} if has_key else {}
        phone = Phone(server.port, key | (headers or {}))
        phones.append(phone)
        return phone

    yield connect
    for phone in phones:
        phone.close()
