"""Where a gamepad is calibrated from a page: one at a time, with pads that control lends.

The conversation runs in the thread of the page's WebSocket. However it ends, the pads go back to
the rover; where this thread is stuck or gone, control takes them back by itself.
"""

import logging
import threading

import msgspec
from msgspec import Struct

from calibration.findings import pad_config
from calibration.lent import Ask, Borrowing
from calibration.session import Outcome, Session, SessionView
from calibration.store import CalibrationStore
from rover.clock import Clock
from rover.config import BindingsConfig
from rover.errors import ConfigError, DeviceError, LinkError, RoverError
from rover.pad_messages import LearnedPad
from web.talk import BadKeyError, Hear, Tell

_log = logging.getLogger(__name__)

# Calibrating wants to be stepped 20 times a second at least.
STEP_S = 0.03
_KEYS = {"skip": " ", "back": "b", "leave": "q", "write": "w"}


class KeyFrame(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="key"):
    """What a page sends: one of skip, back, leave, write."""

    key: str


class PadFrame(Struct, frozen=True, tag_field="type", tag="pad"):
    """What a page is told; ``view`` is None while there is no pad, and ``text`` says why."""

    view: SessionView | None
    text: str = ""


class EndedFrame(Struct, frozen=True, tag_field="type", tag="ended"):
    """The last thing that a page is told: how it ended, and whether anything was written."""

    text: str
    written: bool


_encode = msgspec.json.Encoder().encode
_key = msgspec.json.Decoder(KeyFrame).decode


class PadDesk:
    """Calibrates for one page at a time. ``ask`` reaches control; ``store`` keeps the result."""

    def __init__(
        self, ask: Ask, store: CalibrationStore, bindings: BindingsConfig, clock: Clock
    ) -> None:
        self._ask = ask
        self._store = store
        self._bindings = bindings
        self._clock = clock
        self._seat = threading.Lock()
        self._who = ""
        self._device_id = ""
        self._is_revoked = False

    def end_device(self, device_id: str) -> None:
        """End what a device does here that may not drive any more."""
        if device_id == self._device_id:
            self._is_revoked = True

    def converse(
        self,
        who: str,
        device_id: str,
        hear: Hear,
        tell: Tell,
    ) -> None:
        """Calibrate with one page until it is done, or ``hear`` raises that it has gone.

        ``hear`` waits so long for messages and returns all there are. Raises BadKeyError for
        one that makes no sense.
        """
        if not self._seat.acquire(blocking=False):
            text = f"{self._who} calibrates a gamepad already: wait until that is done"
            tell(_encode(EndedFrame(text, written=False)).decode())
            return
        self._who, self._device_id, self._is_revoked = who, device_id, False
        borrowing = Borrowing(self._ask, who)
        learned: LearnedPad | None = None
        try:
            text, learned = self._calibrate(borrowing, hear, tell)
            tell(_encode(EndedFrame(text, written=learned is not None)).decode())
        except (LinkError, DeviceError) as error:
            text = f"{str(error).rstrip('.?')}. Nothing was written."
            tell(_encode(EndedFrame(text, written=False)).decode())
        finally:
            self._give_back(borrowing, learned)
            self._device_id = ""
            self._seat.release()

    def _calibrate(
        self,
        borrowing: Borrowing,
        hear: Hear,
        tell: Tell,
    ) -> tuple[str, LearnedPad | None]:
        session: Session | None = None
        shown: PadFrame | None = None
        remark = ""
        while not self._is_revoked:
            changed = borrowing.refresh()
            if session is None or (changed and session.pad is None):
                pads = borrowing.pads
                session = Session(pads, self._bindings, self._clock) if pads else None
            if session is not None:
                session.step()
            for message in hear(STEP_S):
                remark = ""
                key = _pressed(message)
                if session is not None:
                    session.press(key)
                elif key == _KEYS["leave"]:
                    return "Left. Nothing was written.", None
            if session is not None and session.outcome is Outcome.LEAVE:
                return "Left. Nothing was written.", None
            if session is not None and session.outcome is Outcome.WRITE:
                session.outcome = None
                try:
                    return self._write(session)
                except ConfigError as error:
                    # What was found is still there: let the person try again, or leave.
                    remark = f"Nothing was written: {error}"
            frame = _frame(session, borrowing, remark)
            if frame != shown:
                shown = frame
                tell(_encode(frame).decode())
        return "This device is not paired any more. Nothing was written.", None

    def _write(self, session: Session) -> tuple[str, LearnedPad]:
        pad = session.pad
        if pad is None:
            raise ConfigError("no gamepad has been calibrated")
        learned = LearnedPad(pad.identity.key, pad_config(session.found))
        self._store.put_pad(learned.key, learned.pad)
        text = (
            f"Written to {self._store.path}. The rover drives with it from now on; "
            "`rover calibrate gamepad --undo` takes it back."
        )
        return text, learned

    def _give_back(self, borrowing: Borrowing, learned: LearnedPad | None) -> None:
        try:
            borrowing.give_back(learned)
        except RoverError as error:
            # Control takes them back by itself within a second.
            _log.warning("the gamepad was not given back: %s", error)


def _frame(session: Session | None, borrowing: Borrowing, remark: str) -> PadFrame:
    if session is None:
        none = "No gamepad is plugged in or paired with the rover: plug one in, it is seen at once."
        return PadFrame(None, " ".join((none, *borrowing.troubles)))
    return PadFrame(session.view(), remark)


def _pressed(message: str | bytes) -> str:
    try:
        return _KEYS[_key(message).key]
    except (msgspec.DecodeError, UnicodeError, RecursionError, KeyError) as error:
        raise BadKeyError(f"not a key: send one of {', '.join(_KEYS)}") from error
