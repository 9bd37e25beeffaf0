"""Everything that is seen of a wheel while it turns, held against what should be. Pure."""

from dataclasses import dataclass

from calibration.provisioning.recording import Sample
from calibration.provisioning.unit import Unit
from rover.errors import DeviceError
from rover.hardware.bus import framing

# A duty at which every motor that turns freely turns, and how long it may be put out with no count:
# with a dead encoder a velocity loop puts out more and more.
_TURNS_AT_DUTY, _MUST_TURN_S = 0.25, 0.3
_WRONG_WAY_COUNTS = 15
# What a count jumps by between two looks beyond the fastest speed means a reset.
_JUMP_COUNTS = 200
# A free wheel draws its stalled motor's current for a moment while it speeds up, no longer.
_HIGH_CURRENT_S = 0.4
# A current beyond what the controller was told to allow at most by so much: it does not limit.
_SPIKE_PART = 1.5
_FASTEST_PART = 2.0
# So long a wheel may turn unseen.
_BLIND_S = 0.25
# What has turned at a tenth of its full speed and counts nothing for so long turns unseen too.
_FAST_PART, _SILENT_S = 0.1, 0.1


@dataclass(frozen=True, slots=True)
class Bounds:
    """What ends a run at once."""

    stall_current_a: float
    max_current_a: float
    max_qpps: float


@dataclass(frozen=True, slots=True)
class Motor:
    """A motor output of a controller, counted from 0, and the wheel that it turns."""

    unit: Unit
    output: int
    wheel: str
    bounds: Bounds

    @property
    def name(self) -> str:
        """How people call it."""
        return f"{self.wheel} (M{self.output + 1} of 0x{self.unit.address:02X})"


class Watch:
    """Everything that has been seen of one run; raises DeviceError for what should not be."""

    def __init__(self, motor: Motor) -> None:
        self._motor = motor
        self._first = (0, 0)
        self._high_since_s: float | None = None
        self._farthest = 0
        self._was_fast = False
        self._counted_s = 0.0
        # Since when it has been pushed without a count.
        self._pushed_s: float | None = None
        self.samples: list[Sample] = []

    def begin(self, counts: tuple[int, ...]) -> None:
        """Count from here: both encoders of the controller."""
        output = self._motor.output
        self._first = (counts[output], counts[1 - output])

    def missed(self, time_s: float) -> None:
        """Note a look that failed: noise may spoil some, a cable that was pulled spoils all."""
        if time_s - (self.samples[-1].time_s if self.samples else 0.0) > _BLIND_S:
            raise DeviceError(
                f"{self._motor.unit.name} does not answer any more while {self._motor.wheel} "
                "turns: it stops by its own timeout; check the cable"
            )

    def saw(
        self,
        time_s: float,
        counts: tuple[int, int],
        duty: float,
        current_a: float,
        supply_v: float,
    ) -> None:
        """Take in a look: counts of this output and of the other, duty as a part."""
        own, other = (
            framing.count_difference(now, first)
            for now, first in zip(counts, self._first, strict=True)
        )
        sample = Sample(time_s, own, other, current_a, supply_v)
        self._check_current(sample)
        self._check_counts(sample)
        self._check_push(sample, duty)
        self.samples.append(sample)

    def _check_push(self, sample: Sample, duty: float) -> None:
        moved = not self.samples or sample.count != self.samples[-1].count
        if duty < _TURNS_AT_DUTY or (moved and sample.count > _WRONG_WAY_COUNTS):
            self._pushed_s = None
        elif self._pushed_s is None:
            self._pushed_s = sample.time_s
        elif sample.time_s - self._pushed_s > _MUST_TURN_S:
            other = abs(sample.other_count) > 2 * _WRONG_WAY_COUNTS
            raise self._wrong(
                "does not count, and the other motor's encoder does: the two encoders are swapped"
                if other
                else "does not count: its encoder is dead or not plugged in, or the motor does not "
                "turn"
            )

    def _check_current(self, sample: Sample) -> None:
        bounds = self._motor.bounds
        if sample.current_a > _SPIKE_PART * bounds.max_current_a:
            raise self._wrong(
                f"draws {sample.current_a:.1f} A, {bounds.max_current_a:g} A are allowed: look for "
                "a short circuit, and for what holds the wheel"
            )
        if sample.current_a < bounds.stall_current_a:
            self._high_since_s = None
        elif self._high_since_s is None:
            self._high_since_s = sample.time_s
        elif sample.time_s - self._high_since_s > _HIGH_CURRENT_S:
            raise self._wrong(
                f"draws {sample.current_a:.1f} A for longer than a wheel that turns freely: look "
                "for what holds it"
            )

    def _check_counts(self, sample: Sample) -> None:
        if self.samples:
            self._check_against(self.samples[-1], sample)
        self._farthest = max(self._farthest, sample.count)
        if sample.count < self._farthest - _WRONG_WAY_COUNTS:
            raise self._wrong(
                "counts backwards though its duty is forward: swap either the motor's two leads or "
                "the encoder's two signals, not both"
            )

    def _check_against(self, before: Sample, sample: Sample) -> None:
        """Compare with the look before."""
        gap_s = sample.time_s - before.time_s
        if gap_s > _BLIND_S:
            raise DeviceError(
                f"{self._motor.name} was not looked at for {gap_s:.1f} s: this computer was busy "
                "or stood still; the controller has stopped the wheel"
            )
        rise = sample.count - before.count
        bound = self._motor.bounds.max_qpps * _FASTEST_PART * gap_s + _JUMP_COUNTS
        if abs(rise) > bound:
            raise self._wrong(
                f"jumps by {rise} counts between two looks: the controller was reset, or its "
                "encoder picks up noise"
            )
        if rise > _FAST_PART * self._motor.bounds.max_qpps * gap_s:
            self._was_fast = True
        if rise:
            self._counted_s = sample.time_s
        elif self._was_fast and sample.time_s - self._counted_s > _SILENT_S:
            held = sample.current_a >= self._motor.bounds.stall_current_a
            raise self._wrong(
                f"has stopped, and draws {sample.current_a:.1f} A: look for what holds it"
                if held
                else "has stopped counting while it was turning: its encoder or its plug is loose, "
                "or the controller has cut the motor"
            )

    def _wrong(self, text: str) -> DeviceError:
        return DeviceError(f"{self._motor.name} {text}")
