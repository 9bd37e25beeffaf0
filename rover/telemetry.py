"""What the rover tells: the ring of recent events, and the snapshot that clients receive."""

import logging
import math
import re
from collections import deque

from msgspec import Struct

from rover.advice import advice_for
from rover.config import Config
from rover.config.build import build_mark
from rover.messages import (
    ArmState,
    Condition,
    DeviceHealth,
    Event,
    GamepadView,
    GovernedMotion,
    Maintained,
    Pose,
    PowerReading,
    Selected,
    Severity,
    Telemetry,
    Twist,
    WheelFeedback,
    WheelView,
)
from rover.motion.gate import PermittedTargets

log = logging.getLogger("rover")

# Enough for a page that was away for a while; a frame with all of them, each an error with its
# advice, has some 4.6 kB.
_KEPT_EVENTS = 16
_REPORT_MISSED_EVERY_S = 1.0
_REPEAT_WARNING_EVERY_S = 10.0
# Amounts, checksums and quoted bytes; not the 0x80 of a device's name.
_FIGURES = re.compile(r"0x[0-9A-Fa-f]{4}|\b\d+(\.\d+)?\b|\b[0-9a-f]{2}\b")
_LOG_LEVELS = {
    Severity.INFO: logging.INFO,
    Severity.WARNING: logging.WARNING,
    Severity.ERROR: logging.ERROR,
}


class Journal:
    """The latest events, numbered from 1; each is logged as it happens."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=_KEPT_EVENTS)
        self._count = 0

    def add(self, stamp_s: float, severity: Severity, code: str, text: str) -> None:
        """Keep an event and write it to the log."""
        self._count += 1
        advice = advice_for(severity, code)
        self._events.append(Event(self._count, stamp_s, severity, code, text, advice))
        log.log(_LOG_LEVELS[severity], "%s: %s%s", code, text, f" ({advice})" if advice else "")

    def events(self) -> tuple[Event, ...]:
        """Return the latest events, oldest first."""
        return tuple(self._events)


class ConditionLog:
    """Turns conditions that come and go into events.

    A warning that flickers, as on a noisy wire, is told again only after a while, so that it
    does not push what matters out of the ring.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._present: dict[str, Condition] = {}
        self._told_s: dict[str, float] = {}

    def update(self, conditions: tuple[Condition, ...], now_s: float) -> None:
        """Log what is new and what is over; a text that merely counts up is not new."""
        if not conditions and not self._present:
            return
        present = {_identity(condition): condition for condition in conditions}
        for key, condition in present.items():
            if key not in self._present:
                self._tell(key, condition, now_s)
        for key, condition in self._present.items():
            if key not in present and condition.severity is Severity.ERROR:
                text = f"over: {condition.text}"
                self._journal.add(now_s, Severity.INFO, condition.code, text)
        self._present = present

    def _tell(self, key: str, condition: Condition, now_s: float) -> None:
        if condition.severity is not Severity.ERROR:
            if now_s - self._told_s.get(key, -math.inf) < _REPEAT_WARNING_EVERY_S:
                return
            self._told_s[key] = now_s
        self._journal.add(now_s, condition.severity, condition.code, condition.text)


class MissedTicks:
    """Turns missed ticks into events, at most one a second."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._reported = 0
        self._reported_s = -math.inf

    def update(self, missed: int, now_s: float) -> None:
        """Take in the count of ticks missed since the start."""
        if missed == self._reported or now_s - self._reported_s < _REPORT_MISSED_EVERY_S:
            return
        text = f"{missed - self._reported} ticks missed"
        self._journal.add(now_s, Severity.WARNING, "overrun", text)
        self._reported, self._reported_s = missed, now_s


def _identity(condition: Condition) -> str:
    """Name a condition apart from the figures in its text, which change all the time."""
    return condition.code + _FIGURES.sub("", condition.text)


class Snapshot(Struct, frozen=True):
    """What the loop knows at the end of a tick."""

    now_s: float
    state: ArmState
    refusals: tuple[str, ...]
    selected: Selected
    governed: GovernedMotion
    permitted: PermittedTargets
    feedback: WheelFeedback
    pose: Pose
    twist: Twist | None
    power: PowerReading | None
    conditions: tuple[Condition, ...]
    devices: tuple[DeviceHealth, ...]
    events: tuple[Event, ...]
    tick_s: float
    missed_ticks: int
    gamepad: GamepadView = GamepadView()
    maintenance: Maintained | None = None
    supplies: tuple[PowerReading, ...] = ()


class Teller:
    """Makes Telemetry of Snapshots; knows what does not change while the rover runs."""

    def __init__(self, config: Config, *, can_crab: bool, max_curvature_per_m: float) -> None:
        self._config = config
        self._can_crab = can_crab
        self._max_curvature_per_m = max_curvature_per_m
        self._build = build_mark(config)

    def telemetry(self, at: Snapshot) -> Telemetry:
        """Return the frame for ``at``."""
        motion = self._config.motion
        return Telemetry(
            stamp_s=at.now_s,
            rover=self._config.rover.name,
            state=at.state,
            refusals=at.refusals,
            source=at.selected.source,
            command_age_s=at.selected.age_s,
            asked=at.selected.motion,
            governed=at.governed.motion,
            limited_by=tuple(dict.fromkeys(at.governed.limited_by)),
            max_speed_mps=motion.max_speed_mps,
            max_curvature_per_m=self._max_curvature_per_m,
            max_yaw_rate_rad_s=motion.max_yaw_rate_rad_s,
            can_crab=self._can_crab,
            wheels=self._wheels(at.permitted, at.feedback),
            pose=at.pose,
            twist=at.twist,
            power=at.power,
            conditions=at.conditions,
            devices=at.devices,
            events=at.events,
            tick_ms=at.tick_s * 1000.0,
            missed_ticks=at.missed_ticks,
            gamepad=at.gamepad,
            maintenance=at.maintenance,
            supplies=at.supplies,
            build=self._build,
        )

    def _wheels(
        self, permitted: PermittedTargets, feedback: WheelFeedback
    ) -> tuple[WheelView, ...]:
        return tuple(
            WheelView(
                name=name,
                x_m=wheel.x_m,
                y_m=wheel.y_m,
                radius_m=wheel.radius_m,
                steer_rad=steer_rad,
                asked_rad_s=wheel_rad_s,
                speed_rad_s=reading.speed_rad_s,
                current_a=reading.current_a,
                position_rad=reading.position_rad,
                counted_since_s=reading.counted_since_s,
            )
            for (name, wheel), steer_rad, wheel_rad_s, reading in zip(
                self._config.wheels.items(),
                permitted.steer_rad,
                permitted.wheel_rad_s,
                feedback.wheels,
                strict=True,
            )
        )
