"""Which output turns which wheel, and which way: one turns at a time, a person says what moved."""

from enum import Enum, auto

import msgspec
from msgspec import Struct

from calibration.steps.drawing import wheel_marks
from calibration.steps.step import AGAIN, HOLD_S, LEAVE, NONE_MOVED, WRITE, Changes, wheel_choices
from calibration.steps.turning import TurnWatch
from calibration.steps.view import Choice, Outcome, StepView
from calibration.steps.wiring import Seen, changes, contradiction, for_hands, rows
from rover.config import Config, MotorConfig
from rover.messages import Order, Rest, Telemetry, TurnWheel

# As far as a person needs to see which wheel it is: half a turn of JPL's wheels and more.
ENOUGH_S = 1.2
LONGEST_S = 4.0
# After less an encoder that counts has not counted enough to be told from one that does not.
LEAST_S = 0.6

_TITLE = "Motors"
_LIFTED = Choice("y", "Yes, all wheels are in the air")
_HOLDS = Choice("y", "It is in the air: something holds it")
_NOT_LIFTED = Choice("n", "No: I lift it now")
_ANEW = Choice(AGAIN.key, "Begin anew")
_FORWARD = Choice("f", "Forward, as the rover drives")
_BACKWARD = Choice("b", "Backward")


class _Stage(Enum):
    LIFT = auto()
    TURN = auto()
    DOUBT = auto()
    WHICH = auto()
    WAY = auto()
    DONE = auto()


class _Draft(Struct, frozen=True):
    outputs: tuple[tuple[str, MotorConfig], ...]
    seen: tuple[Seen, ...]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Draft).decode


