"""How the battery is, from whatever measures it: good, low, very low, empty, or not known.

A loaded battery sags and recovers by itself, so each stage is entered only after a while below
its voltage, and left only after a while well above it: a rover that has slowed down to spare
its battery must not speed up again because that has helped.
"""

import math
from collections.abc import Sequence

from rover.config import PowerConfig
from rover.messages import Condition, PowerReading, Reaction, Severity

# The code of not knowing it.
BATTERY_UNKNOWN = "battery-unknown"

# A battery sags for as long as the wheels speed up: only what lasts counts.
_LASTS_S = 1.0
# What a battery recovers by when its load goes: up to 20 A over some 40 milliohms, and a cell's
# own slow recovery.
_RECOVERY_V = 0.8
# A voltage older than this is not data.
_FRESH_S = 2.0
# The motor controllers are read once in 0.6 s, so for so long two true readings may differ.
_DISAGREES_FOR_S = 2.0


class BatteryWatch:
    """Judges every reading. Time is passed in; its memory is since when a stage holds."""

    def __init__(self, config: PowerConfig) -> None:
        self._config = config
        self._low = _Below(config.low_v)
        self._very_low = _Below(config.very_low_v)
        self._empty = _Below(config.minimum_v)
        self._disagree_since_s = math.inf

    def conditions(
        self, readings: Sequence[PowerReading | None], now_s: float
    ) -> tuple[Condition, ...]:
        """Return what is wrong with the battery or with knowing it; ``readings`` best first."""
        fresh = fresh_readings(readings, now_s)
        if not fresh:
            return (
                Condition(
                    BATTERY_UNKNOWN,
                    "nothing measures the battery: check the motor controllers and the INA260",
                ),
            )
        found = []
        believed = fresh[0]
        lowest = min(fresh, key=lambda reading: reading.voltage_v)
        if self._disagree(fresh, now_s):
            believed = lowest
            told = " and ".join(f"{r.voltage_v:.1f} V ({r.device})" for r in fresh)
            text = f"the battery is told to have {told}: the lower one counts; check the wiring"
            found.append(
                Condition("battery-disagree", text, Severity.WARNING, reaction=Reaction.SLOW)
            )
        stage = self._stage(believed, now_s)
        return (*found, stage) if stage is not None else tuple(found)

    def _disagree(self, fresh: Sequence[PowerReading], now_s: float) -> bool:
        volts = [reading.voltage_v for reading in fresh]
        # Written so that a voltage that is not a number agrees with nothing.
        if max(volts) - min(volts) <= self._config.disagreement_v:
            self._disagree_since_s = math.inf
        else:
            self._disagree_since_s = min(self._disagree_since_s, now_s)
        return now_s - self._disagree_since_s >= _DISAGREES_FOR_S

    def _stage(self, reading: PowerReading, now_s: float) -> Condition | None:
        volts, device = reading.voltage_v, reading.device
        # All three look at every reading, for each remembers since when it has been below.
        low = self._low.update(volts, now_s)
        very_low = self._very_low.update(volts, now_s)
        if self._empty.update(volts, now_s):
            minimum_v = self._config.minimum_v
            text = f"battery at {volts:.1f} V ({device}), minimum {minimum_v:.1f} V: charge it"
            return Condition("battery-empty", text)
        if very_low:
            text = f"battery very low: {volts:.1f} V ({device}), slow to spare it: drive home now"
            return Condition("battery-very-low", text, Severity.WARNING, reaction=Reaction.SLOW)
        if low:
            text = f"battery low: {volts:.1f} V ({device}), drive home"
            return Condition("battery-low", text, Severity.WARNING, reaction=Reaction.TELL)
        return None


def fresh_power(readings: Sequence[PowerReading | None], now_s: float) -> PowerReading | None:
    """Return the first reading that is fresh enough to be believed, if there is one."""
    fresh = fresh_readings(readings, now_s)
    return fresh[0] if fresh else None


def fresh_readings(
    readings: Sequence[PowerReading | None], now_s: float
) -> tuple[PowerReading, ...]:
    """Return every reading that is fresh enough to be believed."""
    return tuple(
        reading
        for reading in readings
        if reading is not None and now_s - reading.stamp_s <= _FRESH_S
    )


class _Below:
    """Whether a voltage has stayed below a threshold, until it has stayed well above it."""

    def __init__(self, threshold_v: float) -> None:
        self._threshold_v = threshold_v
        self._below = False
        self._other_since_s = math.inf

    def update(self, volts: float, now_s: float) -> bool:
        """Take a reading in, and tell."""
        if self._below:
            changes = volts >= self._threshold_v + _RECOVERY_V
        else:
            # Written so that a voltage that is not a number is none at all.
            changes = not volts >= self._threshold_v
        if not changes:
            self._other_since_s = math.inf
            return self._below
        self._other_since_s = min(self._other_since_s, now_s)
        if now_s - self._other_since_s >= _LASTS_S:
            self._below, self._other_since_s = not self._below, math.inf
        return self._below
