"""One motor output driven for at most two seconds, watched all the time.

Whatever is seen that should not be ends the run: no count, counts the wrong way, the other
encoder's, a current that a free wheel does not draw, a speed that no wheel has, a reset. The
controller itself stops the motor when nobody asks it anything for its serial timeout.
"""

import contextlib
import struct
from collections.abc import Callable

from calibration.provisioning.kept import Kept
from calibration.provisioning.recording import Recording
from calibration.provisioning.unit import Unit
from calibration.provisioning.watch import Motor, Watch
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

_COMMAND_TRIES = 3
_STAND_COUNTS, _STANDS_WITHIN_S = 3, 3.0


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
    watch = Watch(motor)
    _require_timeout(motor)
    try:
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


def _command(motor: Motor, packet: bytes, watch: Watch, guard: Callable[[], None]) -> float:
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
        # At the last moment: this computer may have stood still.
        guard()
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


def _look(motor: Motor, watch: Watch, began_s: float) -> None:
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
