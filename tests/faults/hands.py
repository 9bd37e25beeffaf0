"""Who drives on the manual clock: the real gamepad code on a socket, the real web session.

Only evdev's kernel and the WebSocket are left out; between them and the loop is what runs on a
rover.
"""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from rover.clock import Clock
from rover.config import Config
from rover.gamepad import Gamepad
from rover.gamepad.finder import PadFinder
from rover.link import ReceivedRequest
from rover.messages import Answer, DriveCommand, Motion, Request, RequestKind, Source
from tests.gamepad.pads import ABS, ABS_Y, BTN_EAST, BTN_TR, KEY, XBOX
from tests.gamepad.socket_device import Bench, SocketDevice
from tests.web.rig import NoPictures
from tests.whole.memory_rover import FakeLink
from web.drive import DriveSession
from web.frames import HaltReason
from web.remote import Remote

_WITHIN_S = 5.0
# As often as the page says where the thumbs are while one is held.
_PAGE_EVERY_S = 0.04
_FULL = -32768


class Hand(Protocol):
    """Somebody at the sticks. What is asked for is said again and again, as it really is."""

    def push(self) -> None:
        """Ask for full speed ahead from now on."""
        ...

    def rest(self) -> None:
        """Let go of the sticks, and be ready to push them."""
        ...

    def speak(self, now_s: float) -> None:
        """Say what is due; called before every tick."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class PadHand:
    """A thumb on the pad, which trembles as thumbs do, and a finger on its dead-man button."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._position = 0
        self._holds = False
        self.trembles = True
        self.present = True

    @property
    def device(self) -> SocketDevice:
        return self._bench.devices[-1]

    def push(self) -> None:
        self._hold()
        self._move(_FULL)

    def rest(self) -> None:
        self._move(0)
        # Anew: after a silence it must be seen to be pressed.
        self.release_dead_man()
        self._hold()

    def release_dead_man(self) -> None:
        if self._holds and self.present:
            self.device.send((KEY, BTN_TR, 0))
        self._holds = False

    def press_east(self) -> None:
        self.device.send((KEY, BTN_EAST, 1), (KEY, BTN_EAST, 0))

    def plug_in_anew(self) -> None:
        """Have a pad there again, untouched."""
        self.present, self._holds, self._position, self.trembles = True, False, 0, True

    def speak(self, now_s: float) -> None:
        if self._position and self.trembles and self.present:
            self._position ^= 1
            self.device.send((ABS, ABS_Y, self._position))

    def close(self) -> None:
        self._bench.close()

    def _hold(self) -> None:
        if not self._holds and self.present:
            self._holds = True
            self.device.send((KEY, BTN_TR, 1))

    def _move(self, position: int) -> None:
        self._position = position
        if self.present:
            self.device.send((ABS, ABS_Y, position))


class _Wire:
    """A ControlClient whose commands and requests are in the link's inbox at once."""

    def __init__(self, link: FakeLink, clock: Clock) -> None:
        self._link = link
        self._clock = clock
        self._count = 0
        self.asked = threading.Event()

    def drive(self, source: Source, motion: Motion, stamp_s: float) -> None:
        self._count += 1
        self._link.drive.append(DriveCommand(source, self._count, stamp_s, motion))

    def request(self, kind: RequestKind, who: str, timeout_s: float, stamp_s: float) -> Answer:
        self._link.requests.append(ReceivedRequest(Request(kind, who, stamp_s), (b"", b"")))
        self.asked.set()
        return Answer(True)


class PhoneHand:
    """A thumb on a page. ``held_up`` keeps its frames in the network, as a bad link does."""

    def __init__(self, remote: Remote, wire: _Wire, name: str = "phone 1") -> None:
        self._wire = wire
        self._remote = remote
        self._clock = remote.clock
        self._name = name
        self._sequence = 0
        self._drive = self._turn = 0.0
        self._due_s = 0.0
        self._network: list[str] = []
        self._open = True
        self.held_up = False
        self.silent = False
        self.session = DriveSession(remote, name, "a device", lambda frame: None)

    def push(self, turn: float = 0.0, drive: float = 1.0) -> None:
        self._say(drive, turn)

    def rest(self) -> None:
        self._say(0.0, 0.0)

    def speak(self, now_s: float) -> None:
        if now_s >= self._due_s and not self.silent:
            self._due_s = now_s + _PAGE_EVERY_S
            self._sequence += 1
            stick = {"seq": self._sequence, "drive": self._drive, "turn": self._turn}
            # Over a link that is held up the page does not see the rover either.
            seen_s = self._seen_s if self.held_up else now_s
            self._seen_s = seen_s
            self._send("drive", **stick, mode="arc", limit=1.0, seen_s=seen_s)

    def halt(self, reason: HaltReason) -> None:
        """Have the page say that it lets go, and no more."""
        self._send("halt", reason=reason.value)
        self.silent = True

    def hang_up(self) -> None:
        """End the connection; nothing comes any more until ``come_back``."""
        self.session.close()
        self.silent, self._open = True, False

    def press_stop(self) -> None:
        self._wire.asked.clear()
        self._send("request", kind="stop", number=1)
        assert self._wire.asked.wait(_WITHIN_S), "the stop was not passed on"

    def come_back(self) -> None:
        """Be on a good link again, as the page is after it has connected anew."""
        if not self._open:
            self.session = DriveSession(self._remote, self._name, "a device", lambda frame: None)
            self._sequence, self._open = 0, True
        self.silent = self.held_up = False
        self.deliver()

    def deliver(self) -> None:
        """Hand over at once what the network has held back."""
        waiting, self._network = self._network, []
        self.session.receive(waiting, self._clock.now_s())

    def lose(self) -> None:
        """Lose what the network holds."""
        self._network.clear()

    def close(self) -> None:
        self._remote.asker.close()

    def _say(self, drive: float, turn: float) -> None:
        self._drive, self._turn, self._due_s = drive, turn, 0.0

    def _send(self, type_: str, **fields: object) -> None:
        message = json.dumps({"type": type_, "t": self._clock.now_s() * 1000.0} | fields)
        self._network.append(message)
        if not self.held_up:
            self.deliver()


def phones(config: Config, link: FakeLink, clock: Clock, count: int = 2) -> list[PhoneHand]:
    """Return pages of one web server, the first of which drives."""
    wire = _Wire(link, clock)
    remote = Remote(config, wire, wire, clock, NoPictures())
    return [PhoneHand(remote, wire, f"phone {n}") for n in range(1, count + 1)]


def pad_maker(folder: Path) -> tuple[Bench, Callable[[Config, Clock], Gamepad]]:
    """Return a pad that is plugged in, and what makes the rover's own gamepad of it."""
    bench = Bench()
    node = folder / "event3"
    node.touch()
    bench.descriptions[str(node)] = XBOX

    def make(config: Config, clock: Clock) -> Gamepad:
        finder = PadFinder(str(node), folder, folder, bench.open_at)
        return Gamepad(config, clock, finder)

    return bench, make
