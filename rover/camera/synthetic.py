"""A camera that is drawn: a Martian evening with the time in it, for simulated rovers and tests.

The time stands in the picture as a row of black and white cells, so that who sees the picture can
tell how old it is: from the drawing to the eye.
"""

import math

from PIL import Image, ImageDraw

from rover.camera.source import Shot
from rover.clock import Clock
from rover.config import CameraConfig

# Bits of the time in milliseconds, the highest first, after a white and a black cell to go by.
TIME_BITS = 32
_MARKS = (1, 0)
CELLS = TIME_BITS + len(_MARKS)
# Part of the height that the cells take, at the lower edge: the page writes at the upper one.
CELL_PART = 20

_SKY, _GROUND, _SUN, _ROCK = (214, 160, 118), (140, 70, 40), (245, 238, 225), (92, 44, 28)
_INK, _PAPER = (12, 10, 8), (250, 246, 240)
_ROCKS = ((0.08, 0.62, 0.05), (0.30, 0.74, 0.09), (0.55, 0.66, 0.04), (0.72, 0.82, 0.12))
_DRIFT_HZ = 0.05


class SyntheticCamera:
    """Draws ``pictures_hz`` pictures a second."""

    def __init__(self, config: CameraConfig, clock: Clock) -> None:
        self._size = (config.width_px, config.height_px)
        self._period_s = 1.0 / config.pictures_hz
        self._clock = clock
        self._due_s = clock.now_s()
        self._ground = self._drawn_ground()

    def take(self) -> Shot:
        """Wait until the next picture is due, and draw it."""
        now_s = self._clock.now_s()
        # One that was late is not made up for.
        self._due_s = max(self._due_s + self._period_s, now_s)
        self._clock.sleep_s(self._due_s - now_s)
        stamp_s = self._clock.now_s()
        return Shot(self._drawn(stamp_s), stamp_s)

    def close(self) -> None:
        """There is nothing to let go of."""

    def _drawn_ground(self) -> Image.Image:
        width, height = self._size
        image = Image.new("RGB", self._size, _SKY)
        draw = ImageDraw.Draw(image)
        horizon = int(height * 0.55)
        draw.ellipse(_circle(width * 0.78, height * 0.2, height * 0.07), fill=_SUN)
        draw.rectangle((0, horizon, width, height), fill=_GROUND)
        for x, y, size in _ROCKS:
            draw.ellipse(_circle(x * width, y * height, size * height), fill=_ROCK)
        return image

    def _drawn(self, stamp_s: float) -> Image.Image:
        width, height = self._size
        image = self._ground.copy()
        draw = ImageDraw.Draw(image)
        # Something that moves, so that people see that it lives.
        x = width * (0.5 + 0.4 * math.sin(math.tau * _DRIFT_HZ * stamp_s))
        draw.ellipse(_circle(x, height * 0.3, height * 0.04), fill=_PAPER)
        tall = height // CELL_PART
        for number, cell in enumerate(time_cells(stamp_s)):
            left, right = number * width // CELLS, (number + 1) * width // CELLS
            box = (left, height - tall, right - 1, height - 1)
            draw.rectangle(box, fill=_PAPER if cell else _INK)
        return image


def time_cells(stamp_s: float) -> tuple[int, ...]:
    """Return the cells, 1 for a white one, that tell ``stamp_s`` to a millisecond."""
    ms = int(stamp_s * 1000.0) % (1 << TIME_BITS)
    return (*_MARKS, *((ms >> bit) & 1 for bit in reversed(range(TIME_BITS))))


def _circle(x: float, y: float, radius: float) -> tuple[float, float, float, float]:
    return (x - radius, y - radius, x + radius, y + radius)
