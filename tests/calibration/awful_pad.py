"""A pretended pad, as awful as pads are, and a person who does what the calibration asks."""

import random

from msgspec import Struct

from calibration.gamepad import GamepadCalibration, Stage
from calibration.questions import Kind
from rover.gamepad.codes import EV_ABS, EV_KEY, Control
from rover.gamepad.mapping import AxisRange

TICK_S = 0.03
_REACTION_S = 0.24
_MOVE_S = 0.18


class AwfulAxis(Struct):
    """An axis: where it rests, where its ends are, and what it does by itself.

    ``first`` is its end to the left or forward, or a trigger's pulled end; ``second`` the other
    end, or None for a trigger. ``noise`` is to either side, ``drift_per_s`` goes on all the time
    up to ``most_drift``. ``untold`` is what it reports until it is moved for the first time.
    """

    code: int
    minimum: int
    maximum: int
    rest: float
    first: float
    second: float | None = None
    noise: float = 0.0
    drift_per_s: float = 0.0
    most_drift: float = 0.0
    untold: int | None = None


class AwfulPad(Struct):
    """What each control of the pad really is: an axis, a button, or one side of a hat."""

    axes: dict[Control, AwfulAxis]
    buttons: dict[Control, int]
    hats: dict[Control, tuple[int, int]] = {}
    # Buttons that go down when a trigger is pulled right through.
    companions: dict[Control, int] = {}
    sideways: float = 0.0
    seed: int = 0


class Person:
    """Somebody who holds an awful pad and does as told, with a reaction time."""

    def __init__(self, pad: AwfulPad) -> None:
        self.pad = pad
        self.now_s = 0.0
        self._random = random.Random(pad.seed)
        self._pushed: dict[Control, float] = {}
        self._moved: set[Control] = set()
        self._said: dict[int, int] = {}
        self._down: set[int] = set()
        codes = {axis.code: axis for axis in pad.axes.values()}
        self.ranges = {code: AxisRange(a.minimum, a.maximum) for code, a in codes.items()}
        self.ranges |= {axis: AxisRange(-1, 1) for axis, _ in pad.hats.values()}
        for axis in self.ranges:
            self._said[axis] = self._raw(axis)
        self.calibration = GamepadCalibration(
            self.ranges, dict(self._said), frozenset(), self.now_s
        )
        self.skipped: list[Control] = []
        self.texts: list[str] = []

    def calibrate(self, patience_s: float = 400.0) -> None:
        """Do everything that is asked, until the end."""
        seen: object = None
        since_s = 0.0
        while not self.calibration.done:
            assert self.now_s < patience_s, self.calibration.view
            view = self.calibration.view
            now = (view.stage, view.number)
            if now != seen:
                seen, since_s = now, self.now_s
                self.texts.append(view.text)
            waited_s = self.now_s - since_s
            if waited_s > _REACTION_S:
                self._act(waited_s - _REACTION_S)
            self._tick()

    def _act(self, for_s: float) -> None:
        view = self.calibration.view
        part = min(1.0, for_s / _MOVE_S)
        if view.stage is Stage.WAKE:
            button = next(iter(self.pad.buttons.values()))
            self._press(button, down=for_s < 0.1)
            return
        if view.question is None or view.stage is Stage.REST:
            self._release_all()
            return
        control, second = view.question.control, view.question.second
        if view.stage is Stage.LET_GO:
            self._push(control, (1.0 - part) * self._sign(second))
            if part == 1.0:
                self._release_all()
        elif control in self.pad.axes:
            self._push(control, part * self._sign(second))
            if control in self.pad.companions:
                self._press(self.pad.companions[control], down=part == 1.0)
        elif control in self.pad.buttons:
            self._press(self.pad.buttons[control], down=True)
        elif control in self.pad.hats:
            self._pushed[control] = 1.0
        elif for_s > 0.5:
            self.skipped.append(control)
            self.calibration.skip(self.now_s)

    @staticmethod
    def _sign(second: bool) -> float:
        return -1.0 if second else 1.0

    def _push(self, control: Control, part: float) -> None:
        self._pushed[control] = part
        self._moved.add(control)
        neighbour = _NEIGHBOURS.get(control)
        if neighbour in self.pad.axes:
            self._pushed[neighbour] = part * self.pad.sideways
            self._moved.add(neighbour)

    def _release_all(self) -> None:
        self._pushed.clear()
        for code in list(self._down):
            self._press(code, down=False)

    def _press(self, code: int, *, down: bool) -> None:
        if down != (code in self._down):
            (self._down.add if down else self._down.discard)(code)
            self.calibration.hear(EV_KEY, code, int(down), self.now_s)

    def _tick(self) -> None:
        self.now_s += TICK_S
        for code in self.ranges:
            raw = self._raw(code)
            if raw != self._said[code]:
                self._said[code] = raw
                self.calibration.hear(EV_ABS, code, raw, self.now_s)
        self.calibration.step(self.now_s)

    def _raw(self, code: int) -> int:
        owners = [(c, a) for c, a in self.pad.axes.items() if a.code == code]
        if not owners:
            sides = [
                sign
                for control, (axis, sign) in self.pad.hats.items()
                if axis == code and self._pushed.get(control)
            ]
            return sum(sides)
        axis = owners[0][1]
        untouched = not any(control in self._moved for control, _ in owners)
        if axis.untold is not None and untouched:
            return axis.untold
        place = axis.rest
        for control, one in owners:
            part = self._pushed.get(control, 0.0)
            end = one.first if part > 0 or one.second is None else one.second
            place += (end - one.rest) * abs(part)
        place += self._random.uniform(-axis.noise, axis.noise)
        drift = min(axis.most_drift, abs(axis.drift_per_s) * self.now_s)
        place += drift if axis.drift_per_s > 0 else -drift
        return round(min(axis.maximum, max(axis.minimum, place)))


_NEIGHBOURS = {
    Control.LEFT_STICK_X: Control.LEFT_STICK_Y,
    Control.LEFT_STICK_Y: Control.LEFT_STICK_X,
    Control.RIGHT_STICK_X: Control.RIGHT_STICK_Y,
    Control.RIGHT_STICK_Y: Control.RIGHT_STICK_X,
}
KIND_OF = {
    Control.LEFT_TRIGGER: Kind.TRIGGER,
    Control.RIGHT_TRIGGER: Kind.TRIGGER,
}
