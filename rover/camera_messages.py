"""What the camera and who watches it say to each other."""

from enum import StrEnum

from msgspec import Struct


class Rung(StrEnum):
    """How large a picture is, from the whole of it down; PHOTO is one to keep."""

    PHOTO = "photo"
    FULL = "full"
    HALF = "half"
    THIRD = "third"


class PictureHead(Struct, frozen=True):
    """What a picture is. ``stamp_s`` is when it was taken; ``number`` counts all pictures.

    Without a picture behind it, it tells that the camera is there, and in ``trouble`` what is
    wrong with it, empty if nothing.
    """

    rung: Rung
    number: int
    stamp_s: float
    width_px: int = 0
    height_px: int = 0
    trouble: str = ""


class Wanted(Struct, frozen=True):
    """Which pictures somebody watches; to be said again at least twice a second."""

    rungs: tuple[Rung, ...]
