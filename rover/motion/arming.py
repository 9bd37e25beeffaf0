"""Whether the wheels may turn at all: DISARMED, ARMED, FAULT, ESTOP.

Born disarmed. Only a person arms, and is told every reason why not at once. A fault or an
emergency stop latches until a person clears it, back to DISARMED.
"""

from typing import assert_never

from rover.messages import Answer, ArmState, Condition, Request, RequestKind, Severity, Source

# A request that waited longer for control to hear it is no longer what the person means.
MAX_REQUEST_AGE_S = 1.0


class Arming:
    """The arming state machine. ``state`` and ``reason`` say where it is and why."""

    def __init__(self) -> None:
        self.state = ArmState.DISARMED
        self.reason = "just started"

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
                self.stop(request.who)
                return Answer(True)
            case RequestKind.DISARM:
                if self.state is ArmState.ARMED:
                    self._go(ArmState.DISARMED, f"disarmed by {request.who}")
                return Answer(True)
            case RequestKind.CLEAR:
                return self._clear(request, conditions, now_s)
            case RequestKind.ARM:
                return self._arm(request, conditions, asking, now_s)
            case _:
                assert_never(request.kind)

    def stop(self, who: str) -> None:
        """Latch the emergency stop."""
        if self.state is not ArmState.ESTOP:
            self._go(ArmState.ESTOP, f"emergency stop by {who}")

    def fault(self, reason: str) -> None:
        """Take an armed rover to FAULT; in any other state nothing turns anyway."""
        if self.state is ArmState.ARMED:
            self._go(ArmState.FAULT, reason)

    def observe(self, conditions: tuple[Condition, ...]) -> None:
        """Fault on the conditions that stop an armed rover."""
        stopping = [condition.text for condition in conditions if condition.stops]
        if stopping:
            self.fault("; ".join(stopping))

    def refusals(
        self, conditions: tuple[Condition, ...], asking: tuple[Source, ...]
    ) -> tuple[str, ...]:
        """Return every reason why an arming request would be refused now."""
        refusals = []
        if self.state is ArmState.ESTOP:
            refusals.append("the emergency stop is latched: clear it first")
        if self.state is ArmState.FAULT:
            refusals.append(f"a fault is latched ({self.reason}): clear it first")
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
        refusals = _too_old(request, now_s) + self.refusals(conditions, asking)
        if refusals:
            return Answer(False, refusals)
        self._go(ArmState.ARMED, f"armed by {request.who}")
        return Answer(True)

    def _clear(self, request: Request, conditions: tuple[Condition, ...], now_s: float) -> Answer:
        if self.state not in {ArmState.ESTOP, ArmState.FAULT}:
            return Answer(True)
        refusals = _too_old(request, now_s) + tuple(
            condition.text for condition in conditions if condition.code == STOP_BUTTON
        )
        if refusals:
            return Answer(False, refusals)
        self._go(ArmState.DISARMED, f"{self.state} cleared by {request.who}")
        return Answer(True)

    def _go(self, state: ArmState, reason: str) -> None:
        self.state = state
        self.reason = reason


# The code of the one condition that keeps an emergency stop from being cleared.
STOP_BUTTON = "stop-button"


def _too_old(request: Request, now_s: float) -> tuple[str, ...]:
    age_s = now_s - request.stamp_s
    if abs(age_s) <= MAX_REQUEST_AGE_S:
        return ()
    return (f"the request to {request.kind} is {age_s:.1f} s old: ask again",)
