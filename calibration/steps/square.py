"""UMBmark's square, driven once to the left and once to the right, for those who want it.

A line and turns on the spot take all wheels for equally large. Where the left ones are not as
large as the right ones, a rover that means to go straight does not; and that looks like a wrong
track on a square driven one way, and like the opposite on one driven the other way (Borenstein and
Feng, 1996). Nothing is driven from here: a person drives, and it listens meanwhile.
"""

import math
from enum import Enum, auto

from calibration.steps.drawing import wheel_marks
from calibration.steps.places import MISSED, seen_places, stands
from calibration.steps.replaying import Frame, Heading, Measures, Square, fit, measured_so
from calibration.steps.step import AGAIN, LEAVE, WRITE, Changes, Value
from calibration.steps.still import StillStep
from calibration.steps.view import Asked, Choice, Outcome, Row, StepView
from rover.config import Config
from rover.config.toml_lines import KeyPath
from rover.messages import Telemetry

_EVERY_S = 0.1
# A person who takes their time at four corners; the longest drive that is listened to.
_MOST_FRAMES = 6000
# All four corners, be they driven as badly as they may.
_LEAST_RAD, _MOST_RAD = math.radians(270.0), math.radians(450.0)
_FARTHEST_M = 5.0

_HERE = Choice("enter", "It stands at the start")
_THERE = Choice("enter", "It is back, and stands")
_BACK = Choice("b", "Back, forget this drive")
_DRIVE = Choice("s", "Drive a square")


class _Stage(Enum):
    CHOOSE = auto()
    START = auto()
    RUN = auto()
    FORWARD = auto()
    LEFT = auto()


