"""A pad drawn in letters, with everything on it where a hand holds it. Pure."""

from collections.abc import Collection, Mapping

from msgspec import Struct
from rich.text import Text

from rover.config.input_codes import PressedWhen
from rover.gamepad.codes import Control
from rover.gamepad.mapping import KeyButton, PadMapping, StickAxis, TriggerAxis

_PRESSED = 0.5
_LIT = "bold black on green"
_UNKNOWN = "dim"
_WIDTH, _HEIGHT = 56, 15


class _Spot(Struct, frozen=True):
    """Where a button stands, and what is written on it."""

    row: int
    column: int
    label: str


_BUTTONS = {
    Control.LEFT_SHOULDER: _Spot(1, 4, "[  L1  ]"),
    Control.RIGHT_SHOULDER: _Spot(1, 44, "[  R1  ]"),
    Control.SELECT: _Spot(4, 21, "Select"),
    Control.START: _Spot(4, 29, "Start"),
    Control.GUIDE: _Spot(6, 26, "(o)"),
    Control.NORTH: _Spot(4, 46, "(N)"),
    Control.WEST: _Spot(6, 42, "(W)"),
    Control.EAST: _Spot(6, 50, "(E)"),
    Control.SOUTH: _Spot(8, 46, "(S)"),
    Control.D_PAD_UP: _Spot(9, 13, "[^]"),
    Control.D_PAD_LEFT: _Spot(10, 9, "[<]"),
    Control.D_PAD_RIGHT: _Spot(10, 17, "[>]"),
    Control.D_PAD_DOWN: _Spot(11, 13, "[v]"),
    Control.LEFT_STICK_PRESS: _Spot(8, 5, "press"),
    Control.RIGHT_STICK_PRESS: _Spot(13, 34, "press"),
}
# Across, down, press; the middle of the field in which the stick moves.
_STICKS = (
    (Control.LEFT_STICK_X, Control.LEFT_STICK_Y, 5, 7),
    (Control.RIGHT_STICK_X, Control.RIGHT_STICK_Y, 10, 36),
)
_REACH_ROWS, _REACH_COLUMNS = 2, 5
_TRIGGERS = ((Control.LEFT_TRIGGER, "L2", 1), (Control.RIGHT_TRIGGER, "R2", 41))
_BAR = 8


def places(
    mapping: PadMapping, down: Collection[int], raws: Mapping[int, int]
) -> dict[Control, float]:
    """Return where each control is: sticks -1 to 1 (left and up negative), the rest 0 to 1."""
    found: dict[Control, float] = {}
    for control, served in mapping.controls.items():
        match served:
            case StickAxis(code) | TriggerAxis(code):
                found[control] = served.position(raws[code]) if code in raws else 0.0
            case PressedWhen(axis):
                found[control] = float(axis in raws and served.holds(raws[axis]))
            case KeyButton(code):
                found[control] = float(code in down)
    return found


def picture(where: Mapping[Control, float]) -> Text:
    """Draw the pad; what it does not have, or nobody has found yet, is dim."""
    canvas = _Canvas()
    canvas.box()
    for control, spot in _BUTTONS.items():
        canvas.put(spot.row, spot.column, spot.label, _button_style(control, where))
    for control, label, column in _TRIGGERS:
        filled = round(where.get(control, 0.0) * _BAR)
        style = "green" if filled else _button_style(control, where)
        canvas.put(0, column, f"{label} [{'#' * filled:.<{_BAR}}]", style)
    for across, down, row, column in _STICKS:
        known = across in where or down in where
        style = "" if known else _UNKNOWN
        for edge in (-_REACH_ROWS, _REACH_ROWS):
            canvas.put(row + edge, column - 2, ". . .", style)
        for edge in (-_REACH_COLUMNS, _REACH_COLUMNS):
            canvas.put(row, column + edge, ".", style)
        x, y = where.get(across, 0.0), where.get(down, 0.0)
        moved = bool(x or y)
        canvas.put(
            row + round(y * _REACH_ROWS),
            column + round(x * _REACH_COLUMNS),
            "@" if moved else "o",
            _LIT if moved else style,
        )
    return canvas.text()


def _button_style(control: Control, where: Mapping[Control, float]) -> str:
    if control not in where:
        return _UNKNOWN
    return _LIT if where[control] >= _PRESSED else ""


class _Canvas:
    def __init__(self) -> None:
        self._letters = [[(" ", "")] * _WIDTH for _ in range(_HEIGHT)]

    def box(self) -> None:
        """Draw the pad's body."""
        edge = "+" + "-" * (_WIDTH - 2) + "+"
        self.put(2, 0, edge, "")
        self.put(_HEIGHT - 1, 0, edge, "")
        for row in range(3, _HEIGHT - 1):
            self.put(row, 0, "|", "")
            self.put(row, _WIDTH - 1, "|", "")

    def put(self, row: int, column: int, letters: str, style: str) -> None:
        for place, letter in enumerate(letters):
            self._letters[row][column + place] = (letter, style)

    def text(self) -> Text:
        drawn = Text(no_wrap=True)
        for row in self._letters:
            for letter, style in row:
                drawn.append(letter, style)
            drawn.append("\n")
        return drawn
