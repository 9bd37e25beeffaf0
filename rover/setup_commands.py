"""`rover setup`: parts made ready for the rover, before it drives for the first time."""

import contextlib
import sys
from pathlib import Path

import click

from rover.options import ConfigFiles, config_options, directory_option


@click.group()
def setup() -> None:
    """Make parts ready for the rover."""


def _address(_context: click.Context, _parameter: click.Parameter, text: str | None) -> int | None:
    if text is None:
        return None
    with contextlib.suppress(ValueError):
        address = int(text, 0)
        if 0x80 <= address <= 0x87:  # noqa: PLR2004 - a RoboClaw's eight addresses
            return address
    raise click.BadParameter(f"{text} is no address of a RoboClaw: 0x80 to 0x87 are allowed")


@setup.command("roboclaw")
@click.option("--port", help="Serial port, or the controller's own USB (default: roboclaw.port).")
@click.option(
    "--address", callback=_address, metavar="0x80-0x87", help="What the only one there is to have."
)
@click.option(
    "--loops/--no-loops",
    default=None,
    help="Measure the velocity loops by driving each wheel, in the air (default: offered).",
)
@click.option("--dry-run", is_flag=True, help="Show what would change, write nothing.")
@click.option(
    "--restore",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Put back what FILE says that they kept.",
)
@click.option(
    "--sim",
    "simulated_in",
    type=click.Path(path_type=Path, file_okay=False),
    help="Set up the simulated controllers of `rover hardware-sim --dir` this.",
)
@directory_option
@config_options
def roboclaw(  # noqa: PLR0917 - click passes them by name
    port: str | None,
    address: int | None,
    loops: bool | None,
    dry_run: bool,
    restore: Path | None,
    simulated_in: Path | None,
    directory: Path,
    files: ConfigFiles,
) -> None:
    """Set motor controllers up for this rover, over the bus or their own USB.

    New ones come one after the other, each alone connected or powered: it gets its address, packet
    serial, multi-unit mode, limits and timeout. With all of them there the velocity loops are
    measured, the wheels lifted: any key stops them. What a controller kept before is saved first.
    Ends with 1 if not all is as it should be.
    """
    from calibration.provisioning.bench import Wishes
    from calibration.provisioning.terminal import converse
    from rover import paths
    from rover.simulated import simulated

    config = files.load()
    if simulated_in is not None:
        config = simulated(config, simulated_in)
    wishes = Wishes(
        port=port or config.roboclaw.port,
        folder=paths.state_directory() / "roboclaw",
        address=address,
        dry_run=dry_run,
        restore=restore,
        loops=loops,
    )
    sys.exit(0 if converse(config, wishes, directory) else 1)
