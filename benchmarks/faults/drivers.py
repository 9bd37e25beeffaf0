"""Those who drive, each going on with what it wants until it is told something else.

A driver that is at full speed stays there: it asks again and again, whatever becomes of the
rover, as a person does who holds a stick.
"""

import select
import threading
import time
from typing import Protocol

from benchmarks.harness import NotMeasuredError
from benchmarks.phone import Phone
from benchmarks.pretended_pad import PadHand
from rover.gamepad.codes import Axis, Key

_SAY_EVERY_S = 0.02
_RECONNECT_EVERY_S = 0.1
# Long enough for control to have heard it: two ticks, and the phone's two frames.
_HEARD_S = 0.05
# A held stick trembles: so often, and by so much.
_TREMBLE_EVERY_S = 0.1
_FULL_UP = -32768
_TREMBLE = 60


class Hand(Protocol):
    """Who drives."""

    def rest(self) -> None:
        """Be at neutral, and let the rover see it."""
        ...

    def full(self) -> None:
        """Ask for full speed forward from now on."""
        ...

    def close(self) -> None:
        """Go away."""
        ...


class PhoneHand(threading.Thread):
    """A page's WebSocket on ``port``; when it is hung up on, it connects anew and goes on."""

    def __init__(self, port: int, key: str) -> None:
        super().__init__(name="phone", daemon=True)
        self._port, self._key = port, key
        self._drive = 0.0
        self._hushed = False
        self._ended = False
        self.connected = threading.Event()
        self.start()

    def rest(self) -> None:
        """Let go of the stick, and let the rover see it."""
        self._drive = 0.0
        self.connected.wait(_RECONNECT_EVERY_S)
        time.sleep(_HEARD_S)

    def full(self) -> None:
        """Push the stick all the way."""
        self._drive = 1.0

    def hush(self, *, hushed: bool = True) -> None:
        """Send nothing more, still connected; or go on with what was held all the while."""
        self._hushed = hushed

    def close(self) -> None:
        """Hang up."""
        self._ended = True
        self.join()

    def run(self) -> None:
        """Drive until closed."""
        while not self._ended:
            try:
                with Phone(self._port, self._key) as phone:
                    self.connected.set()
                    self._talk(phone)
            except (OSError, NotMeasuredError):
                time.sleep(_RECONNECT_EVERY_S)
            finally:
                self.connected.clear()

    def _talk(self, phone: Phone) -> None:
        due_s = time.monotonic()
        while not self._ended:
            left_s = due_s - time.monotonic()
            if left_s <= 0.0:
                due_s = max(due_s + _SAY_EVERY_S, time.monotonic())
                if not self._hushed:
                    phone.drive(self._drive, 1.0)
            elif select.select([phone], (), (), left_s)[0]:
                phone.read()


class GamepadHand(threading.Thread):
    """A hand on a pretended pad: the thumb trembles as long as it pushes the stick."""

    def __init__(self) -> None:
        super().__init__(name="pad", daemon=True)
        self._hand: PadHand | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._pushed = False
        self._trembles = True
        self.said_s = 0.0
        self.start()

    def rest(self) -> None:
        """Let go of everything, then press the dead-man button anew."""
        with self._lock:
            self._pushed, self._trembles = False, True
            self._held.move(Axis.Y, 0)
            self._held.release(Key.TR)
        time.sleep(_HEARD_S)
        with self._lock:
            self._held.press(Key.TR)
        time.sleep(_HEARD_S)

    def full(self) -> None:
        """Push the stick all the way up."""
        with self._lock:
            self._pushed = True
            self._held.move(Axis.Y, _FULL_UP)

    def let_go(self) -> float:
        """Release the dead-man button, the stick still pushed; return when (s, monotonic)."""
        with self._lock:
            return self._held.release(Key.TR)

    def tap(self, key: Key) -> float:
        """Press and release a button; return when it was pressed (s, monotonic)."""
        with self._lock:
            pressed_s = self._held.press(key)
            self._held.release(key)
            return pressed_s

    def fall_silent(self) -> float:
        """Send nothing more with the stick pushed; return when the last was said."""
        with self._lock:
            self._trembles = False
            return self.said_s

    def tremble(self) -> None:
        """Have something to say again."""
        with self._lock:
            self._trembles = True

    @property
    def _held(self) -> PadHand:
        if self._hand is None:
            raise NotMeasuredError("there is no gamepad to hold")
        return self._hand

    def take(self, descriptor: int) -> None:
        """Take hold of a pad that has been plugged in."""
        with self._lock:
            self._hand = PadHand(descriptor)

    def drop(self) -> None:
        """Let go of a pad that is being unplugged."""
        with self._lock:
            self._pushed = False
            if self._hand is not None:
                self._hand.close()
            self._hand = None

    def close(self) -> None:
        """Be gone."""
        self._ended.set()
        self.join()
        self.drop()

    def run(self) -> None:
        """Tremble until closed."""
        by = 0
        while not self._ended.wait(_TREMBLE_EVERY_S):
            with self._lock:
                if self._hand is not None and self._pushed and self._trembles:
                    by = _TREMBLE - by
                    self.said_s = self._hand.move(Axis.Y, _FULL_UP + by)