class MotorsStep:
    """The step; ``draft`` is what an earlier one had found, b"" for none."""

    def __init__(self, config: Config, draft: bytes = b"") -> None:
        self._config = config
        self._names = tuple(config.wheels)
        self._seen: list[Seen] = _restored(config, draft)
        self._stage = _Stage.LIFT
        self._watch: TurnWatch | None = None
        self._wanted_s: float | None = None
        self._moved = ""
        self._remark = ""
        if self._seen:
            self._remark = f"Goes on after {len(self._seen)} of {len(self._names)} outputs."
        self.outcome: Outcome | None = None

    @property
    def maintains(self) -> bool:
        """Whether a wheel may be turned now."""
        return self.outcome is None and self._stage not in {_Stage.LIFT, _Stage.DONE}

    def see(self, telemetry: Telemetry) -> None:
        """Take in what the rover tells of itself."""
        if self._stage is not _Stage.TURN or self._watch is None:
            return
        self._watch.see(telemetry)
        if self._watch.doubtful:
            self._stage, self._wanted_s = _Stage.DOUBT, None
        elif self._wanted_s is None and self._watch.turned_s >= ENOUGH_S:
            self._stage = _Stage.WHICH

    def press(self, key: str, now_s: float) -> None:
        """Take in one of the choices; another key changes nothing."""
        if key not in {choice.key for choice in self._choices()}:
            return
        self._remark = ""
        if key == LEAVE.key:
            self.outcome = Outcome.LEAVE
            return
        match self._stage:
            case _Stage.LIFT if key == _ANEW.key:
                self._seen.clear()
            case _Stage.LIFT:
                self._next()
            case _Stage.TURN:
                self._stage = _Stage.WHICH
            case _Stage.DOUBT:
                self._stage = _Stage.WHICH if key == _HOLDS.key else _Stage.LIFT
            case _Stage.WHICH:
                self._which(key)
            case _Stage.WAY:
                self._way(key)
            case _Stage.DONE:
                self._finish(key)

    def enter(self, value: float, now_s: float) -> None:
        """No number is asked for here."""

    def hold(self, now_s: float) -> None:
        """Turn the wheel, for as long as this is said."""
        if self._stage is _Stage.TURN and self._turned_s() < LONGEST_S:
            self._remark = ""
            self._wanted_s = now_s

    def let_go(self) -> None:
        """Have it stop."""
        self._wanted_s = None

    def interrupted(self, why: str) -> None:
        """Take in that the rover turns nothing any more."""
        self._remark = why
        self._wanted_s = None
        if self._stage is not _Stage.DONE:
            self._stage, self._watch = _Stage.LIFT, None

    def order(self, now_s: float, present_s: float) -> tuple[Order, float]:
        """Return the one wheel to turn while the person holds, else rest."""
        if self._wanted_s is not None and now_s - self._wanted_s > HOLD_S:
            self._wanted_s = None
        if self._wanted_s is None or self._turned_s() >= LONGEST_S:
            return Rest(), present_s
        name = self._names[len(self._seen)]
        return TurnWheel(name, self._config.maintenance.duty), self._wanted_s

    def view(self) -> StepView:
        """Return what to show now."""
        done = len(self._seen)
        turns = self._stage is _Stage.TURN
        return StepView(
            title=_TITLE,
            text=self._text(),
            remark=self._remark,
            number=min(done + 1, len(self._names)),
            count=len(self._names),
            choices=self._choices(),
            hold="Turn a wheel" if turns else "",
            wheels=wheel_marks(
                self._config,
                # Which one is meant to move is not shown: it would be believed.
                known=frozenset(one.moved for one in self._seen),
            ),
            found=rows(self._config, self._seen),
        )

    def changes(self) -> Changes:
        """Return what is wired otherwise than the configuration says."""
        return changes(self._config, self._seen)

    def draft(self) -> bytes:
        """Return the outputs that have been seen so far."""
        return _encode(_Draft(_outputs(self._config), tuple(self._seen))) if self._seen else b""

    def _turned_s(self) -> float:
        return self._watch.turned_s if self._watch is not None else 0.0

    def _next(self) -> None:
        """Go to the next output, or to the end."""
        self._wanted_s, self._moved = None, ""
        if len(self._seen) == len(self._names):
            self._stage, self._watch = _Stage.DONE, None
            return
        self._stage = _Stage.TURN
        self._watch = TurnWatch(self._config, self._names[len(self._seen)])

    def _which(self, key: str) -> None:
        if key == AGAIN.key:
            self._next()
        elif key == NONE_MOVED.key:
            self._add("", forward=True)
        else:
            self._moved = next(one.wheel for one in self._choices() if one.key == key)
            self._stage = _Stage.WAY

    def _way(self, key: str) -> None:
        if key == AGAIN.key:
            self._next()
        else:
            self._add(self._moved, forward=key == _FORWARD.key)

    def _add(self, moved: str, *, forward: bool) -> None:
        if self._watch is None:
            return
        configured = self._names[len(self._seen)]
        self._seen.append(Seen(configured, moved, forward, self._watch.turn()))
        self._next()

    def _finish(self, key: str) -> None:
        if key == WRITE.key:
            self.outcome = Outcome.WRITE
        else:
            self._seen.clear()
            self._stage = _Stage.LIFT

    def _text(self) -> str:
        match self._stage:
            case _Stage.LIFT:
                return (
                    "Lift the rover so that all its wheels are in the air and nothing is near "
                    "them: each is turned, slowly. Are they?"
                )
            case _Stage.TURN:
                return "Have a wheel turn, and look which one it is and which way it goes."
            case _Stage.DOUBT:
                return (
                    "It draws more than a wheel that is in the air, so it was stopped. Are all "
                    "wheels in the air, and free to turn?"
                )
            case _Stage.WHICH:
                return "Which wheel moved?"
            case _Stage.WAY:
                return f"Which way did {self._moved} turn?"
            case _Stage.DONE:
                return contradiction(self._seen) or _ending(self._config, self._seen)

    def _choices(self) -> tuple[Choice, ...]:
        match self._stage:
            case _Stage.LIFT:
                return (_LIFTED, *((_ANEW,) if self._seen else ()), LEAVE)
            case _Stage.TURN:
                seen = self._turned_s() >= LEAST_S and self._wanted_s is None
                return (Choice("n", "I have seen it"), LEAVE) if seen else (LEAVE,)
            case _Stage.DOUBT:
                return (_HOLDS, _NOT_LIFTED, LEAVE)
            case _Stage.WHICH:
                return (*wheel_choices(self._names), NONE_MOVED, AGAIN, LEAVE)
            case _Stage.WAY:
                return (_FORWARD, _BACKWARD, AGAIN, LEAVE)
            case _Stage.DONE:
                return (_ANEW, LEAVE) if self._cannot_be_written() else (WRITE, _ANEW, LEAVE)

    def _cannot_be_written(self) -> bool:
        """Whether it makes no sense, or there is nothing but what hands have to put right."""
        seen = self._seen
        return bool(contradiction(seen) or (for_hands(seen) and not changes(self._config, seen)))


def _ending(config: Config, seen: list[Seen]) -> str:
    hands = for_hands(seen)
    by_hand = f"{', '.join(hands)}: put right by hand what is said of it below" if hands else ""
    if changes(config, seen):
        more = f" {by_hand} too." if hands else ""
        return f"Write how the rover is wired? Then do this once more, to see it is right.{more}"
    if hands:
        return f"{by_hand}, then begin anew. Nothing else has to be changed."
    return "Everything is wired as the configuration has it. Write that it has been looked at?"


def _outputs(config: Config) -> tuple[tuple[str, MotorConfig], ...]:
    return tuple((name, wheel.motor) for name, wheel in config.wheels.items())


def _restored(config: Config, draft: bytes) -> list[Seen]:
    """Return what a draft has found, if it is of a rover that is configured as this one."""
    if not draft:
        return []
    try:
        kept = _decode(draft)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []
    names = list(config.wheels)
    fits = (
        kept.outputs == _outputs(config)
        and [one.configured for one in kept.seen] == names[: len(kept.seen)]
        and all({one.moved, one.turn.other} <= {"", *names} for one in kept.seen)
    )
    return list(kept.seen) if fits else []
