"""Who may be driving: worked out from what was said to the rover, and from its arming state."""

import math

from rover.config import Config
from rover.messages import Arc, ArmState, Motion, Source, Stop, is_neutral


class _Said:
    """The newest of one source, and since when it may have what it asks for."""

    def __init__(self, deadline_s: float) -> None:
        self.deadline_s = deadline_s
        self.motion: Motion = Arc(0.0, 0.0)
        self.stamp_s = -math.inf
        self.rested = False


class Asked:
    """Everybody who drives. ``let_go`` says whether who drove last came to rest by himself."""

    def __init__(self, config: Config) -> None:
        self._said = {
            Source.GAMEPAD: _Said(config.deadlines.gamepad_s),
            Source.WEB: _Said(config.deadlines.web_s),
        }
        self._heard: list[tuple[Source, Motion, float]] = []
        self._stopped_s = -math.inf
        self._refused_all = False
        self._was_wanted = False
        self._state = ArmState.DISARMED
        self.let_go = False

    def command(self, source: Source, motion: Motion, stamp_s: float) -> None:
        """Note a command that the next tick hears, in the order in which it does."""
        self._heard.append((source, motion, stamp_s))

    def rubbish(self) -> None:
        """Note that the next tick hears what it must refuse, which stops everyone."""
        self._refused_all = True

    def wants(self, start_s: float, state: ArmState) -> bool:
        """Return whether the rover may be moving: after a tick from ``start_s`` to ``state``."""
        if self._refused_all:
            self._fail_safe(start_s)
            self._refused_all = False
        # In the tick that ends in a fault wheels may still have been told to turn.
        faulted = self._state is ArmState.ARMED and state is ArmState.FAULT
        if state is not self._state and not faulted:
            self._fail_safe(start_s)
        self._state = state
        self._hear(start_s)
        driving, resting = self._now(start_s)
        wanted = driving and (state is ArmState.ARMED or faulted)
        if faulted:
            self._fail_safe(start_s)
        if self._was_wanted and not wanted:
            # Who lets go may take the time of a soft stop; whoever else is lost may not.
            self.let_go = resting
        self._was_wanted = wanted
        return wanted

    def _hear(self, start_s: float) -> None:
        for source, motion, stamp_s in self._heard:
            if isinstance(motion, Stop):
                self._fail_safe(start_s)
                continue
            said = self._said[source]
            if stamp_s > said.stamp_s:
                said.motion, said.stamp_s = motion, stamp_s
                if is_neutral(motion) and stamp_s >= self._stopped_s:
                    said.rested = True
        self._heard.clear()

    def _now(self, start_s: float) -> tuple[bool, bool]:
        """Return whether somebody drives, and whether somebody rests who could."""
        driving = resting = False
        for said in self._said.values():
            if start_s - said.stamp_s > said.deadline_s:
                said.rested = False
            elif said.rested:
                if is_neutral(said.motion):
                    resting = True
                else:
                    driving = True
        return driving, resting

    def _fail_safe(self, start_s: float) -> None:
        self._stopped_s = start_s
        for said in self._said.values():
            said.rested = False
