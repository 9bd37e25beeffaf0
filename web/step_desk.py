"""Where a rover's parts are calibrated from a page, one page at a time.

The conversation runs in the thread of the page's WebSocket, and control moves what is moved. What
a page holds it says again and again: one that has gone has nothing moved 0.3 s later.
"""

import logging
import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import Struct

from calibration.steps.catalogue import BY_NAME, Entry, StepStatus, statuses
from calibration.steps.conversation import Conversation, Draft, Rover, require_same_rover, written
from calibration.steps.step import Step
from calibration.steps.view import Outcome, StepView
from calibration.store import CalibrationStore
from calibration.taking_over import taken_over
from rover.clock import Clock
from rover.config import Config
from rover.errors import ConfigError, LinkError, RoverError
from rover.messages import Telemetry
from web.talk import BadKeyError, Hear, Tell

_log = logging.getLogger(__name__)

STEP_S = 0.03
# How often a page is told the time, and how old the newest that it has seen may be. What a network
# has held up for longer is from a finger that may have been lifted since.
_CLOCK_S, _LATE_S = 0.1, 0.5
# A conversation looks so often whether it is to end.
_REPLACED_S = 2.0
# Longer than any key.
_LONGEST_KEY = 16
_LOST = "Nothing was written; what has been found is kept, and it goes on from there."


class PressFrame(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="press"):
    """One of the choices that are shown."""

    key: str


class NumberFrame(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="number"):
    """The number that is asked for."""

    value: float


class HoldFrame(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="hold"):
    """The person holds what moves. ``seen_s`` is the newest clock that the page has been told."""

    seen_s: float


class HereFrame(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="here"):
    """The page is there and seen, and nothing is held; ``seen_s`` as with a hold."""

    seen_s: float


class ClockFrame(Struct, frozen=True, tag_field="type", tag="clock"):
    """The server's time: a page says with it at which moment something is held."""

    clock_s: float


class StepFrame(Struct, frozen=True, tag_field="type", tag="step"):
    """What a page is to show."""

    view: StepView


class EndedFrame(Struct, frozen=True, tag_field="type", tag="ended"):
    """The last thing that a page is told: how it ended, and whether anything was written."""

    text: str
    written: bool


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(PressFrame | NumberFrame | HoldFrame | HereFrame).decode


class News(Protocol):
    """Where the newest telemetry is: the server's ``Hub``."""

    @property
    def telemetry(self) -> Telemetry | None:
        """The newest frame as it came; None before the first."""
        ...


