"""A camera on the Raspberry Pi's own connector, read with picamera2."""

from importlib import import_module
from typing import Any

from PIL import Image

from rover.camera.source import Shot
from rover.clock import Clock
from rover.config import CameraConfig
from rover.errors import DeviceError


class PiCamera:
    """An open camera of the Pi's. Raises DeviceError, with what to do, if it cannot be had.

    ``picamera2`` is the library, or a test's stand-in.
    """

    def __init__(self, config: CameraConfig, clock: Clock, picamera2: Any = None) -> None:  # noqa: ANN401 - no types
        library = picamera2 or _picamera2()
        self._clock = clock
        try:
            self._camera = library.Picamera2()
            # Picamera2 calls formats by their bytes from the last to the first: this one is RGB.
            main = {"size": (config.width_px, config.height_px), "format": "BGR888"}
            controls = {"FrameRate": float(config.pictures_hz)}
            self._camera.configure(
                self._camera.create_video_configuration(
                    main=main, controls=controls, buffer_count=2
                )
            )
            self._camera.start()
        except (RuntimeError, IndexError, OSError) as error:
            raise DeviceError(
                f"the Pi's camera cannot be had: {error}; see that `rpicam-hello --list-cameras` "
                "shows it, that its ribbon is seated, and that no other program has it"
            ) from error

    def take(self) -> Shot:
        """Wait for the next picture."""
        try:
            picture = self._camera.capture_array("main")
        except (RuntimeError, OSError) as error:
            raise DeviceError(f"the Pi's camera sends no pictures: {error}") from error
        return Shot(Image.fromarray(picture), self._clock.now_s())

    def close(self) -> None:
        """Let go of it."""
        self._camera.close()


def _picamera2() -> Any:  # noqa: ANN401 - no types
    try:
        return import_module("picamera2")
    except ImportError as error:
        raise DeviceError(
            "the Pi's camera needs picamera2: sudo apt install python3-picamera2, and a virtual "
            "environment that sees the system's packages"
        ) from error
