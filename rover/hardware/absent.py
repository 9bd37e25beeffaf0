"""Stand-ins for devices that a rover does not have: always in order, and they do nothing."""

from rover.messages import DeviceHealth, PowerReading
from rover.motion.gate import PermittedTargets


class NoSteering:
    """The Steering of a rover whose wheels all point forward."""

    def start(self) -> None:
        """There is nothing to set up."""

    def command(self, targets: PermittedTargets) -> None:
        """There is nothing to turn."""

    def health(self) -> tuple[DeviceHealth, ...]:
        """Return no entry."""
        return ()

    def close(self) -> None:
        """There is nothing to let go of."""


class NoPowerMonitor:
    """The PowerMonitor of a rover without one; its motor controllers know the voltage."""

    def start(self) -> None:
        """There is nothing to find."""

    def poll(self) -> None:
        """There is nothing to read."""

    def power(self) -> PowerReading | None:
        """Nothing is known."""
        return None

    def health(self) -> tuple[DeviceHealth, ...]:
        """Return no entry."""
        return ()

    def close(self) -> None:
        """There is nothing to let go of."""


class NoPanel:
    """The Panel of a rover without GPIO lines: no button, no lamps, motors always powered."""

    def start(self) -> None:
        """There is nothing to claim."""

    def enable_motors(self, enabled: bool) -> None:
        """There is no line to drop; the motor controllers are stopped over their bus."""

    def stop_pressed(self) -> bool:
        """Without a button, no."""
        return False

    def show(self, *, armed: bool, fault: bool, link: bool) -> None:
        """There are no lamps."""

    def health(self) -> tuple[DeviceHealth, ...]:
        """Return no entry."""
        return ()

    def close(self) -> None:
        """There is nothing to let go of."""
