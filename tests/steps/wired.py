"""How a simulated rover's motors and servos are really wired, to hold a calibration against."""

import msgspec

from calibration.steps.step import Changes
from rover.config import Config
from rover.sim.miswired import MISWIRED


def with_changes(config: Config, changes: Changes) -> Config:
    """Return the configuration with what a step would write."""
    raw = msgspec.to_builtins(config)
    for path, value in changes.items():
        table = raw
        for part in path[:-1]:
            table = table[part]
        table[path[-1]] = value
    return msgspec.convert(raw, Config)


def motors_as_built(config: Config, changes: Changes, wrong: str = "") -> dict[str, tuple]:
    """Return each wheel's output and which way round it is."""
    built = MISWIRED[wrong].built(config) if wrong else with_changes(config, changes)
    return {
        name: (wheel.motor.address, wheel.motor.channel, wheel.motor.inverted)
        for name, wheel in built.wheels.items()
    }


def steering_as_built(config: Config, wrong: str = "") -> dict[str, tuple[int, float, int]]:
    """Return each corner's channel, where the servo points it straight ahead, and its way."""
    built = MISWIRED[wrong].built(config) if wrong else config
    return {
        name: (wheel.steer.channel, wheel.steer.centre_deg, wheel.steer.direction)
        for name, wheel in built.wheels.items()
        if wheel.steer is not None
    }
