"""What a person is shown of a step of the calibration, in a terminal and on a page alike."""

from enum import StrEnum

from msgspec import Struct


class Choice(Struct, frozen=True):
    """Something that can be said now: ``key`` says it, ``label`` is for people.

    ``wheel`` is the wheel that it means, empty if it is none; a page draws it there.
    """

    key: str
    label: str
    wheel: str = ""


class Asked(Struct, frozen=True):
    """A number that is asked for, from ``least`` to ``most`` in ``unit``."""

    label: str
    unit: str
    least: float
    most: float


class Row(Struct, frozen=True):
    """Something that has been found: of what, what, and whether it changes the configuration."""

    name: str
    value: str
    changes: bool = False


class WheelMark(Struct, frozen=True):
    """A wheel in the drawing: where it is (x forward, y left), and what is to be seen there.

    ``steer_rad`` is where it is told to point; ``moves`` while it turns or is steered, ``known``
    once it has been found out about.
    """

    name: str
    x_m: float
    y_m: float
    steer_rad: float = 0.0
    moves: bool = False
    known: bool = False


class StepView(Struct, frozen=True):
    """All that a person is shown of a step at one moment.

    ``text`` says what to do, ``remark`` what else is to be said, empty if nothing. ``hold`` says
    what moves while the person holds it, empty while nothing can. ``number`` of ``count`` tells
    how far it has come.
    """

    title: str
    text: str
    remark: str = ""
    number: int = 0
    count: int = 0
    choices: tuple[Choice, ...] = ()
    asked: Asked | None = None
    hold: str = ""
    wheels: tuple[WheelMark, ...] = ()
    found: tuple[Row, ...] = ()


class Outcome(StrEnum):
    """How a step ends."""

    WRITE = "write"
    LEAVE = "leave"
