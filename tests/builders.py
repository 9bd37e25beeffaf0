"""Configurations and small records that many tests start from."""

import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import TypeVar

import msgspec
from msgspec import structs

from rover.config import Config, Section
from rover.messages import DriveCommand, Motion, Source

SectionT = TypeVar("SectionT", bound=Section)


def osr_config() -> Config:
    """Return JPL's rover as built in, its steering calibrated."""
    text = resources.files("rover.profiles").joinpath("osr.toml").read_text(encoding="utf-8")
    config = msgspec.convert(tomllib.loads(text), Config)
    return structs.replace(config, steering=structs.replace(config.steering, calibrated=True))


def with_motors(config: Config, changes: Mapping[str, Mapping[str, object]]) -> Config:
    """Return ``config`` with the motors of some wheels changed: by wheel, keys and values."""
    wheels = {
        name: structs.replace(wheel, motor=structs.replace(wheel.motor, **changes.get(name, {})))
        for name, wheel in config.wheels.items()
    }
    return structs.replace(config, wheels=wheels)


def command(source: Source, motion: Motion, stamp_s: float, seq: int = 1) -> DriveCommand:
    """Return a command of ``source`` as it stands in a message."""
    return DriveCommand(source, seq, stamp_s, motion)
