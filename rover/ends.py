"""What the loop needs of those it hears and answers: the link, the gamepad, what is lent of them.

``rover.link`` and ``rover.gamepad`` have the real ones, tests their own.
"""

from collections.abc import Sequence
from typing import Protocol

from rover.bus_messages import BusAsk, BusLoan
from rover.gamepad import GamepadUpdate
from rover.link import Inbox, ReceivedBusAsk, ReceivedPadAsk, ReceivedRequest
from rover.messages import Answer, ArmState, Telemetry
from rover.pad_messages import PadAsk, PadLoan


class Link(Protocol):
    """Where commands and requests come from and telemetry goes: ``rover.link``, or a test's."""

    def receive(self) -> Inbox:
        """Take what has come in; never waits."""
        ...

    def answer(self, received: ReceivedRequest, answer: Answer) -> None:
        """Answer a request; never waits."""
        ...

    def answer_pad_ask(self, received: ReceivedPadAsk, loan: PadLoan) -> None:
        """Answer who asked for the gamepads; never waits."""
        ...

    def answer_bus_ask(self, received: ReceivedBusAsk, loan: BusLoan) -> None:
        """Answer who asked for the serial bus; never waits."""
        ...

    def publish(self, telemetry: Telemetry) -> None:
        """Send a frame to whoever listens; never waits."""
        ...


class Pad(Protocol):
    """A gamepad, or none."""

    def filenos(self) -> Sequence[int]:
        """Return what becomes readable when the pad has something to say."""
        ...

    def poll(self, now_s: float) -> GamepadUpdate:
        """Take what the pad has sent; never waits."""
        ...

    def show(self, *, armed: bool, fault: bool) -> None:
        """Show the state of the rover where the pad can; never waits."""
        ...

    def close(self) -> None:
        """Let go of the pad."""
        ...


class Lender(Protocol):
    """What lends the gamepad to who calibrates it: ``rover.gamepad.lending``, or a test's."""

    @property
    def lent_to(self) -> str:
        """Who has the pad, empty while the rover has it itself."""
        ...

    def ask(self, ask: PadAsk, state: ArmState, now_s: float) -> PadLoan:
        """Lend the pads or take them back, as asked; never waits."""
        ...

    def keep(self, state: ArmState, now_s: float) -> None:
        """Take the pad back if ``state`` needs it, or its borrower is silent."""
        ...


class Bus(Protocol):
    """What lends the serial bus: ``rover.bus_lending``, or a test's."""

    @property
    def away(self) -> str:
        """Who has it and what to do about that, empty while the rover has it itself."""
        ...

    def ask(self, ask: BusAsk, state: ArmState, now_s: float) -> BusLoan:
        """Lend it or take it back, as asked; never waits."""
        ...

    def keep(self, state: ArmState, reason: str, now_s: float) -> None:
        """End the loan if ``state`` needs that, or its borrower is silent."""
        ...
