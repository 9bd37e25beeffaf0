"""What systemd is told, through a socket like its own."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from rover.clock import ManualClock
from rover.hardware.base import Reach
from rover.health import Watchdog
from rover.loop import ControlLoop
from rover.messages import Arc, ArmState
from rover.sim.faults import Silence
from tests.builders import osr_config
from tests.whole.memory_rover import FakeLink, FakePad, MemoryRover
from tests.whole.obedient_hardware import drive_of, obedient_hardware

WATCHDOG_S = 1.0
ADDRESSES = sorted({wheel.motor.address for wheel in osr_config().wheels.values()})


class Systemd:
    """The other end of the notification socket."""

    def __init__(self, socket_: socket.socket) -> None:
        self._socket = socket_

    def heard(self) -> list[str]:
        """Return the messages since the last look."""
        messages = []
        while True:
            try:
                messages.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return messages

    def fed(self) -> int:
        return self.heard().count("WATCHDOG=1")


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        listener.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        monkeypatch.delenv("WATCHDOG_USEC", raising=False)
        monkeypatch.delenv("WATCHDOG_PID", raising=False)
        yield Systemd(listener)


def watchdog(clock: ManualClock, environ: dict[str, str] | None = None) -> Watchdog:
    return Watchdog(clock, environ or {})


class WatchedRover(MemoryRover):
    """The rover in memory, with systemd watching as it does the control process."""

    def __init__(self) -> None:
        super().__init__()
        self.watchdog = watchdog(self.clock)

    def ticked(self, reached: bool) -> None:
        self.watchdog.ticked(reached=reached)


def longest_silence_s(rover: WatchedRover, systemd: Systemd, duration_s: float) -> float:
    """Run for a while; return the longest time in which systemd heard nothing."""
    systemd.heard()
    fed_s, longest_s = rover.clock.now_s(), 0.0
    end_s = fed_s + duration_s
    while (now_s := rover.clock.now_s()) < end_s:
        rover.tick()
        if systemd.fed():
            fed_s = now_s
        longest_s = max(longest_s, now_s - fed_s)
    return longest_s


def test_fed_while_driving(systemd: Systemd) -> None:
    rover = WatchedRover()
    rover.driving(Arc(0.8, 0.0))
    assert longest_silence_s(rover, systemd, 3.0) < WATCHDOG_S / 3
    rover.watchdog.close()


def test_fed_through_the_loss_of_all_controllers_and_their_return(systemd: Systemd) -> None:
    rover = WatchedRover()
    rover.driving(Arc(0.8, 0.0))
    for address in ADDRESSES:
        rover.simulated.inject(Silence(address))
    # Silent for less than the watchdog's time before it is known and told.
    assert longest_silence_s(rover, systemd, 3.0) < WATCHDOG_S / 2
    assert rover.state is ArmState.FAULT
    for address in ADDRESSES:
        rover.simulated.inject(Silence(address, silent=False))
    assert longest_silence_s(rover, systemd, 3.0) < WATCHDOG_S / 2
    rover.watchdog.close()


def test_fed_while_disarmed_without_any_hardware(systemd: Systemd) -> None:
    rover = WatchedRover()
    for address in ADDRESSES:
        rover.simulated.inject(Silence(address))
    assert longest_silence_s(rover, systemd, 5.0) < WATCHDOG_S / 2
    assert rover.state is ArmState.DISARMED
    assert rover.telemetry.refusals
    rover.watchdog.close()


@pytest.mark.parametrize(
    ("armed", "reach", "fed"),
    [
        (True, Reach(acknowledged=True, complete=True), True),
        (True, Reach(acknowledged=True, complete=False), True),
        (True, Reach(acknowledged=False, complete=True), False),
        (True, Reach(acknowledged=False, complete=False), False),
        (False, Reach(acknowledged=True, complete=True), True),
        (False, Reach(acknowledged=True, complete=False), False),
        (False, Reach(acknowledged=False, complete=True), True),
        (False, Reach(acknowledged=False, complete=False), False),
    ],
)
def test_what_counts_as_having_reached_the_hardware(
    systemd: Systemd, armed: bool, reach: Reach, fed: bool
) -> None:
    """Ticks that complete, with devices that claim to be well, and commands that go nowhere."""
    config, clock = osr_config(), ManualClock()
    hardware = obedient_hardware(config, clock)
    loop = ControlLoop(config, clock, hardware, FakeLink(), FakePad())
    dog = watchdog(clock)
    loop.start()
    loop.tick()
    state = ArmState.ARMED if armed else ArmState.DISARMED
    loop.arming.state = state
    drive_of(hardware).reach = reach
    for _ in range(200):
        clock.sleep_s(0.01)
        dog.ticked(reached=loop.tick())
    assert loop.arming.state is state
    assert (systemd.fed() > 0) is fed
    dog.close()


def test_a_fed_watchdog_falls_silent_when_commands_stop_arriving(systemd: Systemd) -> None:
    clock = ManualClock()
    dog = watchdog(clock)
    for tick in range(300):
        clock.sleep_s(0.01)
        dog.ticked(reached=tick < 100)
    # One at once, then one each quarter of a second, in one second.
    assert systemd.fed() == 4
    dog.close()


@pytest.mark.parametrize(
    ("environ", "times"),
    [
        ({}, 8),
        ({"WATCHDOG_USEC": "2000000"}, 4),
        ({"WATCHDOG_USEC": "400000"}, 20),
        ({"WATCHDOG_USEC": "400000", "WATCHDOG_PID": str(os.getpid())}, 20),
        ({"WATCHDOG_USEC": "400000", "WATCHDOG_PID": "1"}, 8),
        ({"WATCHDOG_USEC": "soon"}, 8),
    ],
)
def test_four_times_in_the_time_that_systemd_allows(
    systemd: Systemd, environ: dict[str, str], times: int
) -> None:
    clock = ManualClock()
    dog = watchdog(clock, environ)
    fed = 0
    for _ in range(200):
        dog.ticked(reached=True)
        clock.sleep_s(0.01)
        fed += systemd.fed()
    assert abs(fed - times) <= 1
    dog.close()


def test_the_state_and_why_when_they_change(systemd: Systemd) -> None:
    dog = watchdog(ManualClock())
    dog.ready()
    for state, reason in (
        ("disarmed", "just started"),
        ("disarmed", "just started"),
        ("armed", "armed by a phone\nWATCHDOG=1"),
        ("fault", "a wheel"),
    ):
        dog.tell(state, reason)
    dog.stopping("the motors have\nbeen stopped")
    assert systemd.heard() == [
        "READY=1",
        "STATUS=disarmed: just started",
        "STATUS=armed: armed by a phone WATCHDOG=1",
        "STATUS=fault: a wheel",
        "STOPPING=1\nSTATUS=the motors have been stopped",
    ]
    dog.close()


def test_a_systemd_that_does_not_read_holds_nobody_up(systemd: Systemd) -> None:
    clock = ManualClock()
    dog = watchdog(clock)
    # Far more than a socket's queue holds.
    for _ in range(2000):
        clock.sleep_s(1.0)
        dog.ticked(reached=True)
    assert systemd.fed() < 2000
    dog.close()


def test_without_systemd_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    dog = watchdog(ManualClock())
    dog.ready()
    dog.ticked(reached=True)
    dog.tell("disarmed", "just started")
    dog.stopping("enough")
    dog.close()
