"""Ways in which a person's input reaches control, each on a rover of its own, ready to drive.

Every hand asks for one of two speeds, so close to each other that one tick's acceleration
takes the rover from one to the other.
"""

import select
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Protocol

from benchmarks import pretended_pad
from benchmarks.harness import NotMeasuredError
from benchmarks.phone import Phone
from benchmarks.pretended_pad import PadHand
from benchmarks.rig import NO_PAD, SAY_EVERY_S, Rig, loop_settings, running_rig
from rover.gamepad.codes import Axis, Key
from rover.messages import Arc, Source

_PRIORITY = 50
_SPEEDS_MPS = (0.100, 0.104)
# The left stick of the pretended pad for about these speeds, up being negative.
_STICKS = (-7400, -7560)
_NEUTRAL_FRAMES = 20


class Hand(Protocol):
    """What gives input: one of two speeds."""

    def ask(self, which: int) -> float:
        """Ask for a speed; return when (s, monotonic)."""
        ...

    def wait(self, duration_s: float) -> None:
        """Let time pass, doing what such a client does meanwhile."""
        ...


class _ClientHand:
    """A client of control's socket, such as the web process is.

    Says again and again what it wants every ``every_s``, as a held stick does.
    """

    def __init__(self, rig: Rig, every_s: float) -> None:
        self._rig = rig
        self._every_s = every_s
        self._which = 0

    def ask(self, which: int) -> float:
        self._which = which
        asked_s = time.monotonic()
        self._say()
        return asked_s

    def wait(self, duration_s: float) -> None:
        end_s = time.monotonic() + duration_s
        while (left_s := end_s - time.monotonic()) > 0.0:
            time.sleep(min(left_s, self._every_s))
            if left_s > self._every_s:
                self._say()

    def _say(self) -> None:
        rig = self._rig
        rig.client.drive(Source.WEB, Arc(_SPEEDS_MPS[self._which], 0.0), rig.clock.now_s())


class _PhoneHand:
    """A page on a phone, which is also told the telemetry."""

    def __init__(self, phone: Phone) -> None:
        self._phone = phone

    def ask(self, which: int) -> float:
        return self._phone.drive(1.0, _SPEEDS_MPS[which])

    def wait(self, duration_s: float) -> None:
        end_s = time.monotonic() + duration_s
        while (left_s := end_s - time.monotonic()) > 0.0:
            readable, _, _ = select.select([self._phone], (), (), left_s)
            if readable:
                self._phone.read()


class _GamepadHand:
    """A thumb on a gamepad's stick."""

    def __init__(self, hand: PadHand) -> None:
        self._hand = hand

    def ask(self, which: int) -> float:
        return self._hand.move(Axis.Y, _STICKS[which])

    def wait(self, duration_s: float) -> None:
        time.sleep(duration_s)


@contextmanager
def client_hand(rate_hz: float, every_s: float) -> Iterator[tuple[Rig, Hand]]:
    """Yield a client of control's socket that repeats itself ``every_s``."""
    with running_rig(NO_PAD + loop_settings(rate_hz, _PRIORITY)) as rig:
        rig.start_hardware()
        rig.start_control()
        rig.arm()
        yield rig, _ClientHand(rig, every_s)


@contextmanager
def phone_hand() -> Iterator[tuple[Rig, Hand]]:
    """Yield a page's WebSocket into the web process."""
    with running_rig(NO_PAD + loop_settings(100.0, _PRIORITY)) as rig:
        rig.start_hardware()
        rig.start_control()
        with Phone(*rig.start_web()) as phone:
            hand = _PhoneHand(phone)
            rig.arm()
            for _ in range(_NEUTRAL_FRAMES):
                # Whoever wants to drive must have been at rest first.
                phone.drive(0.0, 1.0)
                hand.wait(SAY_EVERY_S)
            yield rig, hand


@contextmanager
def gamepad_hand() -> Iterator[tuple[Rig, Hand]]:
    """Yield a thumb on a pretended gamepad. Raises NotMeasuredError where there can be none."""
    with held_gamepad() as (rig, pad):
        yield rig, _GamepadHand(pad)


@contextmanager
def held_gamepad() -> Iterator[tuple[Rig, PadHand]]:
    """Yield a pretended gamepad whose dead-man button is held, on a rover that is armed.

    Raises NotMeasuredError where none can be pretended.
    """
    wrapper = shutil.which(pretended_pad.WRAPPER)
    if wrapper is None:
        raise NotMeasuredError("a gamepad can be pretended with umockdev: apt install umockdev")
    settings = f'[gamepad]\ndevice = "{pretended_pad.PATH}"\n'
    with ExitStack() as stack:
        rig = stack.enter_context(running_rig(settings + loop_settings(100.0, _PRIORITY)))
        rig.start_hardware()
        here, far = socket.socketpair()
        stack.enter_context(here)
        module = (sys.executable, "-m", "benchmarks.pretended_pad", str(far.fileno()))
        with far:
            rig.start_control((wrapper, *module), pass_fds=[far.fileno()])
        pad = PadHand.receive(here)
        stack.callback(pad.close)
        rig.arm()
        pad.press(Key.TR)
        time.sleep(0.2)
        yield rig, pad
