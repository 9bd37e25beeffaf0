"""When the sticks count: only under a held dead-man button, and only on a pad that is alive."""

from rover.messages import Arc, Motion, Stop, is_neutral

AT_REST = Arc(0.0, 0.0)


class DeadMan:
    """The dead-man button of one pad, from the moment it was plugged in.

    The sticks count while the button is held, if it was seen to be pressed: one that was
    down already when the pad appeared does not count. After plugging in and after a silence
    the sticks must be seen at rest too. Every Stop is followed by a command at rest, so that
    who listens can tell a new start from the old motion.
    """

    def __init__(self, silence_s: float, now_s: float) -> None:
        self._silence_s = silence_s
        self._heard_s = now_s
        self._live = False
        self._let_go = False
        self._rested = False
        self._owes_rest = False
        self.silent = False

    @property
    def waits_for_rest(self) -> bool:
        """Whether the button is held, but the sticks have not been at rest yet."""
        return self._live and not self._rested

    @property
    def heard_s(self) -> float:
        """When the pad last said anything."""
        return self._heard_s

    def heard(self, now_s: float) -> None:
        """Note that the pad has said something, whatever it was."""
        self._heard_s = now_s
        self.silent = False

    def press(self) -> None:
        """Note that the button went down."""
        self._live = True

    def release(self) -> None:
        """Note that the button is up."""
        self._let_go = self._let_go or self._live
        self._live = False

    def permit(self, asked: Motion, now_s: float) -> Motion:
        """Return what the pad may ask for, given what its sticks ask for.

        That is ``asked`` while the sticks count and rest while they do not; a Stop, once,
        when the button is released or the pad falls silent with a stick held.
        """
        at_rest = is_neutral(asked)
        self._rested = self._rested or at_rest
        if self._let_go:
            return self._stop("dead-man released")
        if self._owes_rest:
            self._owes_rest = False
            return AT_REST
        if not self._live or not self._rested:
            return AT_REST
        silence_s = now_s - self._heard_s
        # Written so that a time that is not a number is a silence.
        if not at_rest and not silence_s <= self._silence_s:
            self._live, self._rested, self.silent = False, False, True
            return self._stop(f"gamepad silent for {silence_s:.1f} s with a stick held")
        return asked

    def _stop(self, reason: str) -> Stop:
        self._let_go = False
        self._owes_rest = True
        return Stop(reason)
