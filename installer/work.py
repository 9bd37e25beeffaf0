"""The steps, one after the other: printed, done, and put back if an upgrade fails."""

import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from installer import (
    accounts,
    boot_files,
    camera,
    configuration,
    network,
    packages,
    program,
    running,
    serial_port,
    units,
)
from installer.changes import Change, Remove, WriteFile, apply
from installer.choices import RECORD, Before, Choices, Record, load
from installer.errors import InstallError
from installer.progress import Progress
from installer.runner import LOG
from installer.step import Job, Step
from installer.system import System

# What may end the installer in the middle: Ctrl-C, a lost ssh connection, a shutdown.
ENDING = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)


def _plan_record(job: Job) -> Sequence[Change]:
    text = Record(replace(job.choices, wheels=""), job.before).text()
    if job.system.text(RECORD) == text:
        return []
    about = "what was chosen, and what was there before, for upgrade and uninstall"
    return [WriteFile(RECORD, text, about)]


def _undo_record(job: Job) -> Sequence[Change]:
    folder = str(Path(RECORD).parent)
    return [Remove(path) for path in (folder, LOG) if job.system.there(path)]


RECORDED = Step("Record", _plan_record, _undo_record)
STEPS = (
    RECORDED,
    running.STOP,
    packages.PACKAGES,
    accounts.ACCOUNTS,
    program.PROGRAM,
    serial_port.UART,
    serial_port.I2C,
    units.UDEV,
    configuration.CONFIGURATION,
    units.SERVICES,
    camera.CAMERA,
    network.NAME,
    network.HOTSPOT,
    running.START,
)


def job_for(system: System, source: Path, choices: Choices) -> Job:
    """Return the job; what was there before is looked at once, by the first installation."""
    record = load(system)
    return Job(system, source, choices, record.before if record else _found(system, choices))


def _found(system: System, choices: Choices) -> Before:
    cmdline = serial_port.boot_file(system, "cmdline.txt")
    text = (system.text(cmdline) or "") if cmdline else ""
    ports = serial_port.console_ports(choices.pi)
    before = Before(
        consoles=tuple(boot_files.consoles(text, ports)) if choices.pi else (),
        serial_on=serial_port.uart_on(system, choices.pi),
        i2c_on=serial_port.i2c_on(system, choices.pi),
        hciuart=bool(choices.pi) and serial_port.hciuart_on(system),
        name=network.host_name(system),
        groups=accounts.groups_of(system, choices.person) if choices.person else (),
    )
    job = Job(system, Path(), choices, before)
    return replace(before, packages=tuple(packages.missing(system, packages.wanted(job))))


def show(job: Job, progress: Progress, *, undo: bool = False) -> int:
    """Print what would be done; return how many changes that are."""
    count = 0
    steps = tuple(reversed(STEPS)) if undo else STEPS
    for number, step in enumerate(steps, 1):
        changes = step.undo(job) if undo else step.plan(job)
        if undo and not changes:
            continue
        progress.step(number, len(steps), step.title, to_do=bool(changes))
        for change in changes:
            progress.change(change.told)
        count += len(changes)
    progress.end()
    return count


def install(job: Job, progress: Progress) -> bool:
    """Do all steps; return whether the computer must be started anew.

    If a step fails, or somebody ends it, after a rover that ran was stopped or changed, what ran
    before is put in force and started again. Raises InstallError.
    """
    before = program.in_force(job.system)
    ran = running.stop(job.system) != []
    reboot = False
    try:
        for number, step in enumerate(STEPS, 1):
            changes = step.plan(job)
            progress.step(number, len(STEPS), step.title, to_do=bool(changes))
            _do(changes, job.system, progress)
            reboot = reboot or (step.reboot and bool(changes))
    except (InstallError, KeyboardInterrupt) as error:
        if before and (ran or program.in_force(job.system) != before):
            what = _roll_back(job, before, progress, start=ran)
            if isinstance(error, InstallError):
                raise InstallError(f"{error.what}\n{what}", error.next_step) from error
            progress.say(what)
        raise
    if program.in_force(job.system) != before:
        # The one before stays, to go back to.
        _do(running.tidy(job, before), job.system, progress)
    progress.end()
    return reboot


def _roll_back(job: Job, before: str, progress: Progress, *, start: bool) -> str:
    """Put the version before in force, with its own units, and start it if it ran.

    Returns one sentence about what came of it.
    """
    for number in ENDING:
        # Half-way back would be worse than either.
        signal.signal(number, signal.SIG_IGN)
    system = job.system
    progress.say("Going back to the version before:")
    try:
        _do([*running.stop(system), *program.switch_to(system, before)], system, progress)
        old = replace(job, source=system.at(before))
        files = units.unit_files(old)
        _do([*files, *(units.reload(system) if files else ())], system, progress)
        if start:
            _do(running.start(system), system, progress)
    except InstallError as error:
        return f"Going back to the version before ({before}) has failed too: {error.what}"
    return "The version that ran before is in force again."


def uninstall(job: Job, progress: Progress, *, purge: bool) -> None:
    """Take all steps back, the last first. Configuration and users stay unless ``purge``."""
    for number, step in enumerate(reversed(STEPS), 1):
        changes = step.undo(job)
        if changes:
            progress.step(number, len(STEPS), step.title, to_do=True)
            _do(changes, job.system, progress)
    if purge:
        progress.say("Configuration, calibration, paired devices and users:")
        _do([*configuration.purge(job), *accounts.purge(job)], job.system, progress)
    progress.end()


def _do(changes: Sequence[Change], system: System, progress: Progress) -> None:
    for change in changes:
        progress.change(change.told)
        apply(change, system)
