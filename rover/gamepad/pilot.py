"""A gamepad drives the rover: events in, drive commands and requests out, never waiting.

Which control does what is ``gamepad.bindings``. As they come: the right shoulder button is the
dead-man, the left one turbo. The left stick or the triggers drive, the right stick steers, the
d-pad spins and trims, the top button changes the mode, the left one drives slowly. East is the
emergency stop, Start arms, Select disarms.
"""

from functools import partial

from msgspec import Struct

from rover.clock import Clock
from rover.config import Config
from rover.errors import DeviceError
from rover.gamepad.aside import Aside
from rover.gamepad.codes import Control
from rover.gamepad.deadman import DeadMan
from rover.gamepad.device import open_pad
from rover.gamepad.finder import NO_PAD, PadFinder
from rover.gamepad.habits import Habits
from rover.gamepad.layout import Controls
from rover.gamepad.plugged import Plugged, Taken
from rover.messages import DriveCommand, Motion, RequestKind, Source, Stop
from rover.motion.kinematics import Kinematics
from rover.motion.sticks import DriveMode, StickInput, motion_from_sticks

_LOOK_EVERY_S = 1.0
# Sticks that are held for so long without the dead-man button are not held by a hand.
_ASTRAY_S = 5.0
# What a button may mean that was found down without having been seen to go down.
_SAFE_REQUESTS = {RequestKind.STOP, RequestKind.DISARM}


class GamepadUpdate(Struct, frozen=True):
    """What a poll of the gamepad brought.

    ``command`` is what the pad asks for, None while it has no say; it is a Stop once when the
    pad goes. ``deflected`` tells that a stick, a trigger or the d-pad is not at rest, whatever
    the mode and the dead-man button make of it. ``requests`` are the buttons pressed since the
    last poll, in their order. ``trouble`` is one sentence for people, empty when all is well.
    ``slow`` and ``trim_per_m``, positive to the left, are what the pad has been set to.
    ``notes`` are what else is to be told, a sentence each.
    """

    command: DriveCommand | None = None
    deflected: bool = False
    requests: tuple[RequestKind, ...] = ()
    connected: bool = False
    name: str = ""
    trouble: str = ""
    mode: DriveMode = DriveMode.ARC
    slow: bool = False
    trim_per_m: float = 0.0
    notes: tuple[str, ...] = ()


