"""Devices that do at once what they are told and remember it, until a test breaks one.

Without bytes and physics between, thousands of ticks are tried in seconds.
"""

from collections.abc import Callable
from typing import cast

from rover.clock import Clock
from rover.config import Config
from rover.hardware import Hardware
from rover.hardware.absent import NoPanel, NoPowerMonitor
from rover.hardware.base import Reach, no_hurry
from rover.messages import DeviceHealth, PowerReading, WheelFeedback, WheelReading
from rover.motion.gate import PermittedTargets


class ObedientDrive:
    """Wheels that turn just as the last targets say."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self._clock = clock
        self.permitted: PermittedTargets | None = None
        self.broken = False
        self._position_rad = [0.0] * len(config.wheels)
        self._moved_s = clock.now_s()
        # What the next commands come to.
        self.reach = Reach(acknowledged=True, complete=True)

    def start(self) -> None:
        pass

    def command(self, targets: PermittedTargets) -> Reach:
        now_s = self._clock.now_s()
        if self.permitted is not None:
            for i, speed_rad_s in enumerate(self.permitted.wheel_rad_s):
                self._position_rad[i] += speed_rad_s * (now_s - self._moved_s)
        self._moved_s = now_s
        self.permitted = targets
        return self.reach

    def poll(self, hurry: Callable[[], bool] = no_hurry) -> None:
        pass

    def feedback(self) -> WheelFeedback:
        assert self.permitted is not None
        return WheelFeedback(
            tuple(
                WheelReading(
                    position_rad, self._moved_s, speed_rad_s, 0.1, current_stamp_s=self._moved_s
                )
                for position_rad, speed_rad_s in zip(
                    self._position_rad, self.permitted.wheel_rad_s, strict=True
                )
            )
        )

    def power(self) -> PowerReading | None:
        return PowerReading(16.0, None, self._clock.now_s(), "a controller")

    def health(self) -> tuple[DeviceHealth, ...]:
        return (DeviceHealth("RoboClaw", not self.broken, 9.0 if self.broken else 0.0),)

    def stop(self) -> None:
        pass

    def close(self) -> None:
        pass


class ObedientSteering:
    """Servos that have no troubles but those that a test gives them."""

    def __init__(self) -> None:
        self.broken = False

    def start(self) -> None:
        pass

    def command(self, targets: PermittedTargets) -> None:
        pass

    def health(self) -> tuple[DeviceHealth, ...]:
        return (DeviceHealth("PCA9685", not self.broken, 9.0 if self.broken else 0.0),)

    def close(self) -> None:
        pass


class ButtonPanel(NoPanel):
    """A stop button and a motor-enable line."""

    def __init__(self) -> None:
        self.pressed = False
        self.enabled = False

    def enable_motors(self, enabled: bool) -> None:
        self.enabled = enabled

    def stop_pressed(self) -> bool:
        return self.pressed


def obedient_hardware(config: Config, clock: Clock) -> Hardware:
    """Return a rover's worth of them."""
    return Hardware(
        ObedientDrive(config, clock), ObedientSteering(), NoPowerMonitor(), ButtonPanel()
    )


def drive_of(hardware: Hardware) -> ObedientDrive:
    return cast(ObedientDrive, hardware.drive)
