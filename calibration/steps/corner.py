"""One steering servo while it is calibrated: from how it is led to what it is. Pure.

Angles that are led are those of the configuration as it stands, positive to the left as that has
it; ``seen`` angles are the wheel's own about its new centre, positive to the left as a person sees.
"""

import math
from collections.abc import Sequence

from msgspec import Struct, structs

from calibration.steps.step import Changes, Value
from calibration.steps.view import Row
from rover import units
from rover.config import Config, SteerConfig
from rover.config.toml_lines import KeyPath
from rover.servo_pulses import ServoPulses

# As far as a limit stays away from where the wheel met something.
MARGIN_DEG = 2.0
_BACK_OFF_DEG = 3.0
# A rover steers at least so far to each side, or its limits were marked in the wrong places.
_LEAST_RANGE_DEG = 10.0
# A hobby servo that pushes draws an ampere and more; one that holds hardly anything.
_PUSHING_A = 0.6
_PUSHING_S = 0.4
# A servo is this far behind at the most once it has been led there.
_ARRIVES_S = 0.3
_CLOSE_RAD = 1e-4
# A key that repeats asks for no more than this ahead of where the servo is: let go, it stands soon.
_AHEAD_DEG = 6.0
_SAME_DEG = 0.05


class CornerFound(Struct, frozen=True):
    """What was found of the servo that the configuration gives to the wheel ``configured``.

    ``moved`` is the wheel that it steers, empty if none moved.
    """

    configured: str
    moved: str
    centre_deg: float = 0.0
    direction: int = 1
    min_deg: float = 0.0
    max_deg: float = 0.0


class Push:
    """Whether a servo pushes: the battery's current stays higher than the least that was seen."""

    def __init__(self) -> None:
        self._free_a: float | None = None
        self._arrived_s: float | None = None
        self._high_s: float | None = None

    def pushes(self, current_a: float | None, now_s: float, *, arrived: bool) -> bool:
        """Take in the battery's current; a servo that still turns draws more and is passed over.

        A rover whose current is not measured is never told to push.
        """
        if current_a is not None and (self._free_a is None or current_a < self._free_a):
            self._free_a = current_a
        if current_a is None or self._free_a is None or not arrived:
            self._arrived_s = self._high_s = None
            return False
        if self._arrived_s is None:
            self._arrived_s = now_s
        if now_s - self._arrived_s < _ARRIVES_S:
            return False
        if current_a - self._free_a < _PUSHING_A:
            self._high_s = None
        elif self._high_s is None:
            self._high_s = now_s
        return self._high_s is not None and now_s - self._high_s >= _PUSHING_S


