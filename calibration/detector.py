"""What a person has just done with a pad: an axis held at its end, a button pressed. Pure."""

from collections.abc import Mapping
from math import ceil, floor

from msgspec import Struct

from calibration.axis_track import AxisTrack
from calibration.questions import Kind, Question
from rover.config.input_codes import PressedWhen, axis_name, button_name
from rover.gamepad.codes import Control
from rover.gamepad.mapping import KeyButton, Served, StickAxis, TriggerAxis

# How long a control is held before that counts.
HOLD_S = 0.35
# For so long an axis is given the chance to move with a button that was pressed.
_AXIS_GRACE_S = 0.6
_BUTTON_AXIS_S = 0.15
# Parts of the way from an axis's rest to its end. A push is never quite straight: the second
# furthest axis may go so far of what the furthest goes.
_MOVED = {Kind.STICK: 0.5, Kind.TRIGGER: 0.6, Kind.BUTTON: 0.7}
_SIDEWAYS = 0.65
# Parts of an axis's range: what still counts as one place, and what as moving.
STILL = 0.02
_MOVING = 0.125


class Held(Struct, frozen=True):
    """An axis that was moved, and the place it was held at."""

    axis: int
    end: int


class Seen(Struct, frozen=True):
    """What was done; ``hint`` says why it is not what was asked for."""

    held: Held | None = None
    pressed: KeyButton | PressedWhen | None = None
    hint: str = ""


_NOTHING = Seen()


class Detector:
    """Looks at the axes and buttons for what was asked for.

    ``tracks`` and ``found`` are the calibration's own, and change while it goes on.
    """

    def __init__(self, tracks: Mapping[int, AxisTrack], found: Mapping[Control, Served]) -> None:
        self._tracks = tracks
        self._found = found
        # Buttons that a trigger presses on its way.
        self._companions: dict[int, Control] = {}

    def forget(self, control: Control) -> None:
        """Forget what was pressed along with a control that is asked for anew."""
        kept = {key: owner for key, owner in self._companions.items() if owner is not control}
        self._companions = kept

    def look(
        self, question: Question, first: Held | None, down: Mapping[int, float], now_s: float
    ) -> Seen:
        """Return what has been done. ``first`` is the other end of the same stick.

        ``down`` are the buttons that are pressed, each with the time since when.
        """
        if question.kind is Kind.BUTTON:
            return self._button(down, now_s)
        reach = {code: track.reach(HOLD_S, now_s) for code, track in self._tracks.items()}
        if first is not None:
            reach = {first.axis: reach.get(first.axis, 0.0)}
        best, *others = sorted(reach, key=lambda code: -abs(reach[code])) or [-1]
        if best < 0 or abs(reach[best]) < _MOVED[question.kind]:
            is_trigger = question.kind is Kind.TRIGGER
            return self._trigger_button(down, now_s) if is_trigger else _NOTHING
        if others and abs(reach[others[0]]) > _SIDEWAYS * abs(reach[best]):
            names = f"{axis_name(best)} and {axis_name(others[0])}"
            return Seen(hint=f"{names} moved: push straight")
        low, high = self._tracks[best].between(HOLD_S, now_s)
        if not self._tracks[best].steady(low, high, STILL):
            return Seen(hint="hold it still at its end")
        # The nearer of the places: held at its end the control must count as fully there.
        held = Held(best, low if reach[best] > 0 else high)
        trouble = self._why_not(question, held, first)
        if trouble:
            return Seen(hint=trouble)
        if question.kind is Kind.TRIGGER:
            self._companions |= dict.fromkeys(down, question.control)
        return Seen(held)

    def _why_not(self, question: Question, held: Held, first: Held | None) -> str:
        """Say why this axis cannot be what is asked for, empty if it can."""
        axis, rest = held.axis, self._tracks[held.axis].rest
        above = held.end > rest
        if first is not None:
            same_end = above is (first.end > rest)
            return "that is the same end as before: now the other one" if same_end else ""
        for control, served in self._found.items():
            taken = isinstance(served, StickAxis) and served.code == axis
            if isinstance(served, TriggerAxis) and served.code == axis:
                # Two triggers may share an axis, each with a side of its own.
                same_side = (served.pulled > served.rest) is above
                taken = same_side or question.kind is Kind.STICK
            if taken:
                return f"{axis_name(axis)} is the {control} already"
        return ""

    def _trigger_button(self, down: Mapping[int, float], now_s: float) -> Seen:
        """Look for a trigger that is a mere button: none of the axes moves with it."""
        hint = ""
        for code, since_s in down.items():
            held_s = now_s - since_s
            if held_s < _AXIS_GRACE_S:
                continue
            if any(
                abs(raw - track.rest) > _MOVING * track.way + track.noise
                for track in self._tracks.values()
                for raw in track.between(held_s, now_s)
            ):
                return Seen(hint="pull it fully, and hold it still there")
            hint = self._taken(code)
            if not hint:
                return Seen(pressed=KeyButton(code))
        return Seen(hint=hint)

    def _button(self, down: Mapping[int, float], now_s: float) -> Seen:
        hint = ""
        for code in down:
            hint = self._taken(code)
            if not hint:
                return Seen(pressed=KeyButton(code))
        if down:
            return Seen(hint=hint)
        for code, track in self._tracks.items():
            reach = track.reach(_BUTTON_AXIS_S, now_s)
            if abs(reach) < _MOVED[Kind.BUTTON]:
                continue
            above = reach > 0
            owner = self._owner_of_axis(code, above=above)
            if owner:
                hint = f"{axis_name(code)} is the {owner} already: another, or skip it"
                continue
            # Beyond half the way; a hat has no half, and its rest is not pressed.
            half = (track.rest + track.raw) / 2
            pressed = PressedWhen(code, floor(half) if above else ceil(half), above)
            return Seen(Held(code, track.raw), pressed)
        return Seen(hint=hint)

    def _taken(self, code: int) -> str:
        """Say so if a button is another control already."""
        owner: str = self._companions.get(code, "")
        for control, served in self._found.items():
            if isinstance(served, KeyButton) and served.code == code:
                owner = control
        return f"{button_name(code)} is the {owner} already: another, or skip it" if owner else ""

    def _owner_of_axis(self, axis: int, *, above: bool) -> str:
        for control, served in self._found.items():
            match served:
                case StickAxis(code) | TriggerAxis(code):
                    taken = code == axis
                case PressedWhen():
                    taken = served.axis == axis and served.above is above
                case _:
                    taken = False
            if taken:
                return control
        return ""
