"""Pictures as JPEG, turned and made smaller. Pure."""

from io import BytesIO
from typing import TYPE_CHECKING

from PIL.Image import Resampling, Transpose

from rover.camera.ladder import size_of
from rover.camera_messages import Rung
from rover.config import CameraConfig

if TYPE_CHECKING:
    from PIL.Image import Image

# The library turns counter-clockwise.
_TURNS = {90: Transpose.ROTATE_270, 180: Transpose.ROTATE_180, 270: Transpose.ROTATE_90}


def turned(image: "Image", config: CameraConfig) -> "Image":
    """Return the picture as it is upright."""
    turn = _TURNS.get(config.turned_deg)
    return image if turn is None else image.transpose(turn)


def jpeg(image: "Image", rung: Rung, config: CameraConfig) -> tuple[bytes, int, int]:
    """Return the picture for ``rung`` as JPEG, its width and its height in pixels."""
    size = size_of(rung, image.width, image.height, config)
    if (size.width_px, size.height_px) != image.size:
        image = image.resize((size.width_px, size.height_px), Resampling.BOX)
    packed = BytesIO()
    image.save(packed, "JPEG", quality=size.quality)
    return packed.getvalue(), size.width_px, size.height_px
