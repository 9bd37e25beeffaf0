"""Who drives, who looks after the rover, and who breaks it: scripts that live by chance.

Each script is a generator that yields how long (simulated s) it does nothing. All chance comes
from one seed, so that a run can be had again.
"""

import random
from collections import Counter
from collections.abc import Iterator

from benchmarks.soak.rules import Rules
from rover.gamepad import GamepadUpdate
from rover.link import ReceivedRequest, RefusedDrive
from rover.messages import (
    Arc,
    ArmState,
    Crab,
    DriveCommand,
    Motion,
    Request,
    RequestKind,
    Source,
    Spin,
    Stop,
    is_neutral,
)
from tests.whole.memory_rover import FakePad, MemoryRover

Script = Iterator[float]

AT_REST = Arc(0.0, 0.0)
# As often as a page sends.
_WEB_EVERY_S = 0.02
# People look before they clear, and before they arm.
_LOOK_S = 0.6


class Scene:
    """The rover, the rules it is held to, and the one source of chance."""

    def __init__(self, rover: MemoryRover, pad: FakePad, rules: Rules, seed: int) -> None:
        self.rover = rover
        self._pad = pad
        self.rules = rules
        self.chance = random.Random(seed)
        self.counts = Counter[str]()
        # Set by whoever looks after the rover: everybody lets go until then.
        self.hands_off_until_s = 0.0
        self._sequence = 0
        self._pad_requests: list[RequestKind] = []

    @property
    def now_s(self) -> float:
        """The simulated time."""
        return self.rover.clock.now_s()

    def command(self, source: Source, motion: Motion, stamp_s: float) -> None:
        """Have control hear a command in the next tick."""
        self._sequence += 1
        self.rules.asked.command(source, motion, stamp_s)
        self.rover.link.drive.append(DriveCommand(source, self._sequence, stamp_s, motion))

    def rubbish(self, source: Source) -> None:
        """Have control's link refuse a message in the next tick."""
        self.rules.asked.rubbish()
        self.rover.link.refused.append(RefusedDrive(source, "not a drive command"))

    def ask(self, kind: RequestKind, age_s: float = 0.0) -> None:
        """Make a request over the link."""
        self.rules.requested(arm=kind is RequestKind.ARM, stop=kind is RequestKind.STOP)
        request = Request(kind, "somebody", self.now_s - age_s)
        self.rover.link.requests.append(ReceivedRequest(request, (b"", b"")))

    def press(self, kind: RequestKind) -> None:
        """Press a button on the gamepad."""
        self.rules.requested(arm=kind is RequestKind.ARM, stop=kind is RequestKind.STOP)
        self._pad_requests.append(kind)

    def hold_pad(self, motion: Motion | None) -> None:
        """Set what the gamepad says in the next tick; None is a pad without a say."""
        requests, self._pad_requests = tuple(self._pad_requests), []
        command = None
        if motion is not None:
            self._sequence += 1
            command = DriveCommand(Source.GAMEPAD, self._sequence, self.now_s, motion)
            self.rules.asked.command(Source.GAMEPAD, motion, self.now_s)
        self._pad.update = GamepadUpdate(
            command=command,
            deflected=motion is not None and not is_neutral(motion),
            requests=requests,
            connected=motion is not None,
        )


