"""Faults of what control drives and reads: controllers, wheels, battery, steering."""

from benchmarks.faults.fault import (
    DEADLINES,
    SERIAL_TIMEOUT_S,
    WHEEL_S,
    Fault,
    Group,
    Revival,
)
from rover.messages import ArmState

# Status is read in turn and at most 70 ms old (docs/performance.md), temperatures 630 ms; a
# failed reading is tried again.
_STATUS_S = 0.15
_IN_TURN_S = 0.9
# A battery must be low for a second, and is read every 0.63 s at the slowest.
_BATTERY_S = 1.7
# How old a voltage may be, and the slowest reading.
_POWER_AGE_S = 2.0 + 0.7
# Taps of a tenth of a second and its ramps, two a second, until 0.6 s have been asked for.
_TAPS_S = 2.9
_COUNTS = "it hangs on counts and ticks, in which the manual clock leaves nothing out"


def _fault(key: str, group: Group, what: str, reaction: str, bound_s: float) -> Fault:
    return Fault(key, group, what, reaction, bound_s)


def _warned(key: str, group: Group, what: str, reaction: str) -> Fault:
    """Return something that is told or slows the rover down, and no reason to stop."""
    return Fault(key, group, what, reaction, None, ArmState.ARMED, Revival.NOTHING)


_OWN_TIMEOUT = f"fault after {DEADLINES.controller_s:g} s; a silent one stops by its own timeout"

CONTROLLERS = (
    _fault(
        "controller-silent",
        Group.CONTROLLERS,
        "one RoboClaw's serial wires cut",
        _OWN_TIMEOUT,
        SERIAL_TIMEOUT_S,
    ),
    _fault(
        "controllers-silent",
        Group.CONTROLLERS,
        "all RoboClaws silent",
        _OWN_TIMEOUT,
        SERIAL_TIMEOUT_S,
    ),
    _fault(
        "serial-unplugged",
        Group.CONTROLLERS,
        "serial cable out, and back in later",
        _OWN_TIMEOUT,
        SERIAL_TIMEOUT_S,
    ),
    Fault(
        "bytes-corrupted-1-percent",
        Group.CONTROLLERS,
        "one byte in a hundred corrupted, both ways",
        "driving goes on, no wrong value is used",
        None,
        ArmState.ARMED,
        Revival.NOTHING,
        way_in_s=0.4,
        note="replies are waited for as long as real ones, not as long as simulated ones; a stop "
        "whose bytes are corrupted is said again in the next ticks, and a simulated velocity loop "
        "that has missed a part of the ramp creeps on until it gets zero duty, 0.3 s after the "
        "last speed",
    ),
    _fault(
        "noise-bytes",
        Group.CONTROLLERS,
        "noise on the wire, so that no reply is left whole",
        "fault",
        SERIAL_TIMEOUT_S,
    ),
    Fault(
        "short-reply-stuck",
        Group.CONTROLLERS,
        "a controller's replies stop short",
        "fault",
        SERIAL_TIMEOUT_S,
        way_in_s=0.05,
        note="a reply's missing end is waited for as long as a real one, not as long as a "
        "simulated one, which makes ticks late until the encoders' age is a fault",
    ),
    _fault(
        "controller-reset",
        Group.CONTROLLERS,
        "a controller loses power for a moment and forgets its timeout",
        "fault; set up anew before arming is possible",
        _IN_TURN_S,
    ),
)

REPORTED = (
    # Each bit of the table of severities in ``rover.hardware.roboclaw_status``.
    _fault("status-stop-bits", Group.REPORTED, "each error bit that stops", "fault", _STATUS_S),
    _warned("status-slow-bits", Group.REPORTED, "each bit that slows", "slow speed, told"),
    _warned("status-tell-bits", Group.REPORTED, "each bit that is only told", "told"),
    _fault("over-current", Group.REPORTED, "over-current error of a motor", "fault", _STATUS_S),
    _fault(
        "over-temperature", Group.REPORTED, "a controller's board at 110 °C", "fault", _IN_TURN_S
    ),
)

WHEELS = (
    _fault("wheel-stalled", Group.WHEELS, "a wheel is held fast", "fault", WHEEL_S),
    _fault("encoder-dead", Group.WHEELS, "an encoder counts no more", "fault", WHEEL_S),
    Fault(
        "encoder-dead-let-go",
        Group.WHEELS,
        "an encoder counts no more, and the stick is let go of before that is found",
        "stop: the ramp, then zero duty at once instead of a loop that holds zero",
        WHEEL_S,
        ArmState.ARMED,
        Revival.NEUTRAL,
    ),
    Fault(
        "encoder-dead-slow",
        Group.WHEELS,
        "an encoder counts no more while its wheel is told to creep",
        "fault",
        WHEEL_S,
        live=False,
        note=_COUNTS,
    ),
    Fault(
        "encoder-dead-taps",
        Group.WHEELS,
        "an encoder counts no more, and the stick is only tapped",
        "stop after each tap; fault once what the taps ask for adds up",
        _TAPS_S,
        live=False,
        note=f"{_COUNTS}; `allowed` counts from the first tap, two a second",
    ),
    _fault("encoder-reversed", Group.WHEELS, "an encoder counts backwards", "fault", WHEEL_S),
)

BATTERY = (
    _warned("battery-low", Group.BATTERY, "battery low", "told: drive home"),
    _warned("battery-very-low", Group.BATTERY, "battery very low", "slow speed"),
    _fault("battery-empty", Group.BATTERY, "battery below its minimum", "fault", _BATTERY_S),
    _warned(
        "power-sensor-lost",
        Group.BATTERY,
        "the INA260 gone",
        "told; the battery is read from the controllers",
    ),
    Fault(
        "all-power-sensors-lost",
        Group.BATTERY,
        "nothing measures the battery any more",
        "fault",
        _POWER_AGE_S,
        live=False,
        note="a simulated controller that answers at all tells its battery too",
    ),
    _warned(
        "power-sensors-disagree",
        Group.BATTERY,
        "INA260 and controllers differ",
        "slow speed; the lower one counts",
    ),
)

STEERING = (
    _warned("i2c-nack-once", Group.STEERING, "one NACK on the I2C bus", "tried again"),
    _fault(
        "servo-board-gone",
        Group.STEERING,
        "the servo board off the bus",
        f"fault after {DEADLINES.steering_s:g} s",
        DEADLINES.steering_s + WHEEL_S / 2,
    ),
    Fault(
        "servo-at-limit",
        Group.STEERING,
        "a servo asked for more than it can turn",
        "fault: its wheel does not point where everybody takes it to",
        # The corner is slewed to its end first.
        WHEEL_S / 2,
        live=False,
        note="a configuration that allows it is refused before anything starts",
    ),
)
