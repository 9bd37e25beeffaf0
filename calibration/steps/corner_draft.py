"""What has been found of the servos so far, kept for another time. Pure."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct, structs

from calibration.steps.corner import CornerFound
from rover.config import Config, SteerConfig, SteeringConfig


class _Draft(Struct, frozen=True):
    servos: tuple[tuple[str, SteerConfig], ...]
    board: SteeringConfig
    found: tuple[CornerFound, ...]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Draft).decode


def draft_of(config: Config, found: Sequence[CornerFound]) -> bytes:
    """Return what has been found as a draft, empty if nothing has."""
    if not found:
        return b""
    return _encode(_Draft(_servos(config), _board(config), tuple(found)))


def restored(config: Config, draft: bytes) -> list[CornerFound]:
    """Return what a draft has found, if it is of a rover that is configured as this one."""
    if not draft:
        return []
    try:
        kept = _decode(draft)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []
    servos = _servos(config)
    names = [name for name, _ in servos]
    fits = (
        (kept.servos, kept.board) == (servos, _board(config))
        and [one.configured for one in kept.found] == names[: len(kept.found)]
        and all(one.moved in {"", *names} for one in kept.found)
    )
    return list(kept.found) if fits else []


def _servos(config: Config) -> tuple[tuple[str, SteerConfig], ...]:
    return tuple((name, wheel.steer) for name, wheel in config.wheels.items() if wheel.steer)


def _board(config: Config) -> SteeringConfig:
    """Return how the servos are driven; whether they are calibrated makes no difference."""
    return structs.replace(config.steering, calibrated=False)
