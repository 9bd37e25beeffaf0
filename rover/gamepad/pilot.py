"""A gamepad drives the rover: events in, drive commands and requests out, never waiting.

The right shoulder button is the dead-man, the left one turbo. The left stick or the triggers
drive, the right stick steers, the d-pad spins, the top or left button changes the mode. East
is the emergency stop, Start arms, Select disarms.
"""

from collections.abc import Callable

from msgspec import Struct

from rover.clock import Clock
from rover.config import Config
from rover.errors import DeviceError
from rover.gamepad.deadman import DeadMan
from rover.gamepad.device import OpenPad
from rover.gamepad.finder import NO_PAD, PadFinder
from rover.gamepad.layout import (
    DEAD_MAN,
    EV_ABS,
    EV_KEY,
    EV_SYN,
    MODE_KEYS,
    SYN_DROPPED,
    SYN_REPORT,
    Controls,
    Key,
    PadState,
)
from rover.messages import DriveCommand, Motion, RequestKind, Source, Stop
from rover.motion.kinematics import Kinematics
from rover.motion.sticks import DriveMode, StickInput, StickLimits, motion_from_sticks

_LOOK_EVERY_S = 1.0
# Sticks that are held for so long without the dead-man button are not held by a hand.
_ASTRAY_S = 5.0
_REQUESTS = {
    Key.EAST: RequestKind.STOP,
    Key.START: RequestKind.ARM,
    Key.SELECT: RequestKind.DISARM,
}
# What a button may mean that was found down without having been seen to go down.
_SAFE_REQUESTS = {RequestKind.STOP, RequestKind.DISARM}


class GamepadUpdate(Struct, frozen=True):
    """What a poll of the gamepad brought.

    ``command`` is what the pad asks for, None while it has no say; it is a Stop once when the
    pad goes. ``deflected`` tells that a stick, a trigger or the d-pad is not at rest, whatever
    the mode and the dead-man button make of it. ``requests`` are the buttons pressed since the
    last poll, in their order. ``trouble`` is one sentence for people, empty when all is well.
    """

    command: DriveCommand | None = None
    deflected: bool = False
    requests: tuple[RequestKind, ...] = ()
    connected: bool = False
    name: str = ""
    trouble: str = ""
    mode: DriveMode = DriveMode.ARC


class Gamepad:
    """Whichever gamepad is plugged in. Not thread-safe: it belongs to the loop."""

    def __init__(self, config: Config, clock: Clock, finder: PadFinder | None = None) -> None:
        motion = config.motion
        self._feel = config.sticks
        kinematics = Kinematics(config)
        tightest = kinematics.max_curvature_per_m
        self._normal = StickLimits(motion.max_speed_mps, tightest, motion.max_yaw_rate_rad_s)
        self._turbo = StickLimits(motion.turbo_speed_mps, tightest, motion.max_yaw_rate_rad_s)
        self._modes = [DriveMode.ARC, DriveMode.SPIN]
        if kinematics.can_crab:
            self._modes.append(DriveMode.CRAB)
        self._silence_s = config.deadlines.gamepad_silence_s
        self._finder = finder or PadFinder(config.gamepad.device)
        self._plugged: _Plugged | None = None
        self._seq = 0
        self._trouble = ""
        self._lost = ""
        self._look(clock.now_s())

    def filenos(self) -> tuple[int, ...]:
        """Return what becomes readable when the pad has something to say."""
        return () if self._plugged is None else (self._plugged.pad.fileno(),)

    def poll(self, now_s: float) -> GamepadUpdate:
        """Take what the pad has sent, at most some 250 events of it; never waits or raises."""
        if now_s >= self._look_due_s:
            self._look(now_s)
        plugged = self._plugged
        if plugged is None:
            return GamepadUpdate(trouble=self._trouble)
        try:
            requests = plugged.take_in(now_s)
        except DeviceError:
            return self._unplugged(plugged, now_s)
        controls = plugged.state.controls()
        deflected = self._deflected(controls)
        asked = self._asked(controls, plugged.mode)
        motion = plugged.dead_man.permit(asked, now_s, deflected=deflected)
        if motion is not None:
            plugged.counted_s = now_s
        return GamepadUpdate(
            None if motion is None else self._command(motion, now_s),
            deflected=deflected,
            requests=requests,
            connected=True,
            name=plugged.pad.name,
            trouble=self._trouble_with(plugged, now_s),
            mode=plugged.mode,
        )

    def close(self) -> None:
        """Let go of the pad."""
        if self._plugged is not None:
            self._plugged.pad.close()
            self._plugged = None

    def _look(self, now_s: float) -> None:
        """Find a pad if there is none, or see whether there are more than one."""
        self._look_due_s = now_s + _LOOK_EVERY_S
        if self._plugged is not None:
            self._trouble = self._finder.others(self._plugged.pad)
            return
        pad, self._trouble = self._finder.find()
        if pad is None:
            if self._lost and self._trouble == NO_PAD:
                self._trouble = self._lost
            return
        try:
            dead_man = DeadMan(self._silence_s, now_s)
            self._plugged = _Plugged(pad, dead_man, self._modes, self._deflected, now_s)
        except DeviceError as error:
            pad.close()
            self._trouble = str(error)
            return
        self._lost = ""
        self._trouble = self._finder.others(pad)

    def _unplugged(self, plugged: "_Plugged", now_s: float) -> GamepadUpdate:
        self.close()
        self._look_due_s = now_s
        self._trouble = self._lost = f"{plugged.pad.name} was unplugged or switched off"
        return GamepadUpdate(
            self._command(Stop("gamepad unplugged"), now_s),
            name=plugged.pad.name,
            trouble=self._trouble,
        )

    def _asked(self, controls: Controls, mode: DriveMode) -> Motion:
        """Return what the sticks ask for, whether they count or not."""
        limits = self._turbo if controls.turbo else self._normal
        return motion_from_sticks(_sticks(controls, mode), self._feel, limits)

    def _deflected(self, controls: Controls) -> bool:
        """Return whether anything is away from rest that means motion in any mode."""
        slide = abs(controls.slide) if DriveMode.CRAB in self._modes else 0.0
        return max(controls.deflection, slide) > self._feel.deadband

    def _command(self, motion: Motion, now_s: float) -> DriveCommand:
        self._seq += 1
        return DriveCommand(Source.GAMEPAD, self._seq, now_s, motion)

    def _trouble_with(self, plugged: "_Plugged", now_s: float) -> str:
        name = plugged.pad.name
        if plugged.dead_man.silent:
            return (
                f"{name} went silent: see that it is switched on and near, then press the "
                "dead-man button anew; if its stick is merely quiet, raise "
                "deadlines.gamepad_silence_s"
            )
        if plugged.dead_man.waits_for_rest:
            return (
                f"{name}: let go of the sticks, hold the dead-man button, then push them; if you "
                "have let go, one of them or a trigger rests outside sticks.deadband: raise that"
            )
        if now_s - plugged.counted_s > _ASTRAY_S:
            return (
                f"{name}: a stick or a trigger is not at rest; if nobody holds it, raise "
                "sticks.deadband or take another gamepad"
            )
        return self._trouble


