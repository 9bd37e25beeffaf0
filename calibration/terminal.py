"""A calibration at a terminal: keys without Enter, and the screen drawn anew all the time."""

import contextlib
import select
import sys
import termios
import tty
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live

from calibration.findings import pad_config
from calibration.session import Outcome, Session
from calibration.store import CalibrationStore
from rover.clock import Clock, SystemClock
from rover.config import Config
from rover.errors import BadMessageError, DeviceError, LinkError, RoverError
from rover.gamepad.raw_pad import RawPad, open_raw
from rover.gamepad.survey import nodes_that_may_be_pads
from rover.link import ControlClient
from rover.messages import ArmState

_STEP_S = 0.02
_FRAMES_HZ = 15
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


def converse(session: Session, keys: Keys, console: Console, clock: Clock) -> Outcome:
    """Go through a session until the person ends it."""
    with Live(
        session.render(), console=console, refresh_per_second=_FRAMES_HZ, screen=console.is_terminal
    ) as live:
        while session.outcome is None:
            session.step()
            key = keys.pressed()
            if key:
                session.press(key)
            live.update(session.render())
            clock.sleep_s(_STEP_S)
    return session.outcome


def calibrate(
    config: Config, device: str | None, directory: Path, store: CalibrationStore, console: Console
) -> None:
    """Calibrate a pad at this terminal and write what was found, if the person wants it.

    ``directory`` is where control is met, which must not be armed. Raises RoverError.
    """
    clock = SystemClock()
    terminal_keys = TerminalKeys()
    require_not_armed(directory)
    with _opened(device) as pads, terminal_keys as keys:
        session = Session(pads, config.gamepad.bindings, clock)
        try:
            outcome = converse(session, keys, console, clock)
        except KeyboardInterrupt:
            outcome = Outcome.LEAVE
    pad = session.pad
    if outcome is Outcome.LEAVE or pad is None:
        console.print("Left. Nothing was written.")
        return
    store.put_pad(pad.identity.key, pad_config(session.found))
    console.print(
        f"Written to {store.path}. Start control anew to drive with it; "
        "rover calibrate gamepad --undo takes it back.",
        soft_wrap=True,
    )


def require_not_armed(directory: Path) -> None:
    """Raise LinkError if a rover is armed there: its pad may not be taken away from it."""
    if not (directory / "telemetry.ipc").exists():
        return
    with ControlClient(directory) as client:
        try:
            telemetry = client.telemetry(_TELEMETRY_S)
        except BadMessageError as error:
            raise LinkError(str(error)) from error
    if telemetry is not None and telemetry.state is ArmState.ARMED:
        raise LinkError(
            "the rover is armed, and its gamepad is what stops it: disarm it first, then calibrate"
        )


@contextlib.contextmanager
def _opened(device: str | None) -> Iterator[list[RawPad]]:
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
            # What is pressed now must not reach control, which might arm or drive.
            pad.grab()
            pads.append(pad)
        yield pads
