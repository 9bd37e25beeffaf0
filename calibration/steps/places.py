"""Where the wheels are at a moment, by their own counting, and whether they stand. Pure."""

from collections.abc import Sequence

from msgspec import Struct

from rover.messages import WheelView

_STANDS_RAD_S = 0.05
MISSED = (
    "Between start and end the rover did not count its wheels all the time (control was started "
    "anew, or a controller was reset): go back to the start, and drive it once more."
)


class Places(Struct, frozen=True):
    """How far each wheel has turned, and since when nothing of that has been missed."""

    angles_rad: tuple[float, ...]
    since_s: tuple[float | None, ...]

    def same_count(self, other: "Places") -> bool:
        """Whether nothing has been missed between the two."""
        return self.since_s == other.since_s

    def turned_rad(self, now: "Places") -> tuple[float, ...]:
        """Return how far each wheel has turned from here to ``now``; nothing if that was missed."""
        if not self.same_count(now):
            return (0.0,) * len(now.angles_rad)
        return tuple(
            later - before for later, before in zip(now.angles_rad, self.angles_rad, strict=True)
        )


def seen_places(wheels: Sequence[WheelView]) -> Places | None:
    """Return where all wheels are, None while one has not been read lately."""
    angles_rad: list[float] = []
    for wheel in wheels:
        if wheel.position_rad is None or wheel.speed_rad_s is None:
            return None
        angles_rad.append(wheel.position_rad)
    return Places(tuple(angles_rad), tuple(wheel.counted_since_s for wheel in wheels))


def stands(wheels: Sequence[WheelView]) -> bool:
    """Whether no wheel is known to turn."""
    return all(abs(wheel.speed_rad_s or 0.0) < _STANDS_RAD_S for wheel in wheels)
