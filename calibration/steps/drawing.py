"""The wheels as a person sees them from above, for pictures in letters and on a page."""

from collections.abc import Collection, Mapping

from calibration.steps.view import WheelMark
from rover.config import Config


def wheel_marks(
    config: Config,
    *,
    known: Collection[str] = (),
    moves: str = "",
    steer_rad: Mapping[str, float] | None = None,
) -> tuple[WheelMark, ...]:
    """Return all wheels where the configuration has them; ``steer_rad`` where they are led."""
    angles = steer_rad or {}
    return tuple(
        WheelMark(
            name=name,
            x_m=wheel.x_m,
            y_m=wheel.y_m,
            steer_rad=angles.get(name, 0.0),
            moves=name == moves,
            known=name in known,
        )
        for name, wheel in config.wheels.items()
    )
