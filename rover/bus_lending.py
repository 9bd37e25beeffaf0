"""The serial bus lent to who scans it or sets controllers up, while the rover is disarmed.

Control lets go of the port after it has told the wheels to stand, stays disarmed meanwhile, and
opens the port again once the borrower has let go of it: a lock on the port tells. Whatever takes
the rover out of DISARMED ends the loan, and so does silence. A loan that has ended is never gone
on with: the borrower is told so and must begin anew.
"""

import math
from enum import Enum

from rover.bus_messages import BusAsk, BusAskKind, BusLoan
from rover.errors import DeviceError
from rover.hardware.base import WheelDrive
from rover.loans import Loan
from rover.messages import ArmState, Severity
from rover.telemetry import Journal

# Borrowers ask ten times a second and stop by themselves after a second without an answer.
KEPT_FOR_S = 1.5
# While the borrower still has the port.
_TRY_EVERY_S = 0.25
# Who is not up by then is told to be missing, and tried again as always.
_UP_WITHIN_S = 0.5


class _Stage(Enum):
    """Where the bus is. LEAVING, it is still open here; BACK, its controllers are not up yet."""

    OURS = "ours"
    LEAVING = "leaving"
    LENT = "lent"
    RETURNING = "returning"
    BACK = "back"


class BusLender:
    """Lends the bus of ``drive``. It belongs to the loop; nothing in it waits for a borrower."""

    def __init__(self, drive: WheelDrive, port: str, journal: Journal) -> None:
        """``port`` is what the borrower opens."""
        self._drive = drive
        self._port = port
        self._journal = journal
        self._loan = Loan("the serial bus", KEPT_FOR_S)
        self._stage = _Stage.OURS
        self._power = False
        # When to look again whether the port can be had, or the controllers are up.
        self._due_s = -math.inf
        # The last loan, for its borrower, and for who asks next.
        self._last: tuple[str, str] = ("", "")
        self._why_ended = ""
        # Why the port cannot be opened again.
        self._trouble = ""

    @property
    def away(self) -> str:
        """Who has the bus and what to do about it, empty while it is control's."""
        if self._stage is _Stage.OURS:
            return ""
        if self._trouble:
            return f"the serial bus is not back from {self._last[0]} yet: {self._trouble}"
        return f"the serial bus is lent to {self._loan.borrower or self._last[0]}: end it there"

    @property
    def is_ours(self) -> bool:
        """Whether control has the bus as if it had never been away."""
        return self._stage is _Stage.OURS

    @property
    def motors(self) -> bool:
        """Whether the motor-enable line may be up, as far as the bus is concerned."""
        if self._stage is _Stage.LENT:
            return self._power
        return self._stage in {_Stage.OURS, _Stage.BACK}

    def ask(self, ask: BusAsk, state: ArmState, now_s: float) -> BusLoan:
        """Answer who asks for the bus, goes on having it, or gives it back."""
        mine = self._loan.is_lent_to(ask.who, ask.token)
        if ask.kind is BusAskKind.DONE:
            if mine:
                self._end("", now_s)
            return BusLoan()
        if not mine:
            if ask.kind is BusAskKind.KEEP:
                return BusLoan(self._why_not_any_more(ask))
            refusal = self._refusal(state)
            if refusal:
                return BusLoan(refusal)
            self._stage = _Stage.LEAVING
        self._loan.ask(ask.who, now_s, ask.token)
        lent = self._stage is _Stage.LENT
        self._power = lent and ask.power
        return BusLoan("", lent, self._power, self._port)

    def keep(self, state: ArmState, reason: str, now_s: float) -> None:
        """End the loan if the rover is not disarmed any more, for ``reason``, or nobody asks."""
        if not self._loan.borrower:
            return
        if state is not ArmState.DISARMED:
            self._end(f"the rover is {state}: {reason}", now_s)
        elif self._loan.is_overdue(now_s):
            self._end(f"nothing was heard of it for {KEPT_FOR_S:g} s", now_s)

    def settle(self, now_s: float, *, told: bool) -> None:
        """Let go of the port, or take it back, when it is time.

        ``told`` is whether the wheels have just been told to stand and every controller that
        answers has acknowledged it.
        """
        match self._stage:
            case _Stage.LEAVING if told:
                self._drive.let_go(f"lent to {self._loan.borrower}")
                self._stage = _Stage.LENT
            case _Stage.RETURNING if now_s >= self._due_s:
                self._take_back(now_s)
            case _Stage.BACK:
                # The loop brings up one a tick of those that answer; it has their power on again.
                up = all(entry.ready for entry in self._drive.health())
                if up or now_s >= self._due_s:
                    self._stage = _Stage.OURS
                    text = "the serial bus is the rover's again"
                    self._journal.add(now_s, Severity.INFO, "bus", text)
            case _:
                pass

    def _take_back(self, now_s: float) -> None:
        try:
            self._drive.take_back()
        except DeviceError as error:
            self._trouble = str(error)  # most likely that its borrower has it still
            self._due_s = now_s + _TRY_EVERY_S
        else:
            self._stage, self._trouble = _Stage.BACK, ""
            self._due_s = now_s + _UP_WITHIN_S

    def _end(self, why: str, now_s: float) -> None:
        """End the loan; ``why`` is empty if its borrower has given it back."""
        who, self._why_ended = self._loan.borrower, why
        self._last = (who, self._loan.token)
        self._loan.end()
        self._power = False
        # What was not let go of yet need not be taken back.
        self._stage = _Stage.OURS if self._stage is _Stage.LEAVING else _Stage.RETURNING
        self._due_s, self._trouble = now_s, ""
        if why:
            text = f"{who} has the serial bus no more: {why}"
            self._journal.add(now_s, Severity.WARNING, "bus-ended", text)

    def _refusal(self, state: ArmState) -> str:
        if state is ArmState.DISARMED:
            return self.away
        if state in {ArmState.ESTOP, ArmState.FAULT}:
            return f"the rover is {state}: clear that first"
        return f"the rover is {state}: disarm it first"

    def _why_not_any_more(self, ask: BusAsk) -> str:
        if (ask.who, ask.token) == self._last:
            return self._why_ended or "it was given back"
        return "control knows nothing of this loan: it was started anew meanwhile"
