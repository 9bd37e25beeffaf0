"""What every step of the calibration keeps, and what it is told."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from calibration.steps.view import Choice, Outcome, StepView
from rover.config.toml_lines import KeyPath
from rover.messages import Order, Telemetry

Value = bool | int | float | str
Changes = Mapping[KeyPath, Value]

# After so long without a word of the person a hold is over; orders count no longer either.
HOLD_S = 0.3

WRITE = Choice("w", "Write it")
LEAVE = Choice("q", "Leave, nothing is written")
AGAIN = Choice("a", "Once more")
NONE_MOVED = Choice("0", "None moved")
# One key each, and none that another choice of the same question has.
_WHEEL_KEYS = "123456789bcdefghijklmoprstuvwxyz"


def wheel_choices(names: Sequence[str]) -> tuple[Choice, ...]:
    """Return a choice for each wheel: keys are single, as a terminal has them."""
    return tuple(Choice(key, name, name) for key, name in zip(_WHEEL_KEYS, names, strict=False))


class Step(Protocol):
    """One step, from its first question to its outcome. Times are the monotonic clock's.

    ``outcome`` is None while it goes on. ``maintains`` while the rover has to be in MAINTENANCE.
    """

    outcome: Outcome | None

    @property
    def maintains(self) -> bool:
        """Whether a wheel or a servo may be moved now."""
        ...

    def see(self, telemetry: Telemetry) -> None:
        """Take in what the rover tells of itself."""
        ...

    def press(self, key: str, now_s: float) -> None:
        """Take in one of the choices; another key changes nothing."""
        ...

    def enter(self, value: float, now_s: float) -> None:
        """Take in the number that was asked for; if none was, it changes nothing."""
        ...

    def hold(self, now_s: float) -> None:
        """Note that the person wants what ``hold`` of the view says, at this very moment."""
        ...

    def let_go(self) -> None:
        """Note that the person wants nothing of that any more: at once, not when it runs out."""
        ...

    def interrupted(self, why: str) -> None:
        """Take in that the rover moves nothing for it any more: stopped, or it never began."""
        ...

    def order(self, now_s: float, present_s: float) -> tuple[Order, float]:
        """Return what to order now, and since when the person has wanted it.

        ``present_s`` is when the person was last known to be there.
        """
        ...

    def view(self) -> StepView:
        """Return what to show now."""
        ...

    def changes(self) -> Changes:
        """Return what is to stand in the calibration file, by key; empty if all is right."""
        ...

    def draft(self) -> bytes:
        """Return what has been found so far, to go on with another time; empty if nothing."""
        ...
