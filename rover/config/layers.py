"""Files of the configuration laid over one another, with where each value came from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import msgspec

from rover.config.checks import contradictions
from rover.config.contradiction import Contradiction
from rover.config.schema import Table, examine, leaves, missing
from rover.config.sections import Config
from rover.config.toml_lines import KeyPath
from rover.errors import ConfigError


class Layer(IntEnum):
    """Where a value can come from, the later over the earlier."""

    DEFAULT = 0
    PROFILE = 1
    USER = 2
    CALIBRATION = 3


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was set: the layer, its file as a person knows it, the line if known."""

    layer: Layer
    file: str = ""
    line: int | None = None

    def __str__(self) -> str:
        if self.layer is Layer.DEFAULT:
            return "built-in default"
        return self.file if self.line is None else f"{self.file}:{self.line}"


BUILT_IN = Origin(Layer.DEFAULT)


@dataclass(frozen=True, slots=True)
class LayerFile:
    """One file as it was read: its name for people, its table, and its keys' lines."""

    layer: Layer
    name: str
    table: Table
    lines: Mapping[KeyPath, int]

    def origin(self, path: KeyPath) -> Origin:
        """Return where ``path`` stands in this file, or the nearest table around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return Origin(self.layer, self.name, self.lines[path[:length]])
        return Origin(self.layer, self.name)


@dataclass(frozen=True, slots=True)
class Merged:
    """A configuration, and the origin of every single value in it by its key's path."""

    config: Config
    origins: Mapping[KeyPath, Origin]


def merge(files: Sequence[LayerFile]) -> Merged:
    """Lay ``files`` over one another in their order, table by table and key by key.

    Raises ConfigError with every problem in any of them, a line each: a key that is unknown,
    of a wrong type, out of range or missing, and values that contradict one another.
    """
    pile = _Pile()
    for file in files:
        pile.lay(file)
    config = pile.config()
    if config is None or pile.problems:
        raise ConfigError("\n".join(pile.problems))
    origins = {path: pile.origins.get(path, BUILT_IN) for path, _ in leaves(config)}
    return Merged(config, origins)


def faults_in(file: LayerFile) -> list[str]:
    """Return what is wrong with one file whatever it is laid over, a line each."""
    return [f"{file.origin(fault.path)}: {fault.text}" for fault in examine(file.table).faults]


@dataclass(slots=True)
class _Pile:
    """What has been laid down so far."""

    table: Table = field(default_factory=dict)
    origins: dict[KeyPath, Origin] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    faulty: list[KeyPath] = field(default_factory=list)
    top: LayerFile | None = None

    def lay(self, file: LayerFile) -> None:
        """Put what is right in ``file`` on top, and note what is not."""
        self.top = file
        examined = examine(file.table)
        for fault in examined.faults:
            self.problems.append(f"{file.origin(fault.path)}: {fault.text}")
            self.faulty.append(fault.path)
        self._lay_table(examined.values, self.table, (), file)

    def _lay_table(self, over: Table, onto: Table, path: KeyPath, file: LayerFile) -> None:
        for key, value in over.items():
            here = (*path, key)
            below = onto.get(key)
            if isinstance(value, dict):
                if not isinstance(below, dict):
                    below = onto[key] = {}
                self._lay_table(value, below, here, file)
            else:
                if isinstance(below, dict):
                    self._forget_origins_under(here)
                onto[key] = value
            self.origins[here] = file.origin(here)

    def _forget_origins_under(self, path: KeyPath) -> None:
        for stale in [known for known in self.origins if known[: len(path)] == path]:
            del self.origins[stale]

    def config(self) -> Config | None:
        """Return the whole, noting what is missing and contradictory; None if it is no whole."""
        lacking = missing(self.table)
        for fault in lacking:
            if not self._touches_a_fault(fault.path):
                self.problems.append(f"{self._origin_around(fault.path)}: {fault.text}")
        if lacking:
            return None
        try:
            config = msgspec.convert(self.table, Config)
        except msgspec.ValidationError as error:
            raise ConfigError("\n".join((*self.problems, f"configuration: {error}"))) from error
        for found in contradictions(config):
            if not any(self._touches_a_fault(key) for key in found.keys):
                self.problems.append(self._contradiction_text(found))
        return config

    def _touches_a_fault(self, path: KeyPath) -> bool:
        """Tell whether ``path`` is, holds or lies in a key that was left out as faulty."""
        return any(
            all(mine == theirs for mine, theirs in zip(path, other, strict=False))
            for other in self.faulty
        )

    def _origin_around(self, path: KeyPath) -> Origin | str:
        """Return where the table stands that lacks ``path``, or the file that should have it."""
        around: Iterator[KeyPath] = (path[:length] for length in range(len(path), 0, -1))
        found = (self.origins[one] for one in around if one in self.origins)
        return next(found, self.top.origin(()) if self.top else "no configuration file")

    def _contradiction_text(self, found: Contradiction) -> str:
        """Name the place a person is likeliest to change: the latest layer that takes part."""
        origins = {key: self.origins.get(key, BUILT_IN) for key in found.keys}
        place = max(origins.values(), key=lambda origin: origin.layer)
        others = dict.fromkeys(str(origin) for origin in origins.values() if origin != place)
        also = f" (the rest: {', '.join(others)})" if others else ""
        return f"{place}: {found.text}{also}"
