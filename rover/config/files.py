"""The configuration's files: where they are found and how they are read.

Three layers, the later over the earlier:

1. the profile: a built-in rover, ``rover/profiles/NAME.toml``
2. the user's file: what this builder's rover has otherwise
3. the calibration: what has been measured on this very rover
"""

import os
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

from rover.config.layers import Layer, LayerFile, Origin, faults_in, merge
from rover.config.schema import nearest, value_text
from rover.config.sections import Config
from rover.config.toml_lines import KeyPath, key_lines
from rover.errors import ConfigError

DEFAULT_PROFILE = "osr"
# The profile of a rover that is like none of the built-in ones: its file describes it all.
NO_PROFILE = "none"
# Far more than any configuration; a device or a log named by mistake is not read to its end.
MAX_FILE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Places:
    """Where files are looked for that nobody has named: the first that exists is read."""

    user_files: tuple[Path, ...] = ()
    calibration_files: tuple[Path, ...] = ()


# Nothing but what is named: for a simulator that must be the same on every computer.
NOWHERE = Places()


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """The configuration in force, and where it came from.

    ``origins`` has every single value of ``config`` by its key's path; a file is None where
    none was named or found.
    """

    config: Config
    origins: Mapping[KeyPath, Origin]
    profile: str
    user_file: Path | None
    calibration_file: Path | None


def usual_places(environ: Mapping[str, str]) -> Places:
    """Return where the rover's files usually are: in the home folder, else the computer's."""
    home = Path(environ["HOME"]) if environ.get("HOME") else None
    return Places(
        user_files=(
            *((home / ".config/rover/rover.toml",) if home else ()),
            Path("/etc/rover/rover.toml"),
        ),
        calibration_files=(
            *((home / ".local/state/rover/calibration.toml",) if home else ()),
            Path("/var/lib/rover/calibration.toml"),
        ),
    )


def profile_names() -> tuple[str, ...]:
    """Return the names of the built-in rovers, sorted."""
    files = (entry.name for entry in resources.files("rover.profiles").iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml")))


def load_config(
    profile: str | None = None,
    user_file: Path | None = None,
    calibration_file: Path | None = None,
    *,
    places: Places | None = None,
    sections: Collection[str] | None = None,
    calibration: LayerFile | None = None,
) -> LoadedConfig:
    """Read all layers, merge and check them.

    A ``profile`` named here goes before the one that the user's file names, and that before
    "osr". A file that is named, here or by ROVER_CONFIG or ROVER_CALIBRATION in the
    environment, must exist; else it is looked for in the usual places. Given ``places``, it is
    looked for there, and the environment is not asked. Given ``sections``, everything else in
    the files is passed over, mistakes included; the profile stays whole. Given ``calibration``,
    that is taken in the place of a file: it is about to be written.

    Raises ConfigError with every problem found, a line each: the file and line, the key, its
    value, what is allowed.
    """
    if places is None:
        places = usual_places(os.environ)
        user_file = user_file or _path_in(os.environ, "ROVER_CONFIG")
        calibration_file = calibration_file or _path_in(os.environ, "ROVER_CALIBRATION")
    user_file = user_file or _first_existing(places.user_files)
    calibration_file = calibration_file or _first_existing(places.calibration_files)

    problems: list[str] = []
    user = _read(Layer.USER, user_file, problems)
    if calibration is None:
        calibration = _read(Layer.CALIBRATION, calibration_file, problems)
    if sections is not None:
        user, calibration = _only(sections, user), _only(sections, calibration)
    name = _profile_name(profile, user, problems)
    files = [] if name == NO_PROFILE else [_profile_layer(name)]
    if user is not None:
        files.append(_without_profile(user))
    if calibration is not None:
        files.append(calibration)
    if problems:
        # Without every file nothing can be merged, but what is wrong in these is known.
        raise ConfigError(
            "\n".join((*problems, *(line for one in files for line in faults_in(one))))
        )
    merged = merge(files)
    return LoadedConfig(
        config=merged.config,
        origins=merged.origins,
        profile=name,
        user_file=user_file,
        calibration_file=calibration_file,
    )


def _path_in(environ: Mapping[str, str], name: str) -> Path | None:
    return Path(environ[name]) if environ.get(name) else None


def _first_existing(candidates: Sequence[Path]) -> Path | None:
    """Return the first candidate that exists, be it readable or not.

    A folder that is closed to this user holds nothing meant for it: systemd hides the home
    folders from a service in that way.
    """
    for candidate in candidates:
        try:
            candidate.stat()
        except OSError:
            continue
        return candidate
    return None


def _read(layer: Layer, path: Path | None, problems: list[str]) -> LayerFile | None:
    """Read a file; None, and a problem noted, if it cannot be used."""
    if path is None:
        return None
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            problems.append(
                f"{path}: is larger than {MAX_FILE_BYTES // 1024} KiB, so no configuration"
            )
            return None
        # Editors on Windows put a byte-order mark first, which TOML does not know.
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
        table = tomllib.loads(text)
    except OSError as error:
        problems.append(f"{path}: cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        problems.append(f"{path}: is not UTF-8 text, at byte {error.start}: save it as UTF-8")
    except (ValueError, RecursionError) as error:
        # Besides TOMLDecodeError: numbers too long and brackets too deep for Python itself.
        problems.append(f"{path}: is not valid TOML: {error}")
    else:
        return LayerFile(layer, str(path), table, key_lines(text))
    return None


def _profile_name(named: str | None, user: LayerFile | None, problems: list[str]) -> str:
    """Return the profile that is asked for, "none" and a problem noted if there is no such."""
    name: object = DEFAULT_PROFILE
    where = ""
    if named is not None:
        name = named
    elif user is not None and "profile" in user.table:
        name, where = user.table["profile"], f"{user.origin(('profile',))}: "
    known = (*profile_names(), NO_PROFILE)
    if isinstance(name, str) and name in known:
        return name
    close = nearest(name, known) if isinstance(name, str) else None
    hint = f"; the nearest is {value_text(close)}" if close else ""
    allowed = ", ".join(value_text(one) for one in known)
    problems.append(f"{where}profile = {value_text(name)}: must be one of {allowed}{hint}")
    return NO_PROFILE


def _profile_layer(name: str) -> LayerFile:
    text = (resources.files("rover.profiles") / f"{name}.toml").read_text(encoding="utf-8")
    return LayerFile(Layer.PROFILE, f"profile {name}", tomllib.loads(text), key_lines(text))


def _only(sections: Collection[str], file: LayerFile | None) -> LayerFile | None:
    """Take out of ``file`` all but these sections, and the profile that they are laid over."""
    if file is None:
        return None
    kept = {key: value for key, value in file.table.items() if key in {"profile", *sections}}
    return replace(file, table=kept)


def _without_profile(user: LayerFile) -> LayerFile:
    """Take out the key that says how to read the files and is no part of what they say."""
    rest = {key: value for key, value in user.table.items() if key != "profile"}
    return replace(user, table=rest)
