"""What is wrong with the rover now, judged from what its devices last said.

One table serves arming (every error refuses) and driving (each slows or stops the rover by its
reaction). Time is passed in; the memory is how long a battery has sagged or a wheel disobeyed.
"""

import math

from msgspec import Struct

from rover.config import Config
from rover.messages import (
    Condition,
    DeviceHealth,
    PowerReading,
    Reaction,
    Severity,
    WheelFeedback,
)
from rover.motion.arming import STOP_BUTTON, UNCALIBRATED
from rover.motion.battery import BATTERY_UNKNOWN, BatteryWatch
from rover.motion.obedience import Obedience


class Observed(Struct, frozen=True):
    """Everything that the devices say at one moment.

    ``commanded_rad_s`` is what the wheels were last told, all zero while they have no power;
    ``power`` holds one reading for each device that measures the battery, best first;
    ``maintained``: a duty may turn a wheel, which says nothing of how fast; ``bus_away`` says who
    has the controllers' bus, and is empty while the rover has it itself.
    """

    drive: tuple[DeviceHealth, ...]
    steering: tuple[DeviceHealth, ...]
    monitor: tuple[DeviceHealth, ...]
    panel: tuple[DeviceHealth, ...]
    feedback: WheelFeedback
    commanded_rad_s: tuple[float, ...]
    power: tuple[PowerReading | None, ...]
    stop_pressed: bool
    maintained: bool = False
    bus_away: str = ""


class Watch:
    """Turns observations into conditions."""

    def __init__(self, config: Config) -> None:
        self._names = tuple(config.wheels)
        self._deadlines = config.deadlines
        self._steers = any(wheel.steer is not None for wheel in config.wheels.values())
        self._calibrated = config.steering.calibrated
        self._obedience = Obedience(len(config.wheels), config.roboclaw.stall_current_a)
        self._battery = BatteryWatch(config.power)

    def conditions(self, observed: Observed, now_s: float) -> tuple[Condition, ...]:
        """Return all that is wrong at ``now_s``, worst kinds first."""
        found: list[Condition] = []
        if observed.stop_pressed:
            found.append(Condition(STOP_BUTTON, "the stop button is pressed: release it"))
        if observed.bus_away:
            found.append(Condition("bus-lent", observed.bus_away))
        else:
            for device in observed.drive:
                found += _device_conditions(device, "controller")
        ready = not observed.bus_away and all(device.ready for device in observed.drive)
        if ready:
            found += self._stale_feedback(observed.feedback, now_s)
        if ready and not observed.maintained:
            found += self._disobedient(observed, now_s)
        else:
            # Not ready is a fault of its own, which has taken the power away; and a wheel that
            # a duty turns was told no speed.
            self._obedience.forgive()
        for device in observed.steering:
            found += _device_conditions(device, "steering")
        for device in observed.panel:
            found += _device_conditions(device, "panel")
        if self._steers and not self._calibrated:
            found.append(
                Condition(
                    UNCALIBRATED,
                    "steering is not calibrated: run `rover calibrate steering`, or calibrate it "
                    "on the page",
                )
            )
        battery = self._battery.conditions(observed.power, now_s)
        # The controllers cannot tell of it, and they are back before anything arms.
        found += [c for c in battery if not (observed.bus_away and c.code == BATTERY_UNKNOWN)]
        for device in observed.monitor:
            if not device.ready:
                found.append(
                    Condition(
                        "power-monitor",
                        f"{device.name} does not answer: the battery is read from the motor "
                        "controllers",
                        Severity.WARNING,
                        reaction=Reaction.TELL,
                    )
                )
        return tuple(found)

    def _stale_feedback(self, feedback: WheelFeedback, now_s: float) -> list[Condition]:
        limit_s = self._deadlines.feedback_s
        stale = [
            name
            for name, reading in zip(self._names, feedback.wheels, strict=True)
            if now_s - reading.position_stamp_s > limit_s
        ]
        if not stale:
            return []
        text = f"no encoder reading for {limit_s * 1000:.0f} ms from {', '.join(stale)}"
        return [Condition("feedback", text)]

    def _disobedient(self, observed: Observed, now_s: float) -> list[Condition]:
        wrong = self._obedience.update(observed.commanded_rad_s, observed.feedback, now_s)
        if not wrong:
            return []
        names = ", ".join(self._names[i] for i in wrong)
        text = (
            f"{names}: does not turn as it is told (stalled, or a motor or encoder lead is off "
            "or swapped): look at the wheel before arming again"
        )
        return [Condition("wheel", text)]


def _device_conditions(device: DeviceHealth, code: str) -> list[Condition]:
    found = []
    if not device.ready:
        cause = f" ({'; '.join(device.errors)})" if device.errors else ""
        silent = (
            "has not answered yet"
            if math.isinf(device.silent_s)
            else f"has been silent for {device.silent_s:.1f} s"
        )
        found.append(Condition(code, f"{device.name} {silent}{cause}"))
    else:
        found += [Condition(code, f"{device.name} reports {error}") for error in device.errors]
    found += [
        Condition(code, f"{device.name} warns: {caution}", Severity.WARNING, reaction=Reaction.SLOW)
        for caution in device.cautions
    ]
    found += [
        Condition(code, f"{device.name} warns: {warning}", Severity.WARNING, reaction=Reaction.TELL)
        for warning in device.warnings
    ]
    return found
