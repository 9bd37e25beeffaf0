"""What the rover tells while one of its motor outputs is turned. Pure."""

from enum import StrEnum
from statistics import fmean

from msgspec import Struct

from rover.config import Config
from rover.messages import Telemetry

# An encoder that counts more than its noise and less than a wheel that is merely nudged.
_COUNTS_RAD = 0.15
# Currents lag, and a start takes more than turning does.
_SETTLED_S = 0.3
# A current that lasts so long is no start.
_HELD_S = 0.4


class EncoderFinding(StrEnum):
    """What an encoder made of the turn of its motor."""

    GOOD = "good"
    REVERSED = "reversed"
    CROSSED = "crossed"
    SILENT = "silent"


class Turn(Struct, frozen=True):
    """One turn of one output, forward as the configuration has it.

    ``speed_rad_s`` is by its encoder, it and ``current_a`` once they had settled; None where
    nothing was told. ``other`` is the wheel whose encoder counted instead, empty if none did.
    """

    encoder: EncoderFinding
    speed_rad_s: float | None
    current_a: float | None
    other: str


class TurnWatch:
    """Watches the output of the wheel ``name``, as the configuration calls it, while it turns."""

    def __init__(self, config: Config, name: str) -> None:
        self._config = config
        self._name = name
        self._names = tuple(config.wheels)
        self._index = self._names.index(name)
        self._first: tuple[float | None, ...] | None = None
        self._moved: tuple[float, ...] = (0.0,) * len(self._names)
        self._began_s = self._last_s = 0.0
        # How far and how long it turned once it had come up to speed.
        self._settled_rad = self._settled_s = 0.0
        self._currents: list[float] = []
        self._high_since_s: float | None = None
        # How long it has had power, all in all.
        self.turned_s = 0.0
        # Whether it draws for long what no wheel draws that is in the air.
        self.doubtful = False

    def see(self, telemetry: Telemetry) -> None:
        """Take in a frame; those in which the output has no power tell nothing."""
        maintained = telemetry.maintenance
        now_s = telemetry.stamp_s
        if maintained is None or maintained.wheel != self._name or maintained.duty == 0.0:
            self._close()
            return
        places = tuple(wheel.position_rad for wheel in telemetry.wheels)
        if self._first is None:
            self._first, self._began_s, self._last_s = places, now_s, now_s
        self._currents_in(telemetry, now_s)
        if self._last_s - self._began_s >= _SETTLED_S:
            self._settled_s += now_s - self._last_s
            self._settled_rad += _between(self._first[self._index], places[self._index])
        self.turned_s += now_s - self._last_s
        self._last_s = now_s
        self._moved = tuple(
            moved + _between(before, place)
            for moved, place, before in zip(self._moved, places, self._first, strict=True)
        )
        self._first = places

    def turn(self) -> Turn:
        """Return what has been seen so far."""
        own = self._moved[self._index]
        speed_rad_s = abs(self._settled_rad) / self._settled_s if self._settled_s else None
        current_a = fmean(self._currents) if self._currents else None
        if abs(own) >= _COUNTS_RAD:
            finding = EncoderFinding.GOOD if own > 0.0 else EncoderFinding.REVERSED
            return Turn(finding, speed_rad_s, current_a, "")
        other = self._other()
        finding = EncoderFinding.CROSSED if other else EncoderFinding.SILENT
        return Turn(finding, None, current_a, other)

    def _other(self) -> str:
        """Return the other wheel of the same controller if its encoder counted instead."""
        address = self._config.wheels[self._name].motor.address
        for name, moved in zip(self._names, self._moved, strict=True):
            same = self._config.wheels[name].motor.address == address
            if same and name != self._name and abs(moved) >= _COUNTS_RAD:
                return name
        return ""

    def _currents_in(self, telemetry: Telemetry, now_s: float) -> None:
        current_a = telemetry.wheels[self._index].current_a
        if current_a is None:
            return
        if now_s - self._began_s >= _SETTLED_S:
            self._currents.append(abs(current_a))
        if abs(current_a) <= self._config.maintenance.doubt_current_a:
            self._high_since_s = None
        elif self._high_since_s is None:
            self._high_since_s = now_s
        elif now_s - self._high_since_s >= _HELD_S:
            self.doubtful = True

    def _close(self) -> None:
        self._first, self._high_since_s = None, None


def _between(before: float | None, now: float | None) -> float:
    return 0.0 if before is None or now is None else now - before
