"""The rules of lending the bus under any order of asking, stopping, dying and passing of time.

Loop, lender, arming and client messages are the real ones; the port is one that is given to one at
a time. Borrowers keep the rules that the client keeps: they open the port only when it is lent to
them, and close it some time after they have heard that it is not.
"""

import itertools
import math
from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from rover.bus_lending import KEPT_FOR_S
from rover.bus_messages import BusAsk, BusAskKind
from rover.clock import ManualClock
from rover.hardware.base import Reach
from rover.link import ReceivedBusAsk, ReceivedRequest
from rover.loop import ControlLoop
from rover.messages import ArmState, Request, RequestKind
from tests.builders import osr_config
from tests.conftest import stateful
from tests.whole.memory_rover import FakeLink, FakePad
from tests.whole.obedient_hardware import ButtonPanel, drive_of, obedient_hardware

TICK_S = 0.01
CONFIG = osr_config()
MOVING = {ArmState.ARMED, ArmState.MAINTENANCE}
# Port tried four times a second, controllers up within half a second.
BACK_WITHIN_S = KEPT_FOR_S + 0.25 + 0.5 + 4 * TICK_S

_TOKENS = itertools.count(1)


@dataclass
class Borrower:
    """What it knows: whether it was told that it has the bus, and whether it has the port open."""

    name: str
    begun: bool = False
    lent: bool = False
    power: bool = False
    open: bool = False
    asked_s: float = -math.inf
    token: str = field(default_factory=lambda: f"token {next(_TOKENS)}")