class _Plugged:
    """The pad that is plugged in, from then until it goes. Raises DeviceError if it is gone."""

    def __init__(
        self,
        pad: OpenPad,
        dead_man: DeadMan,
        modes: list[DriveMode],
        deflected: Callable[[Controls], bool],
        now_s: float,
    ) -> None:
        self.pad = pad
        self.dead_man = dead_man
        self._modes = modes
        self._deflected = deflected
        # When the sticks last counted, or were at rest.
        self.counted_s = now_s
        self.mode = modes[0]
        self.state = PadState(pad.layout, *pad.snapshot())
        self._requests: list[RequestKind] = []
        self._dropping = False
        if self.state.is_down(Key.EAST):
            self._requests.append(RequestKind.STOP)

    def take_in(self, now_s: float) -> tuple[RequestKind, ...]:
        """Bring the state up to date; return what was asked for by button."""
        events, more = self.pad.read()
        if events:
            self.dead_man.heard(now_s)
        # When events were lost, or there are more than can be read now, their sum is known to
        # the kernel: ask for it instead.
        incomplete = more or self._dropping
        for event in events:
            if event.type == EV_SYN and event.code == SYN_DROPPED:
                self._dropping = incomplete = True
            elif self._dropping:
                self._dropping = not (event.type == EV_SYN and event.code == SYN_REPORT)
            elif event.type == EV_KEY:
                self._key(event.code, event.value)
            elif event.type == EV_ABS:
                self.state.set_axis(event.code, event.value)
        if incomplete:
            self._ask_anew()
        requests, self._requests = self._requests, []
        # A stop beats everything, and a button that was pressed twice at once is one request.
        if RequestKind.STOP in requests:
            return (RequestKind.STOP,)
        return tuple(dict.fromkeys(requests))

    def _key(self, code: int, value: int) -> None:
        if value not in {0, 1}:
            return  # a key that repeats is held, and has been told already
        pressed = value == 1
        self.state.set_key(code, pressed=pressed)
        if code == DEAD_MAN:
            if pressed:
                self.dead_man.press(at_rest=not self._deflected(self.state.controls()))
            else:
                self.dead_man.release()
        elif pressed and code in _REQUESTS:
            self._requests.append(_REQUESTS[Key(code)])
        elif pressed and code in MODE_KEYS:
            self.mode = self._modes[(self._modes.index(self.mode) + 1) % len(self._modes)]

    def _ask_anew(self) -> None:
        found_down = self.state.replace(*self.pad.snapshot())
        if not self.state.is_down(DEAD_MAN):
            self.dead_man.release()
        for key, request in _REQUESTS.items():
            if key in found_down and request in _SAFE_REQUESTS:
                self._requests.append(request)


def _sticks(controls: Controls, mode: DriveMode) -> StickInput:
    if controls.spin:
        return StickInput(0.0, controls.spin, DriveMode.SPIN)
    sideways = controls.slide if mode is DriveMode.CRAB else controls.turn
    return StickInput(controls.drive, sideways, mode)
