"""`rover doctor`: what is wrong with the rover, from its power supply to the wheel."""

import contextlib
import sys
from pathlib import Path

import click
import msgspec

from rover.options import ConfigFiles, config_options, directory_option


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the report for programs.")
@click.option(
    "--scan", is_flag=True, help="Scan the controllers' bus while control runs: it lends it."
)
@directory_option
@config_options
@click.option(
    "--sim",
    "simulated_in",
    type=click.Path(path_type=Path, file_okay=False),
    help="Look at the simulated devices of `rover hardware-sim --dir` this.",
)
def doctor(
    as_json: bool, scan: bool, directory: Path, files: ConfigFiles, simulated_in: Path | None
) -> None:
    """Say what is wrong with this rover, from the power supply to the wheel, and what to do.

    Controllers are only asked, never told anything; while control runs, they are left to it and
    it is asked instead. With --scan control lends their bus, if the rover is disarmed, and has it
    back at the end. Ends with 1 if anything failed.
    """
    from calibration.doctor.bench import this_bench
    from calibration.doctor.examination import examination
    from calibration.doctor.surroundings import this_computer
    from calibration.doctor.terminal import examine, summary
    from calibration.signals import ended_by_signals
    from rover.clock import SystemClock
    from rover.config.files import NOWHERE, load_config
    from rover.errors import BadMessageError, ConfigError
    from rover.gamepad.listing import terminal
    from rover.link import ControlClient
    from rover.simulated import simulated

    config_trouble = ""
    try:
        config = files.load()
    except ConfigError as error:
        config_trouble, config = str(error), load_config(places=NOWHERE).config
    if simulated_in is not None:
        config = simulated(config, simulated_in)
    telemetry = None
    if (directory / "telemetry.ipc").exists():
        # Another version's control is one that says nothing.
        with ControlClient(directory) as client, contextlib.suppress(BadMessageError):
            telemetry = client.telemetry(_LISTEN_S)
    surroundings = this_computer(config, config_trouble, telemetry)
    checks = examination(this_bench(directory, SystemClock(), borrows=scan))
    console = terminal()
    with ended_by_signals():
        report = examine(surroundings, checks, None if as_json else console)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(report)).decode())
    else:
        console.print(summary(report))
    sys.exit(1 if report.failed else 0)


# Control publishes twenty times a second, and a socket finds it within a tenth.
_LISTEN_S = 1.0