class SquareStep(StillStep):
    """The step. A drive that is not listened to tells nothing, so it keeps no draft."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self._config = config
        self._stage = _Stage.CHOOSE
        self._squares: list[tuple[bool, Square]] = []
        self._measures: Measures | None = None
        self._frames: list[Frame] = []
        self._newest: Frame | None = None
        self._stands = False
        self._counted: tuple[float | None, ...] = ()
        self._began_counting: tuple[float | None, ...] = ()
        self._heading = Heading(config)
        self._forward_m = 0.0

    def see(self, telemetry: Telemetry) -> None:
        """Take in what the rover tells of itself."""
        places = seen_places(telemetry.wheels)
        if places is None:
            self._newest, self._stands = None, False
            return
        steer_rad = tuple(wheel.steer_rad for wheel in telemetry.wheels)
        self._newest = Frame(telemetry.stamp_s, places.angles_rad, steer_rad)
        self._counted, self._stands = places.since_s, stands(telemetry.wheels)
        if self._stage is _Stage.RUN:
            self._listen(self._newest)

    def press(self, key: str, now_s: float) -> None:
        """Take in one of the choices; another key changes nothing."""
        if key not in {choice.key for choice in self._choices()}:
            return
        self._remark = ""
        if key == LEAVE.key:
            self.outcome = Outcome.LEAVE
        elif key == WRITE.key:
            self.outcome = Outcome.WRITE
        elif key == AGAIN.key:
            self._squares.clear()
            self._measures = None
        elif key == _BACK.key:
            self._stage = _Stage.CHOOSE
        elif key == _DRIVE.key:
            self._stage = _Stage.START
        else:
            self._mark()

    def enter(self, value: float, now_s: float) -> None:
        """Take in how far ahead, then how far to the left of its start it stands."""
        asked = self._asked()
        if asked is None or not asked.least <= value <= asked.most:
            return
        self._remark = ""
        if self._stage is _Stage.FORWARD:
            self._forward_m = value
            self._stage = _Stage.LEFT
            return
        square = Square(tuple(self._frames), self._forward_m, value)
        to_left = self._heading.turned_rad > 0.0
        self._squares.append((to_left, square))
        self._stage = _Stage.CHOOSE
        self._fit()

    def view(self) -> StepView:
        """Return what to show now."""
        return StepView(
            title="Square",
            text=self._text(),
            remark=self._remark,
            choices=self._choices(),
            asked=self._asked(),
            wheels=wheel_marks(self._config),
            found=self._rows(),
        )

    def changes(self) -> Changes:
        """Return every wheel's radius and place, once both directions have been driven."""
        if self._measures is None:
            return {}
        changed: dict[KeyPath, Value] = {}
        for name, wheel in measured_so(self._config, self._measures).wheels.items():
            changed["wheels", name, "radius_m"] = round(wheel.radius_m, 5)
            changed["wheels", name, "y_m"] = round(wheel.y_m, 5)
        return changed

    def draft(self) -> bytes:
        """Return nothing."""
        return b""

    def _listen(self, frame: Frame) -> None:
        if self._counted != self._began_counting:
            self._stage = _Stage.CHOOSE
            self._remark = MISSED
            return
        last = self._frames[-1]
        if frame.stamp_s - last.stamp_s < _EVERY_S or len(self._frames) >= _MOST_FRAMES:
            return
        if (frame.turned_rad, frame.steer_rad) == (last.turned_rad, last.steer_rad):
            # Standing takes no room.
            self._frames[-1] = frame
            return
        self._frames.append(frame)
        self._heading.follow(frame)

    def _mark(self) -> None:
        """Take the present place for the start, or for the end."""
        if self._newest is None:
            self._remark = "The rover does not tell where its wheels are: is control running?"
        elif not self._stands:
            self._remark = "It still rolls: wait until it stands."
        elif self._stage is _Stage.START:
            self._frames, self._began_counting = [self._newest], self._counted
            self._heading = Heading(self._config)
            self._heading.follow(self._newest)
            self._stage = _Stage.RUN
        else:
            self._frames.append(self._newest)
            self._heading.follow(self._newest)
            self._end()

    def _end(self) -> None:
        turned_rad = abs(self._heading.turned_rad)
        if _LEAST_RAD <= turned_rad <= _MOST_RAD:
            self._stage = _Stage.FORWARD
        else:
            self._remark = (
                f"By its wheels it has turned by {math.degrees(turned_rad):.0f} degrees, and a "
                "square has four corners of 90: go on, or back."
            )

    def _fit(self) -> None:
        if len({to_left for to_left, _ in self._squares}) > 1:
            self._measures = fit(self._config, [square for _, square in self._squares])
            if self._measures is None:
                self._remark = (
                    "These drives fit no rover that is like the configured one: was it measured "
                    "at the middle of the rover, ahead and to the left of where it began?"
                )

    def _rows(self) -> tuple[Row, ...]:
        lefts = sum(to_left for to_left, _ in self._squares)
        rows = []
        if self._squares:
            rights = len(self._squares) - lefts
            rows.append(Row("driven", f"{lefts} to the left, {rights} to the right"))
        if self._measures is not None:
            uneven, width = self._measures.uneven, self._measures.width
            rows += [
                Row("right wheels", f"{uneven:+.2%} against the left ones", changes=True),
                Row("track", f"{width - 1.0:+.2%}", changes=True),
            ]
        return tuple(rows)

    def _asked(self) -> Asked | None:
        if self._stage is _Stage.FORWARD:
            return Asked("How far ahead of its start?", "m", -_FARTHEST_M, _FARTHEST_M)
        if self._stage is _Stage.LEFT:
            return Asked("How far to the left of its start?", "m", -_FARTHEST_M, _FARTHEST_M)
        return None

    def _text(self) -> str:
        match self._stage:
            case _Stage.CHOOSE if self._measures is not None:
                return "Drive more squares, or write it?"
            case _Stage.CHOOSE:
                return (
                    "Measure radius and track first (rover calibrate odometry). Then drive a "
                    "square of two metres or more, once round to the left and once to the right. "
                    "Keep this open meanwhile: drive with the gamepad, or by a page in another "
                    "window."
                )
            case _Stage.START:
                return (
                    "Mark the floor under the middle of the rover, between its middle wheels, and "
                    "which way it points."
                )
            case _Stage.RUN:
                degrees = math.degrees(self._heading.turned_rad)
                return (
                    "Arm it, drive straight, turn on the spot by 90 degrees, and so on, back to "
                    f"the start. So far it has turned by {degrees:.0f} degrees."
                )
            case _Stage.FORWARD | _Stage.LEFT:
                return (
                    "Measure from the mark to the middle of the rover: ahead and to the left as "
                    "it pointed when it began. Behind and to the right are negative."
                )

    def _choices(self) -> tuple[Choice, ...]:
        match self._stage:
            case _Stage.CHOOSE:
                anew = (Choice(AGAIN.key, "Forget all drives"),) if self._squares else ()
                write = () if self._measures is None else (WRITE,)
                return (_DRIVE, *write, *anew, LEAVE)
            case _Stage.START:
                return (_HERE, _BACK, LEAVE)
            case _Stage.RUN:
                return (_THERE, _BACK, LEAVE)
            case _Stage.FORWARD | _Stage.LEFT:
                return (_BACK, LEAVE)
