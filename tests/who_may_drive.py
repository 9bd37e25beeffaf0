"""Who may drive, worked out from what was said alone: what the arbiter is held against.

The arbiter keeps for each source whether it must come to rest. Here nothing of the kind is kept:
everything that was heard is numbered, and whoever may drive has said neutral after the last of
the things that take the wheel away.
"""

import math
from dataclasses import dataclass

from rover.config import Config
from rover.messages import Motion, Source, Stop, is_neutral

FUTURE_S = 0.005


def is_finite(motion: Motion) -> bool:
    """Whether a motion's numbers are numbers."""
    return all(
        math.isfinite(value)
        for value in (getattr(motion, name) for name in motion.__struct_fields__)
        if isinstance(value, float)
    )


@dataclass
class _Heard:
    """The newest of one source; ``rest`` and ``lost`` number when it last rested and lost."""

    motion: Motion | None = None
    stamp_s: float = -math.inf
    rest: int = 0
    lost: int = 1


class WhoMayDrive:
    """Told everything in its order; ``choose`` once a tick."""

    def __init__(self, config: Config) -> None:
        self.deadline_s = {
            Source.GAMEPAD: config.deadlines.gamepad_s,
            Source.WEB: config.deadlines.web_s,
        }
        self._heard = {source: _Heard() for source in (Source.GAMEPAD, Source.WEB)}
        self._count = 1
        self._stopped_s = -math.inf
        self._stops_now = False
        # Whether the last choice was to stop because somebody said so.
        self.stopped = False
        self.driver: Source | None = None

    def hears(self, source: Source, motion: Motion, stamp_s: float, now_s: float) -> None:
        """Take in a command."""
        self._count += 1
        heard = self._heard[source]
        senseless = math.isnan(stamp_s) or stamp_s > now_s + FUTURE_S or not is_finite(motion)
        if senseless or isinstance(motion, Stop):
            self.stops(now_s)
        elif stamp_s > heard.stamp_s:
            heard.motion, heard.stamp_s = motion, stamp_s
            if is_neutral(motion) and stamp_s >= self._stopped_s:
                heard.rest = self._count

    def stops(self, now_s: float) -> None:
        """Take the wheel from everybody, and stop in this tick whatever else is said."""
        self._stops_now = True
        self.loses(now_s)

    def loses(self, now_s: float) -> None:
        """Take the wheel from everybody, as a change of the arming state does."""
        self._count += 1
        self._stopped_s = now_s
        self.driver = None
        for heard in self._heard.values():
            heard.motion, heard.lost = None, self._count

    def asking(self, now_s: float) -> list[Source]:
        """Return whose newest word, in time, is a motion."""
        return [
            source
            for source, heard in self._heard.items()
            if heard.motion is not None
            and not is_neutral(heard.motion)
            and now_s - heard.stamp_s <= self.deadline_s[source]
        ]

    def choose(self, now_s: float) -> tuple[Motion | None, Source | None]:
        """Return the motion to make and whose it is; None for nobody's."""
        self._count += 1
        for source, heard in self._heard.items():
            if heard.motion is not None and now_s - heard.stamp_s > self.deadline_s[source]:
                drove = source is self.driver and not is_neutral(heard.motion)
                heard.motion, heard.lost = None, self._count
                if source is self.driver:
                    self.driver = None
                if drove:
                    self.stops(now_s)
        self.stopped = self._stops_now
        if self._stops_now:
            self._stops_now = False
            return None, None
        asking = self.asking(now_s)
        # The pad comes first; nobody else takes the wheel from one who is driving.
        before = asking[: asking.index(self.driver) + 1] if self.driver in asking else asking
        for source in before:
            heard = self._heard[source]
            if heard.rest > heard.lost:
                self.driver = source
                break
        if self.driver in asking:
            for source in asking:
                if source is not self.driver:
                    self._heard[source].lost = self._count
        return (self._heard[self.driver].motion, self.driver) if self.driver else (None, None)
