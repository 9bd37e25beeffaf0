"""One controller changed: into its memory, read back, into flash once, read back from there.

Whatever goes wrong on the way, afterwards it keeps the old settings or the new, and it is said
which of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from calibration.provisioning.kept import ConfigWord, Kept, Snapshot, differing
from calibration.provisioning.shown import value_text
from calibration.provisioning.unit import Unit
from rover.errors import DeviceError, RoverError

_LOOKS = 3
_POWER_CYCLE = "switch its power off and on"


class Interrupted(RoverError):  # noqa: N818 - no error: somebody wanted it so
    """A person or the system has asked to end."""


class Holds(StrEnum):
    """What a controller holds afterwards."""

    NEW = "new"
    OLD = "old"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Result:
    """What has become of a controller, and where it answers now."""

    unit: Unit
    holds: Holds
    text: str


def change(unit: Unit, old: Snapshot, new: Snapshot, checkpoint: Callable[[], None]) -> Result:
    """Take a controller from ``old`` to ``new``; ``checkpoint`` raises Interrupted to end it.

    What it is interrupted by otherwise comes through, once the old settings are back.
    """
    changing = _Change(unit, old, new, checkpoint)
    result = _attempt(changing)
    if changing.flash_unheard and result.holds is Holds.OLD:
        # It has not heard that it was to write its flash, so that this is not a second writing.
        result = _attempt(_Change(result.unit, old, new, checkpoint))
    return result


def _attempt(changing: "_Change") -> Result:
    try:
        return changing.run()
    except (DeviceError, Interrupted) as error:
        return changing.undo(str(error))
    except BaseException:
        changing.undo("")
        raise


class _Change:
    def __init__(
        self, unit: Unit, old: Snapshot, new: Snapshot, checkpoint: Callable[[], None]
    ) -> None:
        self._unit = unit
        self._old = old
        self._new = new
        self._checkpoint = checkpoint
        # Whether it was told to write its flash: then only that can tell what it holds.
        self._flash_asked = False
        # Whether it was, and has not acknowledged it.
        self.flash_unheard = False

    def run(self) -> Result:
        self._checkpoint()
        self._unit.stop()
        for kept in differing(self._old, self._new):
            self._checkpoint()
            if kept is Kept.CONFIG:
                self._unit = _move(self._unit, self._old.word, self._new.word)
            else:
                self._write(kept, self._new)
        self._compare("does not take its")
        self._checkpoint()
        self._flash_asked = True
        self.flash_unheard = not self._unit.write_flash()
        if self._loaded():
            self._compare("has not kept its")
            return self._result(Holds.NEW, "it keeps the new settings, read back from its flash")
        self._write(Kept.TIMEOUT, self._new)
        self._compare("does not take its")
        if self.flash_unheard:
            return self._not_known("")
        return self._result(
            Holds.NEW,
            "it keeps the new settings, by what it says; its flash cannot be read back: "
            f"{_POWER_CYCLE}, then run this with --dry-run, and the table must be empty",
        )

    def undo(self, why: str) -> Result:
        """Put the old settings back into its memory, as far as it can be reached."""
        why = f"{why}; " if why else ""
        try:
            self._unit = self._look()
            if self._flash_asked and not self._loaded():
                return self._not_known(why)
            now = self._unit.snapshot(self._old)
            if self._flash_asked and not differing(now, self._new):
                return self._result(Holds.NEW, f"{why}it keeps the new settings")
            for kept in differing(now, self._old):
                if kept is Kept.CONFIG:
                    self._unit = _move(self._unit, now.word, self._old.word)
                else:
                    self._write(kept, self._old)
            left = differing(self._unit.snapshot(self._old), self._old)
        except DeviceError:
            return self._lost(why)
        if left:
            return self._lost(f"{why}its {', '.join(left)} did not go back; ")
        if self._flash_asked:
            why += "its flash may be worn out if this happens again; "
        return self._result(Holds.OLD, f"{why}it keeps the old settings")

    def _result(self, holds: Holds, text: str) -> Result:
        return Result(self._unit, holds, text)

    def _write(self, kept: Kept, snapshot: Snapshot) -> None:
        self._unit.write(kept, snapshot.values[kept], newer=snapshot.newer)

    def _look(self) -> Unit:
        return _look(self._unit, self._new.word, self._old.word)

    def _loaded(self) -> bool:
        """Have it take its settings from flash; whether that is what it has done.

        Something in its memory is made different first, so that it shows.
        """
        told = {snapshot.values[Kept.TIMEOUT] for snapshot in (self._old, self._new)}
        mark = next((units,) for units in (1, 2, 3) if (units,) not in told)
        newer = self._old.newer
        self._unit.write(Kept.TIMEOUT, mark, newer=newer)
        self._unit.load_flash()
        self._unit = self._look()
        return self._unit.read(Kept.TIMEOUT, newer=newer) != mark

    def _compare(self, complaint: str) -> None:
        now = self._unit.snapshot(self._old)
        for kept in differing(now, self._new):
            raise DeviceError(
                f"{self._unit.name} {complaint} {kept}: told {value_text(kept, self._new)}, it "
                f"has {value_text(kept, now)}"
            )

    def _lost(self, why: str) -> Result:
        if self._flash_asked:
            return self._not_known(why)
        text = f"its flash holds the old settings, its memory may not: {_POWER_CYCLE}"
        return self._result(Holds.OLD, why + text)

    def _not_known(self, why: str) -> Result:
        text = (
            "whether its flash holds the old settings or the new is not known: "
            f"{_POWER_CYCLE}, then run this with --dry-run; an empty table means the new"
        )
        return self._result(Holds.UNKNOWN, why + text)


def _move(unit: Unit, old: ConfigWord, new: ConfigWord) -> Unit:
    """Write a configuration word and return the controller where it answers then.

    Its acknowledgement counts for nothing: with another rate it may come at either (the manual
    says only that communication is lost).
    """
    unit.send_word(new.value)
    found = _look(unit, new, old)
    if found.word() != new:
        raise DeviceError(
            f"{found.name} does not take its {Kept.CONFIG}: told 0x{new.value:04X}, it has "
            f"0x{found.word().value:04X}"
        )
    return found


def _look(unit: Unit, likely: ConfigWord, other: ConfigWord) -> Unit:
    """Return the controller where one of two configuration words lets it answer."""
    places = [unit, *(unit.at(word.address, word.baud) for word in (likely, other))]
    for _ in range(_LOOKS):
        # Over USB the first always answers; on a bus, one that is not this controller's any more
        # may be another's.
        for place in places[1:] if not unit.usb else places[:1]:
            if place.is_there():
                return place
    where = " or ".join(
        dict.fromkeys(f"0x{place.address:02X} at {place.baud} baud" for place in places[1:])
    )
    raise DeviceError(f"{unit.name} does not answer any more, looked for it at {where}")
