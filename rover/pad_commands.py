"""`rover gamepad`: a pad looked at, not driven with."""

import click

from rover.options import ConfigFiles, config_options


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
