"""Options that several subcommands share."""

import functools
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from rover import paths
from rover.config import Config
from rover.config.files import load_config
from rover.config.layers import LayerFile

Command = TypeVar("Command", bound=Callable[..., Any])


def directory_option(command: Command) -> Command:
    """Add ``--dir``, where the processes meet."""
    return click.option(
        "--dir",
        "directory",
        type=click.Path(path_type=Path, file_okay=False),
        default=paths.runtime_directory,
        show_default="the runtime directory",
        help="Where the processes' sockets are.",
    )(command)


@dataclass(frozen=True, slots=True)
class ConfigFiles:
    """Which configuration the command line asks for; None leaves it to the usual places."""

    profile: str | None
    user_file: Path | None
    calibration: Path | None

    def load(self, sections: Collection[str] | None = None) -> Config:
        """Read and check it, or these sections of it. Raises ConfigError."""
        return load_config(self.profile, self.user_file, self.calibration, sections=sections).config

    def load_with(self, calibration: LayerFile) -> Config:
        """Read and check it with a calibration that is not written yet. Raises ConfigError."""
        named = self.calibration if self.calibration and self.calibration.exists() else None
        return load_config(self.profile, self.user_file, named, calibration=calibration).config

    def without_new(self, calibration: Path) -> "ConfigFiles":
        """Return the same, but for a calibration file that is to be made only now."""
        named = self.calibration if calibration.exists() else None
        return ConfigFiles(self.profile, self.user_file, named)

    def options(self) -> list[str]:
        """Return it as options for another `rover` process."""
        given = {
            "--profile": self.profile,
            "--config": self.user_file,
            "--calibration": self.calibration,
        }
        return [text for name, value in given.items() if value for text in (name, str(value))]


def config_options(command: Command) -> Command:
    """Add ``--profile``, ``--config`` and ``--calibration``, handed over as one ``files``."""

    @click.option("--profile", help="Built-in rover to start from (default: osr).")
    @click.option("--config", type=click.Path(path_type=Path), help="Your TOML file.")
    @click.option("--calibration", type=click.Path(path_type=Path), help="Calibration TOML file.")
    @functools.wraps(command)
    def with_files(
        profile: str | None, config: Path | None, calibration: Path | None, **others: object
    ) -> object:
        return command(files=ConfigFiles(profile, config, calibration), **others)

    return cast(Command, with_files)
