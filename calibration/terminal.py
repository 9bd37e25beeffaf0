"""A calibration at a terminal: keys without Enter, and the screen drawn anew all the time."""

import contextlib
import math
import os
import select
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live

from calibration.findings import pad_config
from calibration.session import Outcome, Session
from calibration.store import CalibrationStore
from calibration.taking_over import SERVICE_RUNTIME, taken_over_in
from rover.clock import Clock, SystemClock
from rover.config import Config
from rover.config.input_codes import button_name
from rover.errors import BadMessageError, DeviceError, LinkError, RoverError
from rover.gamepad.identity import PadIdentity
from rover.gamepad.raw_pad import Event, RawPad, open_raw
from rover.gamepad.survey import nodes_that_may_be_pads
from rover.link import ControlClient
from rover.messages import ArmState

_WHO = "the terminal"
_STEP_S = 0.02
_FRAMES_HZ = 15
# For so long it is waited for a pad to be let go of.
_LET_GO_S = 10.0
# Control tells of itself twenty times a second, if it runs, and left its socket behind if it died.
_TELEMETRY_S = 3.0


class Keys(Protocol):
    """Where keys come from."""

    def pressed(self) -> str:
        """Return the next key, empty if there is none; does not wait."""
        ...


class TerminalKeys:
    """The keys of this terminal, one by one. Raises RoverError where there is no terminal."""

    def __init__(self) -> None:
        if not sys.stdin.isatty():
            raise RoverError(
                "a calibration is a conversation: run it in a terminal, not in a pipe or a service"
            )
        self._before = termios.tcgetattr(sys.stdin)

    def pressed(self) -> str:
        """Return the next key, empty if there is none."""
        ready, _, _ = select.select([sys.stdin], [], [], 0.0)
        return sys.stdin.read(1) if ready else ""

    def __enter__(self) -> Self:
        tty.setcbreak(sys.stdin)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)


class Takeable(Protocol):
    """What is needed of a pad to take it: a ``RawPad``, or a test's."""

    identity: PadIdentity
    down: set[int]

    def read(self) -> list[Event]:
        """Return what has happened since the last look."""
        ...

    def grab(self) -> None:
        """Take it for this program alone."""
        ...

    def ungrab(self) -> None:
        """Give it back."""
        ...


def converse(
    session: Session, keys: Keys, console: Console, clock: Clock, guard: Callable[[], None]
) -> Outcome:
    """Go through a session until the person has ended it and let go of the pad.

    ``guard`` is asked all the time, and raises if the session has to end at once.
    """
    left_s = math.inf
    with Live(
        session.render(), console=console, refresh_per_second=_FRAMES_HZ, screen=console.is_terminal
    ) as live:
        while session.outcome is None or not (session.untouched or clock.now_s() > left_s):
            guard()
            session.step()
            key = _pressed(keys)
            if key:
                session.press(key)
            if session.outcome is not None:
                left_s = min(left_s, clock.now_s() + _LET_GO_S)
            live.update(session.render())
            clock.sleep_s(_STEP_S)
    return session.outcome


def _pressed(keys: Keys) -> str:
    """Return the next key; Ctrl-C is one."""
    try:
        return keys.pressed()
    except KeyboardInterrupt:
        return "q"


def calibrate(
    config: Config, device: str | None, directory: Path, store: CalibrationStore, console: Console
) -> None:
    """Calibrate a pad at this terminal and write what was found, if the person wants it.

    ``directory`` is where control is met, which must not be armed. Raises RoverError.
    """
    clock = SystemClock()
    terminal_keys = TerminalKeys()
    require_not_armed(directory)
    with ControlClient(directory) as client, _opened(device, console, clock) as pads:
        session = Session(pads, config.gamepad.bindings, clock)
        with terminal_keys as keys:
            outcome = converse(session, keys, console, clock, lambda: _require_disarmed(client, 0))
    pad = session.pad
    if outcome is Outcome.LEAVE or pad is None:
        console.print("Left. Nothing was written.")
        return
    store.put_pad(pad.identity.key, pad_config(session.found))
    # Only now that it has its pad back: a rover that lends it does not read its files.
    taken = taken_over_in(directory, store.path, _WHO)
    console.print(
        f"Written to {store.path}. {taken} rover calibrate gamepad --undo takes it back.",
        soft_wrap=True,
        markup=False,
    )


def require_not_armed(directory: Path) -> None:
    """Raise LinkError if a rover is armed there: its pad may not be taken away from it."""
    if directory != SERVICE_RUNTIME and SERVICE_RUNTIME.is_dir():
        if not os.access(SERVICE_RUNTIME, os.X_OK):
            raise LinkError(
                f"a rover runs here as a service, and this user may not see in {SERVICE_RUNTIME} "
                "whether it is armed: sudo usermod -aG rover $USER, then log in again"
            )
        require_not_armed(SERVICE_RUNTIME)
    if (directory / "telemetry.ipc").exists():
        with ControlClient(directory) as client:
            _require_disarmed(client, _TELEMETRY_S)


def _require_disarmed(client: ControlClient, timeout_s: float) -> None:
    try:
        telemetry = client.telemetry(timeout_s)
    except BadMessageError as error:
        raise LinkError(str(error)) from error
    if telemetry is not None and telemetry.state is ArmState.ARMED:
        raise LinkError(
            "the rover is armed, and its gamepad is what stops it: disarm it first, then "
            "calibrate; nothing was written"
        )


@contextlib.contextmanager
def _opened(device: str | None, console: Console, clock: Clock) -> Iterator[list[RawPad]]:
    """Open the pads there may be, each for this program alone."""
    paths = [device] if device else nodes_that_may_be_pads()
    if not paths:
        raise DeviceError(
            "there is nothing to calibrate: no gamepad or joystick is plugged in or paired; "
            "rover gamepad list shows what is there"
        )
    with contextlib.ExitStack() as stack:
        pads = []
        for path in paths:
            pad = open_raw(path)
            stack.callback(pad.close)
            take(pad, console, clock)
            pads.append(pad)
        yield pads


def take(pad: Takeable, console: Console, clock: Clock) -> None:
    """Take a pad for this program alone, once nothing on it is pressed.

    What is pressed from now on must not reach control, which might arm or drive; and a button
    whose release control never hears of would stay pressed for it, the dead-man's too. Raises
    DeviceError if one is not let go of.
    """
    end_s = clock.now_s() + _LET_GO_S
    said = False
    while True:
        pad.read()
        if not pad.down:
            pad.grab()
            pad.read()
            if not pad.down:
                return
            pad.ungrab()
        if clock.now_s() > end_s:
            down = ", ".join(button_name(code) for code in sorted(pad.down))
            raise DeviceError(
                f"{pad.identity.name}: {down} is down: let go of it, or switch it off, "
                "and try again"
            )
        if not said:
            console.print(f"Let go of all buttons of {pad.identity.name}.", markup=False)
            said = True
        clock.sleep_s(_STEP_S)
