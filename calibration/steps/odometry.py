"""Wheel radius and track: a straight line and a spin, driven by a person and measured on the floor.

Nothing is driven from here: whoever calibrates drives with the gamepad or the page as always, and
says when the rover stands. Between the two the conversation may be left and taken up again.
"""

import math
from enum import StrEnum
from statistics import fmean

import msgspec
from msgspec import Struct

from calibration.steps.drawing import wheel_marks
from calibration.steps.measuring import (
    larger_wheels,
    may_be,
    rolled_m,
    why_not_straight,
    width_for,
    yaw_rad,
)
from calibration.steps.places import MISSED, Places, seen_places, stands
from calibration.steps.step import AGAIN, LEAVE, WRITE, Changes, Value
from calibration.steps.still import StillStep
from calibration.steps.view import Asked, Choice, Outcome, Row, StepView
from rover.config import Config
from rover.config.toml_lines import KeyPath
from rover.messages import Telemetry

# A tape is read to 5 mm: over 2 m that is a quarter of a per cent.
LEAST_M = 2.0
LEAST_TURNS = 2.0

_LINE = Choice("s", "Measure a straight line: the wheels' radius")
_SPIN = Choice("t", "Measure turns on the spot: the track")
_HERE = Choice("enter", "It stands at the start")
_THERE = Choice("enter", "It stands at the end")
_BACK = Choice("b", "Back, forget this run")


class _Stage(StrEnum):
    CHOOSE = "choose"
    LINE_START = "line start"
    LINE_RUN = "line run"
    LINE_LENGTH = "line length"
    SPIN_START = "spin start"
    SPIN_RUN = "spin run"
    SPIN_TURNS = "spin turns"


class Run(Struct, frozen=True):
    """How far each wheel turned on a run, and what was measured: metres, or turns on the spot."""

    turned_rad: tuple[float, ...]
    measured: float


class _Draft(Struct, frozen=True):
    names: tuple[str, ...]
    stage: _Stage
    start: Places
    lines: tuple[Run, ...]
    spins: tuple[Run, ...]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Draft).decode
_RUNNING = frozenset({_Stage.LINE_RUN, _Stage.SPIN_RUN})


