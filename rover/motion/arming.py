"""Whether the wheels may turn at all: DISARMED, ARMED, MAINTENANCE, FAULT, ESTOP.

Born disarmed. Only a person arms, and is told every reason why not at once. A fault or an
emergency stop latches until a person clears it, back to DISARMED. In MAINTENANCE one client, by
its token, may move one wheel or one servo; it is entered and left by way of DISARMED.
"""

import math
from typing import assert_never

from rover.messages import (
    Answer,
    ArmState,
    Condition,
    Reaction,
    Request,
    RequestKind,
    Severity,
    Source,
)

# A request that waited longer for control to hear it is no longer what the person means. The
# clients wait longer than this for an answer, so what they gave up is not carried out later.
MAX_REQUEST_AGE_S = 0.6
# Whoever clears or arms must have seen what state the rover is in: nobody does sooner. It
# keeps a double tap from arming, and a clear from undoing a stop that it has crossed.
LOOK_S = 0.5
# The code of the one condition that keeps an emergency stop from being cleared.
STOP_BUTTON = "stop-button"
# The code of what a calibration is there to mend: it does not speak against one.
UNCALIBRATED = "calibration"
# The states in which something may move, and which a fault ends.
MOVING_STATES = frozenset({ArmState.ARMED, ArmState.MAINTENANCE})


