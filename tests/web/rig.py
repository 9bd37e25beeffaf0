"""A real web server joined to a fake control process."""

import contextlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from calibration.store import CalibrationStore
from rover.camera_messages import PictureHead, Rung
from rover.config import Config
from rover.messages import Source, Stop
from rover.pad_messages import PadLoan
from tests.web.fake_control import FakeControl
from web.access import Access
from web.app import create_app
from web.pad_desk import PadDesk
from web.pictures import Picture
from web.remote import Remote
from web.server import WebServer
from web.sockets import Sockets
from web.step_desk import StepDesk


class NoPictures:
    """What a server has that hears of no camera."""

    has_camera = False
    trouble = "there is no camera"

    def watching(self, rung: Rung) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def newer(self, rung: Rung, than: int, wait_s: float) -> None:
        return None

    def start(self) -> None:
        pass

    def close(self) -> None:
        pass


class OnePicture(NoPictures):
    """What a server has whose camera always sends the same."""

    has_camera = True

    def newer(self, rung: Rung, than: int, wait_s: float) -> Picture:
        return Picture(PictureHead(rung, 1, 0.0, 1, 1), b"\xff\xd8\xff\xd9")


def application(remote: Remote, access: Access) -> Flask:
    """The server's application without its sockets and threads; it calibrates nothing."""
    store = CalibrationStore(Path("/nowhere/calibration.toml"))
    bindings = remote.config.gamepad.bindings
    desk = PadDesk(lambda ask: PadLoan("a test lends no pads"), store, bindings, remote.clock)
    step_desk = StepDesk(remote.client, remote.hub, lambda: remote.config, store, remote.clock)
    return create_app(remote, Sockets(remote), access, desk, step_desk)


@contextmanager
def short_directory() -> Iterator[Path]:
    """A directory whose path is short enough for Unix sockets."""
    with tempfile.TemporaryDirectory(prefix="rover-") as directory:
        yield Path(directory)


@contextmanager
def web_server(
    config: Config, directory: Path, control: FakeControl, port: int = 0
) -> Iterator[WebServer]:
    """A web server on this computer whose commands reach ``control``."""
    server = WebServer(
        config, directory, host="127.0.0.1", port=port, state_dir=directory / "state"
    )
    try:
        server.start()
        client, clock = server.remote.client, server.remote.clock
        control.wait_until_linked(lambda: client.drive(Source.WEB, Stop("linked"), clock.now_s()))
        yield server
    finally:
        server.close()