class Corner:
    """The servo of the wheel ``name``, as the configuration calls it."""

    def __init__(self, config: Config, name: str) -> None:
        steer = config.wheels[name].steer
        if steer is None:
            raise ValueError(f"{name} has no servo")
        self.name = name
        self._config = config
        self._steer = steer
        self._pulses = ServoPulses(steer, config.steering)
        self._moved = ""
        # +1 where the configuration's left is a person's left.
        self._way = 1
        self.angle_rad = 0.0
        self._centre_rad = 0.0
        self._left_deg: float | None = None
        self._right_deg: float | None = None
        # The way it was led last, positive to the left as seen: back is the other one.
        self._towards = 0.0
        # Where it is by what control tells; None before that has told it.
        self._led_rad: float | None = None

    @property
    def seen_rad(self) -> float:
        """Where it is led, as a person sees it, about the centre that is marked so far."""
        return self._way * (self.angle_rad - self._centre_rad)

    def shown_rad(self, by_deg: float) -> float:
        """Return where to lead it to show which one it is: to the left as it is configured.

        To the right where its servo ends before that.
        """
        return self._shown_way(by_deg) * units.rad_from_deg(by_deg)

    def _shown_way(self, by_deg: float) -> int:
        return 1 if self._pulses.reaches(units.rad_from_deg(by_deg)) else -1

    def steers(self, moved: str, by_deg: float, *, left: bool) -> None:
        """Note which wheel it steers, and whether that went to the left when it was shown."""
        self._moved = moved
        self._way = self._shown_way(by_deg) * (1 if left else -1)
        self.angle_rad = 0.0
        # It comes from where it was shown.
        self._towards = -1.0 if left else 1.0

    def told(self, angle_rad: float | None) -> None:
        """Take in where it has been led so far."""
        self._led_rad = angle_rad

    def lags(self, by_deg: float) -> bool:
        """Whether it has to catch up first: one more step, and it would go on long afterwards."""
        if self._led_rad is None:
            return False
        left_rad = self._led_rad - self.angle_rad
        farther_rad = abs(left_rad - self._way * units.rad_from_deg(by_deg))
        most_rad = units.rad_from_deg(_AHEAD_DEG) + _CLOSE_RAD
        return farther_rad > most_rad and farther_rad > abs(left_rad)

    def nudge(self, by_deg: float) -> str:
        """Lead it on by so much, positive to the left as seen; say why it cannot go there."""
        angle_rad = self.angle_rad + self._way * units.rad_from_deg(by_deg)
        farthest_rad = self._config.gate.maintenance_steer_rad
        if not self._pulses.reaches(angle_rad):
            return "It goes no farther: the servo itself ends there."
        if abs(angle_rad) > farthest_rad:
            return (
                f"It is led no farther than {units.deg_from_rad(farthest_rad):.0f} degrees: if it "
                "has to be, take the horn off and put it on some teeth nearer."
            )
        self.angle_rad = angle_rad
        self._towards = math.copysign(1.0, by_deg)
        return ""

    def back_off(self) -> None:
        """Lead it back from where it pushes, the way it came."""
        towards = self._towards
        self.nudge(-math.copysign(_BACK_OFF_DEG, towards))
        self._towards = towards

    def let_go(self) -> None:
        """Note that it has no pulses any more: where it was led to is where it will be led again.

        What was asked for since then is forgotten.
        """
        if self._led_rad is not None:
            self.angle_rad = self._led_rad

    @property
    def has_arrived(self) -> bool:
        """Whether it has been led all the way to where it is to go."""
        return self._led_rad is not None and abs(self._led_rad - self.angle_rad) < _CLOSE_RAD

    def mark_centre(self) -> None:
        """Take where it is for straight ahead."""
        self._centre_rad = self.angle_rad

    def mark_left_end(self) -> None:
        """Take where it is for the end to the left, and lead it back to the centre."""
        self._left_deg = self._seen_deg() - MARGIN_DEG
        self.return_to_centre()

    def mark_right_end(self) -> None:
        """Take where it is for the end to the right."""
        self._right_deg = self._seen_deg() + MARGIN_DEG

    def keep_ends(self) -> None:
        """Leave the limits that the wheel has."""
        self._left_deg = self._right_deg = None

    def return_to_centre(self) -> None:
        """Lead it to where straight ahead is."""
        self._towards = -math.copysign(1.0, self.seen_rad)
        self.angle_rad = self._centre_rad

    def trouble(self) -> str:
        """Say why the ends cannot be so, empty if they can."""
        found = self.found()
        if found.max_deg < _LEAST_RANGE_DEG or found.min_deg > -_LEAST_RANGE_DEG:
            return (
                f"From {found.min_deg:.0f} to {found.max_deg:.0f} degrees is less than the "
                f"{_LEAST_RANGE_DEG:.0f} to each side that a rover needs: lead it farther. "
                "Where the servo itself ends, put its horn nearer to its middle first."
            )
        return ""

    def nothing(self) -> CornerFound:
        """Return that it moves nothing."""
        return CornerFound(self.name, "")

    def found(self) -> CornerFound:
        """Return what has been found."""
        kept = self._kept()
        return CornerFound(
            configured=self.name,
            moved=self._moved,
            centre_deg=self._centre_deg,
            direction=self._steer.direction * self._way,
            min_deg=kept.min_deg if self._right_deg is None else round(self._right_deg, 1),
            max_deg=kept.max_deg if self._left_deg is None else round(self._left_deg, 1),
        )

    def _kept(self) -> SteerConfig:
        """Return what the wheel that moves has; within what its servo can do about its centre."""
        steer = self._config.wheels[self._moved].steer or self._steer
        centre_deg = self._centre_deg
        direction = self._steer.direction * self._way
        range_deg = self._config.steering.servo_range_deg
        right_deg, left_deg = sorted(
            (-centre_deg * direction, (range_deg - centre_deg) * direction)
        )
        # Whole tenths within the ends: their sum with the centre must not lie beyond by rounding.
        return structs.replace(
            steer,
            min_deg=max(steer.min_deg, math.ceil(right_deg * 10.0) / 10.0),
            max_deg=min(steer.max_deg, math.floor(left_deg * 10.0) / 10.0),
        )

    @property
    def _centre_deg(self) -> float:
        """Where the servo is straight ahead, as it is written: limits are held against that."""
        return round(self._pulses.servo_deg(self._centre_rad), 2)

    def _seen_deg(self) -> float:
        return units.deg_from_rad(self.seen_rad)