class Arming:
    """The arming state machine. ``state`` and ``reason`` say where it is and why."""

    state: ArmState
    reason: str
    # Whose maintenance it is, while it is.
    token: str
    maintainer: str

    def __init__(self) -> None:
        self._go(ArmState.DISARMED, "just started", -math.inf)

    def request(
        self,
        request: Request,
        conditions: tuple[Condition, ...],
        asking: tuple[Source, ...],
        now_s: float,
    ) -> Answer:
        """Carry out a person's request, or answer with every reason why not.

        ``conditions`` is what is wrong with the rover now, ``asking`` the sources whose
        sticks are not neutral. STOP and DISARM are never refused.
        """
        match request.kind:
            case RequestKind.STOP:
                self.stop(request.who, now_s)
                return Answer(True)
            case RequestKind.DISARM:
                if self.state in MOVING_STATES:
                    self._go(ArmState.DISARMED, f"disarmed by {request.who}", now_s)
                return Answer(True)
            case RequestKind.CLEAR:
                return self._clear(request, conditions, now_s)
            case RequestKind.ARM:
                return self._arm(request, conditions, asking, now_s)
            case RequestKind.MAINTAIN:
                return self._maintain(request, conditions, asking, now_s)
            case RequestKind.RELOAD:
                return self._reload(request, now_s)
            case _:
                assert_never(request.kind)

    def stop(self, who: str, now_s: float) -> None:
        """Latch the emergency stop; one that is latched already counts from now."""
        reason = self.reason if self.state is ArmState.ESTOP else f"emergency stop by {who}"
        self._go(ArmState.ESTOP, reason, now_s)

    def fault(self, reason: str, now_s: float) -> None:
        """Take an armed or maintained rover to FAULT; in any other state nothing turns anyway."""
        if self.state in MOVING_STATES:
            self._go(ArmState.FAULT, reason, now_s)

    def end_maintenance(self, reason: str, now_s: float) -> None:
        """Take a maintained rover to DISARMED, and no other."""
        if self.state is ArmState.MAINTENANCE:
            self._go(ArmState.DISARMED, reason, now_s)

    def observe(self, conditions: tuple[Condition, ...], now_s: float) -> None:
        """Fault on the conditions that stop an armed rover, or a maintained one."""
        if self.state is ArmState.MAINTENANCE:
            conditions = _but_uncalibrated(conditions)
        stopping = [
            condition.text for condition in conditions if condition.reaction is Reaction.STOP
        ]
        if stopping:
            self.fault("; ".join(stopping), now_s)

    def refusals(
        self, conditions: tuple[Condition, ...], asking: tuple[Source, ...]
    ) -> tuple[str, ...]:
        """Return every reason why an arming request would be refused now."""
        refusals = list(self._not_free())
        refusals += [
            condition.text for condition in conditions if condition.severity is Severity.ERROR
        ]
        refusals += [f"{source}: let go of the sticks first" for source in asking]
        return tuple(refusals)

    def _arm(
        self,
        request: Request,
        conditions: tuple[Condition, ...],
        asking: tuple[Source, ...],
        now_s: float,
    ) -> Answer:
        if self.state is ArmState.ARMED:
            return Answer(True)
        refusals = self._ill_timed(request, now_s) + self.refusals(conditions, asking)
        if refusals:
            return Answer(False, refusals)
        self._go(ArmState.ARMED, f"armed by {request.who}", now_s)
        return Answer(True)

    def _maintain(
        self,
        request: Request,
        conditions: tuple[Condition, ...],
        asking: tuple[Source, ...],
        now_s: float,
    ) -> Answer:
        if self.state is ArmState.MAINTENANCE and request.token == self.token:
            return Answer(True)
        refusals = self._ill_timed(request, now_s)
        if not request.token:
            refusals += ("a maintenance without a token, by which its orders are known",)
        if self.state is ArmState.ARMED:
            refusals += ("the rover is armed: disarm it first",)
        refusals += self.refusals(_but_uncalibrated(conditions), asking)
        if refusals:
            return Answer(False, refusals)
        self._go(ArmState.MAINTENANCE, f"{request.who} calibrates", now_s)
        self.token, self.maintainer = request.token, request.who
        return Answer(True)

    def _reload(self, request: Request, now_s: float) -> Answer:
        """Tell whether the configuration may be read anew; it changes nothing here."""
        refusals = self._late(request, now_s)
        if self.state is ArmState.ARMED:
            refusals += ("the rover is armed: disarm it first",)
        refusals += self._not_free()
        return Answer(not refusals, refusals)

    def _not_free(self) -> tuple[str, ...]:
        """Return what has to end before a person begins anything else; armed is for others."""
        match self.state:
            case ArmState.ESTOP:
                return ("the emergency stop is latched: clear it first",)
            case ArmState.FAULT:
                return (f"a fault is latched ({self.reason}): clear it first",)
            case ArmState.MAINTENANCE:
                return (f"{self.maintainer} is calibrating the rover: end that first",)
            case _:
                return ()

    def _clear(self, request: Request, conditions: tuple[Condition, ...], now_s: float) -> Answer:
        if self.state not in {ArmState.ESTOP, ArmState.FAULT}:
            return Answer(True)
        refusals = self._ill_timed(request, now_s) + tuple(
            condition.text for condition in conditions if condition.code == STOP_BUTTON
        )
        if refusals:
            return Answer(False, refusals)
        self._go(ArmState.DISARMED, f"{self.state} cleared by {request.who}", now_s)
        return Answer(True)

    def _ill_timed(self, request: Request, now_s: float) -> tuple[str, ...]:
        """Return why a request comes too late, or too soon after the state has changed."""
        late = self._late(request, now_s)
        if late:
            return late
        if not request.stamp_s >= self._since_s + LOOK_S:
            return (f"the rover has only just become {self.state}: look, and ask again",)
        return ()

    def _late(self, request: Request, now_s: float) -> tuple[str, ...]:
        age_s = now_s - request.stamp_s
        # Written so that a time that is not a number is late.
        if not abs(age_s) <= MAX_REQUEST_AGE_S:
            return (f"the request to {request.kind} is {age_s:.1f} s old: ask again",)
        return ()

    def _go(self, state: ArmState, reason: str, now_s: float) -> None:
        self.state = state
        self.reason = reason
        self.token = self.maintainer = ""
        self._since_s = now_s


def _but_uncalibrated(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """Return ``conditions`` without what a maintenance is there for."""
    return tuple(condition for condition in conditions if condition.code != UNCALIBRATED)
