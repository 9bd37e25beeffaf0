"""Where everything on a pad is held, and what that asks for. Pure: no device, no library."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from rover.config import BindingsConfig
from rover.config.input_codes import PressedWhen
from rover.gamepad.codes import Control
from rover.gamepad.mapping import KeyButton, PadMapping, StickAxis, TriggerAxis

# A trigger that has been seen nearer to its rest than this is believed from then on.
_NEAR_REST = 0.1
# A trigger that stands for a button is down from the first on, and up below the second.
_PRESSED, _RELEASED = 0.6, 0.5


class Controls(Struct, frozen=True):
    """Where a person holds everything, before any shaping.

    ``drive`` is positive forward; ``turn``, ``slide`` and ``spin`` are positive to the left.
    All are within -1 to 1. ``deflection``, 0 to 1, is how far from rest whatever is furthest
    from it is, ``slide`` aside: of a stick and a trigger that cancel out neither is at rest.
    """

    drive: float
    turn: float
    slide: float
    spin: float
    turbo: bool
    deflection: float


class Change(Struct, frozen=True):
    """A button, or what stands for one, that went down or up."""

    control: Control
    pressed: bool


def why_cannot_drive(mapping: PadMapping, bindings: BindingsConfig) -> str:
    """Return why a pad cannot drive a rover, as it is mapped and bound; empty if it can."""
    has = mapping.controls
    if Control(bindings.dead_man) not in has:
        return (
            f"it has no {bindings.dead_man} to be the dead-man: bind another control to "
            "gamepad.bindings.dead_man, or run `rover calibrate gamepad` and give it a button, or "
            "a switch that springs back"
        )
    by_stick = _bound(bindings.drive, mapping) is not None
    by_trigger = None not in {_bound(bindings.forward, mapping), _bound(bindings.reverse, mapping)}
    if not by_stick and not by_trigger:
        return (
            f"it has no {bindings.drive or bindings.forward} to drive with: bind another control "
            "to gamepad.bindings.drive, or run `rover calibrate gamepad`"
        )
    return ""


class PadState:
    """Every button and axis of a pad as last heard, under the names of its controls.

    A trigger asks for nothing, but is not at rest either, until it has been seen near its rest:
    it may have been held when the pad appeared, and some drivers report the middle of its range
    until it is touched. So it has to be let go of once, and pulled before where it was never
    touched.
    """

    def __init__(
        self,
        mapping: PadMapping,
        bindings: BindingsConfig,
        keys: Iterable[int],
        axes: Mapping[int, int],
    ) -> None:
        self._served = mapping.controls
        self._of_key: dict[int, list[Control]] = {}
        self._of_axis: dict[int, list[Control]] = {}
        for control, served in mapping.controls.items():
            if isinstance(served, KeyButton):
                self._of_key.setdefault(served.code, []).append(control)
            else:
                axis = served.axis if isinstance(served, PressedWhen) else served.code
                self._of_axis.setdefault(axis, []).append(control)
        self._drive = _bound(bindings.drive, mapping)
        self._turn = _bound(bindings.turn, mapping)
        if self._turn is None and bindings.turn is not None:
            # A pad with one stick drives and steers with it.
            self._turn = _bound(Control.LEFT_STICK_X, mapping)
        self._slide = _bound(bindings.slide, mapping)
        self._forward = _bound(bindings.forward, mapping)
        self._reverse = _bound(bindings.reverse, mapping)
        self._spin_left = _bound(bindings.spin_left, mapping)
        self._spin_right = _bound(bindings.spin_right, mapping)
        self._turbo = _bound(bindings.turbo, mapping)
        self._axes: dict[int, int] = {}
        self._positions: dict[Control, float] = {}
        self._down: set[Control] = set()
        self._doubted = {
            control
            for control in (self._forward, self._reverse)
            if control is not None and isinstance(self._served[control], TriggerAxis)
        }
        self.replace(keys, {axis: axes.get(axis, 0) for axis in self._of_axis})

    def set_key(self, code: int, *, pressed: bool) -> tuple[Change, ...]:
        """Take in one button; return what was told, be it new or not.

        A press of what is down already tells of a release that was lost.
        """
        controls = self._of_key.get(code, ())
        for control in controls:
            self._press(control, pressed)
        return tuple(Change(control, pressed) for control in controls)

    def set_axis(self, code: int, raw: int) -> tuple[Change, ...]:
        """Take in one axis; return the buttons that have changed by it."""
        self._axes[code] = raw
        changes = (self._move(control, raw) for control in self._of_axis.get(code, ()))
        return tuple(change for change in changes if change is not None)

    def replace(self, keys: Iterable[int], axes: Mapping[int, int]) -> frozenset[Control]:
        """Take in everything anew; return the buttons that were up before and are down."""
        before = set(self._down)
        now = set(keys)
        for code in self._of_key:
            self.set_key(code, pressed=code in now)
        for code, raw in axes.items():
            self.set_axis(code, raw)
        return frozenset(self._down - before)

    def is_down(self, control: Control | str | None) -> bool:
        """Tell whether a button is held."""
        return control in self._down

    @property
    def doubted(self) -> frozenset[Control]:
        """The triggers that drive and have not been seen near their rest yet."""
        return frozenset(self._doubted)

    def controls(self) -> Controls:
        """Return what the pad's state asks for."""
        stick = -self._stick(self._drive)
        forward, reverse = self._pulled(self._forward), self._pulled(self._reverse)
        drive = min(1.0, max(-1.0, stick + forward - reverse))
        turn = -self._stick(self._turn)
        left, right = self._pulled(self._spin_left), self._pulled(self._spin_right)
        unknown = 1.0 if self._doubted else 0.0
        return Controls(
            drive=drive,
            turn=turn,
            slide=-self._stick(self._slide),
            spin=left - right,
            turbo=self.is_down(self._turbo),
            # The sum too: two that are within the deadband may be beyond it together.
            deflection=max(
                abs(stick), forward, reverse, abs(drive), abs(turn), left, right, unknown
            ),
        )

    def _stick(self, control: Control | None) -> float:
        return 0.0 if control is None else self._positions[control]

    def _pulled(self, control: Control | None) -> float:
        """Return how far a trigger is pulled, and 1 or 0 for what is pressed or not."""
        if control is None or control in self._doubted:
            return 0.0
        if control in self._positions:
            return self._positions[control]
        return 1.0 if control in self._down else 0.0

    def _move(self, control: Control, raw: int) -> Change | None:
        served = self._served[control]
        match served:
            case StickAxis():
                self._positions[control] = served.position(raw)
                return None
            case TriggerAxis():
                position = self._positions[control] = served.position(raw)
                if position <= _NEAR_REST:
                    self._doubted.discard(control)
                limit = _RELEASED if control in self._down else _PRESSED
                return self._press(control, position >= limit)
            case PressedWhen():
                return self._press(control, served.holds(raw))
            case _:
                return None

    def _press(self, control: Control, pressed: bool) -> Change | None:
        if pressed is (control in self._down):
            return None
        (self._down.add if pressed else self._down.discard)(control)
        return Change(control, pressed)


def _bound(control: str | None, mapping: PadMapping) -> Control | None:
    """Return the control of this name if the pad has it."""
    return Control(control) if control is not None and control in mapping.controls else None
