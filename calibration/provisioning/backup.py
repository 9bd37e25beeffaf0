"""What controllers kept before it was changed, in a file that can be put back."""

import datetime
import struct
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import tomlkit

from calibration.provisioning.kept import NEEDED, REGISTERS, Kept, Snapshot
from calibration.whole_file import replace_file
from rover.config.files import MAX_FILE_BYTES
from rover.errors import ConfigError

_HEAD = (
    "What motor controllers kept before `rover setup roboclaw` changed it; --restore puts it back.",
    "Values are as on the wire: volts and seconds in tenths, amperes in hundredths, gains x 65536.",
)
# What to do where a file cannot be written.
ADVICE = "set XDG_STATE_HOME to a folder that may be written to, or run this as its owner"


@dataclass(frozen=True, slots=True)
class Saved:
    """One controller: where it answered, where it is to answer afterwards, what it kept."""

    address: int
    baud: int
    becomes_address: int
    becomes_baud: int
    snapshot: Snapshot


class _Controller(msgspec.Struct, forbid_unknown_fields=True):
    address: int
    baud: int
    becomes_address: int
    becomes_baud: int
    firmware: str
    newer: bool
    values: dict[str, list[int]]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    saved: datetime.datetime
    port: str
    controller: list[_Controller]


def save(folder: Path, port: str, controllers: Sequence[Saved], now: datetime.datetime) -> Path:
    """Write a backup of ``controllers`` and return where it is. Raises ConfigError."""
    document = tomlkit.document()
    for line in _HEAD:
        document.add(tomlkit.comment(line))
    document["saved"] = now.replace(microsecond=0)
    document["port"] = port
    entries = tomlkit.aot()
    for saved in controllers:
        entry = tomlkit.table()
        entry["address"] = saved.address
        entry["baud"] = saved.baud
        entry["becomes_address"] = saved.becomes_address
        entry["becomes_baud"] = saved.becomes_baud
        entry["firmware"] = saved.snapshot.firmware
        entry["newer"] = saved.snapshot.newer
        values = tomlkit.table()
        for kept, numbers in saved.snapshot.values.items():
            values[kept.name.lower()] = list(numbers)
        entry["values"] = values
        entries.append(entry)
    document["controller"] = entries
    names = "-".join(f"{saved.address:02x}" for saved in controllers)
    path = folder / f"{now:%Y-%m-%dT%H-%M-%S}-{names}.toml"
    number = 1
    while path.exists():
        number += 1
        path = folder / f"{now:%Y-%m-%dT%H-%M-%S}-{names}-{number}.toml"
    replace_file(path, tomlkit.dumps(document), ADVICE)
    return path


def load(path: Path) -> tuple[Saved, ...]:
    """Read a backup. Raises ConfigError with what is wrong in it."""
    try:
        content = path.read_bytes()
        if len(content) > MAX_FILE_BYTES:
            raise ConfigError(f"{path} is too large to be a backup of controllers")
        data = tomllib.loads(content.decode("utf-8"))
        file = msgspec.convert(data, _File)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, msgspec.ValidationError) as error:
        raise ConfigError(
            f"{path} is no backup of `rover setup roboclaw`: {error}; nothing was written"
        ) from error
    return tuple(_checked(path, entry) for entry in file.controller)


def _checked(path: Path, entry: _Controller) -> Saved:
    names = {kept.name.lower(): kept for kept in Kept}
    unknown = [name for name in entry.values if name not in names]
    values = {
        kept: tuple(entry.values[name]) for name, kept in names.items() if name in entry.values
    }
    missing = [kept.name.lower() for kept in NEEDED if kept not in values]
    if unknown or missing:
        raise ConfigError(
            f"{path}: the controller at address {entry.address} "
            + "; ".join(
                part
                for part in (
                    f"has unknown values {', '.join(unknown)}" if unknown else "",
                    f"lacks {', '.join(missing)}" if missing else "",
                )
                if part
            )
            + "; nothing was written"
        )
    for kept, numbers in values.items():
        register = REGISTERS[kept]
        layout = register.layouts[entry.newer]
        length = 0 if layout is None else len(layout) // (1 if register.output is None else 2)
        try:
            if len(numbers) != length:
                raise struct.error(f"{length} numbers are allowed")  # noqa: TRY301
            register.payload(numbers, newer=entry.newer)
        except struct.error as error:
            raise ConfigError(
                f"{path}: {kept.name.lower()} = {list(numbers)} is not possible: {error}; "
                "nothing was written"
            ) from error
    return Saved(
        entry.address,
        entry.baud,
        entry.becomes_address,
        entry.becomes_baud,
        Snapshot(entry.firmware, entry.newer, values),
    )
