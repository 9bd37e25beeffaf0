"""Whether the wheels do what they are told, by their own encoders and currents.

A stalled wheel burns its motor or holds somebody's foot; a wheel whose encoder is off is
driven at full power by a controller that believes it stands; one whose encoder is reversed or
swapped runs away. All show as a measured motion that stays far from the commanded one.
"""

import math
from collections.abc import Sequence

from rover.messages import WheelFeedback, WheelReading

# Below this much, or this share of what is asked, a difference is load, lag or rounding.
_TOLERATED_RAD_S = 3.0
_TOLERATED_SHARE = 0.5
# A loaded wheel takes up to 0.3 s to come up to speed, the measured speed 0.05 s more.
_PATIENCE_S = 0.6
# So much way must be owed before a wheel that has gone less than a quarter of it is found to
# stand: 30 counts of JPL's 753 a turn, 19 mm at the rim. Stiction takes a slow wheel a while.
_OWED_RAD = 0.25
_PAID_SHARE = 0.25
# Without a single count less way is enough, six counts of JPL's, once it has been asked so long
# since the last one.
_NO_COUNT_RAD = 0.05
_NO_COUNT_PATIENCE_S = 0.8
# A wheel that turns the wrong way faster than this does not do so by lag: the governor lets no
# wheel turn round within less than a stop and a start.
_WRONG_WAY_RAD_S = 3.0
_WRONG_WAY_PATIENCE_S = 0.3
# A wheel that draws a stalled motor's current while it turns less than this share of what is
# asked is held fast: long enough for one that climbs over an edge. Currents come every 70 ms.
_STALLED_SHARE = 0.25
_STALL_PATIENCE_S = 0.4
_CURRENT_AGE_S = 0.3
# Commanded slower than this there is no saying which way a wheel should turn.
_ASKED_RAD_S = 0.5


class Obedience:
    """Watches every wheel, in the order of the wheel table.

    ``stall_current_a`` is what no wheel draws that turns freely.
    """

    def __init__(self, count: int, stall_current_a: float) -> None:
        self._wheels = tuple(_Wheel(stall_current_a) for _ in range(count))

    def update(
        self, commanded_rad_s: Sequence[float], feedback: WheelFeedback, now_s: float
    ) -> tuple[int, ...]:
        """Return the wheels that disobey and have for a while, by their index.

        A while is 0.6 s; 0.3 s for one that turns the wrong way, 0.4 s for one that stands
        and draws a stalled motor's current. A wheel whose speed is not known is not judged
        here: stale feedback is a fault of its own.
        """
        return tuple(
            i
            for i, (wheel, commanded, reading) in enumerate(
                zip(self._wheels, commanded_rad_s, feedback.wheels, strict=True)
            )
            if wheel.disobeys(commanded, reading, now_s)
        )

    def forgive(self) -> None:
        """Forget what the wheels owe: what they were told lately need not have reached them."""
        for wheel in self._wheels:
            wheel.forgive()


class _Wheel:
    """One wheel: since when it has been doing each kind of wrong."""

    def __init__(self, stall_current_a: float) -> None:
        self._stall_current_a = stall_current_a
        self._astray = _Lasting(_PATIENCE_S)
        self._wrong_way = _Lasting(_WRONG_WAY_PATIENCE_S)
        self._stalled = _Lasting(_STALL_PATIENCE_S)
        self._stuck = _Stuck()

    def disobeys(self, commanded_rad_s: float, reading: WheelReading, now_s: float) -> bool:
        measured_rad_s = reading.speed_rad_s
        known = measured_rad_s is not None
        measured_rad_s = measured_rad_s or 0.0
        # Every kind is looked at each time, for each remembers since when.
        found = (
            self._astray.update(known and _is_astray(commanded_rad_s, measured_rad_s), now_s),
            self._wrong_way.update(known and _is_wrong_way(commanded_rad_s, measured_rad_s), now_s),
            self._stalled.update(
                known and self._is_stalled(commanded_rad_s, measured_rad_s, reading, now_s), now_s
            ),
            self._stuck.update(commanded_rad_s if known else 0.0, reading.position_rad, now_s),
        )
        return any(found)

    def forgive(self) -> None:
        self._stuck = _Stuck()

    def _is_stalled(
        self, commanded_rad_s: float, measured_rad_s: float, reading: WheelReading, now_s: float
    ) -> bool:
        return (
            reading.current_a is not None
            and now_s - reading.current_stamp_s <= _CURRENT_AGE_S
            and abs(reading.current_a) >= self._stall_current_a
            and abs(commanded_rad_s) > _ASKED_RAD_S
            and abs(measured_rad_s) < _STALLED_SHARE * abs(commanded_rad_s)
        )