class Driver:
    """Somebody at a phone or a gamepad who drives about, and loses it now and then."""

    def __init__(self, scene: Scene, source: Source) -> None:
        self._scene = scene
        self._source = source
        self._motion: Motion | None = None
        self._held_back: list[tuple[Motion, float]] | None = None

    def script(self) -> Script:
        """Drive, let go, fall silent, stop, and come back."""
        scene, chance = self._scene, self._scene.chance
        while True:
            # Away for a while, so that each source also has the rover to itself.
            self._motion = None
            yield chance.uniform(0.5, 15.0)
            leave_s = scene.now_s + chance.uniform(10.0, 120.0)
            self._motion = AT_REST
            yield 0.2
            while scene.now_s < leave_s:
                yield from self._leg()

    def _leg(self) -> Script:
        scene, chance = self._scene, self._scene.chance
        if scene.now_s < scene.hands_off_until_s:
            self._motion = AT_REST
            yield 0.1
            return
        kind = chance.choices(
            ("drive", "let go", "stop", "silent", "burst", "rubbish", "future", "late"),
            (60, 20, 4, 5, 3, 1, 1, 4),
        )[0]
        scene.counts[f"{kind}, {self._source}"] += 1
        match kind:
            case "drive":
                self._motion = self._somewhere()
                yield chance.uniform(0.1, 5.0)
            case "let go":
                self._motion = AT_REST
                yield chance.uniform(0.05, 2.0)
            case "stop":
                scene.command(self._source, Stop("let go"), scene.now_s)
                self._motion = chance.choice((self._motion, AT_REST, None))
                yield chance.uniform(0.02, 1.0)
                self._motion = AT_REST
                yield 0.1
            case "silent":
                before, self._motion = self._motion, None
                yield chance.uniform(0.02, 1.5)
                self._motion = chance.choice((before, AT_REST))
                yield chance.uniform(0.05, 1.0)
            case "burst":
                self._held_back = []
                yield chance.uniform(0.05, 2.0)
                late, self._held_back = self._held_back, None
                for motion, stamp_s in late:
                    scene.command(self._source, motion, stamp_s)
                yield chance.uniform(0.05, 1.0)
            case "rubbish":
                scene.rubbish(self._source)
                yield chance.uniform(0.1, 0.5)
            case "future":
                scene.rules.asked.rubbish()
                scene.rover.link.drive.append(
                    DriveCommand(self._source, 0, scene.now_s + chance.uniform(0.1, 1e6), AT_REST)
                )
                yield chance.uniform(0.1, 0.5)
            case "late":
                age_s = chance.uniform(0.05, 5.0)
                scene.command(self._source, self._somewhere(), scene.now_s - age_s)
                yield chance.uniform(0.02, 0.5)

    def _somewhere(self) -> Motion:
        chance = self._scene.chance
        # Up to turbo and beyond what is allowed, forwards and in reverse.
        speed_mps = chance.choice((-1.0, 1.0)) * chance.choice((0.05, 0.3, 1.0, 1.0, 1.5, 1.5, 9.0))
        kind = chance.random()
        if kind < 0.2:  # noqa: PLR2004 - a fifth
            return Spin(chance.uniform(-2.0, 2.0))
        if kind < 0.25:  # noqa: PLR2004 - a twentieth
            # This rover's middle wheels cannot: anything but straight is refused.
            return Crab(speed_mps, chance.choice((0.0, 0.0, 0.3)))
        return Arc(speed_mps, chance.choice((0.0, chance.uniform(-2.5, 2.5), -2.2, 2.2)))

    def say(self) -> None:
        """Say what is held, as the page and the pad do; held back, it arrives later."""
        scene = self._scene
        if self._source is Source.GAMEPAD:
            scene.hold_pad(self._motion if self._held_back is None else None)
            if self._held_back is None:
                return
        if self._motion is None:
            return
        stamp_s = scene.now_s
        if self._held_back is not None:
            self._held_back.append((self._motion, stamp_s))
        else:
            scene.command(self._source, self._motion, stamp_s - scene.chance.uniform(0.0, 0.03))

    def page(self) -> Script:
        """Say it as often as a page does."""
        while True:
            self.say()
            yield _WEB_EVERY_S


def looks_after(scene: Scene) -> Script:
    """Clear and arm, properly, whenever the rover is not armed; stop it now and then."""
    chance, rover = scene.chance, scene.rover
    calm_s = scene.now_s + chance.uniform(5.0, 60.0)
    while True:
        if rover.state is ArmState.ARMED:
            if scene.now_s > calm_s:
                yield from _interferes(scene)
                calm_s = scene.now_s + chance.uniform(5.0, 60.0)
            yield 0.1
            continue
        scene.hands_off_until_s = scene.now_s + 2.0 * _LOOK_S
        yield _LOOK_S + chance.uniform(0.0, 1.0)
        scene.hands_off_until_s = scene.now_s + 2.0 * _LOOK_S
        if rover.state in {ArmState.ESTOP, ArmState.FAULT}:
            scene.ask(RequestKind.CLEAR)
            yield _LOOK_S
        way = chance.choice((scene.ask, scene.press))
        way(RequestKind.ARM)
        # Both by phone and by pad at times, and twice, for taps bounce.
        if chance.random() < 0.1:  # noqa: PLR2004 - a tenth
            chance.choice((scene.ask, scene.press))(RequestKind.ARM)
        # A refusal is looked at before it is tried again.
        yield 0.6


def _interferes(scene: Scene) -> Script:
    chance = scene.chance
    kind = chance.choice(
        (
            "stop",
            "pad stop",
            "two stops",
            "disarm",
            "pad disarm",
            "stop, then arm",
            "arm, then stop",
        )
    )
    scene.counts[kind] += 1
    match kind:
        case "stop":
            scene.ask(RequestKind.STOP, chance.uniform(0.0, 9.0))
        case "pad stop":
            scene.press(RequestKind.STOP)
        case "two stops":
            scene.ask(RequestKind.STOP)
            scene.press(RequestKind.STOP)
        case "disarm":
            scene.ask(RequestKind.DISARM)
        case "pad disarm":
            scene.press(RequestKind.DISARM)
        case "stop, then arm":
            scene.ask(RequestKind.STOP)
            scene.ask(RequestKind.CLEAR)
            scene.ask(RequestKind.ARM)
        case "arm, then stop":
            scene.ask(RequestKind.ARM)
            scene.ask(RequestKind.STOP)
    # Somebody else is too quick at times: it must be refused.
    yield chance.uniform(0.01, 0.4)
    if chance.random() < 0.5:  # noqa: PLR2004 - half
        scene.ask(RequestKind.CLEAR)
        scene.ask(RequestKind.ARM)
    yield 0.1
