"""The pad that is plugged in, from then until it goes: its events become presses and a state."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from rover.config import BindingsConfig
from rover.gamepad.codes import EV_ABS, EV_KEY, EV_SYN, SYN_DROPPED, SYN_REPORT, Control
from rover.gamepad.deadman import DeadMan
from rover.gamepad.device import OpenPad
from rover.gamepad.layout import Change, Controls, PadState

if TYPE_CHECKING:
    from evdev import InputEvent


class Taken(Struct, frozen=True):
    """What was pressed since the last look, in order, and what was merely found to be down."""

    pressed: tuple[Control, ...] = ()
    found_down: frozenset[Control] = frozenset()


class Plugged:
    """A pad and what its hands do. Every method raises DeviceError if the pad is gone."""

    def __init__(
        self,
        pad: OpenPad,
        bindings: BindingsConfig,
        dead_man: DeadMan,
        deflected: Callable[[Controls], bool],
    ) -> None:
        self.pad = pad
        self.dead_man = dead_man
        self.state = PadState(pad.mapping, bindings, *pad.snapshot())
        self._dead_man_control = Control(bindings.dead_man)
        self._deflected = deflected
        self._pressed: list[Control] = []
        self._found_down = frozenset(one for one in Control if self.state.is_down(one))
        self._dropping = False
        # Until the pad's own first report is whole, what the kernel tells of it may be made up.
        self._unheard = True

    def take_in(self, now_s: float) -> Taken:
        """Bring the state up to date; return what was pressed."""
        events, more = self.pad.read()
        if events:
            self.dead_man.heard(now_s)
        if self._unheard:
            events = self._first_report_in_order(events)
        # When events were lost, or there are more than can be read now, their sum is known to
        # the kernel: ask for it instead.
        incomplete = more or self._dropping
        for event in events:
            if event.type == EV_SYN and event.code == SYN_DROPPED:
                self._dropping = incomplete = True
            elif self._dropping:
                self._dropping = not (event.type == EV_SYN and event.code == SYN_REPORT)
            elif event.type == EV_KEY:
                # 2 is a key that repeats: it is held, and has been told already.
                if event.value in {0, 1}:
                    self._note(self.state.set_key(event.code, pressed=event.value == 1))
            elif event.type == EV_ABS:
                self._note(self.state.set_axis(event.code, event.value))
        if incomplete:
            self._ask_anew()
        taken = Taken(tuple(self._pressed), self._found_down)
        self._pressed, self._found_down = [], frozenset()
        return taken

    def _first_report_in_order(self, events: "list[InputEvent]") -> "list[InputEvent]":
        """Put the axes of the pad's first report before its buttons.

        Before a pad has said anything the kernel has its axes at 0, which for many is rest. A
        report lists buttons first, so the press of the dead-man would find a trigger at rest
        that has been pulled all along, and the same report would then pull it.
        """
        ends = (i for i, event in enumerate(events) if event.type == EV_SYN)
        end = next(ends, None)
        if end is None:
            end = len(events)
        else:
            self._unheard = False
        first = sorted(events[:end], key=lambda event: event.type != EV_ABS)
        return first + events[end:]

    def _note(self, changes: tuple[Change, ...]) -> None:
        for change in changes:
            if change.control is self._dead_man_control:
                if change.pressed:
                    at_rest = not self._deflected(self.state.controls())
                    self.dead_man.press(at_rest=at_rest)
                else:
                    self.dead_man.release()
            elif change.pressed:
                self._pressed.append(change.control)

    def _ask_anew(self) -> None:
        self._found_down |= self.state.replace(*self.pad.snapshot())
        if not self.state.is_down(self._dead_man_control):
            self.dead_man.release()