class _Lasting:
    """Whether something has been so for a while without a break."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._since_s = math.inf

    def update(self, present: bool, now_s: float) -> bool:
        self._since_s = min(self._since_s, now_s) if present else math.inf
        return now_s - self._since_s >= self._patience_s


class _Stuck:
    """Whether a wheel has hardly moved though it was told to go a good way.

    Way is added up rather than speeds compared: a slow wheel gives no count for longer than
    its speed is averaged over. What is owed when the person lets go is not forgotten: many
    short pushes of a wheel whose encoder is dead are as bad as a long one.
    """

    def __init__(self) -> None:
        self._owed_rad = self._asked_s = 0.0
        self._from_rad: float | None = None
        # The same since the last count: a slow wheel pays long before it owes a good way, and
        # when its encoder dies then, what it has paid must not count for what follows.
        self._blind_rad = self._blind_s = 0.0
        self._seen_rad: float | None = None
        self._last_s = math.inf

    def update(self, commanded_rad_s: float, position_rad: float | None, now_s: float) -> bool:
        elapsed_s = max(0.0, now_s - self._last_s) if math.isfinite(self._last_s) else 0.0
        self._last_s = now_s
        if position_rad != self._seen_rad:
            self._seen_rad = position_rad
            self._blind_rad = self._blind_s = 0.0
        if position_rad is None or self._from_rad is None:
            self._start(position_rad)
            return False
        if commanded_rad_s == 0.0:
            # What is due has been told, and has stopped the rover; a wheel that owes nothing may
            # be rolled about.
            if self._is_due():
                self._blind_rad = self._blind_s = 0.0
                self._start(position_rad)
            elif self._owed_rad == 0.0 or self._has_paid(position_rad):
                self._start(position_rad)
            return False
        if commanded_rad_s * self._owed_rad < 0.0:
            self._start(position_rad)
        if commanded_rad_s * self._blind_rad < 0.0:
            self._blind_rad = self._blind_s = 0.0
        self._owed_rad += commanded_rad_s * elapsed_s
        self._blind_rad += commanded_rad_s * elapsed_s
        self._asked_s += elapsed_s
        self._blind_s += elapsed_s
        if abs(self._owed_rad) >= _OWED_RAD and self._has_paid(position_rad):
            self._start(position_rad)
        return self._is_due()

    def _is_due(self) -> bool:
        return (abs(self._owed_rad) >= _OWED_RAD and self._asked_s >= _PATIENCE_S) or (
            abs(self._blind_rad) >= _NO_COUNT_RAD and self._blind_s >= _NO_COUNT_PATIENCE_S
        )

    def _has_paid(self, position_rad: float) -> bool:
        went_rad = position_rad - (self._from_rad or 0.0)
        return went_rad * math.copysign(1.0, self._owed_rad) >= _PAID_SHARE * abs(self._owed_rad)

    def _start(self, position_rad: float | None) -> None:
        self._owed_rad, self._asked_s, self._from_rad = 0.0, 0.0, position_rad


def _is_astray(commanded_rad_s: float, measured_rad_s: float) -> bool:
    tolerated = max(_TOLERATED_RAD_S, _TOLERATED_SHARE * abs(commanded_rad_s))
    return not abs(measured_rad_s - commanded_rad_s) <= tolerated


def _is_wrong_way(commanded_rad_s: float, measured_rad_s: float) -> bool:
    return (
        abs(commanded_rad_s) > _ASKED_RAD_S
        and abs(measured_rad_s) > _WRONG_WAY_RAD_S
        and commanded_rad_s * measured_rad_s < 0.0
    )
