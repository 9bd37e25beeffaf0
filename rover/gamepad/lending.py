"""A gamepad that can be lent: to whoever calibrates it, who has no access to devices.

While it is lent the rover hears nothing of it, its emergency stop neither: a calibration asks for
that very button. So it is lent by a disarmed rover only, and taken back as soon as it is not.
"""

from collections.abc import Callable

from msgspec import structs

from rover.clock import Clock
from rover.config import Config
from rover.config.pad_checks import gamepad_contradictions
from rover.gamepad.lent import LentPads
from rover.gamepad.pilot import Gamepad, GamepadUpdate
from rover.loans import Loan
from rover.messages import ArmState
from rover.pad_messages import LearnedPad, PadAsk, PadLoan

# Some 50 bytes each; a pad at 8 kHz sends half as many between two answers.
_EVENTS_AT_ONCE = 512


class LendablePad:
    """Whichever gamepad is plugged in, or nothing while it is lent. It belongs to the loop."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        make_pad: Callable[[Config, Clock], Gamepad] = Gamepad,
        open_lent: Callable[[], LentPads] = LentPads,
    ) -> None:
        self._config = config
        self._clock = clock
        self._make_pad = make_pad
        self._open_lent = open_lent
        self._pad: Gamepad | None = make_pad(config, clock)
        self._lent: LentPads | None = None
        self._loan = Loan("the gamepad")
        self._shown = (False, False)

    @property
    def lent_to(self) -> str:
        """Who has the pad, empty while the rover has it itself."""
        return self._loan.borrower

    def filenos(self) -> tuple[int, ...]:
        """Return what becomes readable when the pad has something to say."""
        return () if self._pad is None else self._pad.filenos()

    def poll(self, now_s: float) -> GamepadUpdate:
        """Take what the pad has sent; while it is lent it says nothing."""
        return GamepadUpdate() if self._pad is None else self._pad.poll(now_s)

    def show(self, *, armed: bool, fault: bool) -> None:
        """Have the pad show the state of the rover."""
        self._shown = (armed, fault)
        if self._pad is not None:
            self._pad.show(armed=armed, fault=fault)

    def ask(self, ask: PadAsk, state: ArmState, now_s: float) -> PadLoan:
        """Lend the pads, go on lending them, or take them back as asked; never waits.

        Only a rover that is DISARMED lends them.
        """
        if not ask.who:
            return PadLoan("say who asks for the gamepad")
        if ask.done:
            if self._loan.borrower != ask.who:
                return PadLoan()
            refusal = "" if ask.learned is None else self._learn(ask.learned)
            self.take_back()
            return PadLoan(refusal)
        if state is not ArmState.DISARMED:
            return PadLoan(f"the rover is {state}, and its gamepad may stop it: disarm it first")
        refusal = self._loan.ask(ask.who, now_s)
        if refusal:
            return PadLoan(refusal)
        if self._lent is None:
            if self._pad is not None:
                self._pad.close()
                self._pad = None
            self._lent = self._open_lent()
        pads, events = self._lent.take(_EVENTS_AT_ONCE)
        return PadLoan("", pads, events, self._lent.troubles())

    def keep(self, state: ArmState, now_s: float) -> None:
        """Take the pad back if the rover may not do without it, or its borrower is silent."""
        if self._lent is not None and (
            state is not ArmState.DISARMED or self._loan.is_overdue(now_s)
        ):
            self.take_back()

    def take_back(self) -> None:
        """Drive with the pad again, from rest as with one that was just plugged in."""
        self._loan.end()
        if self._lent is not None:
            self._lent.close()
            self._lent = None
        if self._pad is None:
            self._pad = self._make_pad(self._config, self._clock)
            armed, fault = self._shown
            self._pad.show(armed=armed, fault=fault)

    def _learn(self, learned: LearnedPad) -> str:
        """Drive with what was learned from the next pad on; return why not, empty if it will.

        What comes from another process is held to the same rules as what stands in a file.
        """
        gamepad = self._config.gamepad
        gamepad = structs.replace(gamepad, pads={**gamepad.pads, learned.key: learned.pad})
        wrong = next(gamepad_contradictions(gamepad), None)
        if wrong is not None:
            return wrong.text
        self._config = structs.replace(self._config, gamepad=gamepad)
        return ""

    def close(self) -> None:
        """Let go of the pad, lent or not."""
        if self._lent is not None:
            self._lent.close()
        if self._pad is not None:
            self._pad.close()
