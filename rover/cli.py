"""The `rover` command. What it starts is imported only when it is started."""

import logging
import os
import sys
import time
from pathlib import Path
from typing import IO, Any

import click

from rover import paths
from rover.calibrate_commands import calibrate
from rover.config import Config
from rover.config.show import config as config_group
from rover.doctor_command import doctor
from rover.errors import RoverError
from rover.logs import journal_priority, log_to_stderr
from rover.options import Command, ConfigFiles, config_options, directory_option
from rover.pad_commands import gamepad
from rover.setup_commands import setup

_log = logging.getLogger(__name__)

_STDERR = 2


class _Group(click.Group):
    """Shows the rover's own errors as one sentence instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own signature
        try:
            return super().invoke(ctx)
        except RoverError as error:
            raise _Failure(str(error)) from error


class _Failure(click.ClickException):
    """Tells a person what went wrong, and systemd's journal that it was an error."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the sentence to standard error."""
        priority = journal_priority(logging.ERROR, _STDERR)
        for line in f"Error: {self.format_message()}".split("\n"):
            click.echo(priority + line, file=file, err=True)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rockerbogie", prog_name="rover")
def main() -> None:
    """Drive a six-wheel rover, real or simulated. Start with: rover sim."""


main.add_command(config_group)
main.add_command(gamepad)
main.add_command(calibrate)
main.add_command(setup)
main.add_command(doctor)


def address_options(command: Command) -> Command:
    """Add ``--host`` and ``--port`` of the page."""
    host = click.option("--host", help="Address to listen on (default: from the configuration).")
    port = click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.")
    return host(port(command))


def child_option(command: Command) -> Command:
    """Add the hidden ``--parent``: end when that process ends."""

    def bind(_context: click.Context, _parameter: click.Parameter, parent: int | None) -> None:
        if parent is not None:
            from rover.processes import die_with

            die_with(parent)

    return click.option(
        "--parent", type=int, hidden=True, expose_value=False, callback=bind, is_eager=True
    )(command)


def simulated_option(command: Command) -> Command:
    """Add ``--sim``, for a rover of simulated devices."""
    return click.option(
        "--sim",
        "simulated_in",
        type=click.Path(path_type=Path, file_okay=False),
        help="Use the simulated devices of `rover hardware-sim --dir` this.",
    )(command)


@main.command()
@directory_option
@config_options
@simulated_option
@child_option
def control(
    directory: Path,
    files: ConfigFiles,
    simulated_in: Path | None,
) -> None:
    """Run the control process: the only one that touches hardware."""
    from rover.app import Terminator, run_control
    from rover.simulated import simulated

    def load() -> Config:
        config = files.load()
        return config if simulated_in is None else simulated(config, simulated_in)

    config = load()
    log_to_stderr("control")
    run_control(config, directory, Terminator(), load)


@main.command()
@directory_option
@config_options
@simulated_option
@child_option
def camera(
    directory: Path,
    files: ConfigFiles,
    simulated_in: Path | None,
) -> None:
    """Take the pictures that the phone remote shows; has no part in driving."""
    from rover.app import Terminator
    from rover.camera.process import run_camera
    from rover.realtime import let_control_go_first
    from rover.simulated import simulated

    config = files.load()
    log_to_stderr("camera")
    let_control_go_first()
    if simulated_in is not None:
        config = simulated(config, simulated_in)
    run_camera(config.camera, directory, Terminator())


@main.command()
@directory_option
@config_options
@simulated_option
def alarm(
    directory: Path,
    files: ConfigFiles,
    simulated_in: Path | None,
) -> None:
    """Show that control has failed for good: motors off, fault lamp blinking.

    Started by systemd when the restarts of control are used up; ends on SIGTERM.
    """
    from rover.alarm import SECTIONS, run_alarm
    from rover.app import Terminator
    from rover.errors import ConfigError
    from rover.simulated import simulated

    log_to_stderr("alarm")
    config: Config | None = None
    try:
        # Of a configuration that control cannot use, the parts that say where lines and bus are.
        config = files.load(SECTIONS)
    except ConfigError as error:
        # Lines that nobody has named may be anything: none is driven.
        _log.error("no lamp can be lit, for the configuration cannot be used: %s", error)
    if config is not None and simulated_in is not None:
        config = simulated(config, simulated_in)
    run_alarm(config, directory, Terminator())


@main.command()
@directory_option
@config_options
@address_options
@click.option("--open", "open_browser", is_flag=True, help="Open the page in a browser.")
@click.option("--paired", is_flag=True, hidden=True, help="Print a link that is paired already.")
@child_option
def web(  # noqa: PLR0917 - click passes them by name
    directory: Path,
    files: ConfigFiles,
    host: str | None,
    port: int | None,
    open_browser: bool,
    paired: bool,
) -> None:
    """Run the phone remote's web server."""
    from calibration.store import CalibrationStore, calibration_path
    from rover import invitation
    from rover.realtime import let_control_go_first
    from web.invitations import GOOD_FOR_S
    from web.server import WebServer, run_web

    def ready(server: WebServer) -> None:
        if paired:
            invitation.invite(server.url, server.fingerprint, open_browser=open_browser)
            return
        # What is not a terminal may be a journal, where no code belongs.
        if sys.stdout.isatty() or open_browser:
            code, link = server.invite()
        if sys.stdout.isatty():
            invitation.show_code(server.origin, server.fingerprint, code, link, GOOD_FOR_S)
        else:
            invitation.announce(server.origin, server.fingerprint)
        if open_browser:
            invitation.open_page(link)

    config = files.load()
    log_to_stderr("web")
    let_control_go_first()
    store = CalibrationStore(calibration_path(files.calibration, os.environ), files.load_with)
    run_web(
        config,
        directory,
        host=host or config.web.host,
        port=config.web.port if port is None else port,
        state_dir=paths.state_directory(),
        store=store,
        load=lambda: files.without_new(store.path).load(),
        ready=ready,
    )


