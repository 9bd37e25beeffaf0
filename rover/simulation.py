"""`rover sim`: devices, control, camera and page, as four processes and one command."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from rover.app import Terminator
from rover.clock import SystemClock
from rover.link import ControlClient
from rover.processes import ProcessGroup

# A Raspberry Pi 3 takes several seconds to import everything the first time.
_UP_WITHIN_S = 30.0


def simulate(shared: Sequence[str], remote: Sequence[str], *, open_browser: bool) -> None:
    """Run a simulated rover until Ctrl-C; no process is left behind.

    ``shared`` are options for every process, ``remote`` more of them for the web server.
    Raises ProcessEndedError when one of the processes ends by itself.
    """
    console = Console(stderr=True)
    stopping = Terminator()
    clock = SystemClock()
    with tempfile.TemporaryDirectory(prefix="rover-") as name, ProcessGroup(clock) as group:
        directory = Path(name)
        where = ("--dir", name)
        with console.status("Starting the simulated rover ...") as status:
            group.start("the simulated hardware", "hardware-sim", *where, *shared)
            group.wait_until(
                lambda: stopping() or (directory / "serial0").exists(),
                "the simulated hardware",
                _UP_WITHIN_S,
            )
            status.update("Starting control ...")
            group.start("control", "control", *where, "--sim", name, *shared)
            with ControlClient(directory) as client:
                group.wait_until(
                    lambda: stopping() or client.telemetry(0.0) is not None,
                    "control",
                    _UP_WITHIN_S,
                )
        group.start("the camera", "camera", *where, "--sim", name, *shared)
        page = ("--open",) if open_browser else ()
        group.start("the web server", "web", "--paired", *where, *shared, *remote, *page)
        group.watch(stopping)
        console.print("Stopping the rover ...")
    console.print("Stopped. No process is left.")
