"""What people say to the rover: by the stop button, on the gamepad, over the link.

Nothing here waits. A stop comes before a request, a request before a command, and each request
has its whole effect before the next one is looked at.
"""

import math
from collections.abc import Callable

from rover.clock import Clock
from rover.ends import Bus, Lender, Link, Pad
from rover.gamepad import GamepadUpdate
from rover.hardware.base import Panel
from rover.link import Inbox, ReceivedRequest
from rover.messages import (
    Answer,
    ArmState,
    Condition,
    GamepadView,
    MaintenanceOrder,
    Request,
    RequestKind,
    Severity,
    Source,
)
from rover.motion.arbiter import Arbiter
from rover.motion.arming import Arming
from rover.motion.maintenance import Maintenance
from rover.pad_messages import PadLoan
from rover.telemetry import Journal

# A source that sends rubbish is told of once in a while, not at every message.
_REFUSED_EVERY_S = 1.0


class Hearing:
    """Hands what comes in to ``arbiter`` and ``arming``, and answers.

    ``enter_state`` is called after every request, with the time: it does what a change of
    the arming state demands. ``keep_reload`` takes the requests that the tick has no time for.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        panel: Panel,
        pad: Pad,
        lender: Lender | None = None,
        link: Link,
        arbiter: Arbiter,
        arming: Arming,
        maintenance: Maintenance,
        bus: Bus,
        journal: Journal,
        enter_state: Callable[[float], None],
        keep_reload: Callable[[ReceivedRequest], None],
    ) -> None:
        self._clock = clock
        self._panel = panel
        self._pad = pad
        self._lender = lender
        self._lent_to = ""
        self._pad_name = ""
        self._link = link
        self._arbiter = arbiter
        self._arming = arming
        self._maintenance = maintenance
        self._bus = bus
        self._journal = journal
        self._enter_state = enter_state
        self._keep_reload = keep_reload
        self._pad_trouble = ""
        self._pad_connected = False
        self._pad_deflected = False
        self._pad_slow = False
        self._pad_trim_per_m = 0.0
        self._refused_s: dict[str, float] = {}

    def hear(self, conditions: tuple[Condition, ...]) -> None:
        """Take in stops, requests and commands; ``conditions`` speak against arming."""
        now_s = self._clock.now_s()
        if self._panel.stop_pressed():
            self._arming.stop("the stop button", now_s)
        update = self._pad.poll(now_s)
        inbox = self._link.receive()
        # What has come in meanwhile is stamped later than the tick began.
        now_s = self._clock.now_s()
        self._pad_connected = update.connected
        self._pad_name = update.name if update.connected else ""
        self._pad_deflected = update.deflected
        for kind in update.requests:
            self._answer_pad(kind, conditions, now_s)
        for received in inbox.requests:
            if received.request.kind is RequestKind.RELOAD:
                self._keep_reload(received)
                continue
            answer = self._request(received.request, conditions, now_s)
            self._link.answer(received, answer)
        self._lend(inbox, now_s)
        self._lend_bus(inbox, now_s)
        self._take(inbox, now_s)
        if update.command is not None:
            self._arbiter.receive(update.command, now_s)
        if update.trouble != self._pad_trouble:
            self._pad_trouble = update.trouble
            if update.trouble:
                self._journal.add(now_s, Severity.WARNING, "gamepad", update.trouble)
            elif update.connected:
                self._journal.add(now_s, Severity.INFO, "gamepad", f"{update.name} ready")
        for note in update.notes:
            self._journal.add(now_s, Severity.INFO, "gamepad-show", note)
        self._tell_habits(update, now_s)

    def _take(self, inbox: Inbox, now_s: float) -> None:
        """Take in what the link has brought besides requests."""
        for refused in inbox.refused:
            who = str(refused.source or "unknown source")
            self._refuse(who, f"{who}: {refused.reason}", now_s)
            if refused.source is not None:
                self._arbiter.stop("a malformed command", refused.source, now_s)
        for order in inbox.orders:
            self._take_order(order, now_s)
        for command in inbox.drive:
            reason = self._arbiter.receive(command, now_s)
            if reason:
                self._refuse(command.source, reason, now_s)

    def _lend(self, inbox: Inbox, now_s: float) -> None:
        """Lend the gamepad where that is asked for, and have it back as soon as it is needed."""
        for received in inbox.pad_asks:
            loan = PadLoan("this rover reads no gamepad: gamepad.enabled is off")
            if self._lender is not None:
                loan = self._lender.ask(received.ask, self._arming.state, now_s)
            self._link.answer_pad_ask(received, loan)
        if self._lender is None:
            return
        self._lender.keep(self._arming.state, now_s)
        lent_to = self._lender.lent_to
        if lent_to != self._lent_to:
            text = "the gamepad is the rover's again"
            if lent_to:
                text = f"{lent_to} calibrates the gamepad: it can neither drive nor stop meanwhile"
            self._lent_to = lent_to
            self._journal.add(now_s, Severity.INFO, "gamepad-lent", text)

    def _lend_bus(self, inbox: Inbox, now_s: float) -> None:
        """Lend the serial bus where that is asked for, and ask for it back where it is needed."""
        arming = self._arming
        # Before the answers: whoever has lost it is told so in this tick.
        self._bus.keep(arming.state, arming.reason, now_s)
        for received in inbox.bus_asks:
            loan = self._bus.ask(received.ask, arming.state, now_s)
            self._link.answer_bus_ask(received, loan)

    def lent(self) -> tuple[str, ...]:
        """Return what others have of the rover now, a sentence each."""
        borrower = "" if self._lender is None else self._lender.lent_to
        pad = f"{borrower} calibrates the gamepad: end that first" if borrower else ""
        return tuple(text for text in (pad, self._bus.away) if text)

    def gamepad(self) -> GamepadView:
        """Return what is to be shown of the gamepad."""
        connected = bool(self._pad_name)
        return GamepadView(
            self._pad_name,
            connected and self._pad_slow,
            self._pad_trim_per_m if connected else 0.0,
            self._lent_to,
        )

    def _tell_habits(self, update: GamepadUpdate, now_s: float) -> None:
        """Tell what the gamepad has been set to, when it was set otherwise."""
        if not update.connected:
            return
        slow, trim_per_m = update.slow, update.trim_per_m
        if slow is not self._pad_slow:
            self._pad_slow = slow
            text = "the gamepad drives slowly" if slow else "the gamepad drives at full speed"
            self._journal.add(now_s, Severity.INFO, "gamepad-slow", text)
        if trim_per_m != self._pad_trim_per_m:
            self._pad_trim_per_m = trim_per_m
            side = "left" if trim_per_m > 0.0 else "right"
            text = f"steering trimmed by {abs(trim_per_m):.2f} 1/m to the {side}"
            if trim_per_m == 0.0:
                text = "steering not trimmed"
            self._journal.add(now_s, Severity.INFO, "gamepad-trim", text)

    def show(self, *, armed: bool, fault: bool) -> None:
        """Show the state of the rover to whoever holds the gamepad."""
        self._pad.show(armed=armed, fault=fault)

    def asking(self, now_s: float) -> tuple[Source, ...]:
        """Return whose sticks are not at rest, counted or not: nobody arms meanwhile."""
        asking = self._arbiter.asking(now_s)
        if self._pad_deflected and Source.GAMEPAD not in asking:
            return (Source.GAMEPAD, *asking)
        return asking

    def somebody(self, now_s: float) -> bool:
        """Tell whether anyone could drive now: a pad is connected, or a page is heard in time."""
        return self._pad_connected or self._arbiter.hears(now_s)

    def _answer_pad(
        self, kind: RequestKind, conditions: tuple[Condition, ...], now_s: float
    ) -> None:
        if kind is RequestKind.ARM and self._arming.state in {ArmState.ESTOP, ArmState.FAULT}:
            kind = RequestKind.CLEAR
        answer = self._request(Request(kind, "the gamepad", now_s), conditions, now_s)
        for refusal in answer.refusals:
            self._journal.add(now_s, Severity.WARNING, "refused", refusal)

    def _request(self, request: Request, conditions: tuple[Condition, ...], now_s: float) -> Answer:
        answer = self._arming.request(request, conditions, self.asking(now_s), now_s)
        # At once: of a stop and a clear in one tick, the stop must have had its effect.
        self._enter_state(now_s)
        return answer

    def _take_order(self, order: MaintenanceOrder, now_s: float) -> None:
        """Hand an order on, if it is from whoever calibrates."""
        arming = self._arming
        if arming.state is not ArmState.MAINTENANCE or order.token != arming.token:
            # Left over from before it ended, or somebody else's.
            return
        reason = self._maintenance.receive(order, now_s)
        if reason:
            self._refuse(arming.maintainer, f"{arming.maintainer}: {reason}", now_s)

    def _refuse(self, who: str, reason: str, now_s: float) -> None:
        if now_s - self._refused_s.get(who, -math.inf) >= _REFUSED_EVERY_S:
            self._refused_s[who] = now_s
            self._journal.add(now_s, Severity.WARNING, "refused", reason)
