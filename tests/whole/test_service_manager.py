"""What systemd does with a control that hangs or cannot live, by the words of the units themselves.

The test is the service manager: it reads the unit files, listens at the notification socket,
kills, restarts and gives up as they say.
"""

import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rover.alarm import SENTENCE
from rover.hardware.bus.endpoint import EndpointClient
from rover.hardware.bus.lines import SocketLines
from rover.messages import Arc, ArmState
from rover.sim.truth import TruthClient
from tests.builders import osr_config
from tests.test_systemd import INSTALLED, seconds, unit
from tests.whole.real_rover import (
    WITHIN_S,
    end,
    real_rover,
    running_rover,
    wait_for,
)

pytestmark = pytest.mark.process
CONTROL = unit("rover-control.service")
SERVICE = CONTROL["Service"]
WATCHDOG_S = seconds(SERVICE["WatchdogSec"])


def arguments(name: str) -> list[str]:
    """Return what a unit gives the `rover` command to do."""
    command, *rest = unit(name)["Service"]["ExecStart"].split()
    assert command == INSTALLED
    return rest


class Notifications:
    """The manager's end of the notification socket."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener

    def wait_for(self, message: str) -> None:
        """Wait for a message, whatever else is said before it."""
        deadline_s = time.monotonic() + WITHIN_S
        while self.next(deadline_s - time.monotonic()) != message:
            pass

    def next(self, within_s: float) -> str:
        assert within_s > 0, "nothing more was said"
        self._listener.settimeout(within_s)
        return self._listener.recv(4096).decode()

    def wait_for_silence(self, silence_s: float) -> None:
        """Return once no watchdog has been fed for ``silence_s``."""
        fed_s = time.monotonic()
        deadline_s = fed_s + WITHIN_S
        while (left_s := fed_s + silence_s - time.monotonic()) > 0:
            assert time.monotonic() < deadline_s, "it never fell silent"
            try:
                if self.next(left_s) == "WATCHDOG=1":
                    fed_s = time.monotonic()
            except TimeoutError:
                return


@pytest.fixture
def notifications(monkeypatch: pytest.MonkeyPatch) -> Iterator[Notifications]:
    with (
        tempfile.TemporaryDirectory(prefix="notify-") as name,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener,
    ):
        listener.bind(f"{name}/notify")
        monkeypatch.setenv("NOTIFY_SOCKET", f"{name}/notify")
        monkeypatch.setenv("WATCHDOG_USEC", str(round(WATCHDOG_S * 1e6)))
        yield Notifications(listener)


def abort(process: subprocess.Popen[str]) -> None:
    """End ``process`` as systemd does when its watchdog has not been fed."""
    process.send_signal(signal.SIGABRT)
    try:
        process.communicate(timeout=seconds(SERVICE["TimeoutAbortSec"]))
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate(timeout=WITHIN_S)


def test_a_control_that_hangs_is_restarted_and_comes_back_disarmed(
    notifications: Notifications,
) -> None:
    with real_rover() as rover:
        notifications.wait_for("READY=1")
        rover.driving(Arc(0.8, 0.0))
        rover.control.send_signal(signal.SIGSTOP)
        frozen_s = time.monotonic()
        notifications.wait_for_silence(WATCHDOG_S)
        # What it had said before it was stopped lay in the socket.
        assert time.monotonic() - frozen_s < WATCHDOG_S + 1.0
        assert rover.stands(), "the controllers' own timeout is shorter than the watchdog's"
        abort(rover.control)
        assert SERVICE["Restart"] == "always"
        rover.control = rover.start_control()
        notifications.wait_for("READY=1")
        notifications.wait_for("WATCHDOG=1")
        # The phone has asked for full speed all the while, and still does.
        wait_for(
            lambda: "web: let go of the sticks first" in rover.telemetry().refusals,
            "the phone was never heard again",
        )
        assert rover.telemetry().state is ArmState.DISARMED
        assert rover.stands()


def test_a_control_that_cannot_live_ends_in_a_lamp_that_blinks(
    notifications: Notifications,
) -> None:
    panel = osr_config().panel
    assert panel.led_fault is not None
    with tempfile.TemporaryDirectory(prefix="rover-") as name:
        directory = Path(name)
        mistaken = directory / "rover.toml"
        mistaken.write_text("[motion]\nmax_speed_mps = -1.0\n")
        where = ("--dir", name, "--sim", name, "--config", str(mistaken))
        with running_rover("hardware-sim", "--dir", name):
            wait_for((directory / "truth").exists, "the simulated hardware did not come up")
            for _ in range(int(CONTROL["Unit"]["StartLimitBurst"])):
                with running_rover(*arguments("rover-control.service"), *where) as control:
                    said, _ = control.communicate(timeout=WITHIN_S)
                assert control.returncode != 0
                assert "max_speed_mps" in said
            failed = CONTROL["Unit"]["OnFailure"]
            lines = SocketLines(EndpointClient(str(directory / "gpio"), 1.0))
            with running_rover(*arguments(failed), *where) as alarm:
                notifications.wait_for("READY=1")
                for lit in (True, False, True):
                    wait_for(
                        lambda lit=lit: lines.level(panel.led_fault) is lit,
                        "the fault lamp does not blink",
                    )
                with TruthClient(str(directory / "truth")) as truths:
                    assert not truths.truth().motor_enable
                assert SENTENCE in end(alarm)
                assert alarm.returncode == 0
            assert not lines.level(panel.led_fault)
            lines.close()
