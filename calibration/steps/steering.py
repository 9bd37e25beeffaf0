"""The corner servos: which steers which wheel, which way, where straight ahead is, how far it goes.

One servo has pulses at a time. It is led slowly, but its very first pulse takes it to where the
configuration has straight ahead, as fast as it can.
"""

from enum import Enum, auto

from calibration.steps.corner import Corner, CornerFound, Push, changes, contradiction, rows
from calibration.steps.corner_draft import draft_of, restored
from calibration.steps.drawing import wheel_marks
from calibration.steps.step import AGAIN, HOLD_S, LEAVE, NONE_MOVED, WRITE, Changes, wheel_choices
from calibration.steps.view import Choice, Outcome, StepView
from rover.config import Config
from rover.messages import Maintained, Order, Rest, Telemetry, TurnServo

_TITLE = "Steering"
# As far as a wheel is led to show which one it is, and how long that is looked at.
SHOWN_DEG = 15.0
SHOWN_S = 1.5
_FINE_DEG, _COARSE_DEG = 0.5, 5.0
# Telemetry comes twenty times a second: a servo of which none tells that it is led is limp.
_LIMP_S = 0.5

_READY = Choice("y", "Yes, nothing is near the wheels")
_ANEW = Choice(AGAIN.key, "Begin anew")
_LEFT = Choice("l", "To the left")
_RIGHT = Choice("r", "To the right")
_FINER_LEFT = Choice("left", "A little to the left")
_FINER_RIGHT = Choice("right", "A little to the right")
_FAR_LEFT = Choice("up", "5 degrees to the left")
_FAR_RIGHT = Choice("down", "5 degrees to the right")
_NUDGES = (_FAR_LEFT, _FINER_LEFT, _FINER_RIGHT, _FAR_RIGHT)
_NUDGE_DEG = {
    _FINER_LEFT.key: _FINE_DEG,
    _FINER_RIGHT.key: -_FINE_DEG,
    _FAR_LEFT.key: _COARSE_DEG,
    _FAR_RIGHT.key: -_COARSE_DEG,
}
_STRAIGHT = Choice("enter", "It points straight ahead now")
_KEEP = Choice("k", "Keep the limits that it has")
_END_LEFT = Choice("enter", "This is as far left as it may go")
_END_RIGHT = Choice("enter", "This is as far right as it may go")
_TAKE = Choice("t", "Hold it again, nothing is near")
_MARKS = frozenset({_STRAIGHT.key, _END_LEFT.key, _END_RIGHT.key})


class _Stage(Enum):
    CLEAR = auto()
    SHOW = auto()
    WHICH = auto()
    WAY = auto()
    CENTRE = auto()
    LEFT_END = auto()
    RIGHT_END = auto()
    DONE = auto()


# In these the servo is held where it is, for as long as somebody is there.
_HELD = frozenset({_Stage.CENTRE, _Stage.LEFT_END, _Stage.RIGHT_END})


