"""Which source drives. Any stop wins; a source that lost the wheel starts from neutral.

The rules, in order:

1. A Stop from any source stops the rover, whoever drives, and sends everyone to neutral.
2. A source silent beyond its deadline is forgotten; if it was driving, that is a stop too.
3. The gamepad takes the wheel from the phone by moving a stick; the phone takes it only when
   the gamepad is at rest.
4. A source that asks for motion while another drives must come to neutral before its turn.
"""

import math
from dataclasses import dataclass

from rover.config import Config
from rover.errors import BadMessageError
from rover.messages import (
    DriveCommand,
    Motion,
    Selected,
    Source,
    Stop,
    is_neutral,
    require_finite,
)

# Clocks of processes on one computer are one clock; this is only for rounding.
_FUTURE_TOLERANCE_S = 0.005


@dataclass(slots=True)
class _Wish:
    """The newest of one source, and whether it must come to neutral before it counts."""

    deadline_s: float
    motion: Motion | None = None
    stamp_s: float = -math.inf
    must_rest: bool = True


class Arbiter:
    """Lets one motion through. Not thread-safe: it belongs to the loop."""

    def __init__(self, config: Config) -> None:
        # In the order in which they have the wheel.
        self._wishes = {
            Source.GAMEPAD: _Wish(config.deadlines.gamepad_s),
            Source.WEB: _Wish(config.deadlines.web_s),
        }
        self._holder: Source | None = None
        self._stop: tuple[Stop, Source | None] | None = None
        self._held_since_s = -math.inf

    @property
    def holder(self) -> Source | None:
        """The source that drives now, if any."""
        return self._holder

    def hears(self, now_s: float) -> bool:
        """Tell whether any source has sent a command within its deadline, neutral or not."""
        return any(now_s - wish.stamp_s <= wish.deadline_s for wish in self._wishes.values())

    def receive(self, command: DriveCommand, now_s: float) -> str:
        """Take a command in; return why it is refused, empty if it is not.

        Commands older than the newest are passed over in silence: they are late, not wrong.
        A Stop counts however late it comes. What cannot be meant, a time in the future or a
        number that is not finite, is refused and stops: decoders let none through, and this
        does not rely on them.
        """
        wish = self._wishes[command.source]
        if isinstance(command.motion, Stop):
            self.stop(command.motion.reason, command.source, now_s)
            return ""
        # Written so that a time that is not a number is none.
        if not command.stamp_s <= now_s + _FUTURE_TOLERANCE_S:
            self.stop("a command from the future", command.source, now_s)
            return f"{command.source}: stamped {command.stamp_s - now_s:.3f} s in the future"
        try:
            require_finite(command.motion)
        except BadMessageError as error:
            self.stop("a malformed command", command.source, now_s)
            return f"{command.source}: {error}"
        if command.stamp_s <= wish.stamp_s:
            return ""
        wish.motion, wish.stamp_s = command.motion, command.stamp_s
        if is_neutral(command.motion) and command.stamp_s >= self._held_since_s:
            wish.must_rest = False
        return ""

    def stop(self, reason: str, source: Source | None, now_s: float) -> None:
        """Stop whoever drives; all sources must come to neutral, from now on."""
        self._stop = (Stop(reason), source)
        self.hold(now_s)

    def hold(self, now_s: float) -> None:
        """Take the wheel from everyone until they have been at neutral after ``now_s``."""
        self._holder = None
        self._held_since_s = now_s
        for wish in self._wishes.values():
            wish.motion = None
            wish.must_rest = True

    def asking(self, now_s: float) -> tuple[Source, ...]:
        """Return the sources that ask for motion now, whether they may have it or not."""
        return tuple(
            source
            for source, wish in self._wishes.items()
            if wish.motion is not None
            and not is_neutral(wish.motion)
            and now_s - wish.stamp_s <= wish.deadline_s
        )

    def select(self, now_s: float) -> Selected:
        """Return the one motion to make now; Stop when nobody drives."""
        self._forget_the_silent(now_s)
        if self._stop is not None:
            (motion, source), self._stop = self._stop, None
            return Selected(motion, source, 0.0)
        self._hand_over(now_s)
        wish = self._wishes[self._holder] if self._holder is not None else None
        if wish is None or wish.motion is None:
            return Selected(Stop("nobody drives"), None, 0.0)
        return Selected(wish.motion, self._holder, now_s - wish.stamp_s)

    def _forget_the_silent(self, now_s: float) -> None:
        for source, wish in self._wishes.items():
            if wish.motion is None or now_s - wish.stamp_s <= wish.deadline_s:
                continue
            was_moving = source is self._holder and not is_neutral(wish.motion)
            wish.motion, wish.must_rest = None, True
            if source is self._holder:
                self._holder = None
            if was_moving:
                self.stop(f"{source} silent for {wish.deadline_s * 1000:.0f} ms", source, now_s)

    def _hand_over(self, now_s: float) -> None:
        """Let the first source in order that may and wants to drive have the wheel.

        A holder that goes on asking is among them: only who stands before it takes the wheel.
        """
        asking = self.asking(now_s)
        entitled = [source for source in asking if not self._wishes[source].must_rest]
        if entitled:
            self._holder = entitled[0]
        if self._holder in asking:
            for source in asking:
                if source is not self._holder:
                    self._wishes[source].must_rest = True
