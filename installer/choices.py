"""What a person has chosen and what was there before: kept for upgrade and uninstall."""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from installer.errors import InstallError
from installer.system import System

RECORD = "/var/lib/rover-installer/record.json"
# Of Bluetooth on a Raspberry Pi 3 and 4, whose chip has one good UART; see docs/install.md.
BLUETOOTH_OFF, BLUETOOTH_SMALL, BLUETOOTH_KEPT = "off", "small", "keep"


@dataclass(frozen=True, slots=True)
class Choices:
    """What the command line and the answers say.

    ``pi`` is the model (3, 4, 5), 0 for another computer; ``bluetooth`` is empty where there is no
    choice. ``person`` is who drives, and joins the groups, empty for nobody. ``name`` is the
    computer's new name in the network, empty to leave it. ``camera`` is the kind of it, empty for
    none. ``wheels`` is a folder of Python
    packages, for this time alone.
    """

    pi: int = 0
    bluetooth: str = ""
    person: str = ""
    name: str = ""
    hotspot: bool = False
    camera: str = ""
    wheels: str = ""


@dataclass(frozen=True, slots=True)
class Before:
    """What the first installation found, which uninstall puts back."""

    consoles: tuple[str, ...] = ()
    serial_on: bool = False
    i2c_on: bool = False
    hciuart: bool = False
    name: str = ""
    groups: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """Both, as they are written; ``packages`` are those that came with the rover."""

    choices: Choices = field(default_factory=Choices)
    before: Before = field(default_factory=Before)

    def text(self) -> str:
        """Return the record as it stands in its file."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"


def load(system: System) -> Record | None:
    """Return the record of an earlier installation, None if there is none."""
    text = system.text(RECORD)
    if text is None:
        return None
    try:
        table = json.loads(text)
        return Record(_made(Choices, table["choices"]), _made(Before, table["before"]))
    except (ValueError, KeyError, TypeError) as error:
        raise InstallError(
            f"{RECORD} cannot be read: {error}",
            f"Remove it (`sudo rm {RECORD}`), then run this again; it asks anew.",
        ) from error


def _made(kind: type[Any], table: dict[str, Any]) -> Any:  # noqa: ANN401 - either of the two
    """Make one from what is in the file; what an older or newer version wrote besides is left."""
    known = {one.name for one in fields(kind)}
    return kind(
        **{
            key: tuple(value) if isinstance(value, list) else value
            for key, value in table.items()
            if key in known
        }
    )
