"""How full a pad's own battery is, as sysfs tells it. May wait for the pad: not for the loop."""

from pathlib import Path

from msgspec import Struct

# Low at or below the first, and not any more from the second on.
LOW_PERCENT, ENOUGH_PERCENT = 15, 25
_LOW_LEVELS = frozenset({"Low", "Critical"})
_FILLING = frozenset({"Charging", "Full"})


class PadBattery(Struct, frozen=True):
    """What a pad tells of its battery: per cent if it counts so finely, low or not."""

    percent: int | None
    low: bool

    @property
    def text(self) -> str:
        """How full it is, in words."""
        return "low" if self.percent is None else f"at {self.percent} %"


def read_battery(device: Path, *, was_low: bool = False) -> PadBattery | None:
    """Return what the pad whose ``device`` folder in sysfs this is tells; None if nothing.

    Some tell per cent, some a level in words. One that is being charged is not low.
    """
    for supply in _folders(device / "power_supply"):
        status, level = _word(supply / "status"), _word(supply / "capacity_level")
        percent = _percent(supply / "capacity")
        if percent is None and level in {"", "Unknown"}:
            continue
        limit = ENOUGH_PERCENT - 1 if was_low else LOW_PERCENT
        low = level in _LOW_LEVELS if percent is None else percent <= limit
        return PadBattery(percent, low and status not in _FILLING)
    return None


def _percent(path: Path) -> int | None:
    try:
        percent = int(_word(path))
    except ValueError:
        return None
    return percent if 0 <= percent <= 100 else None  # noqa: PLR2004


def _folders(path: Path) -> list[Path]:
    try:
        return sorted(path.iterdir())
    except OSError:
        return []


def _word(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        # A radio that does not answer, or a property that this pad has not.
        return ""
