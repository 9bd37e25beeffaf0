"""Which values of the configuration contradict one another, though each is allowed alone."""

import itertools
from collections.abc import Iterator

import msgspec

from rover.config.contradiction import Contradiction
from rover.config.pad_checks import gamepad_contradictions
from rover.config.schema import key_text, value_text
from rover.config.sections import Config, SteerConfig
from rover.config.toml_lines import KeyPath

# The rates that a RoboClaw in packet serial mode can be set to, by its manual.
ROBOCLAW_BAUDS = (2400, 9600, 19200, 38400, 57600, 115200, 230400, 460800)
# A PCA9685 answers here too, whatever its own address, until it is told not to.
PCA9685_ALL_CALL = 0x70
# A RoboClaw counts its serial timeout in tenths of a second.
_TIMEOUT_STEP_S = 0.1
# From full turbo to standstill on the ramp of a stop: 0.4 m of way, twice what a rover rolls that
# gets zero duty from 1 m/s.
STOP_WITHIN_S = 0.5
_ROUNDING = 1e-6
# Wheels nearer than this count as one point of contact.
_SAME_PLACE_M = 1e-3


def contradictions(config: Config) -> tuple[Contradiction, ...]:
    """Return every contradiction in ``config``; none means that it may be used."""
    return tuple(
        itertools.chain(
            _wheel_places(config),
            _wheel_outputs(config),
            _steering(config),
            _servo_pulses(config),
            _buses(config),
            _motion(config),
            _maintenance(config),
            _timing(config),
            _power(config),
            _panel(config),
            gamepad_contradictions(config.gamepad),
        )
    )


def _key(dotted: str) -> KeyPath:
    return tuple(dotted.split("."))


def _less(
    small: tuple[str, float], large: tuple[str, float], advice: str
) -> Iterator[Contradiction]:
    """Complain if the first key's value is below the second's."""
    if small[1] < large[1]:
        (low, low_value), (high, high_value) = small, large
        yield Contradiction(
            (_key(low), _key(high)),
            f"{low} = {value_text(low_value)} is less than {high} = {value_text(high_value)}: "
            f"{advice}",
        )


def _wheel_places(config: Config) -> Iterator[Contradiction]:
    # The motion of the body (forward, sideways, turning) is three unknowns. A wheel's contact
    # point gives two equations, and any two different points make them solvable.
    if len(config.wheels) < 2:  # noqa: PLR2004
        yield Contradiction(
            (("wheels",),),
            f"wheels: {len(config.wheels)} given, at least 2 at different places are needed to "
            "know how the rover moves",
        )
    for (name, wheel), (other, second) in itertools.combinations(config.wheels.items(), 2):
        if max(abs(wheel.x_m - second.x_m), abs(wheel.y_m - second.y_m)) < _SAME_PLACE_M:
            yield Contradiction(
                (("wheels", other, "x_m"), ("wheels", name, "x_m")),
                f"wheels.{other} and wheels.{name} stand at the same place "
                f"(x_m = {wheel.x_m:g}, y_m = {wheel.y_m:g}): measure both from the middle",
            )


def _wheel_outputs(config: Config) -> Iterator[Contradiction]:
    for (name, wheel), (other, second) in itertools.combinations(config.wheels.items(), 2):
        if (wheel.motor.address, wheel.motor.channel) == (
            second.motor.address,
            second.motor.channel,
        ):
            yield Contradiction(
                (("wheels", other, "motor", "channel"), ("wheels", name, "motor", "channel")),
                f"wheels.{other}.motor and wheels.{name}.motor are the same output, address = "
                f"0x{wheel.motor.address:02x}, channel = {wheel.motor.channel}: every wheel "
                "needs its own",
            )
        if wheel.steer and second.steer and wheel.steer.channel == second.steer.channel:
            yield Contradiction(
                (("wheels", other, "steer", "channel"), ("wheels", name, "steer", "channel")),
                f"wheels.{other}.steer and wheels.{name}.steer are the same servo, channel = "
                f"{wheel.steer.channel}: every steered wheel needs its own",
            )


def _steering(config: Config) -> Iterator[Contradiction]:
    for name, wheel in config.wheels.items():
        if wheel.steer is not None:
            yield from _servo(wheel.steer, ("wheels", name, "steer"), config)


