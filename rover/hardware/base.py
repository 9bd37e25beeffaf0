"""The protocols that every driver keeps, whatever device is behind it.

A device that does not answer costs a method its deadline once, ``start`` and ``stop`` a few
times. It is reported by ``health``, never by a made-up value; only ``start`` raises, and may be
called again to try again.
"""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from rover.messages import DeviceHealth, PowerReading, WheelFeedback
from rover.motion.gate import PermittedTargets


def no_hurry() -> bool:
    """There is time to read everything."""
    return False


class Reach(Struct, frozen=True):
    """How far one command came.

    ``acknowledged``: at least one controller has acknowledged it. ``complete``: each one did
    that ``health`` counts as ready, which is so too where none is ready.
    """

    acknowledged: bool
    complete: bool


class WheelDrive(Protocol):
    """Six (or any number of) driven wheels behind one bus."""

    def start(self) -> None:
        """Open the bus, identify every controller, set and read back its own deadline.

        Raises DeviceError with one sentence that says what was tried and the likeliest
        cause; calling it again tries again.
        """
        ...

    def command(self, targets: PermittedTargets) -> Reach:
        """Send every wheel its target; one silent controller keeps no other from its own.

        Targets without power ask for zero duty. Returns who has acknowledged this very command.
        """
        ...

    def poll(self, hurry: Callable[[], bool] = no_hurry) -> None:
        """Read one tick's share of feedback, in turn.

        ``hurry`` is asked between two readings whether the tick must end; what is then left out
        comes first in the next tick.
        """
        ...

    def feedback(self) -> WheelFeedback:
        """Return what was read last, in the order of the wheel table, each value with its time."""
        ...

    def power(self) -> PowerReading | None:
        """Return the supply voltage as the controllers see it, if they have been asked."""
        ...

    def health(self) -> tuple[DeviceHealth, ...]:
        """Return one entry a controller."""
        ...

    def let_go(self, reason: str) -> None:
        """Let go of the bus at once, and leave it alone until ``take_back``.

        Says nothing to the wheels: they have been told to stand before. All that was known of the
        controllers is forgotten; ``reason`` is shown in their health, and ``start`` raises it.
        """
        ...

    def take_back(self) -> None:
        """Open the bus again, zero duty to every controller first; ``start`` then does the rest.

        Raises DeviceError while somebody else has it, or it cannot be opened.
        """
        ...

    def stop(self) -> None:
        """Command zero duty on every controller, trying all of them even if some fail."""
        ...

    def close(self) -> None:
        """Stop the motors and let go of the bus."""
        ...


class Steering(Protocol):
    """The corner servos."""

    def start(self) -> None:
        """Set the board up with every servo unpowered. Raises DeviceError."""
        ...

    def command(self, targets: PermittedTargets) -> None:
        """Send the angles that have changed; targets that release let the servos go limp."""
        ...

    def health(self) -> tuple[DeviceHealth, ...]:
        """Return one entry for the board, or none where no wheel steers."""
        ...

    def close(self) -> None:
        """Let every servo go limp and let go of the bus."""
        ...


class PowerMonitor(Protocol):
    """A device that measures the battery."""

    def start(self) -> None:
        """Find the device. Raises DeviceError."""
        ...

    def poll(self) -> None:
        """Read voltage and current."""
        ...

    def power(self) -> PowerReading | None:
        """Return what was read last; None before the first."""
        ...

    def health(self) -> tuple[DeviceHealth, ...]:
        """Return one entry, or none where the rover has no such device."""
        ...

    def close(self) -> None:
        """Let go of the bus."""
        ...


class Panel(Protocol):
    """Motor-enable line, stop button and lamps."""

    def start(self) -> None:
        """Claim the lines with the motors disabled, then do what was last asked for.

        Raises DeviceError.
        """
        ...

    def enable_motors(self, enabled: bool) -> None:
        """Raise or drop the motor-enable line; takes effect at once."""
        ...

    def stop_pressed(self) -> bool:
        """Tell whether the stop button is held down; a button that cannot be read is pressed."""
        ...

    def show(self, *, armed: bool, fault: bool, link: bool) -> None:
        """Set the lamps."""
        ...

    def health(self) -> tuple[DeviceHealth, ...]:
        """Return one entry for the lines, or none where there are none."""
        ...

    def close(self) -> None:
        """Drop motor-enable, put the lamps out, let go of the lines."""
        ...
