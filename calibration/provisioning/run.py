"""One motor output driven for at most two seconds, watched all the time.

Whatever is seen that should not be ends the run: no count, counts the wrong way, the other
encoder's, a current that a free wheel does not draw, a speed that no wheel has, a reset. The
controller itself stops the motor when nobody asks it anything for its serial timeout.
"""

import contextlib
import struct
from collections.abc import Callable
from dataclasses import dataclass

from calibration.provisioning.kept import Kept
from calibration.provisioning.recording import Recording, Sample
from calibration.provisioning.unit import Unit
from rover.errors import BadReplyError, DeviceError, DeviceTimeoutError
from rover.hardware.bus import framing
from rover.hardware.roboclaw_status import decode_status, left_from_boot

LONGEST_S = 2.0
_PERIOD_S = 0.01
_FULL_DUTY = 32767
_DUTY_ACCEL = (52, 53)
_SPEED = (35, 36)
_ENCODERS, _CURRENTS, _DUTIES, _MAIN_BATTERY = 78, 49, 48, 24
# In tenths of a second; without it a wheel would go on turning if this computer died.
_LONGEST_TIMEOUT = 5
_PAIR_32, _PAIR_16, _U16 = struct.Struct(">II"), struct.Struct(">hh"), struct.Struct(">H")
_DUTY_FORM, _SPEED_FORM = struct.Struct(">hI"), struct.Struct(">i")

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
_COMMAND_TRIES = 3
_STAND_COUNTS, _STANDS_WITHIN_S = 3, 3.0


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


def duty_run(
    motor: Motor, duty: float, ramp_s: float, duration_s: float, guard: Callable[[], None]
) -> Recording:
    """Drive at ``duty`` (0 to 1), reached on a ramp, then stop. Raises as ``_driven``."""
    counts = round(duty * _FULL_DUTY)
    payload = _DUTY_FORM.pack(counts, max(1, round(counts / ramp_s)))
    packet = framing.write_packet(motor.unit.address, _DUTY_ACCEL[motor.output], payload)
    return _driven(motor, packet, duration_s, guard)


def speed_run(motor: Motor, qpps: float, duration_s: float, guard: Callable[[], None]) -> Recording:
    """Ask for a speed at once, then stop. A loop that nobody has set may not turn the wheel."""
    payload = _SPEED_FORM.pack(round(qpps))
    packet = framing.write_packet(motor.unit.address, _SPEED[motor.output], payload)
    return _driven(motor, packet, duration_s, guard)


def wait_until_standing(motor: Motor, guard: Callable[[], None]) -> None:
    """Wait with zero duty until neither encoder counts. Raises DeviceError if one goes on."""
    clock = motor.unit.wire.clock
    motor.unit.stop()
    end_s = clock.now_s() + _STANDS_WITHIN_S
    before = motor.unit.read_values(_ENCODERS, _PAIR_32)
    while True:
        clock.sleep_s(10 * _PERIOD_S)
        guard()
        now = motor.unit.read_values(_ENCODERS, _PAIR_32)
        moved = [abs(framing.count_difference(b, a)) for a, b in zip(before, now, strict=True)]
        if max(moved) <= _STAND_COUNTS:
            return
        if clock.now_s() > end_s:
            raise DeviceError(f"{motor.name} goes on turning with zero duty: cut its power")
        before = now


def let_go(unit: Unit) -> None:
    """Command zero duty; a controller that does not hear it stops by its own timeout."""
    with contextlib.suppress(DeviceError):
        unit.stop()


def why_not_powered(unit: Unit) -> str:
    """Say what a controller has against driving, empty if nothing. Raises DeviceError."""
    word = unit.status()
    return ", ".join(decode_status(word, left_from_boot(word)).errors)


def _driven(motor: Motor, packet: bytes, duration_s: float, guard: Callable[[], None]) -> Recording:
    """Send ``packet``, watch, stop; return what was seen.

    ``guard`` raises to end it, before each look. Raises DeviceError for whatever is wrong.
    """
    unit = motor.unit
    clock = unit.wire.clock
    watch = _Watch(motor)
    _require_timeout(motor)
    try:
        guard()
        began_s = _command(motor, packet, watch, guard)
        end_s = began_s + min(duration_s, LONGEST_S)
        next_s = began_s
        while clock.now_s() < end_s:
            guard()
            _look(motor, watch, began_s)
            next_s = max(next_s + _PERIOD_S, clock.now_s())
            clock.sleep_s(min(next_s, end_s) - clock.now_s())
    except BaseException:
        let_go(unit)
        raise
    unit.stop()
    _require_timeout(motor)
    against = why_not_powered(unit)
    if against:
        raise DeviceError(f"{motor.name}: its controller has cut the motors: {against}")
    return tuple(watch.samples)


def _require_timeout(motor: Motor) -> None:
    """Raise DeviceError if the controller would not stop by itself: it was reset."""
    (tenths,) = motor.unit.read(Kept.TIMEOUT, newer=False)
    if not 0 < tenths <= _LONGEST_TIMEOUT:
        raise DeviceError(
            f"{motor.unit.name} was reset, its serial timeout is gone: {motor.wheel} is not turned "
            "without it; look at the controller's supply"
        )


def _command(motor: Motor, packet: bytes, watch: "_Watch", guard: Callable[[], None]) -> float:
    """Have the motor turn; return when the command has arrived.

    One whose acknowledgement is lost may have been understood: before the next try it stands.
    """
    unit = motor.unit
    bus = unit.wire.bus(unit.baud)
    why = ""
    for _ in range(_COMMAND_TRIES):
        if why:
            wait_until_standing(motor, guard)
        watch.begin(unit.read_values(_ENCODERS, _PAIR_32))
        try:
            bus.send(packet)
        except (DeviceTimeoutError, BadReplyError) as error:
            why = str(error)
            unit.stop()
        else:
            return bus.arrived_s
    raise DeviceError(
        f"{motor.name}: the command to turn is not acknowledged ({why}); the wheel was stopped"
    )


def _look(motor: Motor, watch: "_Watch", began_s: float) -> None:
    """Take a sample; one answer that noise has spoilt is left out, several in a row are not."""
    unit = motor.unit
    bus = unit.wire.bus(unit.baud)
    clock_s = unit.wire.clock.now_s()
    try:
        counts = _PAIR_32.unpack(_ask(unit, _ENCODERS, _PAIR_32))
        time_s = bus.arrived_s - began_s
        currents = _PAIR_16.unpack(_ask(unit, _CURRENTS, _PAIR_16))
        duties = _PAIR_16.unpack(_ask(unit, _DUTIES, _PAIR_16))
        (decivolts,) = _U16.unpack(_ask(unit, _MAIN_BATTERY, _U16))
    except (DeviceTimeoutError, BadReplyError):
        watch.missed(clock_s - began_s)
        return
    own, other = counts[motor.output], counts[1 - motor.output]
    watch.saw(
        time_s,
        (own, other),
        abs(duties[motor.output]) / _FULL_DUTY,
        abs(currents[motor.output]) / 100.0,
        decivolts / 10.0,
    )


def _ask(unit: Unit, command: int, layout: struct.Struct) -> bytes:
    request = framing.read_request(unit.address, command)
    return unit.wire.bus(unit.baud).read(request, layout.size)


class _Watch:
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
