"""The camera process: takes pictures while somebody watches, in the sizes that are watched.

It has no part in driving, and nobody waits for it.
"""

import logging
from collections.abc import Callable
from pathlib import Path

from rover.camera.encoding import jpeg, turned
from rover.camera.pi import PiCamera
from rover.camera.source import Source
from rover.camera.synthetic import SyntheticCamera
from rover.camera.usb import UsbCamera
from rover.camera_messages import PictureHead, Rung
from rover.clock import Clock, SystemClock
from rover.config import CameraConfig
from rover.errors import ConfigError, DeviceError
from rover.link.pictures import CameraEnd

_log = logging.getLogger("rover")

_IDLE_S = 0.2
_TELL_EVERY_S = 0.5
# Watchers come and go; a camera takes a second or two to start.
_KEEP_OPEN_S = 5.0
_TRY_AGAIN_S = 1.0


def open_source(config: CameraConfig, clock: Clock) -> Source:
    """Open the camera that is configured. Raises DeviceError, or ConfigError if there is none."""
    match config.source:
        case "synthetic":
            return SyntheticCamera(config, clock)
        case "v4l2":
            return UsbCamera(config, clock)
        case "picamera2":
            return PiCamera(config, clock)
        case _:
            raise ConfigError(
                'camera.source is "none": set it to "picamera2", "v4l2" or "synthetic"'
            )


def run_camera(
    config: CameraConfig,
    directory: Path,
    stopping: Callable[[], bool],
    clock: Clock | None = None,
    open_camera: Callable[[CameraConfig, Clock], Source] = open_source,
) -> None:
    """Run the camera process until ``stopping``.

    Raises ConfigError if no camera is configured, LinkError if its sockets cannot be made.
    """
    clock = clock or SystemClock()
    if config.source == "none":
        open_camera(config, clock)
    end = CameraEnd(directory, clock)
    camera = _Camera(config, clock, end, open_camera)
    try:
        while not stopping():
            camera.turn()
    finally:
        camera.close()
        end.close()


class _Camera:
    """A camera that is open while it is watched."""

    def __init__(
        self,
        config: CameraConfig,
        clock: Clock,
        end: CameraEnd,
        open_camera: Callable[[CameraConfig, Clock], Source],
    ) -> None:
        self._config = config
        self._clock = clock
        self._end = end
        self._open = open_camera
        self._source: Source | None = None
        self._trouble = ""
        self._number = 0
        self._watched_s = self._told_s = self._retry_s = clock.now_s()

    def turn(self) -> None:
        """Take one picture and send it, or see for a moment whether anybody watches."""
        rungs = self._end.wanted(0.0 if self._source is not None else _IDLE_S)
        now_s = self._clock.now_s()
        if now_s - self._told_s >= _TELL_EVERY_S:
            self._tell(now_s)
        if rungs:
            self._watched_s = now_s
        elif self._source is not None and now_s - self._watched_s > _KEEP_OPEN_S:
            self.close()
            return
        if self._source is None:
            if rungs and now_s >= self._retry_s:
                self._start(now_s)
            return
        try:
            shot = self._source.take()
        except DeviceError as error:
            self._fail(error)
            return
        self._trouble = ""
        self._number += 1
        image = turned(shot.image, self._config)
        for rung in rungs:
            content, width_px, height_px = jpeg(image, rung, self._config)
            head = PictureHead(rung, self._number, shot.stamp_s, width_px, height_px)
            self._end.publish(head, content)

    def close(self) -> None:
        """Let go of the camera."""
        if self._source is not None:
            self._source.close()
            self._source = None

    def _start(self, now_s: float) -> None:
        self._retry_s = now_s + _TRY_AGAIN_S
        try:
            self._source = self._open(self._config, self._clock)
        except DeviceError as error:
            self._fail(error)

    def _fail(self, error: DeviceError) -> None:
        if str(error) != self._trouble:
            _log.warning("camera: %s", error)
        self._trouble = str(error)
        self.close()
        self._retry_s = self._clock.now_s() + _TRY_AGAIN_S
        self._tell(self._clock.now_s())

    def _tell(self, now_s: float) -> None:
        self._told_s = now_s
        self._end.publish(PictureHead(Rung.FULL, self._number, now_s, trouble=self._trouble))
