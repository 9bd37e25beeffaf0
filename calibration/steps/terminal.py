"""A step of the calibration at a terminal."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.live import Live

from calibration.signals import ended_by_signals
from calibration.steps.catalogue import Entry
from calibration.steps.conversation import Conversation, Draft, require_same_rover, written
from calibration.steps.keys import Keyboard
from calibration.steps.shown import shown
from calibration.steps.step import Step
from calibration.steps.view import Outcome
from calibration.store import CalibrationStore
from calibration.taking_over import taken_over
from rover.clock import Clock, SystemClock
from rover.config import Config
from rover.errors import BadMessageError, ConfigError, LinkError
from rover.link import ControlClient
from rover.messages import Telemetry

_WHO = "the terminal"
_STEP_S = 0.03
_FRAMES_HZ = 15
# A terminal tells no key that is held: the wheel turns for so long, or until any key.
_HOLD_S = 1.6
# A space bar that is held comes again and again, first after half a second. That stops what it
# began, and what follows sooner than this begins nothing.
_REPEATS_S = 0.3
_COMES_UP_S = 3.0
_DIGITS = frozenset("0123456789.,-")
_MOST_DIGITS = 8


class Keys(Protocol):
    """Where keys come from."""

    def pressed(self) -> list[str]:
        """Return the keys that have been pressed, by name; does not wait."""
        ...


class TerminalTalk:
    """What one person at a terminal says, made into what a step is told."""

    def __init__(self, step: Step, clock: Clock) -> None:
        self._step = step
        self._clock = clock
        self._until_s = self._space_s = -math.inf
        self.typed = ""

    @property
    def holding(self) -> bool:
        """Whether something moves because the person has asked for it."""
        return self._clock.now_s() < self._until_s

    def hear(self, keys: list[str]) -> None:
        """Take in the keys; go on wanting what was wanted."""
        for key in keys:
            self._press(key)
        if not self.holding:
            return
        if self._step.view().hold:
            self._step.hold(self._clock.now_s())
        else:
            self._until_s = -math.inf

    def _press(self, key: str) -> None:
        now_s = self._clock.now_s()
        repeated = key == "space" and now_s - self._space_s < _REPEATS_S
        if key == "space":
            self._space_s = now_s
        if self.holding:
            # Whatever it is, it stops; leaving leaves too.
            self._until_s = -math.inf
            self._step.let_go()
            if key != "q":
                return
        view = self._step.view()
        if key == "space" and view.hold:
            if not repeated:
                self._until_s = now_s + _HOLD_S
        elif view.asked is not None and key in _DIGITS:
            self.typed = (self.typed + key.replace(",", "."))[:_MOST_DIGITS]
        elif view.asked is not None and key == "backspace":
            self.typed = self.typed[:-1]
        elif view.asked is not None and key == "enter":
            self._enter(now_s)
        else:
            self.typed = ""
            self._step.press(key, now_s)

    def _enter(self, now_s: float) -> None:
        asked = self._step.view().asked
        typed, self.typed = self.typed, ""
        try:
            value = float(typed)
        except ValueError:
            value = math.nan
        if asked is not None and not asked.least <= value <= asked.most:
            allowed = f"{asked.least:g} to {asked.most:g} {asked.unit}"
            self._step.interrupted(f"{typed or 'Nothing'} is not a number from {allowed}.")
            return
        self._step.enter(value, now_s)


def converse(
    conversation: Conversation,
    telemetry: Callable[[], Telemetry | None],
    keys: Keys,
    console: Console,
    clock: Clock,
    *,
    draft: Draft,
) -> Outcome:
    """Go through a step until the person has ended it. Raises LinkError if control is gone."""
    step = conversation.step
    talk = TerminalTalk(step, clock)
    with Live(
        shown(step.view(), "", holding=False),
        console=console,
        refresh_per_second=_FRAMES_HZ,
        screen=console.is_terminal,
    ) as live:
        while step.outcome is None:
            try:
                talk.hear(keys.pressed())
                conversation.go_on(telemetry(), clock.now_s())
                draft.keep_meanwhile()
                live.update(shown(step.view(), talk.typed, holding=talk.holding))
                clock.sleep_s(_STEP_S)
            except KeyboardInterrupt:
                talk.hear(["q"])
    return step.outcome


def calibrate(
    entry: Entry, config: Config, directory: Path, store: CalibrationStore, console: Console
) -> None:
    """Go through a step at this terminal and write what it found, if that is wanted.

    It goes on from what was left in the middle. Raises RoverError.
    """
    name = entry.name
    clock = SystemClock()
    keyboard = Keyboard()
    store.require_writable()
    with ended_by_signals(), ControlClient(directory, clock) as client:
        _require_rover(client, config, directory)

        def telemetry() -> Telemetry | None:
            try:
                newest = client.telemetry(0.0)
            except BadMessageError as error:
                raise LinkError(str(error)) from error
            if newest is not None:
                require_same_rover(newest, config)
            return newest

        step = entry.begin(config, store.history.draft(name))
        conversation = Conversation(step, client, _WHO, clock)
        draft = Draft(step, name, store.history)
        said = ""
        try:
            with keyboard:
                while not said:
                    outcome = converse(
                        conversation, telemetry, keyboard, console, clock, draft=draft
                    )
                    if outcome is Outcome.LEAVE:
                        break
                    said = _write(step, name, store)
        finally:
            try:
                conversation.close()
            finally:
                draft.keep()
        if said:
            taken = taken_over(store.path, client, _WHO)
            said += f" {taken} rover calibrate {name} --undo takes it back."
        console.print(said or _left(step, name), soft_wrap=True, markup=False)


def _write(step: Step, name: str, store: CalibrationStore) -> str:
    """Write it; empty if that failed, which the step then shows."""
    try:
        return written(step, name, store)
    except ConfigError as error:
        step.outcome = None
        step.interrupted(f"Nothing was written: {error}")
        return ""


def _left(step: Step, name: str) -> str:
    if step.draft():
        return f"Left. Nothing was written; rover calibrate {name} goes on from here."
    return "Left. Nothing was written."


def _require_rover(client: ControlClient, config: Config, directory: Path) -> None:
    """Raise LinkError unless a rover runs there that is configured as this command reads it."""
    try:
        telemetry = client.telemetry(_COMES_UP_S)
    except BadMessageError as error:
        raise LinkError(str(error)) from error
    if telemetry is None:
        raise LinkError(
            f"no rover runs in {directory}: start it (`sudo systemctl start rover.target`, "
            "`rover control`, or `rover sim` to try this out), or name its --dir"
        )
    require_same_rover(telemetry, config)
