"""What a person is asked to do with a pad, one control after the other."""

from enum import StrEnum

from msgspec import Struct

from rover.gamepad.codes import Control


class Kind(StrEnum):
    """What sort of control is asked for."""

    STICK = "stick"
    TRIGGER = "trigger"
    BUTTON = "button"


class Question(Struct, frozen=True):
    """One thing to do. A stick is asked for twice: ``second`` is its other end."""

    control: Control
    kind: Kind
    text: str
    second: bool = False


def _stick(control: Control, first: str, second: str) -> tuple[Question, Question]:
    stick = control.value.rsplit(" ", 1)[0]
    return (
        Question(control, Kind.STICK, f"Push the {stick} fully {first} and hold it there"),
        Question(control, Kind.STICK, f"Now the {stick} fully {second} and hold it there", True),
    )


def _button(control: Control, text: str) -> Question:
    return Question(control, Kind.BUTTON, text)


_FORWARD, _BACK = "forward, away from you,", "back, towards you,"
# The ends that are negative by the kernel's convention come first: left, and forward, which is
# the kernel's up.
QUESTIONS: tuple[Question, ...] = (
    *_stick(Control.LEFT_STICK_Y, _FORWARD, _BACK),
    *_stick(Control.LEFT_STICK_X, "to the left", "to the right"),
    *_stick(Control.RIGHT_STICK_Y, _FORWARD, _BACK),
    *_stick(Control.RIGHT_STICK_X, "to the left", "to the right"),
    Question(
        Control.RIGHT_TRIGGER, Kind.TRIGGER, "Pull the right trigger (R2) fully and hold it there"
    ),
    Question(
        Control.LEFT_TRIGGER, Kind.TRIGGER, "Pull the left trigger (L2) fully and hold it there"
    ),
    _button(Control.RIGHT_SHOULDER, "Press the right shoulder button (R1)"),
    _button(Control.LEFT_SHOULDER, "Press the left shoulder button (L1)"),
    _button(Control.SOUTH, "Press the lowest of the four face buttons"),
    _button(Control.EAST, "Press the rightmost of the four face buttons"),
    _button(Control.WEST, "Press the leftmost of the four face buttons"),
    _button(Control.NORTH, "Press the uppermost of the four face buttons"),
    _button(Control.D_PAD_UP, "Press the d-pad up"),
    _button(Control.D_PAD_DOWN, "Press the d-pad down"),
    _button(Control.D_PAD_LEFT, "Press the d-pad to the left"),
    _button(Control.D_PAD_RIGHT, "Press the d-pad to the right"),
    _button(Control.START, "Press Start (Menu, Options, +)"),
    _button(Control.SELECT, "Press Select (View, Share, Create, -)"),
    _button(Control.LEFT_STICK_PRESS, "Press the left stick down"),
    _button(Control.RIGHT_STICK_PRESS, "Press the right stick down"),
)
