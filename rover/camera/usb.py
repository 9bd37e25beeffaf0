"""A USB camera by Video4Linux, read with OpenCV."""

from importlib import import_module
from typing import Any

from PIL import Image

from rover.camera.source import Shot
from rover.clock import Clock
from rover.config import CameraConfig
from rover.errors import DeviceError


class UsbCamera:
    """An open USB camera. Raises DeviceError, with what to do, if it cannot be had.

    ``cv2`` is OpenCV, or a test's stand-in.
    """

    def __init__(self, config: CameraConfig, clock: Clock, cv2: Any = None) -> None:  # noqa: ANN401 - no types
        self._cv2 = cv2 or _opencv()
        self._clock = clock
        self._device = config.device
        self._capture = self._cv2.VideoCapture(config.device, self._cv2.CAP_V4L2)
        if not self._capture.isOpened():
            self._capture.release()
            raise DeviceError(
                f"the camera {config.device} cannot be opened: see that it is plugged in, that no "
                "other program has it, and that you are in the group video; camera.device may "
                "name another"
            )
        for name, value in (
            # Pictures that the camera has compressed itself: USB 2 carries no others at speed.
            ("CAP_PROP_FOURCC", self._cv2.VideoWriter_fourcc(*"MJPG")),
            ("CAP_PROP_FRAME_WIDTH", config.width_px),
            ("CAP_PROP_FRAME_HEIGHT", config.height_px),
            ("CAP_PROP_FPS", config.pictures_hz),
            # The newest picture, not the oldest that the driver has kept.
            ("CAP_PROP_BUFFERSIZE", 1),
        ):
            self._capture.set(getattr(self._cv2, name), value)

    def take(self) -> Shot:
        """Wait for the next picture."""
        taken, picture = self._capture.read()
        stamp_s = self._clock.now_s()
        if not taken:
            raise DeviceError(f"the camera {self._device} sends no pictures: plug it in anew")
        rgb = self._cv2.cvtColor(picture, self._cv2.COLOR_BGR2RGB)
        return Shot(Image.fromarray(rgb), stamp_s)

    def close(self) -> None:
        """Let go of it."""
        self._capture.release()


def _opencv() -> Any:  # noqa: ANN401 - no types
    try:
        return import_module("cv2")
    except ImportError as error:
        raise DeviceError(
            "a USB camera needs OpenCV: sudo apt install python3-opencv, or "
            "pip install opencv-python-headless"
        ) from error