def contradiction(found: Sequence[CornerFound]) -> str:
    """Say why these cannot all be so, empty if they can."""
    by_wheel: dict[str, str] = {}
    for one in found:
        if not one.moved:
            return (
                f"{one.configured}'s servo moved nothing: look at its plug and at the board's V+, "
                "then begin anew"
            )
        if one.moved in by_wheel:
            return (
                f"{one.moved} steered twice, when {by_wheel[one.moved]} and when {one.configured} "
                "was to: begin anew"
            )
        by_wheel[one.moved] = one.configured
    return ""


def changes(config: Config, found: Sequence[CornerFound]) -> Changes:
    """Return every servo as it really is, by key. No ``contradiction`` must be left."""
    changed: dict[KeyPath, Value] = {}
    for one in found:
        output = config.wheels[one.configured].steer
        old = config.wheels[one.moved].steer
        if output is None or old is None:
            continue
        new: dict[str, int | float] = {
            "channel": output.channel,
            "centre_deg": one.centre_deg,
            "min_deg": one.min_deg,
            "max_deg": one.max_deg,
            "direction": one.direction,
        }
        for field, value in new.items():
            # A centre that was looked at is kept in any case: the profile may change.
            if field == "centre_deg" or value != getattr(old, field):
                changed["wheels", one.moved, "steer", field] = value
    changed["steering", "calibrated"] = True
    return changed


def rows(config: Config, found: Sequence[CornerFound]) -> tuple[Row, ...]:
    """Say what was found out, a row for each servo."""
    return tuple(_row(config, one) for one in found)


def _row(config: Config, one: CornerFound) -> Row:
    output = config.wheels[one.configured].steer
    if not one.moved or output is None:
        return Row(one.configured, "its servo moves nothing")
    old = config.wheels[one.moved].steer
    says = [
        f"channel {output.channel}",
        f"straight ahead at {one.centre_deg:.1f} degrees of the servo",
        f"{one.min_deg:.0f} to {one.max_deg:.0f} degrees",
    ]
    if one.moved != one.configured:
        says[0] += ", not its configured one"
    if one.direction != output.direction:
        says.append("steers the other way than configured")
    same = old is not None and (
        (old.channel, old.direction, old.min_deg, old.max_deg)
        == (output.channel, one.direction, one.min_deg, one.max_deg)
        and abs(old.centre_deg - one.centre_deg) < _SAME_DEG
    )
    return Row(one.moved, ", ".join(says), changes=not same)
