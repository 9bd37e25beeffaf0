"""The section of the camera."""

from typing import Annotated, Literal

from msgspec import Meta

from rover.config.base import DevicePath, Section

# What a JPEG of a moving picture is worth: below, it is mush; above, only larger.
Quality = Annotated[int, Meta(ge=20, le=95)]


class CameraConfig(Section, frozen=True):
    """Where pictures come from, and how large and many they may be at most.

    ``source``: "none"; "synthetic", a drawn one; "v4l2", a USB camera by OpenCV, at ``device``;
    "picamera2", a camera on the Pi's own connector. ``turned_deg`` turns the picture clockwise,
    for a camera that is mounted otherwise. Smaller and fewer pictures are sent where the link
    does not carry these.
    """

    source: Literal["none", "synthetic", "v4l2", "picamera2"] = "none"
    device: DevicePath = "/dev/video0"
    width_px: Annotated[int, Meta(ge=160, le=1920)] = 640
    height_px: Annotated[int, Meta(ge=120, le=1080)] = 480
    pictures_hz: Annotated[int, Meta(ge=1, le=30)] = 15
    quality: Quality = 70
    turned_deg: Literal[0, 90, 180, 270] = 0
