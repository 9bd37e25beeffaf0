"""The sizes in which pictures are sent. Pure.

Smaller before poorer: a phone shows a small picture large, and text in it stays readable longer
than in a coarse JPEG.
"""

from msgspec import Struct

from rover.camera_messages import Rung
from rover.config import CameraConfig

_PHOTO_QUALITY = 92
# Part of the whole, and what is taken off the quality.
_STEPS = {Rung.PHOTO: (1, 0), Rung.FULL: (1, 0), Rung.HALF: (2, 5), Rung.THIRD: (3, 15)}
_LEAST_QUALITY = 25


class Size(Struct, frozen=True):
    """A picture's size in pixels and the JPEG's quality, 1 to 95."""

    width_px: int
    height_px: int
    quality: int


def size_of(rung: Rung, width_px: int, height_px: int, config: CameraConfig) -> Size:
    """Return how a picture of ``width_px`` by ``height_px`` is sent on ``rung``."""
    part, off = _STEPS[rung]
    quality = max(_LEAST_QUALITY, config.quality - off)
    if rung is Rung.PHOTO:
        quality = _PHOTO_QUALITY
    return Size(max(1, width_px // part), max(1, height_px // part), quality)
