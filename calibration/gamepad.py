"""Which control of a pad sends what, found out by asking: a state machine, pure.

Events and the time go in; what to ask the person, and at the end what was found, come out. The
terminal and the page can share it. Nothing is written here, and leaving loses nothing.
"""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from calibration.axis_track import AxisTrack
from calibration.detector import STILL, Detector, Held
from calibration.questions import QUESTIONS, Kind, Question
from rover.config.input_codes import PressedWhen, axis_name, button_name
from rover.gamepad.codes import EV_ABS, EV_KEY, Control
from rover.gamepad.mapping import AxisRange, KeyButton, Served, StickAxis, TriggerAxis

# How long the pad has to lie still at the beginning.
REST_S = 1.5
# How long a control rests after it was let go of, before that counts.
SETTLE_S = 0.5
# Parts of an axis's range.
_LET_GO = 0.3
_WOKEN = 0.4
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
        self._restless: set[int] = set()
        self._found: dict[Control, Served] = {}
        self._detector = Detector(self._tracks, self._found)
        self._stage = Stage.WAKE
        self._since_s = now_s
        self._place = 0
        self._hint = ""
        self._held: Held | None = None
        self._first: Held | None = None
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
        return frozenset(self._restless)

    @property
    def untouched(self) -> bool:
        """Whether no button is down and every axis is where it rests, as far as is known."""
        near = all(_is_near(track, track.raw, track.raw) for track in self._tracks.values())
        return near and not self._down

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
            seen = self._detector.look(question, self._first, self._down, now_s)
            # What was said stays to be read after the hand has let go.
            self._hint = seen.hint or self._hint
            if seen.held is not None or seen.pressed is not None:
                self._held, self._pressed = seen.held, seen.pressed
                self._enter(Stage.LET_GO, now_s)

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
        self._detector.forget(control)

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
        for track in self._tracks.values():
            low, high = track.between(SETTLE_S, now_s)
            if track.steady(low, high, STILL) and _is_near(track, low, high):
                track.rests_between(low, high)
        self._enter(Stage.DONE if question is None else Stage.DO, now_s)

    # At rest

    def _measure_rest(self, now_s: float) -> None:
        if self._down:
            self._hint = f"{button_name(next(iter(self._down)))} is down: let go of it"
            self._since_s = now_s
        if now_s - self._since_s < REST_S:
            return
        for code, track in self._tracks.items():
            low, high = track.between(REST_S, now_s)
            if high - low > _RESTLESS * track.way:
                self._spoilt[code] = self._spoilt.get(code, 0) + 1
                if self._spoilt[code] > _PATIENCE:
                    self._restless.add(code)
                    del self._tracks[code]
                self._hint = f"{axis_name(code)} moved: do not touch the pad"
                self._since_s = now_s
                return
            track.measure_rest(low, high)
        self._ask(now_s)

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

    def _rests_again(self, question: Question, held: Held, now_s: float) -> bool:
        track = self._tracks[held.axis]
        low, high = track.between(SETTLE_S, now_s)
        if not track.steady(low, high, STILL):
            return False
        if _is_near(track, low, high):
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

    def _take_stick(self, question: Question, second: Held | None) -> None:
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


def _is_near(track: AxisTrack, low: int, high: int) -> bool:
    return abs((low + high) / 2 - track.rest) <= _NEAR * track.way
