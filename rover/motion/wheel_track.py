"""The angles that one wheel was read at, so that it can be asked where it was at any moment."""

import math
from collections import deque
from typing import NamedTuple

# How far a wheel can turn between two readings: its top speed, half as much again for a
# wheel without load or downhill, and a little for reading at slightly other times than told.
_OVERSPEED = 1.5
_SLACK_RAD = 0.2
# Readings farther apart than this tell the angle turned but not the way there.
_LONGEST_GAP_S = 1.0


class Mark(NamedTuple):
    """A wheel at one moment: how far it has rolled and where it pointed."""

    position_rad: float
    steer_rad: float


class _Reading(NamedTuple):
    stamp_s: float
    mark: Mark


class WheelTrack:
    """Readings of one wheel in the order of time, as few as are still needed."""

    def __init__(self, max_speed_rad_s: float) -> None:
        self._limit_rad_s = max_speed_rad_s * _OVERSPEED
        self._readings: deque[_Reading] = deque()
        self.latest_s = -math.inf

    def add(self, stamp_s: float, position_rad: float, steer_rad: float) -> bool:
        """Take a reading; tell whether the track before it still counts.

        A reading not newer than the last one is no news and changes nothing. After a gap of
        more than a second, or a jump that the wheel cannot have made (its encoder was reset),
        the track begins anew from this reading; a jump returns False, a gap True.
        """
        if not stamp_s > self.latest_s:
            return True
        plausible = True
        if self._readings:
            last = self._readings[-1]
            elapsed_s = stamp_s - last.stamp_s
            turned = abs(position_rad - last.mark.position_rad)
            # Written so that a position which is not a number is not plausible.
            plausible = turned <= self._limit_rad_s * elapsed_s + _SLACK_RAD
            if not plausible or elapsed_s > _LONGEST_GAP_S:
                self._readings.clear()
        self.latest_s = stamp_s
        self._readings.append(_Reading(stamp_s, Mark(position_rad, steer_rad)))
        return plausible

    def at(self, moment_s: float) -> Mark | None:
        """Return where the wheel was, on a straight line between the readings around it.

        None if it was not read both before and after, or right at the moment.
        """
        before: _Reading | None = None
        for reading in self._readings:
            if reading.stamp_s == moment_s:
                return reading.mark
            if reading.stamp_s > moment_s:
                return _mix(before, reading, moment_s) if before else None
            before = reading
        return None

    def forget_before(self, moment_s: float) -> None:
        """Drop what ``at`` no longer needs for this moment and later ones.

        A wheel that was not read since is not remembered at all: the others have gone on
        without it. When it is back, a straight line over its silence would spread its way
        evenly, and add to the present what it rolled long before.
        """
        readings = self._readings
        if self.latest_s < moment_s:
            readings.clear()
        while len(readings) > 1 and readings[1].stamp_s <= moment_s:
            readings.popleft()


def _mix(before: _Reading, after: _Reading, moment_s: float) -> Mark:
    part = (moment_s - before.stamp_s) / (after.stamp_s - before.stamp_s)
    return Mark(
        before.mark.position_rad + part * (after.mark.position_rad - before.mark.position_rad),
        before.mark.steer_rad + part * (after.mark.steer_rad - before.mark.steer_rad),
    )
