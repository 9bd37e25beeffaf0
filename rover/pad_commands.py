"""`rover gamepad` and `rover calibrate gamepad`: a pad looked at and learnt, not driven with."""

import os
from pathlib import Path

import click

from rover.options import ConfigFiles, config_options, directory_option


@click.group()
def gamepad() -> None:
    """See which gamepad there is and what it does."""


@gamepad.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print it for programs.")
@config_options
def list_pads(as_json: bool, files: ConfigFiles) -> None:
    """List every input device: which one drives, and why the others do not."""
    from rover.gamepad.listing import print_survey
    from rover.gamepad.survey import survey

    print_survey(survey(files.load().gamepad), as_json=as_json)


@gamepad.command("watch")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="End after so long.")
@click.option("--device", metavar="PATH", help="The pad to show (default: the one that drives).")
@config_options
def watch(seconds: float | None, device: str | None, files: ConfigFiles) -> None:
    """Show live what the pad sends and what the rover would do.

    Nothing is commanded from here, and control may read the same pad at the same time.
    """
    from rover.clock import SystemClock
    from rover.gamepad.listing import terminal
    from rover.gamepad.watch import watch_pad

    config = files.load()
    watch_pad(config, SystemClock(), terminal(), seconds, device or config.gamepad.device)


@click.group()
def calibrate() -> None:
    """Have the rover learn what is special about its parts."""


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
    from calibration.store import CalibrationStore, calibration_path
    from calibration.terminal import calibrate as converse
    from rover.gamepad.listing import terminal

    store = CalibrationStore(calibration_path(files.calibration, os.environ))
    if undo:
        click.echo(f"{store.undo_pad()} ({store.path}). Start control anew.")
        return
    converse(files.without_new(store.path).load(), device, directory, store, terminal())
