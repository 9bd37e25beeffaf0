"""The serial bus, borrowed of control by a program that scans it or sets controllers up.

A thread asks for it again ten times a second. Once control says that the loan has ended, or has
said nothing for a second, ``require`` raises: then what turns is stopped and the port let go of.
"""

import contextlib
import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from rover.bus_messages import BusAsk, BusAskKind, BusLoan
from rover.clock import Clock
from rover.errors import DeviceError, LinkError
from rover.link import ControlClient
from rover.messages import DeviceHealth

Ask = Callable[[BusAsk, float], BusLoan]

_RENEW_S = 0.1
_ANSWER_S = 0.3
_FIRST_ANSWER_S = 1.0
# Less than the time after which control takes it back.
_GOOD_FOR_S = 1.0
# To let go of the port control needs a tick or two; with controllers that do not answer, longer.
_BEGIN_S, _BEGIN_EVERY_S = 3.0, 0.02
_TOKEN_BYTES = 8


class BusRefusedError(LinkError):
    """Control does not lend the bus."""


class BorrowedBus:
    """A loan of the bus. ``ask`` asks control within a time; ``who`` is told to people.

    ``when_ended`` is called once, by another thread, when the loan ends and has not been given
    back.
    """

    def __init__(
        self, ask: Ask, who: str, clock: Clock, when_ended: Callable[[], None] = lambda: None
    ) -> None:
        self._ask = ask
        self._who = who
        self._clock = clock
        self._when_ended = when_ended
        self._token = secrets.token_hex(_TOKEN_BYTES)
        self._power = False
        self._good_until_s = 0.0
        self._ended = ""
        self._leaving = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._renew, name="lent bus", daemon=True)

    def begin(self, port: str) -> None:
        """Have the bus once this returns; ``port`` is where this program takes it to be.

        Raises BusRefusedError with control's reason, LinkError if control does not answer.
        """
        loan = self._say(BusAskKind.BEGIN, _FIRST_ANSWER_S)
        end_s = self._clock.now_s() + _BEGIN_S
        while not loan.refusal and not loan.lent:
            if self._clock.now_s() > end_s:
                raise LinkError(
                    "control does not let go of the serial bus, for its controllers do not take "
                    "their stop: look at what it says of them"
                )
            self._clock.sleep_s(_BEGIN_EVERY_S)
            loan = self._say(BusAskKind.KEEP, _ANSWER_S)
        if loan.refusal:
            raise BusRefusedError(f"control does not lend the serial bus: {loan.refusal}")
        if Path(loan.port).resolve() != Path(port).resolve():
            raise BusRefusedError(
                f"control has its controllers on {loan.port}, this is about {port}: name the same "
                "configuration, or another --dir"
            )
        self._thread.start()

    @property
    def ended(self) -> str:
        """Why the loan has ended, empty while it lasts."""
        if not self._ended and self._clock.now_s() > self._good_until_s:
            # For good: control may have taken it back meanwhile.
            self._ended = f"control has not answered for {_GOOD_FOR_S:g} s"
        return self._ended

    def require(self) -> None:
        """Raise DeviceError if the loan has ended."""
        if self.ended:
            raise DeviceError(f"the serial bus is not lent any more: {self.ended}")

    def power(self, wanted: bool) -> bool:
        """Ask for the motor-enable line to be up or down; return whether it is up.

        Raises LinkError if control does not answer.
        """
        self._power = wanted
        return self._say(BusAskKind.KEEP, _ANSWER_S).power

    def give_back(self) -> None:
        """Give it back. The port must have been closed; what control does not hear, runs out."""
        self._leaving.set()
        if self._thread.is_alive():
            self._thread.join()
        with contextlib.suppress(LinkError):
            self._say(BusAskKind.DONE, _ANSWER_S)

    def _renew(self) -> None:
        while not self._leaving.wait(_RENEW_S):
            # Silence may be over with the next answer, until it has lasted too long.
            with contextlib.suppress(LinkError):
                self._say(BusAskKind.KEEP, _ANSWER_S)
            if self.ended:
                self._when_ended()
                return

    def _say(self, kind: BusAskKind, timeout_s: float) -> BusLoan:
        with self._lock:
            asked_s = self._clock.now_s()
            loan = self._ask(BusAsk(kind, self._who, self._token, self._power), timeout_s)
            if loan.refusal:
                self._ended = self._ended or loan.refusal
            else:
                # From when it was asked: control counts from later.
                self._good_until_s = asked_s + _GOOD_FOR_S
        return loan


class LentPanel:
    """The Panel of a rover whose lines control keeps: it sets motor-enable as it is asked to.

    The stop button is control's to watch: pressed, it ends the loan.
    """

    def __init__(self, bus: BorrowedBus) -> None:
        self._bus = bus

    def start(self) -> None:
        """Nothing to claim. Raises DeviceError if the loan has ended."""
        self._bus.require()

    def enable_motors(self, enabled: bool) -> None:
        """Ask control to raise or drop the line. Raises DeviceError if it does not raise it."""
        try:
            up = self._bus.power(enabled)
        except LinkError as error:
            raise DeviceError(f"the motors' power is control's to switch: {error}") from error
        if enabled and not up:
            self._bus.require()
            raise DeviceError("control does not let the motors have power")

    def stop_pressed(self) -> bool:
        """Tell whether the loan has ended, as it does when somebody stops the rover."""
        return bool(self._bus.ended)

    def show(self, *, armed: bool, fault: bool, link: bool) -> None:
        """Leave the lamps to control."""

    def health(self) -> tuple[DeviceHealth, ...]:
        """Return nothing: control tells of its lines."""
        return ()

    def close(self) -> None:
        """Have the line dropped; control does so by itself when the loan ends."""
        with contextlib.suppress(DeviceError):
            self.enable_motors(False)


@contextlib.contextmanager
def borrowed_bus(
    directory: Path,
    who: str,
    port: str,
    clock: Clock,
    when_ended: Callable[[], None] = lambda: None,
) -> Iterator[BorrowedBus]:
    """Have the bus of the control in ``directory``, and give it back. Raises as ``begin``."""
    with ControlClient(directory, clock) as client:
        bus = BorrowedBus(client.ask_for_bus, who, clock, when_ended)
        try:
            bus.begin(port)
            yield bus
        finally:
            bus.give_back()
