"""When the sticks count: only under a held dead-man button, and only on a pad that is alive."""

from rover.messages import Motion, Stop, is_neutral


class DeadMan:
    """The dead-man button of one pad, from the moment it was plugged in.

    The sticks count while the button is held, if it was seen to be pressed and they were at
    rest then or have been since. So nothing moves when the button is pressed with a stick held,
    by intent or because it drifts or lies on something; nor when the button was down already
    when the pad appeared. A silence with a stick held counts as letting go.

    Sticks that do not count say nothing unless they are at rest, and rest counts once it has
    been said: who listens takes a neutral motion for hands that have let go.
    """

    def __init__(self, silence_s: float, now_s: float) -> None:
        self._silence_s = silence_s
        self._heard_s = now_s
        self._live = False
        self._let_go = False
        self._rested = False
        self.silent = False

    @property
    def waits_for_rest(self) -> bool:
        """Whether the button is held, but sticks have yet to rest before they count."""
        return self._live and not self._rested

    def heard(self, now_s: float) -> None:
        """Note that the pad has said something, whatever it was."""
        self._heard_s = now_s
        self.silent = False

    def press(self, *, at_rest: bool) -> None:
        """Note that the button went down, and whether the sticks were at rest as it did."""
        if self._live:
            # It was let go of in between, among events that were lost.
            self.release()
        # Rest that came and went since the last ``permit`` has not been told.
        self._live, self._rested = True, at_rest and self._rested

    def release(self) -> None:
        """Note that the button is up."""
        self._let_go = self._let_go or self._live
        self._live = False

    def permit(self, asked: Motion, now_s: float, *, deflected: bool) -> Motion | None:
        """Return what the pad may ask for, given what its sticks ask for.

        ``deflected`` tells that something on the pad is not at rest, even if ``asked`` is
        neutral: what means nothing now is motion at the press of the mode button, or when the
        trigger that held it in balance is let go of.

        The answer is ``asked`` while the sticks count or are at rest, and None while they are
        neither: nobody may take that for sticks at rest. A Stop, once, when the button is
        released or the pad falls silent with a stick held.
        """
        if self._let_go:
            # Whoever listens must be told of the sticks at rest after this.
            self._let_go, self._rested = False, False
            return Stop("dead-man released")
        if is_neutral(asked) and not deflected:
            self._rested = True
            return asked
        if not self._live or not self._rested:
            self._rested = False
            return None
        silence_s = now_s - self._heard_s
        # Written so that a time that is not a number is a silence.
        if not is_neutral(asked) and not silence_s <= self._silence_s:
            self._live, self._rested, self.silent = False, False, True
            return Stop(f"gamepad silent for {silence_s:.1f} s with a stick held")
        return asked