class SteeringStep:
    """The step; ``draft`` is what an earlier one had found, b"" for none."""

    def __init__(self, config: Config, draft: bytes = b"") -> None:
        self._config = config
        self._names = tuple(name for name, wheel in config.wheels.items() if wheel.steer)
        self._found: list[CornerFound] = restored(config, draft)
        self._stage = _Stage.CLEAR if self._names else _Stage.DONE
        self._corner: Corner | None = None
        self._push = Push()
        self._wanted_s: float | None = None
        self._shown_s = 0.0
        self._last_s: float | None = None
        self._moved = ""
        # When control last told that the servo is led, and whether that is too long ago.
        self._led_s: float | None = None
        self._limp = False
        self._remark = ""
        if self._found:
            self._remark = f"Goes on after {len(self._found)} of {len(self._names)} servos."
        self.outcome: Outcome | None = None

    @property
    def maintains(self) -> bool:
        """Whether a servo may be moved now."""
        return self.outcome is None and self._stage not in {_Stage.CLEAR, _Stage.DONE}

    def see(self, telemetry: Telemetry) -> None:
        """Take in what the rover tells of itself."""
        corner = self._corner
        if corner is None:
            return
        maintained = telemetry.maintenance
        led = maintained is not None and maintained.wheel == corner.name
        if self._stage is _Stage.SHOW:
            if led and self._last_s is not None:
                self._shown_s += telemetry.stamp_s - self._last_s
            self._last_s = telemetry.stamp_s if led else None
            if self._shown_s >= SHOWN_S and self._wanted_s is None:
                self._stage = _Stage.WHICH
        elif self._stage in _HELD:
            self._follow(corner, telemetry, maintained if led else None)

    def _follow(self, corner: Corner, telemetry: Telemetry, led: Maintained | None) -> None:
        """See whether the servo that is held where it is goes there, pushes, or was let go."""
        now_s = telemetry.stamp_s
        if led is not None:
            self._led_s = now_s
            corner.told(led.steer_rad)
            current_a = telemetry.power.current_a if telemetry.power else None
            if self._push.pushes(current_a, now_s, arrived=corner.has_arrived):
                corner.back_off()
                self._remark = "It pushes against something there: it was led back a little."
        elif self._led_s is None:
            self._led_s = now_s
        elif now_s - self._led_s > _LIMP_S and not self._limp:
            # Orders came too late, such as over a network that was held up. It jumps if it is
            # given pulses again: not before a person says so.
            self._limp, self._remark = True, ""
            corner.let_go()

    def press(self, key: str, now_s: float) -> None:
        """Take in one of the choices; another key changes nothing."""
        if key not in {choice.key for choice in self._choices()}:
            return
        self._remark = ""
        if key == LEAVE.key:
            self.outcome = Outcome.LEAVE
        elif key in _NUDGE_DEG and self._corner is not None:
            if not self._corner.lags(_NUDGE_DEG[key]):
                self._remark = self._corner.nudge(_NUDGE_DEG[key])
        else:
            self._go_on(key)

    def _go_on(self, key: str) -> None:
        match self._stage:
            case _Stage.CLEAR if key == _ANEW.key:
                self._found.clear()
            case _Stage.CLEAR:
                self._next()
            case _Stage.SHOW:
                self._stage = _Stage.WHICH
            case _Stage.WHICH:
                self._which(key)
            case _Stage.WAY:
                self._way(key)
            case _Stage.CENTRE | _Stage.LEFT_END | _Stage.RIGHT_END:
                self._mark(key)
            case _Stage.DONE:
                self._finish(key)

    def enter(self, value: float, now_s: float) -> None:
        """No number is asked for here."""

    def hold(self, now_s: float) -> None:
        """Lead the servo a little to the side, for as long as this is said."""
        if self._stage is _Stage.SHOW:
            self._remark = ""
            self._wanted_s = now_s

    def let_go(self) -> None:
        """Have it stop."""
        self._wanted_s = None

    def interrupted(self, why: str) -> None:
        """Take in that the rover moves nothing any more."""
        self._remark = why
        self._wanted_s = None
        self._limp = False
        if self._stage is not _Stage.DONE:
            self._stage, self._corner = _Stage.CLEAR, None

    def order(self, now_s: float, present_s: float) -> tuple[Order, float]:
        """Return where the one servo is led, else rest."""
        if self._wanted_s is not None and now_s - self._wanted_s > HOLD_S:
            self._wanted_s = None
        corner = self._corner
        if self._limp:
            return Rest(), present_s
        if corner is not None and self._stage in _HELD:
            return TurnServo(corner.name, corner.angle_rad), present_s
        if corner is None or self._wanted_s is None:
            return Rest(), present_s
        return TurnServo(corner.name, corner.shown_rad(SHOWN_DEG)), self._wanted_s

    def view(self) -> StepView:
        """Return what to show now."""
        corner = self._corner
        held = corner is not None and self._stage in _HELD
        return StepView(
            title=_TITLE,
            text=self._text(),
            remark=self._remark,
            number=min(len(self._found) + 1, len(self._names)),
            count=len(self._names),
            choices=self._choices(),
            hold="Steer a wheel" if self._stage is _Stage.SHOW else "",
            wheels=wheel_marks(
                self._config,
                known=frozenset(one.moved for one in self._found),
                moves=self._moved if held else "",
                steer_rad={self._moved: corner.seen_rad} if held and corner is not None else None,
            ),
            found=rows(self._config, self._found),
        )

    def changes(self) -> Changes:
        """Return the servos as they really are, and that they have been calibrated."""
        return changes(self._config, self._found)

    def draft(self) -> bytes:
        """Return the servos that have been done so far."""
        return draft_of(self._config, self._found)

    def _next(self) -> None:
        """Go to the next servo, or to the end."""
        self._wanted_s, self._moved, self._shown_s, self._last_s = None, "", 0.0, None
        self._led_s, self._limp = None, False
        self._push = Push()
        if len(self._found) == len(self._names):
            self._stage, self._corner = _Stage.DONE, None
            return
        self._stage = _Stage.SHOW
        self._corner = Corner(self._config, self._names[len(self._found)])

    def _which(self, key: str) -> None:
        if key == AGAIN.key:
            self._next()
        elif key == NONE_MOVED.key:
            if self._corner is not None:
                self._found.append(self._corner.nothing())
            self._next()
        else:
            self._moved = next(one.wheel for one in self._choices() if one.key == key)
            self._stage = _Stage.WAY

    def _way(self, key: str) -> None:
        if key == AGAIN.key or self._corner is None:
            self._next()
            return
        self._corner.steers(self._moved, SHOWN_DEG, left=key == _LEFT.key)
        self._stage = _Stage.CENTRE

    def _mark(self, key: str) -> None:
        """Take the present angle for what was asked, and go on."""
        corner = self._corner
        if corner is None or key == AGAIN.key:
            self._next()
        elif key == _TAKE.key:
            self._led_s, self._limp = None, False
        elif key in _MARKS and not corner.has_arrived:
            self._remark = "It is not there yet: wait until it stands."
        elif self._stage is _Stage.CENTRE:
            corner.mark_centre()
            self._stage = _Stage.LEFT_END
        elif key == _KEEP.key:
            corner.keep_ends()
            self._add(corner)
        elif self._stage is _Stage.LEFT_END:
            corner.mark_left_end()
            self._stage = _Stage.RIGHT_END
        else:
            corner.mark_right_end()
            self._add(corner)

    def _add(self, corner: Corner) -> None:
        trouble = corner.trouble()
        if trouble:
            self._remark = trouble
            corner.return_to_centre()
            self._stage = _Stage.LEFT_END
            return
        self._found.append(corner.found())
        self._next()

    def _finish(self, key: str) -> None:
        if key == WRITE.key:
            self.outcome = Outcome.WRITE
        else:
            self._found.clear()
            self._stage = _Stage.CLEAR

    def _text(self) -> str:
        if self._limp:
            return (
                f"{self._moved} was let go for a moment, as orders came too late. When it is held "
                "again, it jumps to where it was: is nothing near it?"
            )
        match self._stage:
            case _Stage.CLEAR:
                return (
                    "One corner after the other is steered. A servo first jumps to where the "
                    "configuration has straight ahead, as fast as it can: is nothing near the "
                    "wheels, and does the rover stand on a smooth floor or in the air?"
                )
            case _Stage.SHOW:
                return (
                    "Have a wheel steer, and look which one it is and which way it is led, slowly."
                )
            case _Stage.WHICH:
                return "Which wheel steered?"
            case _Stage.WAY:
                return f"Which way was {self._moved} led, slowly, seen from above?"
            case _Stage.CENTRE:
                return f"Lead {self._moved} until it points straight ahead; a long ruler helps."
            case _Stage.LEFT_END:
                return (
                    f"Lead {self._moved} to the left until just before it meets anything, cables "
                    "too. Or keep the limits that it has."
                )
            case _Stage.RIGHT_END:
                return f"Now lead {self._moved} to the right in the same way."
            case _Stage.DONE if not self._names:
                return "No wheel of this rover is steered: there is nothing to find out."
            case _Stage.DONE:
                return contradiction(self._found) or "Write where straight ahead is?"

    def _choices(self) -> tuple[Choice, ...]:
        if self._limp:
            return (_TAKE, AGAIN, LEAVE)
        match self._stage:
            case _Stage.CLEAR:
                return (_READY, *((_ANEW,) if self._found else ()), LEAVE)
            case _Stage.SHOW:
                seen = self._shown_s > 0.0 and self._wanted_s is None
                return (Choice("n", "I have seen it"), LEAVE) if seen else (LEAVE,)
            case _Stage.WHICH:
                return (*wheel_choices(self._names), NONE_MOVED, AGAIN, LEAVE)
            case _Stage.WAY:
                return (_LEFT, _RIGHT, AGAIN, LEAVE)
            case _Stage.CENTRE:
                return (*_NUDGES, _STRAIGHT, AGAIN, LEAVE)
            case _Stage.LEFT_END:
                return (*_NUDGES, _END_LEFT, _KEEP, AGAIN, LEAVE)
            case _Stage.RIGHT_END:
                return (*_NUDGES, _END_RIGHT, _KEEP, AGAIN, LEAVE)
            case _Stage.DONE if not self._names:
                return (LEAVE,)
            case _Stage.DONE:
                return (_ANEW, LEAVE) if contradiction(self._found) else (WRITE, _ANEW, LEAVE)
