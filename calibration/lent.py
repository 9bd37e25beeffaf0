"""Pads that control lends: what a session needs of a pad, over the link instead of the kernel."""

from collections.abc import Callable, Sequence

from rover.errors import DeviceError, LinkError
from rover.gamepad.codes import EV_ABS, EV_KEY
from rover.gamepad.identity import PadIdentity
from rover.gamepad.mapping import AxisRange, PadCapabilities
from rover.gamepad.raw_pad import Event
from rover.pad_messages import LearnedPad, LentPad, PadAsk, PadLoan

Ask = Callable[[PadAsk], PadLoan]


class BorrowedPad:
    """One lent pad. ``down`` and ``raws`` are its state as last heard."""

    def __init__(self, lent: LentPad) -> None:
        self.path = lent.path
        self.identity = PadIdentity(
            lent.bus, lent.vendor, lent.product, lent.version, lent.name, lent.uniq
        )
        self.capabilities = PadCapabilities(
            frozenset(lent.keys),
            {axis.code: AxisRange(axis.minimum, axis.maximum, axis.flat) for axis in lent.axes},
        )
        self.raws = {axis.code: axis.raw for axis in lent.axes}
        self.down = set(lent.down)
        self._heard: list[Event] = []
        self._gone = ""

    def read(self) -> list[Event]:
        """Return what has happened since the last look. Raises DeviceError if it is gone."""
        if self._gone:
            raise DeviceError(self._gone)
        heard, self._heard = self._heard, []
        return heard

    def hear(self, event: Event) -> None:
        """Take in what control has heard of it."""
        if event.kind == EV_ABS:
            self.raws[event.code] = event.value
        elif event.kind == EV_KEY and event.value == 1:
            self.down.add(event.code)
        elif event.kind == EV_KEY and event.value == 0:
            self.down.discard(event.code)
        self._heard.append(event)

    def end(self, why: str) -> None:
        """Have it be gone: the next ``read`` says so."""
        self._gone = why


class Borrowing:
    """The gamepads, borrowed of control for as long as ``refresh`` is called again and again.

    ``ask`` asks control; ``who`` is told to people as who has the pads.
    """

    def __init__(self, ask: Ask, who: str) -> None:
        self._ask = ask
        self._who = who
        self._pads: dict[str, BorrowedPad] = {}
        self.troubles: tuple[str, ...] = ()

    @property
    def pads(self) -> Sequence[BorrowedPad]:
        """The pads there are."""
        return tuple(self._pads.values())

    def refresh(self) -> bool:
        """Take in what the pads have sent; return whether other pads are there than before.

        Call it some 30 times a second. Raises LinkError if control does not lend them, or does
        not answer.
        """
        loan = self._ask(PadAsk(self._who))
        if loan.refusal:
            raise LinkError(loan.refusal)
        self.troubles = loan.troubles
        there = {lent.path: lent for lent in loan.pads}
        changed = there.keys() != self._pads.keys()
        for path in self._pads.keys() - there.keys():
            pad = self._pads.pop(path)
            pad.end(f"{pad.identity.name} was unplugged or switched off")
        for path, lent in there.items():
            if path not in self._pads:
                self._pads[path] = BorrowedPad(lent)
        for event in loan.events:
            if event.path in self._pads:
                self._pads[event.path].hear(Event(event.kind, event.code, event.value))
        return changed

    def give_back(self, learned: LearnedPad | None = None) -> None:
        """Let the rover have them again, and drive with what was learned.

        Raises LinkError if control does not answer, or will not drive with that.
        """
        loan = self._ask(PadAsk(self._who, done=True, learned=learned))
        if loan.refusal:
            raise LinkError(loan.refusal)
