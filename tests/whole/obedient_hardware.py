"""Devices that do at once what they are told and remember it, until a test breaks one.

Without bytes and physics between, thousands of ticks are tried in seconds.
"""

import math
from collections.abc import Callable
from typing import cast

from rover.clock import Clock
from rover.config import Config
from rover.errors import DeviceError
from rover.hardware import Hardware
from rover.hardware.absent import NoPanel, NoPowerMonitor
from rover.hardware.base import Reach, no_hurry
from rover.messages import DeviceHealth, PowerReading, WheelFeedback, WheelReading
from rover.motion.gate import PermittedTargets


class ObedientDrive:
    """Wheels that turn just as the last targets say, until a test says otherwise.

    ``held`` wheels stand, ``wrong_way`` ones turn the other way, ``unmeasurable`` ones tell a
    speed that is no number; ``stale`` readings are not renewed. ``voltage_v`` is None while
    nobody measures it.
    """

    def __init__(self, config: Config, clock: Clock) -> None:
        self._clock = clock
        self.permitted: PermittedTargets | None = None
        self.broken = self.stale = False
        self.errors: tuple[str, ...] = ()
        self.cautions: tuple[str, ...] = ()
        self.held: set[int] = set()
        self.wrong_way: set[int] = set()
        self.unmeasurable: set[int] = set()
        self.voltage_v: float | None = 16.0
        # What a test does when the wheels are told what to do, in the midst of a tick.
        self.when_commanded: Callable[[], None] = lambda: None
        # Whether somebody else has the port, and why this drive has let go of it.
        self.taken = False
        self.away = ""
        self.when_let_go: Callable[[], None] = lambda: None
        self._position_rad = [0.0] * len(config.wheels)
        self._moved_s = self._read_s = clock.now_s()
        # What the next commands come to.
        self.reach = Reach(acknowledged=True, complete=True)

    def start(self) -> None:
        pass

    def command(self, targets: PermittedTargets) -> Reach:
        now_s = self._clock.now_s()
        for i in range(len(self._position_rad)):
            self._position_rad[i] += self.speed_rad_s(i) * (now_s - self._moved_s)
        self._moved_s = now_s
        self.permitted = targets
        self.when_commanded()
        return self.reach

    def speed_rad_s(self, wheel: int) -> float:
        """How fast a wheel truly turns."""
        if self.permitted is None or wheel in self.held:
            return 0.0
        asked_rad_s = self.permitted.wheel_rad_s[wheel]
        return -asked_rad_s if wheel in self.wrong_way else asked_rad_s

    def poll(self, hurry: Callable[[], bool] = no_hurry) -> None:
        if not self.stale:
            self._read_s = self._moved_s

    def feedback(self) -> WheelFeedback:
        return WheelFeedback(
            tuple(
                WheelReading(
                    position_rad,
                    self._read_s,
                    math.nan if wheel in self.unmeasurable else self.speed_rad_s(wheel),
                    0.1,
                    current_stamp_s=self._read_s,
                )
                for wheel, position_rad in enumerate(self._position_rad)
            )
        )

    def power(self) -> PowerReading | None:
        if self.voltage_v is None:
            return None
        return PowerReading(self.voltage_v, None, self._clock.now_s(), "a controller")

    def health(self) -> tuple[DeviceHealth, ...]:
        return (
            DeviceHealth(
                "RoboClaw",
                not (self.broken or self.away),
                9.0 if self.broken or self.away else 0.0,
                errors=self.errors,
                cautions=self.cautions,
            ),
        )

    def let_go(self, reason: str) -> None:
        self.when_let_go()
        self.away = reason

    def take_back(self) -> None:
        if self.taken:
            raise DeviceError("the port is somebody else's")
        self.away = ""

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
        self.broken = False

    def enable_motors(self, enabled: bool) -> None:
        self.enabled = enabled

    def stop_pressed(self) -> bool:
        return self.pressed

    def health(self) -> tuple[DeviceHealth, ...]:
        return (DeviceHealth("GPIO", not self.broken, 0.0),)


def obedient_hardware(config: Config, clock: Clock) -> Hardware:
    """Return a rover's worth of them."""
    return Hardware(
        ObedientDrive(config, clock), ObedientSteering(), NoPowerMonitor(), ButtonPanel()
    )


def drive_of(hardware: Hardware) -> ObedientDrive:
    return cast(ObedientDrive, hardware.drive)
