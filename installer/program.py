"""The program itself: each version in a folder of its own, one of them in force by a link.

A version is named by its number and by what is in it, so that the same checkout is installed once,
and a half-made folder is known by the stamp that it lacks.
"""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from installer.changes import Change, Copy, Link, Move, Remove, Run, WriteFile
from installer.errors import InstallError
from installer.step import Job, Step
from installer.system import System

CURRENT = "/opt/rover"
VERSIONS = "/opt/rover-versions"
COMMAND = "/usr/local/bin/rover"
CONFIG = "/etc/rover/rover.toml"
CALIBRATION = "/var/lib/rover/calibration.toml"
_BY_HAND = f"{VERSIONS}/by-hand"
_STAMP = ".complete"
# What of a checkout runs, reads itself or installs itself; tests and tools stay behind.
_FOLDERS = ("rover", "web", "calibration", "installer", "systemd", "docs")
_FILES = ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "install.sh")
_TARGET = f"{CURRENT}/.venv/bin/rover"
_DIGITS = 10


def files_of(source: Path) -> tuple[str, ...]:
    """Return the files of the checkout that belong to a version, sorted."""
    found = [name for name in _FILES if (source / name).is_file()]
    for folder in _FOLDERS:
        for path in (source / folder).rglob("*"):
            parts = path.relative_to(source).parts
            if path.is_file() and "__pycache__" not in parts and parts[-1][0] != ".":
                found.append("/".join(parts))
    return tuple(sorted(found))


def version_name(source: Path) -> str:
    """Return the number and a digest of all its files."""
    pyproject = (source / "pyproject.toml").read_text(encoding="utf-8")
    number = re.search(r'^version = "([^"]+)"', pyproject, re.MULTILINE)
    digest = hashlib.sha256()
    for name in files_of(source):
        content = (source / name).read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return f"{number[1] if number else '0'}-{digest.hexdigest()[:_DIGITS]}"


def in_force(system: System) -> str:
    """Return the folder that /opt/rover leads to, itself if it is one by hand, empty if none."""
    place = system.at(CURRENT)
    if place.is_symlink():
        return f"{VERSIONS}/{place.readlink().name}"
    return CURRENT if place.is_dir() else ""


def is_new(job: Job) -> bool:
    """Whether the checkout is another version than the one in force."""
    return in_force(job.system) != f"{VERSIONS}/{version_name(job.source)}"


def switch_to(system: System, folder: str) -> list[Change]:
    """Return what puts a version in force."""
    before = in_force(system)
    if before == folder:
        return []
    aside: list[Change] = [Move(CURRENT, _BY_HAND)] if before == CURRENT else []
    if folder == CURRENT:
        # What had been moved aside; its venv only works where it was made.
        return [Remove(CURRENT), Move(_BY_HAND, CURRENT)]
    return [*aside, Link(CURRENT, f"{Path(VERSIONS).name}/{Path(folder).name}")]


def old_versions(system: System, keep: Sequence[str]) -> list[Change]:
    """Return what removes all versions but these folders."""
    try:
        names = sorted(path.name for path in system.at(VERSIONS).iterdir())
    except OSError:
        return []
    return [Remove(f"{VERSIONS}/{name}") for name in names if f"{VERSIONS}/{name}" not in keep]


def _made(job: Job, folder: str) -> list[Change]:
    """Return what makes a version's folder, without touching the one in force."""
    system, python = job.system, f"{folder}/.venv/bin/python"
    if system.there(f"{folder}/{_STAMP}"):
        return []
    half: list[Change] = [Remove(folder)] if system.there(folder) else []
    pip = [python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    if job.choices.wheels:
        pip += ["--no-index", "--find-links", job.choices.wheels]
    return [
        *half,
        Copy(job.source, files_of(job.source), folder),
        # Sees the system's packages: evdev, lgpio and the camera come from there.
        Run(("python3", "-m", "venv", "--system-site-packages", f"{folder}/.venv")),
        Run((*pip, folder)),
        Run((f"{folder}/.venv/bin/rover", "--version")),
        WriteFile(f"{folder}/{_STAMP}", f"{Path(folder).name}\n", "it is whole"),
    ]


def _checked(job: Job, folder: str) -> list[Change]:
    """Return what has the new version read this rover's configuration before it is in force."""
    if not job.system.there(CONFIG):
        return []
    calibration = ("--calibration", CALIBRATION) if job.system.there(CALIBRATION) else ()
    command = (f"{folder}/.venv/bin/rover", "config", "check", *calibration, CONFIG)
    return [Run(command, f"Mend {CONFIG} as it says, then run this again.")]


def _plan(job: Job) -> Sequence[Change]:
    system = job.system
    folder = f"{VERSIONS}/{version_name(job.source)}"
    changes = _made(job, folder)
    switch = switch_to(system, folder)
    if switch:
        changes += [*_checked(job, folder), *switch]
    command = system.at(COMMAND)
    if command.is_symlink() and str(command.readlink()) == _TARGET:
        return changes
    if system.there(COMMAND):
        raise InstallError(
            f"{COMMAND} is there already, and not the rover's",
            f"Move it away (`sudo mv {COMMAND} {COMMAND}.old`), then run this again.",
        )
    return [*changes, Link(COMMAND, _TARGET)]


def _undo(job: Job) -> Sequence[Change]:
    system, command = job.system, job.system.at(COMMAND)
    ours = command.is_symlink() and str(command.readlink()) == _TARGET
    changes: list[Change] = [Remove(COMMAND)] if ours else []
    return [*changes, *(Remove(path) for path in (CURRENT, VERSIONS) if system.there(path))]


PROGRAM = Step("Program", _plan, _undo)