class OdometryStep(StillStep):
    """The step; ``draft`` is what an earlier one had measured, b"" for nothing."""

    def __init__(self, config: Config, draft: bytes = b"") -> None:
        super().__init__()
        self._config = config
        self._stage = _Stage.CHOOSE
        self._lines: list[Run] = []
        self._spins: list[Run] = []
        self._places: Places | None = None
        self._stands = False
        self._start = Places((), ())
        self._turned: tuple[float, ...] = ()
        # What the runs come to: each wheel's radius, and the track, as parts of the configured.
        self._radii: list[float] = []
        self._widths: list[float] = []
        self._restore(draft)

    def see(self, telemetry: Telemetry) -> None:
        """Take in what the rover tells of itself."""
        self._places = seen_places(telemetry.wheels)
        self._stands = stands(telemetry.wheels)

    def press(self, key: str, now_s: float) -> None:
        """Take in one of the choices; another key changes nothing."""
        if key not in {choice.key for choice in self._choices()}:
            return
        self._remark = ""
        if key == LEAVE.key:
            self.outcome = Outcome.LEAVE
        elif key == _BACK.key:
            self._stage = _Stage.CHOOSE
        elif self._stage is _Stage.CHOOSE:
            self._choose(key)
        else:
            self._mark()

    def enter(self, value: float, now_s: float) -> None:
        """Take in the length of the line, or the number of turns."""
        asked = self._asked()
        if asked is None or not asked.least <= value <= asked.most:
            return
        self._remark = ""
        if self._stage is _Stage.LINE_LENGTH:
            self._add_line(value)
        else:
            self._add_spin(value)

    def view(self) -> StepView:
        """Return what to show now."""
        return StepView(
            title="Odometry",
            text=self._text(),
            remark=self._remark,
            choices=self._choices(),
            asked=self._asked(),
            wheels=wheel_marks(self._config),
            found=self._rows(),
        )

    def changes(self) -> Changes:
        """Return every wheel's radius and place, as far as they have been measured."""
        changed: dict[KeyPath, Value] = {}
        for name, wheel in self._config.wheels.items():
            if self._lines:
                changed["wheels", name, "radius_m"] = round(wheel.radius_m * fmean(self._radii), 5)
            if self._spins:
                changed["wheels", name, "y_m"] = round(wheel.y_m * fmean(self._widths), 5)
        return changed

    def draft(self) -> bytes:
        """Return what has been measured so far, and a run that is under way."""
        if not (self._lines or self._spins or self._stage in _RUNNING):
            return b""
        stage = self._stage if self._stage in _RUNNING else _Stage.CHOOSE
        names = tuple(self._config.wheels)
        return _encode(_Draft(names, stage, self._start, tuple(self._lines), tuple(self._spins)))

    def _restore(self, draft: bytes) -> None:
        if not draft:
            return
        try:
            kept = _decode(draft)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
        if not _fits(kept, tuple(self._config.wheels)):
            return
        self._reckon(list(kept.lines), list(kept.spins))
        # Files are edited and spoilt: no such run could have been taken here.
        if not all(map(may_be, (*self._radii, *self._widths))):
            self._reckon([], [])
            return
        self._stage, self._start = kept.stage, kept.start
        self._remark = "Goes on where it was left."

    def _reckon(self, lines: list[Run], spins: list[Run]) -> None:
        """Take these runs for all there are, and work out what they come to.

        The track is reckoned with wheels as large as the lines have them.
        """
        self._lines, self._spins = lines, spins
        self._radii = [_radius(self._config, run) for run in lines]
        larger = self._larger()
        self._widths = [width_for(larger, run.turned_rad, run.measured) for run in spins]

    def _larger(self) -> Config:
        """Return the rover on wheels as large as the lines have them."""
        return larger_wheels(self._config, fmean(self._radii) if self._radii else 1.0)

    def _choose(self, key: str) -> None:
        if key == WRITE.key:
            self.outcome = Outcome.WRITE
        elif key == AGAIN.key:
            self._reckon([], [])
        else:
            self._stage = _Stage.LINE_START if key == _LINE.key else _Stage.SPIN_START

    def _mark(self) -> None:
        """Take where the wheels are now for the start or the end of a run."""
        if self._places is None:
            self._remark = "The rover does not tell where its wheels are: is control running?"
            return
        if not self._stands:
            self._remark = "It still rolls: wait until it stands."
            return
        if self._stage in {_Stage.LINE_START, _Stage.SPIN_START}:
            self._start = self._places
            line = self._stage is _Stage.LINE_START
            self._stage = _Stage.LINE_RUN if line else _Stage.SPIN_RUN
            return
        if not self._start.same_count(self._places):
            self._stage = _Stage.CHOOSE
            self._remark = MISSED
            return
        self._turned = self._so_far()
        self._remark = self._why_not()
        if not self._remark:
            line = self._stage is _Stage.LINE_RUN
            self._stage = _Stage.LINE_LENGTH if line else _Stage.SPIN_TURNS

    def _so_far(self) -> tuple[float, ...]:
        if self._places is None:
            return (0.0,) * len(self._config.wheels)
        return self._start.turned_rad(self._places)

    def _why_not(self) -> str:
        """Say why the run that has just ended measures nothing, empty if it does."""
        if self._stage is _Stage.LINE_RUN:
            way_m = abs(rolled_m(self._config, self._turned))
            if way_m < LEAST_M:
                return f"{way_m:.2f} m is too short to measure by: drive {LEAST_M:g} m at least."
            trouble = why_not_straight(self._config, self._turned)
            return f"No straight line: {trouble}. Go back to the start." if trouble else ""
        turns = abs(yaw_rad(self._config, self._turned)) / math.tau
        if turns < LEAST_TURNS * 0.9:
            return f"{turns:.1f} turns are too few: {LEAST_TURNS:g} at least, the more the better."
        return ""

    def _add_line(self, measured_m: float) -> None:
        run = Run(self._turned, measured_m)
        if not may_be(_radius(self._config, run)):
            self._remark = (
                f"By its wheels it rolled {abs(rolled_m(self._config, self._turned)):.2f} m: "
                f"{measured_m:g} m is too far from that. Measure from where a wheel stood to where "
                "the same wheel stands."
            )
            return
        self._reckon([*self._lines, run], self._spins)
        self._stage = _Stage.CHOOSE

    def _add_spin(self, turns: float) -> None:
        larger = self._larger()
        if not may_be(width_for(larger, self._turned, turns)):
            seen = abs(yaw_rad(larger, self._turned)) / math.tau
            self._remark = f"By its wheels it turned {seen:.1f} times: {turns:g} cannot be."
            return
        self._reckon(self._lines, [*self._spins, Run(self._turned, turns)])
        self._stage = _Stage.CHOOSE

    def _rows(self) -> tuple[Row, ...]:
        found = (("wheel radius", self._radii), ("track", self._widths))
        return tuple(Row(name, _spread(parts), changes=True) for name, parts in found if parts)

    def _asked(self) -> Asked | None:
        if self._stage is _Stage.LINE_LENGTH:
            return Asked("How far did it go?", "m", 0.5, 100.0)
        if self._stage is _Stage.SPIN_TURNS:
            return Asked("How many whole turns?", "turns", 1.0, 100.0)
        return None

    def _text(self) -> str:
        match self._stage:
            case _Stage.CHOOSE if self._lines or self._spins:
                return "Measure once more, backwards or the other way round too, or write it?"
            case _Stage.CHOOSE:
                return (
                    "You drive, with the gamepad or the page, and measure on the floor: first a "
                    "straight line, then turns on the spot. Calibrate motors and steering before."
                )
            case _Stage.LINE_START:
                return (
                    "Put the rover where it has room to drive straight for three metres or more, "
                    "and mark the floor under the middle of one wheel."
                )
            case _Stage.LINE_RUN:
                way_m = rolled_m(self._config, self._so_far())
                return (
                    "Arm it, drive straight, slowly, and let it stand. By its wheels it has gone "
                    f"{way_m:.2f} m. This may be left meanwhile: it goes on from here."
                )
            case _Stage.LINE_LENGTH:
                return "Measure from the mark to the middle of the same wheel."
            case _Stage.SPIN_START:
                return "Mark on the floor which way the rover points: with a tape along one side."
            case _Stage.SPIN_RUN:
                turns = yaw_rad(self._config, self._so_far()) / math.tau
                return (
                    "Arm it, turn on the spot for some whole turns, and stop when it points along "
                    f"the tape again. By its wheels it has turned {turns:.2f} times. This may be "
                    "left meanwhile: it goes on from here."
                )
            case _Stage.SPIN_TURNS:
                return "Count whole turns; the rover must point along the tape exactly."

    def _choices(self) -> tuple[Choice, ...]:
        match self._stage:
            case _Stage.CHOOSE:
                anew = (WRITE, Choice(AGAIN.key, "Forget all runs"))
                return (_LINE, _SPIN, *(anew if self._lines or self._spins else ()), LEAVE)
            case _Stage.LINE_START | _Stage.SPIN_START:
                return (_HERE, _BACK, LEAVE)
            case _Stage.LINE_RUN | _Stage.SPIN_RUN:
                return (_THERE, _BACK, LEAVE)
            case _Stage.LINE_LENGTH | _Stage.SPIN_TURNS:
                return (_BACK, LEAVE)


def _radius(config: Config, run: Run) -> float:
    """Return how much larger than configured the wheels are by one line; nought if none rolled."""
    way_m = abs(rolled_m(config, run.turned_rad))
    return run.measured / way_m if way_m else 0.0


def _fits(kept: _Draft, names: tuple[str, ...]) -> bool:
    """Whether a draft is of these wheels, and has a value for each."""
    counts = [len(run.turned_rad) for run in (*kept.lines, *kept.spins)]
    if kept.stage in _RUNNING:
        counts += [len(kept.start.angles_rad), len(kept.start.since_s)]
    return kept.names == names and set(counts) <= {len(names)}


def _spread(factors: list[float]) -> str:
    runs = f"{len(factors)} run{'s' if len(factors) > 1 else ''}"
    text = f"{fmean(factors) - 1.0:+.1%} from {runs}"
    return text if len(factors) == 1 else f"{text}, {max(factors) - min(factors):.1%} apart"