@main.command()
@click.option("--list", "list_devices", is_flag=True, help="List the paired devices.")
@click.option("--revoke", metavar="DEVICE", help="Unpair the device of this id or name.")
@click.option(
    "--state",
    "state_dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="The web server's state directory (default: where one is found).",
)
def pair(list_devices: bool, revoke: str | None, state_dir: Path | None) -> None:
    """Let one more device drive: shows a code and a QR code, good for five minutes.

    Asks the web server that is running on this computer. Run it as the user of that server;
    for the systemd service, with sudo.
    """
    from rover.invitation import show_code
    from web.console import Question, Wish, ask, is_there
    from web.invitations import GOOD_FOR_S

    if list_devices and revoke is not None:
        raise click.UsageError("--list and --revoke are two things: give one of them")
    if state_dir is None:
        places = (paths.state_directory(), paths.SERVICE_STATE)
        state_dir = next((place for place in places if is_there(place)), places[0])
    wish = Wish.LIST if list_devices else Wish.INVITE if revoke is None else Wish.REVOKE
    reply = ask(state_dir, Question(wish, revoke or ""))
    if reply.error:
        raise _Failure(reply.error)
    if wish is Wish.INVITE:
        show_code(reply.origin, reply.fingerprint, reply.code, reply.link, GOOD_FOR_S)
    elif wish is Wish.REVOKE:
        click.echo(f"Revoked {revoke}: it drives no more.")
    else:
        if not reply.devices:
            click.echo("No device is paired: `rover pair` shows a code.")
        for device in reply.devices:
            paired, seen = (
                time.strftime("%F %R", time.localtime(unix_s))
                for unix_s in (device.paired_unix_s, device.seen_unix_s)
            )
            click.echo(f"{device.id}  paired {paired}  last seen {seen}  {device.name}")


@main.command("hardware-sim")
@directory_option
@config_options
@click.option("--unpaced", is_flag=True, help="Answer at once instead of at the baud rate.")
@click.option("--built-wrong", "wrong", default="", help="Build this mistake in; ? lists them.")
@child_option
def hardware_sim(
    directory: Path,
    files: ConfigFiles,
    unpaced: bool,
    wrong: str,
) -> None:
    """Run a rover's worth of simulated devices: DIR/serial0, DIR/i2c, DIR/gpio."""
    from rover.realtime import ask_for_realtime
    from rover.sim.server import run_server
    from rover.simulated import simulated

    config = simulated(files.load(), directory)
    log_to_stderr("hardware")
    # It stands in for electronics, which no busy computer makes wait.
    ask_for_realtime(config.loop.realtime_priority)
    run_server(
        config,
        directory,
        paced=not unpaced,
        wrong=wrong,
        ready=lambda: click.echo(f"simulated devices in {directory}", err=True),
    )


@main.command()
@config_options
@address_options
@click.option("--no-browser", is_flag=True, help="Do not open the page.")
def sim(
    files: ConfigFiles,
    host: str | None,
    port: int | None,
    no_browser: bool,
) -> None:
    """Drive a simulated rover: starts devices, control and the page. Ctrl-C ends all."""
    from rover.simulation import simulate

    # Read here first, so that a mistake in a file is told once and not by three processes.
    files.load()
    given = {"--host": host, "--port": port}
    remote = [
        text for name, value in given.items() if value is not None for text in (name, str(value))
    ]
    simulate(files.options(), remote, open_browser=not no_browser)


@main.command()
@directory_option
def stop(directory: Path) -> None:
    """Emergency stop: cut the motors and latch until cleared."""
    _ask(directory, "stop")
    click.secho("Stopped. The emergency stop is latched: `rover clear` releases it.", fg="red")


@main.command()
@directory_option
def clear(directory: Path) -> None:
    """Clear an emergency stop or a fault; the rover is then disarmed."""
    _ask(directory, "clear")
    click.echo("Cleared. The rover is disarmed.")


@main.command()
@directory_option
def reload(directory: Path) -> None:
    """Have control read its configuration anew; the rover must be disarmed."""
    _ask(directory, "reload", "\n")
    click.echo("The configuration has been read anew. The rover is disarmed.")


def _ask(directory: Path, kind: str, between: str = "; ") -> None:
    """Make a request of control; refusals are told with ``between`` between them."""
    from rover.link import ControlClient
    from rover.messages import RequestKind

    with ControlClient(directory) as client:
        answer = client.request(RequestKind(kind), "the command line")
    if not answer.accepted:
        raise _Failure("refused: " + between.join(answer.refusals))
