"""On which line of a TOML text each key stands, which the standard parser does not tell."""

import tomllib

KeyPath = tuple[str, ...]

# A statement longer than this (an enormous array) ends the search, not the reading.
_LONGEST_STATEMENT_LINES = 100
# Keys nested deeper than any configuration's are not looked for.
_DEEPEST = 8


def key_lines(text: str) -> dict[KeyPath, int]:
    """Return the line, counted from 1, on which each key and table of ``text`` first stands.

    ``text`` must be valid TOML. TOML's statements are lines, or runs of lines, that parse by
    themselves: each is parsed alone, under the last ``[table]`` above it.
    """
    found: dict[KeyPath, int] = {}
    table: KeyPath = ()
    statement: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        statement.append(line)
        try:
            parsed = tomllib.loads("\n".join(statement))
        except (tomllib.TOMLDecodeError, RecursionError):
            if len(statement) > _LONGEST_STATEMENT_LINES:
                break
            continue
        first_line = number - len(statement) + 1
        paths = _paths_in(parsed)
        is_header = statement[0].lstrip().startswith("[")
        for path in paths:
            found.setdefault(path if is_header else table + path, first_line)
        if is_header:
            table = paths[-1]
        statement = []
    return found


def _paths_in(parsed: dict[str, object]) -> list[KeyPath]:
    """Return every key's path, outer before inner."""
    paths: list[KeyPath] = []
    waiting: list[tuple[KeyPath, object]] = [((), parsed)]
    while waiting:
        path, value = waiting.pop(0)
        if path:
            paths.append(path)
        if isinstance(value, dict) and len(path) < _DEEPEST:
            waiting.extend(((*path, key), inner) for key, inner in value.items())
    return paths
