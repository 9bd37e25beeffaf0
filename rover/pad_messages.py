"""What is said about gamepads that control lends: asked for by a client, answered by control."""

from msgspec import Struct

from rover.config import PadConfig


class LearnedPad(Struct, frozen=True):
    """What a calibration found out: the pad's table in ``gamepad.pads``, and what is in it."""

    key: str
    pad: PadConfig


class PadAsk(Struct, frozen=True):
    """``who`` asks for the gamepads, or goes on having them; ``done`` gives them back.

    With what was learned control drives at once, until it ends; keeping it is the asker's part.
    """

    who: str
    done: bool = False
    learned: LearnedPad | None = None


class LentAxis(Struct, frozen=True):
    """An axis as its driver tells it, and where it is now, in raw units."""

    code: int
    minimum: int
    maximum: int
    flat: int
    raw: int


class LentPad(Struct, frozen=True):
    """One device that may be a pad, as it is now. ``down`` are the keys that are pressed.

    The numbers from ``bus`` to ``version`` are the kernel's; ``path`` tells one from another.
    """

    path: str
    bus: int
    vendor: int
    product: int
    version: int
    name: str
    uniq: str
    keys: tuple[int, ...]
    axes: tuple[LentAxis, ...]
    down: tuple[int, ...]


class LentEvent(Struct, frozen=True):
    """What a pad sent: type, code and value as in linux/input.h."""

    path: str
    kind: int
    code: int
    value: int


class PadLoan(Struct, frozen=True):
    """Control's answer: every pad there is, and what they sent since the last one.

    ``refusal`` is why they are not lent, empty if they are; ``troubles`` say which pads cannot be
    had and why.
    """

    refusal: str = ""
    pads: tuple[LentPad, ...] = ()
    events: tuple[LentEvent, ...] = ()
    troubles: tuple[str, ...] = ()