def _servo(steer: SteerConfig, path: KeyPath, config: Config) -> Iterator[Contradiction]:
    where = key_text(path)
    if steer.direction == 0:
        yield Contradiction(
            ((*path, "direction"),),
            f"{where}.direction = 0: must be 1, or -1 if the servo's angle grows as the wheel "
            "turns right",
        )
    if steer.min_deg == steer.max_deg:
        yield Contradiction(
            ((*path, "max_deg"), (*path, "min_deg")),
            f"{where}: min_deg and max_deg are both 0, so the wheel cannot be steered: give it "
            f'a range, or set {where} = "none"',
        )
    # Direction -1 swaps the ends; 1 and the meaningless 0 leave them.
    left, right = steer.max_deg, steer.min_deg
    ends = (-left, -right) if steer.direction < 0 else (right, left)
    low_deg, high_deg = steer.centre_deg + ends[0], steer.centre_deg + ends[1]
    range_deg = config.steering.servo_range_deg
    if low_deg < 0 or high_deg > range_deg:
        yield Contradiction(
            (
                (*path, "centre_deg"),
                (*path, "min_deg"),
                (*path, "max_deg"),
                ("steering", "servo_range_deg"),
            ),
            f"{where}: centre_deg = {steer.centre_deg:g} with min_deg = {steer.min_deg:g} and "
            f"max_deg = {steer.max_deg:g} asks the servo for {low_deg:g} to {high_deg:g} "
            f"degrees, it has 0 to {range_deg:g} (steering.servo_range_deg): fit the horn "
            "nearer to the middle, or narrow the range",
        )


def _servo_pulses(config: Config) -> Iterator[Contradiction]:
    steering = config.steering
    if steering.pulse_min_us >= steering.pulse_max_us:
        yield Contradiction(
            (_key("steering.pulse_max_us"), _key("steering.pulse_min_us")),
            f"steering.pulse_max_us = {steering.pulse_max_us:g} is not greater than "
            f"steering.pulse_min_us = {steering.pulse_min_us:g}",
        )
    period_us = 1e6 / steering.frequency_hz
    if steering.pulse_max_us >= period_us:
        yield Contradiction(
            (_key("steering.pulse_max_us"), _key("steering.frequency_hz")),
            f"steering.pulse_max_us = {steering.pulse_max_us:g} does not fit into one period of "
            f"steering.frequency_hz = {steering.frequency_hz:g}, {period_us:.0f} us: lower one",
        )


def _buses(config: Config) -> Iterator[Contradiction]:
    if config.roboclaw.baud not in ROBOCLAW_BAUDS:
        yield Contradiction(
            (_key("roboclaw.baud"),),
            f"roboclaw.baud = {config.roboclaw.baud}: must be one of "
            f"{', '.join(str(baud) for baud in ROBOCLAW_BAUDS)}",
        )
    yield from _less(
        ("roboclaw.max_current_a", config.roboclaw.max_current_a),
        ("roboclaw.stall_current_a", config.roboclaw.stall_current_a),
        "a wheel that is held fast could not be told from one that turns freely",
    )
    same_bus = config.power.i2c_bus == config.steering.i2c_bus
    if config.power.ina260 and same_bus:
        address = config.power.address
        servos = "" if address == config.steering.address else "'s all-call address"
        if address in (config.steering.address, PCA9685_ALL_CALL):
            yield Contradiction(
                (_key("power.address"), _key("steering.address")),
                f"power.address = 0x{address:02x} is the servo board{servos} on the same bus: "
                "give the INA260 another (0x45 on JPL's board), or set power.ina260 = false",
            )


def _motion(config: Config) -> Iterator[Contradiction]:
    yield from _less(
        ("motion.turbo_speed_mps", config.motion.turbo_speed_mps),
        ("motion.max_speed_mps", config.motion.max_speed_mps),
        "turbo must be at least as fast as driving without it",
    )
    yield from _less(
        ("motion.stop_decel_mps2", config.motion.stop_decel_mps2),
        ("motion.decel_mps2", config.motion.decel_mps2),
        "a stop must slow the rover at least as hard as letting go does",
    )
    yield from _stop_time(config)
    yield from _less(
        ("gate.max_steer_rate_rad_s", config.gate.max_steer_rate_rad_s),
        ("steering.slew_rad_s", config.steering.slew_rad_s),
        "the gate would refuse the corners' own speed and stop the rover",
    )
    for name, wheel in config.wheels.items():
        allowed_mps2 = config.gate.max_wheel_accel_rad_s2 * wheel.radius_m
        if allowed_mps2 < config.motion.accel_mps2:
            yield Contradiction(
                (
                    _key("gate.max_wheel_accel_rad_s2"),
                    _key("motion.accel_mps2"),
                    ("wheels", name, "radius_m"),
                ),
                f"gate.max_wheel_accel_rad_s2 = {config.gate.max_wheel_accel_rad_s2:g} lets "
                f"wheels.{name} gain {allowed_mps2:g} m/s2, less than motion.accel_mps2 = "
                f"{config.motion.accel_mps2:g}: the gate would refuse to start",
            )


