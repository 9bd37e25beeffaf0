"""Which control of a pad sends what, found out by asking: a state machine, pure.

Events and the time go in; what to ask the person, and at the end what was found, come out. The
terminal and the page can share it. Nothing is written here, and leaving loses nothing.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from math import ceil, floor

from msgspec import Struct

from calibration.axis_track import AxisTrack
from calibration.questions import QUESTIONS, Kind, Question
from rover.config.input_codes import PressedWhen, axis_name, button_name
from rover.gamepad.codes import EV_ABS, EV_KEY, Control
from rover.gamepad.mapping import AxisRange, KeyButton, Served, StickAxis, TriggerAxis

# How long the pad has to lie still at the beginning.
REST_S = 1.5
# How long a control is held, and how long it rests after it was let go of, before that counts.
HOLD_S = 0.35
SETTLE_S = 0.5
# For so long an axis is given the chance to move with a button that was pressed.
_AXIS_GRACE_S = 0.6
_BUTTON_AXIS_S = 0.15
# Parts of the way from an axis's rest to its end. A push is never quite straight: the second
# furthest axis may go so far of what the furthest goes.
_MOVED = {Kind.STICK: 0.5, Kind.TRIGGER: 0.6, Kind.BUTTON: 0.7}
_SIDEWAYS = 0.65
# Parts of an axis's range.
_LET_GO = 0.3
_WOKEN = 0.4
_STILL = 0.02
_NEAR = 0.13
_RESTLESS = 0.25
# An axis that has spoilt the beginning so often moves by itself.
_PATIENCE = 2


class Stage(StrEnum):
    """What is being waited for."""

    WAKE = "wake"
    REST = "rest"
    DO = "do"
    LET_GO = "let go"
    DONE = "done"


class View(Struct, frozen=True):
    """What to show. ``number`` of ``count`` questions; ``hint`` says why nothing happens yet."""

    stage: Stage
    text: str
    hint: str
    number: int
    count: int
    question: Question | None


class _Held(Struct, frozen=True):
    """An axis that was moved, and the place it was held at."""

    axis: int
    end: int


class GamepadCalibration:
    """One calibration of one pad, from its first question to its end.

    ``hear`` takes an event, ``step`` lets time pass and is to be called at least twenty times a
    second; ``view`` says what to show. ``raws`` is where the axes are. ``down`` are the buttons
    that are pressed already: a switch of a transmitter may be. They count once let go of.
    """

    def __init__(
        self,
        ranges: Mapping[int, AxisRange],
        raws: Mapping[int, int],
        down: frozenset[int],
        now_s: float,
        questions: tuple[Question, ...] = QUESTIONS,
    ) -> None:
        self._questions = questions
        self._tracks = {
            code: AxisTrack(told.minimum, told.maximum, raws[code], now_s)
            for code, told in ranges.items()
            if told.maximum > told.minimum and code in raws
        }
        self._stuck = set(down)
        self._down: dict[int, float] = {}
        self._spoilt: dict[int, int] = {}
        self._found: dict[Control, Served] = {}
        # Buttons that a trigger presses on its way.
        self._companions: dict[int, Control] = {}
        self._stage = Stage.WAKE
        self._since_s = now_s
        self._place = 0
        self._hint = ""
        self._held: _Held | None = None
        self._first: _Held | None = None
        self._pressed: KeyButton | PressedWhen | None = None

    @property
    def view(self) -> View:
        """What to show now."""
        question = self._question
        text = {
            Stage.WAKE: "Press a button of the pad, or move a stick",
            Stage.REST: "Lay the pad down and let go of everything",
            Stage.DO: question.text if question else "",
            Stage.LET_GO: "Let go of it",
            Stage.DONE: "That is all",
        }[self._stage]
        count = len(self._questions)
        return View(self._stage, text, self._hint, min(self._place + 1, count), count, question)

    @property
    def found(self) -> dict[Control, Served]:
        """What has been found so far."""
        return dict(self._found)

    @property
    def restless(self) -> frozenset[int]:
        """Axes that move by themselves and are left out."""
        return frozenset(code for code, times in self._spoilt.items() if times > _PATIENCE)

    @property
    def done(self) -> bool:
        """Whether every question has been answered or skipped."""
        return self._stage is Stage.DONE

    def hear(self, kind: int, code: int, value: int, now_s: float) -> None:
        """Take in one event: its type, code and value."""
        if kind == EV_ABS and code in self._tracks:
            track = self._tracks[code]
            track.hear(value, now_s)
            # A transmitter may have no button at all.
            if self._stage is Stage.WAKE and abs(value - track.rest) > _WOKEN * track.way:
                self._enter(Stage.REST, now_s)
        elif kind == EV_KEY and value == 1:
            if code not in self._stuck:
                self._down.setdefault(code, now_s)
        elif kind == EV_KEY and value == 0:
            self._stuck.discard(code)
            self._down.pop(code, None)
            if self._stage is Stage.WAKE:
                self._enter(Stage.REST, now_s)

    def step(self, now_s: float) -> None:
        """Let time pass."""
        question = self._question
        if self._stage is Stage.REST:
            self._measure_rest(now_s)
        elif self._stage is Stage.LET_GO and question is not None:
            self._wait_for_rest(question, now_s)
        elif self._stage is Stage.DO and question is not None:
            if question.kind is Kind.BUTTON:
                self._watch_button(now_s)
            else:
                self._watch_axis(question, now_s)

    def skip(self, now_s: float) -> None:
        """Leave out the control that is asked for.

        If it is the second end of a stick, that is taken to be like the first.
        """
        question = self._question
        if self._stage not in {Stage.DO, Stage.LET_GO} or question is None:
            return
        if question.second:
            self._take_stick(question, None)
        while self._question is not None and self._question.control is question.control:
            self._place += 1
        self._ask(now_s)

    def back(self, now_s: float) -> None:
        """Ask for this control anew if it was begun, else for the one before."""
        if self._stage not in {Stage.DO, Stage.LET_GO, Stage.DONE}:
            return
        begun = self._stage is Stage.LET_GO or self._first is not None
        if not begun and self._place > 0:
            self._place -= 1
        control = self._questions[min(self._place, len(self._questions) - 1)].control
        while self._place > 0 and self._questions[self._place - 1].control is control:
            self._place -= 1
        for question in self._questions[self._place :]:
            self._forget(question.control)
        self._ask(now_s)

    def _forget(self, control: Control) -> None:
        self._found.pop(control, None)
        kept = {key: owner for key, owner in self._companions.items() if owner is not control}
        self._companions = kept

    @property
    def _question(self) -> Question | None:
        return self._questions[self._place] if self._place < len(self._questions) else None

    def _enter(self, stage: Stage, now_s: float) -> None:
        self._stage, self._since_s, self._hint = stage, now_s, ""

    def _ask(self, now_s: float) -> None:
        """Ask the question of this place, or end."""
        question = self._question
        self._held = self._pressed = None
        if question is None or not question.second:
            self._first = None
        # What rests nearly where it did rests there: axes drift.
        for _, track in self._live():
            low, high = track.between(SETTLE_S, now_s)
            if track.steady(low, high, _STILL) and self._is_near(track, low, high):
                track.rests_between(low, high)
        self._enter(Stage.DONE if question is None else Stage.DO, now_s)

    @staticmethod
    def _is_near(track: AxisTrack, low: int, high: int) -> bool:
        return abs((low + high) / 2 - track.rest) <= _NEAR * track.way

    def _live(self) -> Iterator[tuple[int, AxisTrack]]:
        """Give the axes that do not move by themselves."""
        restless = self.restless
        return ((code, track) for code, track in self._tracks.items() if code not in restless)

    # At rest

    def _measure_rest(self, now_s: float) -> None:
        if self._down:
            self._hint = f"{button_name(next(iter(self._down)))} is down: let go of it"
            self._since_s = now_s
        if now_s - self._since_s < REST_S:
            return
        for code, track in self._live():
            low, high = track.between(REST_S, now_s)
            if high - low > _RESTLESS * track.way:
                self._spoilt[code] = self._spoilt.get(code, 0) + 1
                self._hint = f"{axis_name(code)} moved: do not touch the pad"
                self._since_s = now_s
                return
            track.measure_rest(low, high)
        self._ask(now_s)

    # What is done

    def _watch_axis(self, question: Question, now_s: float) -> None:
        reach = {code: track.reach(HOLD_S, now_s) for code, track in self._live()}
        if self._first is not None:
            reach = {self._first.axis: reach.get(self._first.axis, 0.0)}
        best, *others = sorted(reach, key=lambda code: -abs(reach[code])) or [-1]
        if best < 0 or abs(reach[best]) < _MOVED[question.kind]:
            if question.kind is Kind.TRIGGER:
                self._watch_trigger_button(now_s)
            return
        if others and abs(reach[others[0]]) > _SIDEWAYS * abs(reach[best]):
            self._hint = f"{axis_name(best)} and {axis_name(others[0])} moved: push straight"
            return
        low, high = self._tracks[best].between(HOLD_S, now_s)
        if not self._tracks[best].steady(low, high, _STILL):
            self._hint = "hold it still at its end"
            return
        # The nearer of the places: held at its end the control must count as fully there.
        held = _Held(best, low if reach[best] > 0 else high)
        self._hint = self._why_not(question, held)
        if self._hint:
            return
        if question.kind is Kind.TRIGGER:
            self._companions |= dict.fromkeys(self._down, question.control)
        self._held = held
        self._enter(Stage.LET_GO, now_s)

    def _why_not(self, question: Question, held: _Held) -> str:
        """Say why this axis cannot be what is asked for, empty if it can."""
        axis, rest = held.axis, self._tracks[held.axis].rest
        above = held.end > rest
        if question.second and self._first is not None:
            if above is (self._first.end > rest):
                return "that is the same end as before: now the other one"
            return ""
        for control, served in self._found.items():
            taken = isinstance(served, StickAxis) and served.code == axis
            if isinstance(served, TriggerAxis) and served.code == axis:
                # Two triggers may share an axis, each with a side of its own.
                same_side = (served.pulled > served.rest) is above
                taken = same_side or question.kind is Kind.STICK
            if taken:
                return f"{axis_name(axis)} is the {control} already"
        return ""

    def _watch_trigger_button(self, now_s: float) -> None:
        """Look for a trigger that is a mere button: none of the axes moves with it."""
        for code, since_s in self._down.items():
            held_s = now_s - since_s
            if held_s < _AXIS_GRACE_S:
                continue
            if any(
                abs(raw - track.rest) > _RESTLESS / 2 * track.way + track.noise
                for _, track in self._live()
                for raw in track.between(held_s, now_s)
            ):
                self._hint = "pull it fully, and hold it still there"
            elif not self._is_taken(code):
                self._pressed = KeyButton(code)
                self._enter(Stage.LET_GO, now_s)
                return

    def _watch_button(self, now_s: float) -> None:
        for code in self._down:
            if not self._is_taken(code):
                self._pressed = KeyButton(code)
                self._enter(Stage.LET_GO, now_s)
                return
        if self._down:
            return
        for code, track in self._live():
            reach = track.reach(_BUTTON_AXIS_S, now_s)
            if abs(reach) < _MOVED[Kind.BUTTON]:
                continue
            above = reach > 0
            owner = self._owner_of_axis(code, above=above)
            if owner:
                self._hint = f"{axis_name(code)} is the {owner} already: another, or skip it"
                continue
            # Beyond half the way; a hat has no half, and its rest is not pressed.
            half = (track.rest + track.raw) / 2
            self._pressed = PressedWhen(code, floor(half) if above else ceil(half), above)
            self._held = _Held(code, track.raw)
            self._enter(Stage.LET_GO, now_s)
            return

    def _is_taken(self, code: int) -> bool:
        """Tell whether a button is another control already, and say so."""
        owner: str = self._companions.get(code, "")
        for control, served in self._found.items():
            if isinstance(served, KeyButton) and served.code == code:
                owner = control
        if owner:
            self._hint = f"{button_name(code)} is the {owner} already: another, or skip it"
        return bool(owner)

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

    # Let go of again

    def _wait_for_rest(self, question: Question, now_s: float) -> None:
        if self._down:
            self._since_s = now_s
            return
        held = self._held
        if held is not None:
            if now_s - self._since_s < SETTLE_S or not self._rests_again(question, held, now_s):
                return
            track = self._tracks[held.axis]
            if question.kind is Kind.TRIGGER:
                rest = min(track.maximum, max(track.minimum, round(track.centre)))
                deadband = round(track.deadband, 2)
                served = TriggerAxis(held.axis, rest, held.end, deadband)
                self._found[question.control] = served
            elif question.second:
                self._take_stick(question, held)
            elif question.kind is Kind.STICK:
                self._first = held
        if self._pressed is not None:
            self._found[question.control] = self._pressed
        self._place += 1
        self._ask(now_s)

    def _rests_again(self, question: Question, held: _Held, now_s: float) -> bool:
        track = self._tracks[held.axis]
        low, high = track.between(SETTLE_S, now_s)
        if not track.steady(low, high, _STILL):
            return False
        if self._is_near(track, low, high):
            track.rests_between(low, high)
            return True
        # A trigger may not have told where it rests before it was pulled for the first time.
        middle = (low + high) / 2
        natural = (track.minimum, track.maximum, (track.minimum + track.maximum) / 2)
        if (
            question.kind is Kind.TRIGGER
            and abs(middle - held.end) > _LET_GO * track.way
            and any(abs(middle - place) <= _NEAR * track.way for place in natural)
        ):
            track.measure_rest(low, high)
            return True
        self._hint = "let go of it altogether"
        return False

    def _take_stick(self, question: Question, second: _Held | None) -> None:
        if self._first is None:
            return
        axis, first_end = self._first.axis, self._first.end
        track = self._tracks[axis]
        mirrored = 2 * track.centre - first_end
        end = second.end if second else round(min(track.maximum, max(track.minimum, mirrored)))
        self._found[question.control] = StickAxis(
            axis,
            min(first_end, end),
            round(track.centre, 2),
            max(first_end, end),
            # The first end, left or forward, is the negative one by the kernel's convention.
            inverted=first_end > track.centre,
            deadband=round(track.deadband, 2),
        )
