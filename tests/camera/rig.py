"""A camera process in a thread, over real sockets, with a camera that a test holds."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from rover.camera.process import open_source, run_camera
from rover.camera.source import Shot
from rover.clock import Clock, SystemClock
from rover.config import CameraConfig
from rover.errors import DeviceError

CONFIG = CameraConfig(source="synthetic", width_px=640, height_px=480, pictures_hz=15)
DEADLINE_S = 20.0


class HeldCamera:
    """Takes a picture when it is told to; ``opened`` and ``closed`` count."""

    def __init__(self) -> None:
        self.opened = self.closed = self.taken = 0
        self.trouble = ""
        self.refused = ""
        self._shutter = threading.Semaphore(0)

    def open(self, config: CameraConfig, clock: Clock) -> "HeldCamera":
        self.opened += 1
        if self.refused:
            raise DeviceError(self.refused)
        return self

    def press(self, times: int = 1) -> None:
        """Let so many pictures be taken."""
        self._shutter.release(times)

    def take(self) -> Shot:
        # Not for ever: the process has to end with the test.
        self._shutter.acquire(timeout=0.2)
        if self.trouble:
            raise DeviceError(self.trouble)
        self.taken += 1
        return Shot(Image.new("RGB", (64, 48), (200, 100, 50)), SystemClock().now_s())

    def close(self) -> None:
        self.closed += 1


@contextmanager
def camera_process(
    directory: Path,
    config: CameraConfig = CONFIG,
    open_camera: Callable[..., object] = open_source,
) -> Iterator[None]:
    """Run the camera process's own code in a thread."""
    ending = threading.Event()
    thread = threading.Thread(
        target=run_camera,
        args=(config, directory, ending.is_set),
        kwargs={"open_camera": open_camera},
        name="camera process",
        daemon=True,
    )
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(DEADLINE_S)
        assert not thread.is_alive()
