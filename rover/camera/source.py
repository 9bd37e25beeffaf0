"""What the camera process needs of a camera."""

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from PIL.Image import Image


class Shot(Struct, frozen=True):
    """One picture, and when it was taken."""

    image: "Image"
    stamp_s: float


class Source(Protocol):
    """An open camera."""

    def take(self) -> Shot:
        """Wait for the next picture and return it. Raises DeviceError if none comes."""
        ...

    def close(self) -> None:
        """Let go of the camera."""
        ...
