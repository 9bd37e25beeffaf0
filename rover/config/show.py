"""The commands `rover config show` and `rover config check`."""

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from rover.config.files import NO_PROFILE, NOWHERE, LoadedConfig, load_config
from rover.config.layers import Layer
from rover.config.schema import key_text, leaves, nearest, value_text
from rover.config.toml_lines import KeyPath
from rover.errors import ConfigError

# More changes than these are counted and not listed: the answer is one line.
_LISTED_CHANGES = 6
# Wide enough for any key, value and path, where there is no terminal whose width counts.
_WIDTH_WITHOUT_TERMINAL = 240

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def config() -> None:
    """Show or check the configuration."""


@config.command()
@click.argument("key", default="")
@click.option("--profile", metavar="NAME", help="Built-in rover to start from.")
@click.option("--config", "user_file", type=_FILE, help="Your file, not the usual one.")
@click.option("--calibration", type=_FILE, help="Calibration, not the usual one.")
def show(key: str, profile: str | None, user_file: Path | None, calibration: Path | None) -> None:
    """Show what is in force and where each value came from.

    KEY (such as motion, or wheels.left_front) shows that part alone.
    """
    loaded = _load_or_exit(profile, user_file, calibration)
    paths = {key_text(path): path for path in loaded.origins}
    shown = [
        path for text, path in paths.items() if f"{text}.".startswith(f"{key}." if key else "")
    ]
    if not shown:
        parts = {key_text(path[:length]) for path in loaded.origins for length in range(len(path))}
        close = nearest(key, sorted(parts | paths.keys()))
        _exit_with(f"{key}: no such key" + (f"; the nearest is {close}" if close else ""))
    _print_values(loaded, shown)


@config.command()
@click.argument("file", type=_FILE)
@click.option("--profile", metavar="NAME", help="Built-in rover to start from.")
@click.option("--calibration", type=_FILE, help="Calibration, not the usual one.")
def check(file: Path, profile: str | None, calibration: Path | None) -> None:
    """Check FILE as your own file, over its profile and under the calibration."""
    loaded = _load_or_exit(profile, file, calibration)
    changes = _changes(loaded)
    listed = ", ".join(changes[:_LISTED_CHANGES]) or "nothing"
    more = f" and {len(changes) - _LISTED_CHANGES} more" if len(changes) > _LISTED_CHANGES else ""
    over = "no profile" if loaded.profile == NO_PROFILE else f"profile {loaded.profile}"
    under = f", under {loaded.calibration_file}" if loaded.calibration_file else ""
    click.echo(f"{file}: OK over {over}{under}; changes {listed}{more}")


def _load_or_exit(
    profile: str | None, user_file: Path | None, calibration: Path | None
) -> LoadedConfig:
    try:
        return load_config(profile, user_file, calibration)
    except ConfigError as error:
        _exit_with(str(error))


def _exit_with(lines: str) -> NoReturn:
    click.echo(lines, err=True)
    raise click.exceptions.Exit(1)


def _changes(loaded: LoadedConfig) -> list[str]:
    """Say which values the user's file has made other than they would be without it."""
    before: dict[KeyPath, object] = {}
    if loaded.profile != NO_PROFILE:
        before.update(leaves(load_config(loaded.profile, places=NOWHERE).config))
    changes = []
    for path, value in leaves(loaded.config):
        if loaded.origins[path].layer is not Layer.USER:
            continue
        if path not in before:
            changes.append(f"{key_text(path)} = {value_text(value, path)}")
        elif before[path] != value:
            was = value_text(before[path], path)
            changes.append(f"{key_text(path)} from {was} to {value_text(value, path)}")
    return changes


def _print_values(loaded: LoadedConfig, shown: Sequence[KeyPath]) -> None:
    # Imported where it is used: rich takes longer to load than the configuration does.
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=_WIDTH_WITHOUT_TERMINAL)
    console.print(
        f"profile {loaded.profile}, your file {loaded.user_file or 'none'}, "
        f"calibration {loaded.calibration_file or 'none'}",
        soft_wrap=True,
    )
    values = dict(leaves(loaded.config))
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("key", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("from", overflow="fold")
    for path in shown:
        origin = loaded.origins[path]
        style = "dim" if origin.layer is Layer.DEFAULT else ""
        table.add_row(
            Text(key_text(path)),
            Text(value_text(values[path], path)),
            Text(str(origin), style=style),
        )
    console.print(table)
