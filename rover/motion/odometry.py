"""Where the rover is, from how far its wheels have rolled.

Wheel angles are used, not speeds: what they add up to cannot drift with the rate at which
they are read. Controllers are read in turn, so the angles have different times. They are
brought to one moment, the latest that every wheel has been read up to, by straight lines
between readings. Between two such moments all wheels give one body motion by least squares,
and the pose follows it along an exact circular arc. So the pose lags by one round of
reading, and is not bent by it.
"""

import math
from collections.abc import Sequence

from rover.messages import Pose, Twist, WheelFeedback
from rover.motion.kinematics import Kinematics
from rover.motion.wheel_track import WheelTrack
from rover.units import wrap_rad

# A wheel that lags the newest reading by more is no longer waited for: a round of reading
# three controllers at the slowest loop, 20 Hz, takes 0.15 s.
_WAIT_S = 0.25
_ORIGIN = Pose(0.0, 0.0, 0.0)
_STILL = Twist(0.0, 0.0, 0.0)


class Odometry:
    """Dead reckoning. The pose starts at the origin, facing along x.

    Wheels that slip mislead it, and nothing here can tell.
    """

    def __init__(self, kinematics: Kinematics) -> None:
        self._kinematics = kinematics
        self._tracks = tuple(WheelTrack(limit) for limit in kinematics.max_wheel_rad_s)
        self._pose = _ORIGIN
        self._twist = _STILL
        self._stamp_s = -math.inf
        self._jumps = 0

    @property
    def pose(self) -> Pose:
        """Where the rover was at ``stamp_s``, from where it was at the start or ``reset``."""
        return self._pose

    @property
    def twist(self) -> Twist:
        """The body's mean velocity over the last step, which ended at ``stamp_s``."""
        return self._twist

    @property
    def stamp_s(self) -> float:
        """The moment that pose and twist belong to; minus infinity before the first reading."""
        return self._stamp_s

    @property
    def jumps(self) -> int:
        """How many readings were discarded because no wheel can turn so far in the time."""
        return self._jumps

    def reset(self) -> None:
        """Call the rover's present place and direction the origin."""
        self._pose = _ORIGIN

    def update(self, steer_rad: Sequence[float], feedback: WheelFeedback) -> None:
        """Take in what is new in ``feedback``; ``steer_rad`` is where the wheels point now.

        A wheel that has not been read, or whose stamp is that of the last time, adds
        nothing; one that falls silent is waited for 0.25 s and then left out until it has
        been read twice more. While too few wheels are read to tell, nothing is guessed: the
        pose stays. A jump beyond half as much again as the wheel's top speed is an encoder
        that was reset: discarded, counted in ``jumps``, and the wheel starts anew from there.
        A wheel read after more than a second does so too, for its way there is not known.
        """
        for track, reading, steer in zip(self._tracks, feedback.wheels, steer_rad, strict=True):
            if reading.position_rad is not None and not track.add(
                reading.position_stamp_s, reading.position_rad, steer
            ):
                self._jumps += 1
        newest_s = max(track.latest_s for track in self._tracks)
        if math.isfinite(newest_s):
            awaited = (t.latest_s for t in self._tracks if newest_s - t.latest_s <= _WAIT_S)
            self._advance_to(min(awaited))

    def _advance_to(self, stamp_s: float) -> None:
        """Follow the wheels up to ``stamp_s``, if that is later than the last time."""
        start_s = self._stamp_s
        if stamp_s <= start_s:
            return
        self._stamp_s = stamp_s
        if math.isfinite(start_s):
            self._twist = self._mean_twist(start_s, stamp_s)
            self._pose = _moved(self._pose, self._twist, stamp_s - start_s)
        for track in self._tracks:
            track.forget_before(stamp_s)

    def _mean_twist(self, start_s: float, end_s: float) -> Twist:
        """Return the body's velocity between two moments; still if it cannot be told."""
        steer_rad: list[float] = []
        wheel_rad_s: list[float | None] = []
        for track in self._tracks:
            start, end = track.at(start_s), track.at(end_s)
            if start is None or end is None:
                steer_rad.append(0.0)
                wheel_rad_s.append(None)
            else:
                steer_rad.append((start.steer_rad + end.steer_rad) / 2.0)
                turned = end.position_rad - start.position_rad
                wheel_rad_s.append(turned / (end_s - start_s))
        known = tuple([speed is not None for speed in wheel_rad_s])
        if not self._kinematics.knows_body(known):
            return _STILL
        return self._kinematics.body_from_wheels(steer_rad, wheel_rad_s)


def _moved(pose: Pose, twist: Twist, duration_s: float) -> Pose:
    """Follow a constant ``twist``: a circular arc.

    The arc's chord has the length of the arc times sin(a/2) / (a/2), and lies half the
    angle a = w*t on from where the arc begins.
    """
    half = twist.yaw_rate_rad_s * duration_s / 2.0
    chord = duration_s * (math.sin(half) / half if half != 0.0 else 1.0)
    cos, sin = math.cos(pose.yaw_rad + half), math.sin(pose.yaw_rad + half)
    return Pose(
        x_m=pose.x_m + chord * (twist.vx_mps * cos - twist.vy_mps * sin),
        y_m=pose.y_m + chord * (twist.vx_mps * sin + twist.vy_mps * cos),
        yaw_rad=wrap_rad(pose.yaw_rad + 2.0 * half),
    )
