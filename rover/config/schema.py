"""What each key of the configuration may hold, as the types in ``rover.config`` say it.

msgspec itself stops at the first fault; a person who edits a file wants them all.
"""

import datetime
import difflib
import json
import math
import re
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import msgspec
from msgspec import NODEFAULT, Struct, inspect

from rover.config.sections import Config
from rover.config.toml_lines import KeyPath

Table = dict[str, object]

# TOML has no null: this text switches off what a rover may do without.
NONE_TEXT = "none"

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one key, and how to put it right."""

    path: KeyPath
    text: str


@dataclass(frozen=True, slots=True)
class Examined:
    """A table with its faulty keys left out and "none" turned into None, and the faults."""

    values: Table
    faults: tuple[Fault, ...]


def examine(table: Table) -> Examined:
    """Check every key of one file, which may set any part of the configuration."""
    faults: list[Fault] = []
    return Examined(_examined_struct(table, Config, (), faults), tuple(faults))


def missing(table: Table) -> tuple[Fault, ...]:
    """Return the keys without a default that ``table``, merged from all files, lacks."""
    return tuple(_missing_from(table, Config, ()))


def leaves(config: Struct, path: KeyPath = ()) -> Iterator[tuple[KeyPath, object]]:
    """Give every single value in force with its key's path, in the order of the schema."""
    for name in config.__struct_fields__:
        value = getattr(config, name)
        if isinstance(value, Struct):
            yield from leaves(value, (*path, name))
        elif isinstance(value, dict):
            for key, entry in value.items():
                yield from leaves(entry, (*path, name, key))
        else:
            yield (*path, name), value


def key_text(path: KeyPath) -> str:
    """Return a key's path as it is written in TOML."""
    return ".".join(
        part if _BARE_KEY.fullmatch(part) else json.dumps(part, ensure_ascii=False) for part in path
    )


