"""`rover calibrate`: what has been calibrated, and each step of it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rover.options import ConfigFiles, config_options, directory_option

if TYPE_CHECKING:
    from calibration.store import CalibrationStore


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print it for programs.")
@config_options
@click.pass_context
def calibrate(context: click.Context, as_json: bool, files: ConfigFiles) -> None:
    """Have the rover learn what is special about its parts; alone: what is done and what not.

    Each step asks, shows, and writes nothing until you say so; it may be left at any time and
    goes on from there. What was written can be undone.
    """
    if context.invoked_subcommand is not None:
        return
    import msgspec

    from calibration.steps.catalogue import statuses
    from calibration.steps.listing import listed, next_text
    from rover.gamepad.listing import terminal

    store = _store(files)
    found = statuses(files.without_new(store.path).load(), store.history)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
        return
    console = terminal()
    console.print(listed(found))
    console.print(next_text(found), markup=False, highlight=False)


@calibrate.command("gamepad")
@click.option("--device", metavar="PATH", help="The pad, such as /dev/input/event5.")
@click.option("--undo", is_flag=True, help="Take the latest calibration of a gamepad back.")
@directory_option
@config_options
def calibrate_gamepad(device: str | None, undo: bool, directory: Path, files: ConfigFiles) -> None:
    """Learn a gamepad's controls by asking for each in turn.

    Nothing is written until you say so at the end; q leaves at any time. The calibration file is
    the one that control reads, or --calibration.
    """
    from calibration.terminal import calibrate as converse
    from rover.gamepad.listing import terminal

    store = _store(files)
    if undo:
        click.echo(f"{store.undo_pad()} ({store.path}). {_taken_over(store.path, directory)}")
        return
    converse(files.without_new(store.path).load(), device, directory, store, terminal())


def _add_step(name: str, text: str) -> None:
    """Add a step as a command of its own."""

    @calibrate.command(name, help=text)
    @click.option("--undo", is_flag=True, help="Take the latest calibration of it back.")
    @directory_option
    @config_options
    def step(undo: bool, directory: Path, files: ConfigFiles) -> None:
        from calibration.steps.catalogue import BY_NAME
        from calibration.steps.terminal import calibrate as converse
        from rover.gamepad.listing import terminal

        store = _store(files)
        if undo:
            undone = store.undo(name)
            what = ", ".join(".".join(path) for path in undone) or "nothing that was written"
            click.echo(f"Taken back: {what} ({store.path}). {_taken_over(store.path, directory)}")
            return
        config = files.without_new(store.path).load()
        converse(BY_NAME[name], config, directory, store, terminal())


_add_step(
    "motors",
    """Find out which motor output turns which wheel, and which way.

    The wheels must be in the air: one after the other turns, slowly, and you say which one it was.
    """,
)
_add_step(
    "steering",
    """Find out where each corner points straight ahead, and how far it may go.

    One servo at a time has power. Its first pulse takes it to where straight ahead is configured.
    """,
)
_add_step(
    "odometry",
    """Find out the wheels' radius and the track, by a line and turns that you drive and measure.
    """,
)
_add_step(
    "square",
    """Find out whether left and right wheels are equally large, for those who want it.

    UMBmark's square, which you drive round to the left and round to the right and measure.
    """,
)
_add_step(
    "battery",
    """Compare what the rover measures with a multimeter, and tell how much is in the battery.
    """,
)


def _store(files: ConfigFiles) -> "CalibrationStore":
    from calibration.store import CalibrationStore, calibration_path

    path = calibration_path(files.calibration, os.environ)
    return CalibrationStore(path, files.load_with)


def _taken_over(written: Path, directory: Path) -> str:
    from calibration.taking_over import taken_over_in

    return taken_over_in(directory, written, "the terminal")
