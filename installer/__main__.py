"""`install.sh`: install, upgrade or uninstall the rover on this computer."""

import argparse
import os
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import NoReturn

from installer import asking, configuration, network, preflight, program, work
from installer.asking import Ask
from installer.choices import Choices, Record, load
from installer.errors import InstallError
from installer.progress import Progress
from installer.runner import LOG, CommandRunner
from installer.step import Job
from installer.system import Runner, System

SOURCE = Path(__file__).resolve().parent.parent
_INTERRUPTED = 130
_HOST_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)


def main(
    arguments: Sequence[str] | None = None,
    *,
    runner: Runner | None = None,
    ask: Ask = asking.ask_terminal,
    source: Path = SOURCE,
) -> int:
    """Do what the command line says; return the exit code. ``runner`` and ``ask`` for tests."""
    options = _options(arguments)
    progress = Progress()
    root = options.root.resolve()
    live = root == Path("/") and Path("/run/systemd/system").is_dir()
    system = System(root, runner or CommandRunner(root, progress.waiting), live)
    try:
        with _in_order():
            _run(options, system, source, progress, ask)
    except InstallError as error:
        progress.end()
        print(f"\n{error.what}\nNext: {error.next_step}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        progress.end()
        print("\nStopped. Run it again, and it goes on where it was.", file=sys.stderr)
        return _INTERRUPTED
    return 0


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    made = argparse.ArgumentParser(
        prog="install.sh", description="Install the rover's software on a Raspberry Pi 3, 4 or 5."
    )
    made.add_argument(
        "what", nargs="?", choices=("install", "upgrade", "uninstall"), default="install"
    )
    add = made.add_argument
    add("--dry-run", action="store_true", help="print every step and change nothing")
    add("--yes", action="store_true", help="do not ask whether to go on")
    add("--bluetooth", choices=asking.ANSWERS, help="Pi 3 and 4: off, the small UART, or keep")
    add("--user", help="who joins the groups (default: who called sudo)", metavar="NAME")
    add("--name", help="the computer's new name in the network", metavar="NAME")
    add("--hotspot", action=argparse.BooleanOptionalAction, help="a Wi-Fi of its own where none is")
    add("--camera", choices=("pi", "usb", "none"), help="on the Pi's connector, or a USB camera")
    add("--wheels", help="Python packages from this folder, without the internet", metavar="DIR")
    add("--purge", action="store_true", help="uninstall: configuration and users too")
    add("--root", type=Path, default=Path("/"), help="a system's files, not this one's")
    add("--pi", type=int, choices=(3, 4, 5), help="with --root: which Raspberry Pi it is for")
    add("--anyway", action="store_true", help="on any computer with Debian's tools")
    return made


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    options = parser().parse_args(arguments)
    if options.name and not _HOST_NAME.fullmatch(options.name):
        parser().error(f"--name {options.name}: letters, digits and hyphens, 63 at most")
    return options


def _run(
    options: argparse.Namespace, system: System, source: Path, progress: Progress, ask: Ask
) -> None:
    if system.root != Path("/") and not system.root.is_dir():
        raise InstallError(f"there is no folder {system.root}", "Name one that is there: --root.")
    record = load(system)
    if options.what != "install" and record is None:
        raise InstallError(
            "the rover is not installed here, or not by this program",
            "Run `sudo ./install.sh`, without more.",
        )
    pi, name = (options.pi or 0, "") if options.pi else preflight.pi_model(system)
    if options.what != "uninstall":
        if not options.anyway and (system.root == Path("/") or options.pi is None):
            _right_computer(system, pi, name)
        preflight.check_clock()
        if system.root == Path("/"):
            preflight.check_overlay(system)
        preflight.check_room(system)
    if not options.dry_run:
        preflight.check_rights(system)
    choices = _choices(options, record, pi)
    if options.what == "uninstall":
        _uninstall(options, work.job_for(system, source, choices), progress, ask)
        return
    choices = asking.complete(choices, system, ask)
    job = work.job_for(system, source, choices)
    progress.say(f"The rover {program.version_name(source)} on {name or system.root}:")
    if options.dry_run or not options.yes:
        count = work.show(job, progress)
        if options.dry_run or not count:
            progress.say("Nothing is to be done." if not count else f"{count} changes; none made.")
            return
        if not asking.agreed(ask, "Make these changes?"):
            progress.say("Nothing was changed.")
            return
    progress.say(f"What the commands say goes to {LOG}.")
    reboot = work.install(job, progress)
    _tell_what_is_next(system, choices, progress, reboot=reboot)


def _right_computer(system: System, pi: int, name: str) -> None:
    if system.root != Path("/"):
        raise InstallError(
            "which Raspberry Pi these files are for cannot be seen in them",
            "Say it: `--pi 3`, `--pi 4` or `--pi 5`; for another computer `--anyway`.",
        )
    preflight.check_computer(system, pi, name)


def _choices(options: argparse.Namespace, record: Record | None, pi: int) -> Choices:
    """Return what the command line says, over what was chosen earlier."""
    before = record.choices if record else Choices()
    # Who called sudo is somebody of this computer, not of another one's files.
    person = os.environ.get("SUDO_USER", "") if options.root == Path("/") else ""
    return replace(
        before,
        pi=pi or before.pi,
        bluetooth=options.bluetooth or before.bluetooth,
        person=options.user or before.person or ("" if person == "root" else person),
        name=options.name or before.name,
        hotspot=before.hotspot if options.hotspot is None else options.hotspot,
        camera=before.camera if options.camera is None else options.camera.removeprefix("none"),
        wheels=str(Path(options.wheels).resolve()) if options.wheels else "",
    )


def _uninstall(options: argparse.Namespace, job: Job, progress: Progress, ask: Ask) -> None:
    if options.dry_run or not options.yes:
        work.show(job, progress, undo=True)
        if options.dry_run or not asking.agreed(ask, "Take all this back?"):
            progress.say("Nothing was changed.")
            return
    work.uninstall(job, progress, purge=options.purge)
    if not options.purge:
        progress.say("Kept: /etc/rover, /var/lib/rover, /var/lib/rover-web, and the users.")
    if job.before.consoles:
        progress.say(
            "Linux writes to the header again after the next boot: unplug the motor controllers "
            "from it first."
        )
    if job.before.packages:
        progress.say(f"Still installed, for others may use them: {' '.join(job.before.packages)}.")


def _tell_what_is_next(
    system: System, choices: Choices, progress: Progress, *, reboot: bool
) -> None:
    host = f"{choices.name or network.host_name(system)}.local"
    progress.say("\nInstalled.")
    if reboot:
        progress.say("Next: `sudo reboot`; the serial port and I2C are there only after it.")
    progress.say(f"The page: http://{host}:{network.PORT}. A code for a phone: `sudo rover pair`.")
    progress.say(
        f"Only TCP port {network.PORT} must be reachable; where a firewall runs: "
        f"`sudo ufw allow {network.PORT}/tcp`."
    )
    if choices.camera:
        source = configuration.SOURCES[choices.camera]
        progress.say(f'The camera needs `source = "{source}"` under [camera] in {program.CONFIG}.')
    if choices.hotspot:
        progress.say(
            f"Where no known network is, it makes its own: {host.removesuffix('.local')}, "
            f"password {network.hotspot_password(system)}."
        )
    if choices.person:
        progress.say(f"{choices.person} is in the rover's groups from the next login on.")
    progress.say("What is missing or wrong, from the supply to the wheel: `rover doctor`.")


@contextmanager
def _in_order() -> Iterator[None]:
    """Have a lost connection and SIGTERM end this as Ctrl-C does, with what belongs to that."""

    def end(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in work.ENDING}
    # The services must be able to read what root makes here.
    mask = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(mask)
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    sys.exit(main())