def value_text(value: object, path: KeyPath = ()) -> str:
    """Return a value on one line as it is written in TOML; a device's address in hex."""
    if value is None:
        text = f'"{NONE_TEXT}"'
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, int) and path and path[-1] == "address":
        text = f"0x{value:02x}" if value >= 0 else str(value)
    elif isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
    elif isinstance(value, dict):
        text = "a table"
    elif isinstance(value, list):
        text = "an array"
    elif isinstance(value, datetime.date | datetime.time):
        text = value.isoformat()
    elif isinstance(value, float):
        # Twelve digits hide what binary fractions add to 28 * 26.9.
        text = repr(float(f"{value:.12g}"))
    else:
        # Decimal digits of an enormous whole number are refused by Python itself.
        text = f"{value:#x}" if isinstance(value, int) and abs(value) >= 1 << 64 else str(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."


def nearest(name: str, known: Sequence[str]) -> str | None:
    """Return the one of ``known`` that ``name`` was most likely meant to be, if any is like it."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return close[0] if close else None


def _examined_struct(
    table: Table, struct: type[Struct], path: KeyPath, faults: list[Fault]
) -> Table:
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    values: Table = {}
    for key, value in table.items():
        if key not in fields:
            faults.append(Fault((*path, key), _unknown_key_text(key, tuple(fields), path)))
            continue
        _examine_value(value, fields[key].type, (*path, key), values, faults)
    return values


def _examine_value(
    value: object, annotation: object, path: KeyPath, values: Table, faults: list[Fault]
) -> None:
    """Put ``value`` into ``values`` if ``annotation`` allows it, else say why not."""
    info = _type_info(annotation)
    if value == NONE_TEXT and _may_be_none(info):
        values[path[-1]] = None
        return
    core = _core(info)
    if isinstance(core, inspect.StructType | inspect.DictType):
        if not isinstance(value, dict):
            faults.append(_wrong_value(value, info, path))
        elif isinstance(core, inspect.StructType):
            values[path[-1]] = _examined_struct(value, core.cls, path, faults)
        else:
            values[path[-1]] = _examined_dict(value, annotation, path, faults)
        return
    if isinstance(value, float) and not math.isfinite(value):
        faults.append(_wrong_value(value, info, path))
        return
    try:
        values[path[-1]] = msgspec.convert(value, annotation)
    except msgspec.ValidationError:
        # Its own words speak of Python types; the fault says what the key allows.
        faults.append(_wrong_value(value, info, path))


def _examined_dict(table: Table, annotation: object, path: KeyPath, faults: list[Fault]) -> Table:
    key_type, value_type = typing.get_args(annotation)
    values: Table = {}
    for key, value in table.items():
        try:
            msgspec.convert(key, key_type)
        except msgspec.ValidationError:
            allowed = _allowed(_type_info(key_type))
            text = f"{key_text((*path, key))}: a name here must be {allowed}"
            faults.append(Fault((*path, key), text))
            continue
        _examine_value(value, value_type, (*path, key), values, faults)
    return values


def _missing_from(table: Table, struct: type[Struct], path: KeyPath) -> Iterator[Fault]:
    for field in msgspec.structs.fields(struct):
        here = (*path, field.encode_name)
        core = _core(_type_info(field.type))
        value = table.get(field.encode_name)
        if field.encode_name not in table:
            if field.default is NODEFAULT and field.default_factory is NODEFAULT:
                allowed = _allowed(_type_info(field.type), hexadecimal=here[-1] == "address")
                yield Fault(here, f"{key_text(here)} is missing: it must be {allowed}")
        elif isinstance(value, dict) and isinstance(core, inspect.StructType):
            yield from _missing_from(value, core.cls, here)
        elif isinstance(value, dict):
            entry = _core(_type_info(typing.get_args(field.type)[1]))
            for key, inner in value.items():
                if isinstance(entry, inspect.StructType) and isinstance(inner, dict):
                    yield from _missing_from(inner, entry.cls, (*here, key))


def _wrong_value(value: object, info: inspect.Type, path: KeyPath) -> Fault:
    allowed = _allowed(info, hexadecimal=path[-1] == "address")
    if isinstance(value, float) and math.isinf(value):
        allowed += ", and finite"
    core = _core(info)
    if isinstance(value, str) and isinstance(core, inspect.LiteralType):
        close = nearest(value, [str(one) for one in core.values])
        allowed += f"; the nearest is {value_text(close)}" if close else ""
    return Fault(path, f"{key_text(path)} = {value_text(value, path)}: must be {allowed}")


def _unknown_key_text(key: str, known: Sequence[str], path: KeyPath) -> str:
    text = f"{key_text((*path, key))} is not a known key"
    elsewhere = [place for place in _static_paths() if place[-1] == key]
    close = nearest(key, known)
    if close:
        return f"{text}; the nearest is {key_text((*path, close))}"
    if elsewhere:
        return f"{text}; did you mean {' or '.join(key_text(place) for place in elsewhere)}?"
    return f"{text}; known here are {', '.join(sorted(known))}"


@cache
def _static_paths() -> tuple[KeyPath, ...]:
    """Return the paths of all keys, and of those under a name of the user's own with NAME."""
    return tuple(_paths_under(Config, ()))


def _paths_under(struct: type[Struct], path: KeyPath) -> Iterator[KeyPath]:
    for field in msgspec.structs.fields(struct):
        here = (*path, field.encode_name)
        core = _core(_type_info(field.type))
        if isinstance(core, inspect.DictType):
            here, core = (*here, "NAME"), _core(core.value_type)
        if isinstance(core, inspect.StructType):
            yield from _paths_under(core.cls, here)
        else:
            yield here


@cache
def _type_info(annotation: object) -> inspect.Type:
    return inspect.type_info(annotation)


def _core(info: inspect.Type) -> inspect.Type:
    """Return the type behind a description and behind "or None"."""
    if isinstance(info, inspect.Metadata):
        return _core(info.type)
    if isinstance(info, inspect.UnionType):
        others = [one for one in info.types if not isinstance(one, inspect.NoneType)]
        return _core(others[0]) if len(others) == 1 else info
    return info


def _may_be_none(info: inspect.Type) -> bool:
    return isinstance(info, inspect.UnionType) and any(
        isinstance(one, inspect.NoneType) for one in info.types
    )


def _allowed(info: inspect.Type, *, hexadecimal: bool = False) -> str:
    """Say in words what a type allows."""
    if isinstance(info, inspect.Metadata):
        described = (info.extra_json_schema or {}).get("description")
        return str(described) if described else _allowed(info.type, hexadecimal=hexadecimal)
    if _may_be_none(info):
        return f'{_allowed(_core(info), hexadecimal=hexadecimal)}, or "{NONE_TEXT}"'
    if isinstance(info, inspect.IntType | inspect.FloatType):
        return _allowed_number(info, hexadecimal=hexadecimal)
    if isinstance(info, inspect.BoolType):
        return "true or false"
    if isinstance(info, inspect.StrType):
        longest = f" of at most {info.max_length} letters" if info.max_length else ""
        return f"text{longest}, not empty" if info.min_length else f"text{longest}"
    if isinstance(info, inspect.LiteralType):
        return f"one of {', '.join(value_text(value) for value in info.values)}"
    return "a table"


def _allowed_number(info: inspect.IntType | inspect.FloatType, *, hexadecimal: bool) -> str:
    kind = "a whole number" if isinstance(info, inspect.IntType) else "a number"
    show = "0x{:02x}" if hexadecimal else "{:g}"
    if info.ge is not None and info.le is not None:
        return f"{kind} from {show.format(info.ge)} to {show.format(info.le)}"
    parts = [
        f"{word} {show.format(bound)}"
        for word, bound in (
            ("at least", info.ge),
            ("greater than", info.gt),
            ("at most", info.le),
            ("less than", info.lt),
        )
        if bound is not None
    ]
    return f"{kind} {' and '.join(parts)}" if parts else kind
