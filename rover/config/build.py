"""A short mark of how a rover is built, by which two programs see that they mean the same one."""

import hashlib

import msgspec

from rover.config.sections import Config

_LETTERS = 12


def build_mark(config: Config) -> str:
    """Return the same for configurations that have the same of all that calibrations find out."""
    board = config.steering
    built = (
        config.wheels,
        (board.frequency_hz, board.pulse_min_us, board.pulse_max_us, board.servo_range_deg),
        (config.power.voltage_scale, config.roboclaw.voltage_scale),
    )
    return hashlib.sha256(msgspec.json.encode(built)).hexdigest()[:_LETTERS]