class Gamepad:
    """Whichever gamepad is plugged in. Not thread-safe: it belongs to the loop."""

    def __init__(self, config: Config, clock: Clock, finder: PadFinder | None = None) -> None:
        self._feel = config.sticks
        self._bindings = config.gamepad.bindings
        self._habits = Habits(config, Kinematics(config))
        self._requests = {
            Control(control): kind
            for control, kind in (
                (self._bindings.stop, RequestKind.STOP),
                (self._bindings.arm, RequestKind.ARM),
                (self._bindings.disarm, RequestKind.DISARM),
            )
            if control is not None
        }
        self._silence_s = config.deadlines.gamepad_silence_s
        self._finder = finder or PadFinder(
            config.gamepad.device,
            open_at=partial(open_pad, config=config.gamepad),
            config=config.gamepad,
        )
        self._config = config.gamepad
        self._plugged: Plugged | None = None
        self._aside: Aside | None = None
        self._shown = (False, False)
        self._noted: set[str] = set()
        self._counted_s = clock.now_s()
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
            taken = plugged.take_in(now_s)
        except DeviceError:
            return self._unplugged(plugged, now_s)
        for control in taken.pressed:
            self._habits.press(control, plugged.state)
        controls = plugged.state.controls()
        deflected = self._deflected(controls)
        asked = self._asked(controls, plugged)
        motion = plugged.dead_man.permit(asked, now_s, deflected=deflected)
        if motion is not None:
            self._counted_s = now_s
        return GamepadUpdate(
            None if motion is None else self._command(motion, now_s),
            deflected=deflected,
            requests=self._requested(taken),
            connected=True,
            name=plugged.pad.name,
            trouble=self._trouble_with(plugged, now_s),
            mode=self._habits.mode,
            slow=self._habits.is_slow(plugged.state),
            trim_per_m=self._habits.trim_per_m,
            notes=self._notes(),
        )

    def show(self, *, armed: bool, fault: bool) -> None:
        """Have the pad show the state of the rover, if it can; never waits."""
        self._shown = (armed, fault)
        if self._aside is not None:
            self._aside.show(armed=armed, fault=fault)

    def close(self) -> None:
        """Let go of the pad."""
        if self._plugged is not None:
            self._plugged.pad.close()
            self._plugged = None
        if self._aside is not None:
            self._aside.close()
            self._aside = None

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
            self._plugged = Plugged(pad, self._bindings, dead_man, self._deflected)
        except DeviceError as error:
            pad.close()
            self._trouble = str(error)
            return
        self._counted_s = now_s
        self._habits.new_pad()
        self._lost = ""
        self._trouble = self._finder.others(pad)
        about = pad.about
        if about is not None:
            rumbles = about.can_rumble
            self._aside = Aside(pad.name, pad.path, about.device, self._config, can_rumble=rumbles)
            armed, fault = self._shown
            self._aside.show(armed=armed, fault=fault)

    def _unplugged(self, plugged: Plugged, now_s: float) -> GamepadUpdate:
        self.close()
        self._look_due_s = now_s
        self._trouble = self._lost = f"{plugged.pad.name} was unplugged or switched off"
        return GamepadUpdate(
            self._command(Stop("gamepad unplugged"), now_s),
            name=plugged.pad.name,
            trouble=self._trouble,
        )

    def _notes(self) -> tuple[str, ...]:
        """Return what a pad does not let itself be told; once, however often it comes back."""
        notes = () if self._aside is None else self._aside.notes()
        new = tuple(note for note in notes if note not in self._noted)
        self._noted.update(new)
        return new

    def _requested(self, taken: Taken) -> tuple[RequestKind, ...]:
        requests = [self._requests[one] for one in taken.pressed if one in self._requests]
        found = {self._requests[one] for one in taken.found_down if one in self._requests}
        # A stop beats everything, and a button that was pressed twice at once is one request.
        if RequestKind.STOP in requests or RequestKind.STOP in found:
            return (RequestKind.STOP,)
        return tuple(dict.fromkeys([*requests, *sorted(found & _SAFE_REQUESTS)]))

    def _asked(self, controls: Controls, plugged: Plugged) -> Motion:
        """Return what the sticks ask for, whether they count or not."""
        slow = self._habits.is_slow(plugged.state)
        limits = self._habits.limits(turbo=controls.turbo, slow=slow)
        sticks = _sticks(controls, self._habits.mode)
        return self._habits.trimmed(motion_from_sticks(sticks, self._feel, limits))

    def _deflected(self, controls: Controls) -> bool:
        """Return whether anything is away from rest that means motion in any mode."""
        slide = abs(controls.slide) if self._habits.can_crab else 0.0
        return max(controls.deflection, slide) > self._feel.deadband

    def _command(self, motion: Motion, now_s: float) -> DriveCommand:
        self._seq += 1
        return DriveCommand(Source.GAMEPAD, self._seq, now_s, motion)

    def _trouble_with(self, plugged: Plugged, now_s: float) -> str:
        name = plugged.pad.name
        doubted = [one for one in Control if one in plugged.state.doubted]
        if plugged.dead_man.silent:
            return (
                f"{name} went silent: see that it is switched on and near, then press the "
                "dead-man button anew; if its stick is merely quiet, raise "
                "deadlines.gamepad_silence_s"
            )
        if doubted:
            return (
                f"{name}: pull the {' and the '.join(doubted)} once and let go: nobody has seen "
                "it at rest yet"
            )
        if plugged.dead_man.waits_for_rest:
            return (
                f"{name}: let go of the sticks, hold the dead-man button, then push them; if you "
                "have let go, one of them or a trigger rests outside sticks.deadband: raise that"
            )
        if now_s - self._counted_s > _ASTRAY_S:
            return (
                f"{name}: a stick or a trigger is not at rest; if nobody holds it, raise "
                "sticks.deadband or take another gamepad"
            )
        power = "" if self._aside is None else self._aside.trouble()
        return self._trouble or power or self._without_stop(plugged)

    def _without_stop(self, plugged: Plugged) -> str:
        """Say that a person who reaches for the emergency stop on this pad would find none."""
        stop = self._bindings.stop
        if Control(stop) in plugged.pad.mapping.controls:
            return ""
        return (
            f"{plugged.pad.name} has no emergency stop, for it has no {stop}: bind another control "
            "to gamepad.bindings.stop, or run `rover calibrate gamepad`; letting go of the "
            "dead-man button stops the rover all the same"
        )


def _sticks(controls: Controls, mode: DriveMode) -> StickInput:
    if controls.spin:
        return StickInput(0.0, controls.spin, DriveMode.SPIN)
    sideways = controls.slide if mode is DriveMode.CRAB else controls.turn
    return StickInput(controls.drive, sideways, mode)
