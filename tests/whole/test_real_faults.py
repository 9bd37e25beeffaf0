"""Each fault of a process once, on the real processes, for its outcome and not for its time.

How long each takes is measured by `make faults`. One rover serves all tests here; each leaves it
standing, with control and web running.
"""

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.faults.drivers import PhoneHand
from benchmarks.faults.lossy_link import LossyLink
from benchmarks.rig import LINK
from rover.messages import Arc, ArmState, RequestKind
from tests.whole.real_rover import WITHIN_S, RealRover, wait_for

pytestmark = pytest.mark.process

SLOW, FASTER = Arc(0.3, 0.0), Arc(0.4, 0.0)
# For so long nothing may move while somebody asks for it.
WATCH_S = 0.3
# Patient, as for every simulated rover.
REPLY_MARGIN_S = "0.03"
# Without root's right to pass over permissions; who is not root has none to give up.
_AS_ANYBODY = (
    ("setpriv", "--bounding-set", "-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
)


class Rover(RealRover):
    """A rover whose control can be broken, with a web process and a phone on it.

    Root may write where nobody may; here its processes may not, so that a folder can be closed
    to them without any right that a container does not give.
    """

    def __init__(self, directory: Path) -> None:
        self.fault_file = directory / "fault"
        self.web: subprocess.Popen[str] | None = None
        super().__init__(directory)

    def start(self, *arguments: str, **options: object) -> subprocess.Popen[str]:
        wrapper = (
            sys.executable,
            "-m",
            "benchmarks.faults.breakable",
            str(self.fault_file),
            REPLY_MARGIN_S,
        )
        home = {"HOME": str(self.directory), "PYTHONUNBUFFERED": "1"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(
            [*_AS_ANYBODY, *wrapper, *arguments],
            stdin=subprocess.DEVNULL,
            text=True,
            env=os.environ | home,
            **(pipes | options),
        )

    def start_control(self, **options: object) -> subprocess.Popen[str]:
        where = ("--dir", str(self.directory), "--config", str(self.config))
        return self.start("control", *where, "--sim", str(self.directory), **options)

    def start_web(self) -> tuple[int, str]:
        listen = ("--host", "127.0.0.1", "--port", "0", "--paired")
        where = ("--dir", str(self.directory), "--config", str(self.config))
        self.web = self.start("web", *where, *listen)
        assert self.web.stdout is not None
        for line in self.web.stdout:
            if found := LINK.search(line):
                return int(found[1]), found[2]
        raise AssertionError("the web server has ended")

    def ended(self) -> str:
        """Wait until control has ended; return what it said."""
        said, _ = self.control.communicate(timeout=WITHIN_S)
        return said or ""

    def start_anew(self) -> None:
        """Start control after its end, with whoever drives asking on: it comes back disarmed."""
        self.client.telemetry(0.0)
        self.control = self.start_control()
        self.wait_for_state(ArmState.DISARMED)
        self.stays()

    def stays(self) -> None:
        """See that nothing moves for a while."""
        end_s = time.monotonic() + WATCH_S
        while time.monotonic() < end_s:
            assert self.stands(), "a wheel moves again"

    def kill_web(self) -> None:
        if self.web is not None:
            self.web.kill()
            self.web.communicate()
            self.web = None

    def close(self) -> None:
        self.kill_web()
        super().close()


@pytest.fixture(scope="module")
def shared() -> Iterator[Rover]:
    with tempfile.TemporaryDirectory(prefix="rover-") as name:
        rover = Rover(Path(name))
        try:
            yield rover
        finally:
            rover.close()


@pytest.fixture
def rover(shared: Rover) -> Iterator[Rover]:
    """The rover, driving by control's socket; afterwards nobody drives."""
    yield shared.driving(SLOW)
    shared.hush()
    wait_for(shared.stands, "it never stands")


@pytest.fixture
def phone(shared: Rover) -> Iterator[PhoneHand]:
    """A phone whose stick is pushed all the way, on a rover that drives by it."""
    port, key = shared.start_web()
    with LossyLink(port) as link:
        phone = PhoneHand(link.port, key)
        phone.link = link
        try:
            drive_by(shared, phone)
            yield phone
        finally:
            phone.close()
    shared.kill_web()
    wait_for(shared.stands, "it never stands")


def drive_by(rover: Rover, phone: PhoneHand) -> None:
    """Drive by the phone, from neutral, armed first if need be."""

    def drives() -> bool:
        phone.rest()
        if rover.telemetry().state is not ArmState.ARMED:
            rover.ask_until_accepted(RequestKind.ARM)
            phone.rest()
        phone.full()
        end_s = time.monotonic() + 2.0
        while time.monotonic() < end_s:
            if not rover.stands():
                return True
        return False

    wait_for(drives, "the phone never drives")


def test_a_web_process_that_is_killed(shared: Rover, phone: PhoneHand) -> None:
    shared.kill_web()
    wait_for(shared.stands, "the wheels go on turning")
    phone.link.target, _ = shared.start_web()
    # The phone finds it by itself, its stick still pushed.
    wait_for(phone.connected.is_set, "the phone never came back")
    shared.stays()
    assert shared.telemetry().state is ArmState.ARMED
    drive_by(shared, phone)


def test_a_web_process_that_is_frozen(shared: Rover, phone: PhoneHand) -> None:
    assert shared.web is not None
    shared.web.send_signal(signal.SIGSTOP)
    wait_for(shared.stands, "the wheels go on turning")
    shared.stays()
    shared.web.send_signal(signal.SIGCONT)
    # What has piled up meanwhile is not driven after.
    shared.stays()
    assert shared.telemetry().state is ArmState.ARMED
    drive_by(shared, phone)


def test_an_exception_in_a_tick_stops_the_motors_and_is_an_error(rover: Rover) -> None:
    rover.fault_file.write_text("raise observe")
    rover.control.send_signal(signal.SIGUSR1)
    said = rover.ended()
    assert rover.control.returncode == 1
    assert "BrokenOnPurposeError" in said
    wait_for(rover.stands, "the wheels go on turning")
    truth = rover.truth()
    assert not truth.motor_enable
    # It was told to stop: no controller had to time out by itself.
    assert not any(controller.timed_out for controller in truth.controllers)
    rover.start_anew()


def test_a_full_disk_and_a_full_log(shared: Rover) -> None:
    """Nothing can be written, from the start on and while it drives: it drives, and stops."""
    shared.control.send_signal(signal.SIGTERM)
    shared.ended()
    with Path("/dev/full").open("w") as full:
        shared.control = shared.start_control(stdout=full, stderr=full)
    shared.driving(SLOW)
    # No file may grow by a byte from now on; root need not ask for that either.
    resource.prlimit(shared.control.pid, resource.RLIMIT_FSIZE, (0, 0))
    shared.at_speed(FASTER)
    shared.control.send_signal(signal.SIGTERM)
    shared.ended()
    assert shared.control.returncode == 0
    wait_for(shared.stands, "the wheels go on turning")
    shared.start_anew()
    shared.hush()


def test_sockets_whose_files_are_deleted(rover: Rover) -> None:
    files = list(rover.directory.glob("*.ipc"))
    assert files
    for file in files:
        file.unlink()
    # Who is connected stays connected.
    rover.at_speed(FASTER)
    stop = rover.start("stop", "--dir", str(rover.directory))
    said, _ = stop.communicate(timeout=WITHIN_S)
    assert stop.returncode == 1
    assert "control did not answer" in said
    assert "Traceback" not in said
    assert rover.client.request(RequestKind.STOP, "a test", WITHIN_S).accepted
    wait_for(rover.stands, "the wheels go on turning")
    rover.control.send_signal(signal.SIGTERM)
    rover.ended()
    rover.start_anew()


def test_a_runtime_directory_that_becomes_read_only(rover: Rover) -> None:
    rover.directory.chmod(0o500)
    try:
        rover.at_speed(FASTER)
        rover.control.send_signal(signal.SIGTERM)
        rover.ended()
        assert rover.control.returncode == 0
        wait_for(rover.stands, "the wheels go on turning")
        control = rover.start_control()
        said, _ = control.communicate(timeout=WITHIN_S)
        assert control.returncode == 1
        assert "nothing can be made there" in said
        assert "Traceback" not in said
    finally:
        rover.directory.chmod(0o700)
    rover.start_anew()