class StepDesk:
    """Calibrates with one page at a time.

    ``load`` reads the configuration as it is now; ``store`` keeps what is found.
    """

    def __init__(
        self,
        rover: Rover,
        news: News,
        load: Callable[[], Config],
        store: CalibrationStore,
        clock: Clock,
    ) -> None:
        self._rover = rover
        self._news = news
        self._load = load
        self._store = store
        self._clock = clock
        self._seat = threading.Lock()
        self._who = ""
        self._device_id = ""
        # Why the conversation is to end, empty while it may go on.
        self._why_ended = ""

    @property
    def path(self) -> Path:
        """The file that what is found is written to."""
        return self._store.path

    def statuses(self) -> tuple[StepStatus, ...]:
        """Return what has been done and what not. Raises ConfigError."""
        return statuses(self._load(), self._store.history)

    def undo(self, name: str, who: str) -> str:
        """Take the latest calibration of a step back; say so. Raises ConfigError."""
        self._store.undo(name)
        taken = taken_over(self._store.path, self._rover, who)
        return f"The latest calibration of the {name} was taken back. {taken}"

    def end_device(self, device_id: str) -> None:
        """End what a device does here that may not drive any more."""
        if device_id == self._device_id:
            self._why_ended = "This device is not paired any more"

    def converse(self, name: str, who: str, device_id: str, hear: Hear, tell: Tell) -> None:
        """Go through the step ``name`` with one page until it is done, or ``hear`` raises.

        Raises BadKeyError for a message that makes no sense.
        """
        entry = BY_NAME.get(name)
        if entry is None:
            raise BadKeyError(f"there is no step {name[:32]!r}")
        if not self._sit_down(device_id):
            _end(tell, f"{self._who} calibrates already: wait until that is done")
            return
        self._who, self._device_id, self._why_ended = who, device_id, ""
        try:
            self._converse(entry, who, hear, tell)
        except (ConfigError, LinkError) as error:
            _end(tell, f"{str(error).rstrip('.?')}. {_LOST}")
        finally:
            self._device_id = ""
            self._seat.release()

    def _sit_down(self, device_id: str) -> bool:
        """Take the seat if it is free, or the same device's: its older page may be cut off."""
        if self._seat.acquire(blocking=False):
            return True
        if device_id != self._device_id:
            return False
        self._why_ended = "Another page of this device goes on with it"
        return self._seat.acquire(timeout=_REPLACED_S)

    def _converse(self, entry: Entry, who: str, hear: Hear, tell: Tell) -> None:
        self._store.require_writable()
        config = self._load()
        step = entry.begin(config, self._store.history.draft(entry.name))
        draft = Draft(step, entry.name, self._store.history)
        conversation = Conversation(step, self._rover, who, self._clock)
        try:
            text = self._go_through(conversation, draft, config, hear, tell)
        finally:
            try:
                conversation.close()
            except RoverError as error:
                # Control hears no orders any more, and ends it by itself.
                _log.warning("the rover was not told that the calibration has ended: %s", error)
            finally:
                draft.keep()
        if step.outcome is Outcome.WRITE:
            text += f" {taken_over(self._store.path, self._rover, who)}"
        _end(tell, text, written=step.outcome is Outcome.WRITE)

    def _go_through(
        self, conversation: Conversation, draft: Draft, config: Config, hear: Hear, tell: Tell
    ) -> str:
        """Talk until it is decided how it ends; return what to say of that."""
        step = conversation.step
        shown: StepView | None = None
        seen_s = present_s = self._clock.now_s()
        told_s = -math.inf
        while not self._why_ended:
            now_s = self._clock.now_s()
            if now_s - told_s >= _CLOCK_S:
                told_s = now_s
                tell(_encode(ClockFrame(now_s)).decode())
            for message in hear(STEP_S):
                now_s = self._clock.now_s()
                if hear_frame(step, message, now_s):
                    present_s = now_s
            if step.outcome is Outcome.LEAVE:
                return _left(step)
            if step.outcome is Outcome.WRITE:
                try:
                    return written(step, draft.name, self._store)
                except ConfigError as error:
                    # What was found is still there: let the person try again, or leave.
                    step.outcome = None
                    step.interrupted(f"Nothing was written: {error}")
            telemetry = self._news.telemetry
            if telemetry is not None and telemetry.stamp_s <= seen_s:
                telemetry = None
            if telemetry is not None:
                seen_s = telemetry.stamp_s
                require_same_rover(telemetry, config)
            conversation.go_on(telemetry, present_s)
            draft.keep_meanwhile()
            view = step.view()
            if view != shown:
                shown = view
                tell(_encode(StepFrame(view)).decode())
        return f"{self._why_ended}. {_LOST}"


def hear_frame(step: Step, message: str | bytes, now_s: float) -> bool:
    """Have a step hear what a page said at ``now_s``; whether the person is there at that moment.

    What comes late tells nothing of now. Raises BadKeyError if a message makes no sense.
    """
    try:
        frame = _decode(message)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadKeyError("not what a page says: press, number, hold or here") from error
    match frame:
        case PressFrame(key):
            step.press(key[:_LONGEST_KEY], now_s)
        case NumberFrame(value):
            step.enter(value, now_s)
        case HoldFrame(seen_s):
            if not _is_now(seen_s, now_s):
                return False
            step.hold(now_s)
        case HereFrame(seen_s):
            step.let_go()
            return _is_now(seen_s, now_s)
    return True


def _is_now(seen_s: float, now_s: float) -> bool:
    return 0.0 <= now_s - seen_s <= _LATE_S


def _left(step: Step) -> str:
    return f"Left. {_LOST if step.draft() else 'Nothing was written.'}"


def _end(tell: Tell, text: str, *, written: bool = False) -> None:
    tell(_encode(EndedFrame(text, written)).decode())
