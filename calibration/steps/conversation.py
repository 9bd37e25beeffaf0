"""A step of the calibration joined to a rover: what both the terminal and the page run.

Whatever moves is moved by control, in its state MAINTENANCE, on orders that count for a moment. So
a conversation that is cut off at any place leaves a rover that stands.
"""

import secrets
from typing import Protocol

from calibration.history import History
from calibration.steps.step import Step
from calibration.steps.view import Outcome
from calibration.store import CalibrationStore
from calibration.taking_over import Asked
from rover.clock import Clock
from rover.config import Config
from rover.config.build import build_mark
from rover.errors import ConfigError, LinkError
from rover.messages import ArmState, Order, RequestKind, Telemetry

# Telemetry that was under way when the state changed is older than this afterwards.
_SETTLES_S = 0.3
# Telemetry comes twenty times a second.
_SILENT_S = 1.0
_TOKEN_BYTES = 16


class Rover(Asked, Protocol):
    """Where control is asked and ordered: a ``ControlClient``, or a test's."""

    def order(self, token: str, order: Order, stamp_s: float) -> None:
        """Send what is to move; never waits."""
        ...


class Conversation:
    """One step with one rover. ``close`` it, however it ends: then nothing moves any more."""

    def __init__(self, step: Step, rover: Rover, who: str, clock: Clock) -> None:
        self.step = step
        self._rover = rover
        self._who = who
        self._clock = clock
        self._token = ""
        self._began_s = 0.0
        self._heard_s = clock.now_s()

    @property
    def maintains(self) -> bool:
        """Whether the rover moves things for it."""
        return bool(self._token)

    def go_on(self, telemetry: Telemetry | None, present_s: float) -> None:
        """Take in what is new of the rover, and order what the step wants to move now.

        ``present_s`` is when the person was last known to be there. Raises LinkError if control
        does not answer.
        """
        if telemetry is not None:
            self._heard_s = self._clock.now_s()
            self._notice_end(telemetry)
            self.step.see(telemetry)
        elif self._token and self._clock.now_s() - self._heard_s > _SILENT_S:
            # Control ends it too, having heard nothing, or is gone.
            self._token = ""
            self.step.interrupted("The rover tells nothing any more: is control running?")
        if self.step.maintains and not self._token:
            self._begin()
        if self._token and not self.step.maintains:
            self._end()
        order, since_s = self.step.order(self._clock.now_s(), present_s)
        if self._token:
            self._rover.order(self._token, order, since_s)

    def close(self) -> None:
        """Have the rover disarmed if it was moved from here. Raises LinkError."""
        if self._token:
            self._end()

    def _begin(self) -> None:
        token = secrets.token_hex(_TOKEN_BYTES)
        answer = self._rover.request(RequestKind.MAINTAIN, self._who, token=token)
        if answer.accepted:
            self._token, self._began_s = token, self._clock.now_s()
        else:
            self.step.interrupted(f"Nothing can be moved: {'; '.join(answer.refusals)}.")

    def _end(self) -> None:
        self._token = ""
        self._rover.request(RequestKind.DISARM, self._who)

    def _notice_end(self, telemetry: Telemetry) -> None:
        """See that somebody has stopped the rover, or that it has stopped by itself."""
        if not self._token or telemetry.state is ArmState.MAINTENANCE:
            return
        if telemetry.stamp_s - self._began_s < _SETTLES_S:
            return
        self._token = ""
        event = telemetry.events[-1].text if telemetry.events else str(telemetry.state)
        why = next(
            (
                one.text
                for one in reversed(telemetry.events)
                if one.code == f"state-{telemetry.state}"
            ),
            event,
        )
        self.step.interrupted(f"The rover was stopped ({why}). Go on when that is over.")


def require_same_rover(telemetry: Telemetry, config: Config) -> None:
    """Raise LinkError unless control runs with ``config``: else what is found would be wrong.

    Such as a wheel that turns backwards by a file that control has not read yet.
    """
    theirs = tuple(wheel.name for wheel in telemetry.wheels)
    if theirs != tuple(config.wheels) or telemetry.build not in {"", build_mark(config)}:
        raise LinkError(
            "the rover runs with another configuration than is read here: have it read its files "
            "anew with `rover reload`; if that does not help, name its files with --profile, "
            "--config and --calibration"
        )


def written(step: Step, name: str, store: CalibrationStore) -> str:
    """Write what a step has found; say so. Raises ConfigError: nothing is lost then."""
    changes = step.changes()
    store.put(name, changes)
    store.history.drop_draft(name)
    return f"Written to {store.path}." if changes else "Noted: nothing had to be changed."


class Draft:
    """What a step has found so far, kept beside the calibration file to go on another time.

    Kept whenever it changes: a connection, a battery or a program may end at any moment.
    """

    def __init__(self, step: Step, name: str, history: History) -> None:
        self._step = step
        self.name = name
        self._history = history
        self._kept = self._tried = history.draft(name)

    def keep(self) -> None:
        """Keep it, if anything is new and not about to be written. Raises ConfigError."""
        draft = self._step.draft()
        if draft != self._kept and self._step.outcome is not Outcome.WRITE:
            self._history.save_draft(self.name, draft)
            self._kept = draft

    def keep_meanwhile(self) -> None:
        """Keep it; if that fails, have the step say so: once for all that is new."""
        draft = self._step.draft()
        if draft == self._tried:
            return
        self._tried = draft
        try:
            self.keep()
        except ConfigError as error:
            self._step.interrupted(f"If you leave now, what was found is lost: {error}")