def _maintenance(config: Config) -> Iterator[Contradiction]:
    gate, wanted = config.gate, config.maintenance
    for low, high in (
        (("gate.maintenance_duty", gate.maintenance_duty), ("maintenance.duty", wanted.duty)),
        (
            ("gate.maintenance_duty_rate_per_s", gate.maintenance_duty_rate_per_s),
            ("maintenance.duty_rate_per_s", wanted.duty_rate_per_s),
        ),
        (
            ("gate.maintenance_steer_rate_rad_s", gate.maintenance_steer_rate_rad_s),
            ("maintenance.steer_rate_rad_s", wanted.steer_rate_rad_s),
        ),
        (
            ("maintenance.pause_s", wanted.pause_s),
            ("gate.maintenance_pause_s", gate.maintenance_pause_s),
        ),
    ):
        yield from _less(low, high, "the gate would refuse it and end every calibration")


def _stop_time(config: Config) -> Iterator[Contradiction]:
    motion = config.motion
    needed_s = motion.turbo_speed_mps / motion.stop_decel_mps2
    if needed_s > STOP_WITHIN_S + _ROUNDING:
        yield Contradiction(
            (_key("motion.stop_decel_mps2"), _key("motion.turbo_speed_mps")),
            f"motion.stop_decel_mps2 = {motion.stop_decel_mps2:g} stops the rover from "
            f"motion.turbo_speed_mps = {motion.turbo_speed_mps:g} in {needed_s:.3g} s, at most "
            f"{STOP_WITHIN_S:g} s are allowed: brake with "
            f"{motion.turbo_speed_mps / STOP_WITHIN_S:g} m/s2 or more, or drive slower",
        )


def _timing(config: Config) -> Iterator[Contradiction]:
    yield from _less(
        ("loop.rate_hz", config.loop.rate_hz),
        ("loop.telemetry_hz", config.loop.telemetry_hz),
        "telemetry is sent at a tick, so at most as often",
    )
    two_ticks_s = 2 / config.loop.rate_hz
    for name, deadline_s in msgspec.structs.asdict(config.deadlines).items():
        path = ("deadlines", name)
        if deadline_s < two_ticks_s:
            yield Contradiction(
                (path, _key("loop.rate_hz")),
                f"deadlines.{name} = {deadline_s:g} is less than two ticks of loop.rate_hz = "
                f"{config.loop.rate_hz:g}, {two_ticks_s:g} s: one late tick would stop the rover",
            )
    yield from _serial_timeout(config)


def _serial_timeout(config: Config) -> Iterator[Contradiction]:
    timeout_s = config.roboclaw.serial_timeout_s
    steps = timeout_s / _TIMEOUT_STEP_S
    # What the controllers make of it: they round down.
    real_s = int(steps + _ROUNDING) * _TIMEOUT_STEP_S
    if abs(steps - round(steps)) > _ROUNDING:
        yield Contradiction(
            (_key("roboclaw.serial_timeout_s"),),
            f"roboclaw.serial_timeout_s = {timeout_s:g}: the controllers count in steps of "
            f"{_TIMEOUT_STEP_S:g} s, so it must be one of 0.1, 0.2, 0.3, 0.4 and 0.5: set "
            f"{real_s:g}, or one of the others",
        )
    for name, deadline_s in (
        ("controller_s", config.deadlines.controller_s),
        ("feedback_s", config.deadlines.feedback_s),
    ):
        if deadline_s > real_s + _ROUNDING:
            yield Contradiction(
                (("deadlines", name), _key("roboclaw.serial_timeout_s")),
                f"deadlines.{name} = {deadline_s:g} is more than the {real_s:g} s after which the "
                "controllers stop by themselves (roboclaw.serial_timeout_s): going on after that "
                f"would be a start at speed without a ramp, so set it to {real_s:g} or less",
            )


def _power(config: Config) -> Iterator[Contradiction]:
    yield from _less(
        ("power.low_v", config.power.low_v),
        ("power.very_low_v", config.power.very_low_v),
        "the warning must come before the slowing down",
    )
    yield from _less(
        ("power.very_low_v", config.power.very_low_v),
        ("power.minimum_v", config.power.minimum_v),
        "the slowing down must come before the stop",
    )
    yield from _less(
        ("power.full_v", config.power.full_v),
        ("power.low_v", config.power.low_v),
        "a full battery has more than the warning's voltage",
    )


def _panel(config: Config) -> Iterator[Contradiction]:
    panel = msgspec.structs.asdict(config.panel)
    lines = [(name, line) for name, line in panel.items() if name != "gpio"]
    for (name, line), (other, second) in itertools.combinations(lines, 2):
        if line is not None and line == second:
            yield Contradiction(
                (("panel", other), ("panel", name)),
                f"panel.{other} and panel.{name} are the same line, {line}: every use needs its "
                'own, or "none"',
            )