class BusRules(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        hardware = obedient_hardware(CONFIG, self.clock)
        self.drive, self.panel = drive_of(hardware), hardware.panel
        assert isinstance(self.panel, ButtonPanel)
        self.link = FakeLink()
        self.loop = ControlLoop(CONFIG, self.clock, hardware, self.link, FakePad())
        self.drive.when_let_go = self.let_go
        self.borrowers = [Borrower("one"), Borrower("other")]
        # By anybody, alive or not.
        self.power_asked_s = -math.inf
        self.loop.start()
        for _ in range(3):
            self.tick()

    @property
    def state(self) -> ArmState:
        return self.loop.arming.state

    @property
    def away(self) -> bool:
        """Whether control has let go of the port."""
        return bool(self.drive.away)

    def let_go(self) -> None:
        """Control closes the port: what must be so just before."""
        assert self.state is ArmState.DISARMED
        permitted = self.drive.permitted
        assert permitted is not None
        assert not permitted.power
        assert not any(permitted.wheel_rad_s)
        assert not any(permitted.duty)
        assert permitted.stamp_s == self.began_s, "told in an earlier tick"
        assert self.drive.reach.complete, "a controller has not acknowledged that it stands"
        assert not self.panel.enabled, "let go of with the motors powered"

    def tick(self) -> None:
        self.clock.sleep_s(TICK_S)
        self.began_s = self.clock.now_s()
        self.drive.taken = any(borrower.open for borrower in self.borrowers)
        self.loop.tick()
        having = [borrower for borrower in self.borrowers if borrower.open]
        assert len(having) <= 1, "two borrowers"
        assert not having or self.away, "control and a borrower have the port"
        if self.away:
            assert self.state not in MOVING
            # For so long a loan lasts of which nobody speaks any more.
            wanted = self.clock.now_s() - self.power_asked_s <= KEPT_FOR_S + 2 * TICK_S
            assert not self.panel.enabled or (wanted and self.state is ArmState.DISARMED)
        if self.state in {ArmState.ESTOP, ArmState.FAULT}:
            assert not self.panel.enabled

    def say(self, borrower: Borrower, kind: BusAskKind) -> None:
        ask = BusAsk(kind, borrower.name, borrower.token, borrower.power)
        self.link.bus_asks.append(ReceivedBusAsk(ask, (b"", b"")))
        borrower.asked_s = self.clock.now_s()
        if borrower.power:
            self.power_asked_s = borrower.asked_s
        before = self.state
        self.tick()
        loan = self.link.bus_loans.pop()
        if kind is BusAskKind.BEGIN and not loan.refusal:
            assert before is ArmState.DISARMED
        if kind is BusAskKind.DONE or loan.refusal:
            borrower.begun = borrower.lent = False
        else:
            borrower.begun, borrower.lent = True, loan.lent
        others = [b for b in self.borrowers if b is not borrower]
        if loan.lent:
            assert self.away
            assert not any(b.open for b in others), "lent while another has the port"

    borrowers_st = st.integers(0, 1)

    @rule(i=borrowers_st)
    def begins(self, i: int) -> None:
        borrower = self.borrowers[i]
        if not borrower.begun and not borrower.open:
            borrower.power = False
            self.say(borrower, BusAskKind.BEGIN)
            if borrower.begun and not borrower.lent:
                self.say(borrower, BusAskKind.KEEP)

    @rule(i=borrowers_st, power=st.booleans())
    def keeps(self, i: int, power: bool) -> None:
        self.borrowers[i].power = power
        self.say(self.borrowers[i], BusAskKind.KEEP)

    @rule(i=borrowers_st)
    def opens(self, i: int) -> None:
        """As the client does, on an answer that is fresh; the port's lock lets one in."""
        borrower = self.borrowers[i]
        fresh = self.clock.now_s() - borrower.asked_s < 1.0
        if borrower.lent and fresh and self.away and not any(b.open for b in self.borrowers):
            borrower.open = True

    @rule(i=borrowers_st)
    def closes(self, i: int) -> None:
        self.borrowers[i].open = False

    @rule(i=borrowers_st)
    def gives_back(self, i: int) -> None:
        self.borrowers[i].open = False
        self.say(self.borrowers[i], BusAskKind.DONE)

    @rule(i=borrowers_st)
    def is_killed(self, i: int) -> None:
        self.borrowers[i] = Borrower(self.borrowers[i].name)

    @rule(kind=st.sampled_from(list(RequestKind)))
    def requests(self, kind: RequestKind) -> None:
        request = Request(kind, "a test", self.clock.now_s(), "a token of a test")
        self.link.requests.append(ReceivedRequest(request, (b"", b"")))
        away = self.away
        self.tick()
        if away and kind in {RequestKind.ARM, RequestKind.MAINTAIN}:
            assert not self.link.answers[-1].accepted

    @rule(i=borrowers_st, kind=st.sampled_from([RequestKind.ARM, RequestKind.STOP]))
    def asks_while_somebody_requests(self, i: int, kind: RequestKind) -> None:
        """Both in one tick."""
        request = Request(kind, "a test", self.clock.now_s())
        self.link.requests.append(ReceivedRequest(request, (b"", b"")))
        self.say(self.borrowers[i], BusAskKind.BEGIN)

    @rule(pressed=st.booleans())
    def button(self, pressed: bool) -> None:
        self.panel.pressed = pressed
        self.tick()

    @rule(complete=st.booleans())
    def controllers_acknowledge(self, complete: bool) -> None:
        """Or not all of those that are there, on a bad wire."""
        self.drive.reach = Reach(acknowledged=True, complete=complete)
        self.tick()

    @rule(ticks=st.sampled_from([1, 5, 60, 160]))
    def time_passes(self, ticks: int) -> None:
        for _ in range(ticks):
            self.tick()

    @precondition(lambda self: not any(borrower.open for borrower in self.borrowers))
    @rule()
    def nobody_wants_it(self) -> None:
        """Left alone, control has its bus again, whatever has been."""
        for _ in range(round(BACK_WITHIN_S / TICK_S)):
            self.tick()
        assert not self.away
        assert "serial bus" not in str(self.loop.arming.refusals(self.loop._conditions, ()))


BusRules.TestCase.settings = stateful(20, 30)
TestBusRules = BusRules.TestCase
