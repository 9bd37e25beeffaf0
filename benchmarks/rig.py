"""The rover's real processes in a folder of their own, on a configuration of their own.

Nothing that this user has set up plays a part: the processes have an empty home.
"""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.harness import NotMeasuredError, wait_until
from rover.clock import SystemClock
from rover.config import Config
from rover.config.files import NOWHERE, load_config
from rover.link import ControlClient
from rover.messages import Arc, ArmState, Motion, RequestKind, Source, Telemetry
from rover.sim.truth import Truth, TruthClient
from rover.simulated import simulated

# How often a client says what it wants: as often as the page does.
SAY_EVERY_S = 0.02
_END_WITHIN_S = 5.0
_PYTHON = (sys.executable,)
LINK = re.compile(r"http://[^\s:]+:(\d+)/\?key=(\S+)")
_ROOT = Path(__file__).parents[1]
# Of what a process said, so much is repeated when it fails.
_TOLD_CHARACTERS = 600

NO_PAD = "[gamepad]\nenabled = false\n"


def loop_settings(rate_hz: float, priority: int) -> str:
    """Return a configuration's [loop] table."""
    return f"[loop]\nrate_hz = {rate_hz}\nrealtime_priority = {priority}\n"


class Rig:
    """The processes of one rover; get one from ``rig``, which ends them."""

    def __init__(self, directory: Path, settings: str) -> None:
        self.directory = directory
        self.clock = SystemClock()
        self._settings_file = directory / "rover.toml"
        self._settings_file.write_text(settings, encoding="utf-8")
        self._home = directory / "home"
        self._home.mkdir()
        self._started: list[subprocess.Popen[bytes]] = []
        self._named: dict[str, subprocess.Popen[bytes]] = {}
        self._client: ControlClient | None = None
        self._truths: TruthClient | None = None

    @property
    def config(self) -> Config:
        """What is in force in the processes."""
        loaded = load_config(user_file=self._settings_file, places=NOWHERE)
        return simulated(loaded.config, self.directory)

    @property
    def client(self) -> ControlClient:
        """A client of control, from the first call on."""
        if self._client is None:
            self._client = ControlClient(self.directory)
        return self._client

    @property
    def newest(self) -> subprocess.Popen[bytes]:
        """The process that was started last."""
        return self._started[-1]

    @property
    def control_options(self) -> tuple[str, ...]:
        """What the `rover` command needs to start control."""
        where = str(self.directory)
        return ("control", "--dir", where, "--sim", where, "--config", str(self._settings_file))

    def start_hardware(self) -> subprocess.Popen[bytes]:
        """Start the simulated hardware, its wire paced, and await it.

        It has real-time priority whatever control has: electronics do not wait for a computer.
        """
        where = ("--dir", str(self.directory), "--config", str(self._settings_file))
        process = self.start("hardware", (*_PYTHON, "-m", "rover", "hardware-sim", *where))
        self._await(process, "hardware", (self.directory / "serial0").exists)
        return process

    def start_control(
        self, command: Sequence[str] = (*_PYTHON, "-m", "rover"), pass_fds: Sequence[int] = ()
    ) -> subprocess.Popen[bytes]:
        """Start control and await it; ``command`` is what takes `rover`'s arguments."""
        process = self.start("control", (*command, *self.control_options), pass_fds)
        self._await(process, "control", lambda: self.client.telemetry(0.0) is not None)
        return process

    def start_web(self, command: Sequence[str] = (*_PYTHON, "-m", "rover")) -> tuple[int, str]:
        """Start the web server on a free port; return that, and the key for driving.

        The key stays when the server is started anew, the port does not.
        """
        options = ("--dir", str(self.directory), "--config", str(self._settings_file))
        listen = ("--host", "127.0.0.1", "--port", "0", "--paired")
        process = self.start("web", (*command, "web", *options, *listen))
        self._await(process, "web", lambda: LINK.search(self.told_by("web")) is not None)
        found = LINK.search(self.told_by("web"))
        if found is None:
            raise NotMeasuredError("the web server took its address back")
        return int(found[1]), found[2]

    def start(
        self, name: str, command: Sequence[str], pass_fds: Sequence[int] = ()
    ) -> subprocess.Popen[bytes]:
        """Start ``command`` as process ``name``; what it says goes to a file of that name."""
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(("ROVER_", "XDG"))
        }
        with self._log_of(name).open("wb") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=kept | {"HOME": str(self._home), "PYTHONUNBUFFERED": "1"},
                cwd=_ROOT,
                pass_fds=pass_fds,
            )
        self._started.append(process)
        self._named[name] = process
        return process

    def process(self, name: str) -> subprocess.Popen[bytes]:
        """Return the process that was started last as ``name``."""
        return self._named[name]

    def telemetry(self) -> Telemetry:
        """Return control's next frame."""
        telemetry = self.client.telemetry(2.0)
        if telemetry is None:
            raise NotMeasuredError(
                f"no telemetry; control said: {self.told_by('control')[-_TOLD_CHARACTERS:]}"
            )
        return telemetry

    def truth(self) -> Truth:
        """Return what is so in the simulated rover."""
        if self._truths is None:
            self._truths = TruthClient(str(self.directory / "truth"))
        return self._truths.truth()

    def arm(self) -> None:
        """Arm, and bring a web source to neutral, ready to drive."""
        wait_until(lambda: not self.telemetry().refusals, "control never got ready to arm")
        answer = self.client.request(RequestKind.ARM, "a benchmark")
        if not answer.accepted:
            raise NotMeasuredError(f"not armed: {'; '.join(answer.refusals)}")
        # After arming the corners need their time: limp servos can be anywhere.
        self.drive(Arc(0.0, 0.0), 0.5)
        self.require_armed()

    def drive(self, motion: Motion, duration_s: float) -> None:
        """Say ``motion`` for so long, as often as a page does."""
        end_s = time.monotonic() + duration_s
        while time.monotonic() < end_s:
            self.client.drive(Source.WEB, motion, self.clock.now_s())
            time.sleep(SAY_EVERY_S)

    def require_armed(self) -> None:
        """Raise NotMeasuredError, with what the rover says, if it is not armed any more."""
        telemetry = self.telemetry()
        if telemetry.state is not ArmState.ARMED:
            said = "; ".join(event.text for event in telemetry.events)
            raise NotMeasuredError(f"the rover is {telemetry.state}: {said}")

    def end(self) -> None:
        """End all processes, the last started first."""
        for process in reversed(self._started):
            end(process)
        for client in (self._client, self._truths):
            if client is not None:
                client.close()

    def _await(
        self, process: subprocess.Popen[bytes], name: str, condition: Callable[[], bool]
    ) -> None:
        def ready() -> bool:
            if process.poll() is not None:
                raise NotMeasuredError(
                    f"{name} has ended: {self.told_by(name)[-_TOLD_CHARACTERS:]}"
                )
            return condition()

        wait_until(ready, f"{name} did not come up")

    def _log_of(self, name: str) -> Path:
        return self.directory / f"{name}.log"

    def told_by(self, name: str) -> str:
        """Return what process ``name`` has said so far."""
        return self._log_of(name).read_text(encoding="utf-8", errors="replace")


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask ``process`` to end, and make it if asking does not help."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_END_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def running_rig(settings: str = "") -> Iterator[Rig]:
    """Make a rig on ``settings`` (TOML over the built-in rover) and end it afterwards."""
    with tempfile.TemporaryDirectory(prefix="rover-bench-") as name:
        rig = Rig(Path(name), settings)
        try:
            yield rig
        finally:
            rig.end()
