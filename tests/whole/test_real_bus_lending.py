"""The serial bus lent by the real control to the real `rover setup roboclaw` and `rover doctor`.

Nothing here is stood in for but the devices: processes are killed, frozen and started anew, and
what counts is the simulated wheel and what control tells.
"""

import contextlib
import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rover.clock import SystemClock
from rover.errors import DeviceError
from rover.hardware.bus.serial_line import open_serial_line
from rover.messages import Arc, ArmState, RequestKind
from tests.provisioning.at_a_terminal import EndedError, Terminal
from tests.whole.real_rover import (
    WITHIN_S,
    RealRover,
    end,
    real_rover,
    start_rover,
    wait_for,
)

pytestmark = pytest.mark.process
LENT = "Control lends the serial bus"
WHO = "rover setup roboclaw"
# The controllers' own timeout during setup, what their motors need, a busy test machine.
STANDS_S = 0.5 + 0.5 + 1.0
TURNING_RAD_S = 3.0
TRIES = 8


@pytest.fixture(scope="module")
def shared() -> Iterator[RealRover]:
    with real_rover() as rover:
        yield rover


@pytest.fixture
def rover(shared: RealRover) -> Iterator[RealRover]:
    """One rover for all, for it is as new once control has its bus again."""
    wait_for(lambda: not shared.telemetry().refusals, "control never got ready to arm")
    yield shared
    for terminal in _STARTED:
        terminal.killed()
    _STARTED.clear()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


_STARTED: list[Terminal] = []


def setup(directory: Path, state: Path, *options: str) -> Terminal:
    _STARTED.append(Terminal(directory, state, *options))
    return _STARTED[-1]


def with_control(rover: RealRover, state: Path, *options: str) -> Terminal:
    return setup(rover.directory, state, "--config", str(rover.config), *options)


def asking(rover: RealRover, state: Path) -> Terminal:
    """Return `rover setup roboclaw` as it has the bus and waits for an answer."""
    terminal = with_control(rover, state, "--no-loops")
    terminal.until("Write this to the flash")
    assert LENT in terminal.text
    return terminal


def turning(rover: RealRover, state: Path) -> Terminal:
    """Return it while it turns a wheel; once more if a busy computer has made it give up."""
    for _ in range(TRIES):
        terminal = with_control(rover, state, "--loops")
        terminal.until("off the ground")
        terminal.says("y\n")
        with contextlib.suppress(EndedError):
            terminal.until("35% duty")
            deadline_s = time.monotonic() + 1.0
            while time.monotonic() < deadline_s:
                seen = rover.truth()
                if seen.motor_enable and max(w.speed_rad_s for w in seen.wheels) > TURNING_RAD_S:
                    return terminal
        terminal.signalled(signal.SIGTERM)
        terminal.ends()
        wait_for(lambda: not rover.telemetry().refusals, "the bus never came back")
    raise AssertionError(f"{TRIES} times no wheel was turned: {terminal.text}")


def doctor(rover: RealRover) -> dict[str, str]:
    """Scan while control runs; return what was found by its code."""
    process = start_rover(
        "doctor", "--scan", "--json", "--sim", str(rover.directory), "--dir", str(rover.directory)
    )
    output, _ = process.communicate(timeout=WITHIN_S)
    return {entry["code"]: entry["found"] for entry in json.loads(output)["findings"]}


def last_event(rover: RealRover) -> int:
    return max(event.number for event in rover.telemetry().events)


def event_texts(rover: RealRover, since: int) -> str:
    return "\n".join(event.text for event in rover.telemetry().events if event.number > since)


def is_back(rover: RealRover, drives: bool = False) -> None:
    """Control has the bus again, nothing is against arming, and it arms."""
    wait_for(lambda: not rover.telemetry().refusals, "the bus never came back")
    assert {unit.timeout_s for unit in rover.truth().controllers} == {0.5}
    assert rover.truth().motor_enable
    if drives:
        rover.driving(Arc(0.8, 0.0))
    else:
        rover.armed()
    disarm(rover)


def disarm(rover: RealRover) -> None:
    """Leave it as the next finds it."""
    rover.client.request(RequestKind.DISARM, "a test")
    rover.hush()


def test_lent_while_disarmed_to_one_and_back_by_every_polite_way(
    rover: RealRover, state: Path
) -> None:
    terminal = asking(rover, state)
    words = f"the serial bus is lent to {WHO}: end it there"
    assert rover.telemetry().refusals == (words,)
    for kind in (RequestKind.ARM, RequestKind.MAINTAIN):
        answer = rover.client.request(kind, "a test", token="a token of a test")
        assert answer.refusals == (words,)
    assert not rover.truth().motor_enable
    # A second borrower, and a second control, each see who has it.
    assert words in doctor(rover)["bus-not-lent"]
    with pytest.raises(DeviceError, match="another program uses it"):
        open_serial_line(str(rover.directory / "serial0"), 115200, SystemClock())
    terminal.says("n\n")
    assert terminal.ends() == 1
    assert "Nothing was written" in terminal.text
    wait_for(lambda: not rover.telemetry().refusals, "the bus never came back")

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        before = last_event(rover)
        terminal = asking(rover, state)
        terminal.signalled(number)
        assert terminal.ends() == 1
        wait_for(lambda: not rover.telemetry().refusals, "the bus never came back")
        # Given back, not run out.
        assert "no more" not in event_texts(rover, before)
    is_back(rover)


def test_the_doctor_scans_what_control_lends(rover: RealRover) -> None:
    before = last_event(rover)
    found = doctor(rover)
    assert "0x80, 0x81, 0x82 answer" in found["controllers"]
    assert "lends the bus" in found["bus-lent"]
    wait_for(lambda: not rover.telemetry().refusals, "the bus never came back")
    process = start_rover(
        "doctor", "--scan", "--sim", str(rover.directory), "--dir", str(rover.directory)
    )
    wait_for(lambda: "lent" in str(rover.telemetry().refusals), "never lent")
    process.terminate()
    process.communicate(timeout=WITHIN_S)
    assert process.returncode == 128 + signal.SIGTERM
    wait_for(lambda: not rover.telemetry().refusals, "the bus never came back")
    assert "no more" not in event_texts(rover, before)
    is_back(rover)


def test_refused_while_armed(rover: RealRover, state: Path) -> None:
    before = last_event(rover)
    for _ in range(TRIES):
        rover.armed()
        terminal = with_control(rover, state, "--dry-run")
        assert terminal.ends() == 1
        told = doctor(rover)["bus-not-lent"]
        if rover.telemetry().state is ArmState.ARMED:
            break
        # It stood still on a busy computer.
        rover.clear()
    assert "Error: control does not lend the serial bus: the rover is armed" in terminal.text
    assert "the rover is armed: disarm it first" in told
    assert "serial bus" not in event_texts(rover, before)
    disarm(rover)


def test_killed_while_a_wheel_turns(rover: RealRover, state: Path) -> None:
    terminal = turning(rover, state)
    before = last_event(rover)
    terminal.signalled(signal.SIGKILL)
    assert rover.time_to_stand_s() < STANDS_S
    wait_for(
        lambda: "nothing was heard of it" in event_texts(rover, before), "the loan never ended"
    )
    is_back(rover, drives=True)
    assert terminal.ends() == -signal.SIGKILL


def test_stopped_while_a_wheel_turns(rover: RealRover, state: Path) -> None:
    terminal = turning(rover, state)
    answer = rover.client.request(RequestKind.STOP, "a test")
    assert answer.accepted
    assert not rover.truth().motor_enable
    assert rover.time_to_stand_s() < STANDS_S
    assert terminal.ends() == 1
    assert "control has taken the serial bus back: the rover is estop" in terminal.text
    assert rover.telemetry().state is ArmState.ESTOP
    rover.clear()
    is_back(rover)


def test_stopped_while_it_asks_a_question(rover: RealRover, state: Path) -> None:
    terminal = asking(rover, state)
    rover.client.request(RequestKind.STOP, "a test")
    assert terminal.ends() == 1
    assert "emergency stop by a test" in terminal.text
    rover.clear()
    is_back(rover)


def test_frozen_while_a_wheel_turns(rover: RealRover, state: Path) -> None:
    terminal = turning(rover, state)
    terminal.signalled(signal.SIGSTOP)
    assert rover.time_to_stand_s() < STANDS_S
    # It has the port still, and nobody else gets it.
    wait_for(lambda: "not back from" in str(rover.telemetry().refusals), "never asked back")
    assert not rover.truth().motor_enable
    terminal.signalled(signal.SIGCONT)
    assert terminal.ends() == 1
    assert rover.stands()
    is_back(rover)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_control_started_anew_while_it_is_lent(
    rover: RealRover, state: Path, how: signal.Signals
) -> None:
    terminal = asking(rover, state)
    rover.control.send_signal(how)
    rover.control.communicate(timeout=WITHIN_S)
    rover.control = rover.start_control()
    assert terminal.ends() == 1
    assert "control has taken the serial bus back" in terminal.text
    is_back(rover)


def test_two_openers_are_impossible(rover: RealRover, state: Path, tmp_path: Path) -> None:
    """Neither a control nor a setup gets at a port that another has, whatever its --dir."""
    elsewhere = ("--sim", str(rover.directory), "--dir", str(tmp_path / "elsewhere"))

    def second_control_says() -> str:
        second = start_rover("control", *elsewhere)
        assert second.stdout is not None
        said = ""
        while "cannot open" not in said:
            line = second.stdout.readline()
            assert line, said
            said += line
        end(second)
        return said

    assert "another program uses it" in second_control_says()
    # Lent to setup: the same.
    terminal = asking(rover, state)
    assert "another program uses it" in second_control_says()
    terminal.says("n\n")
    terminal.ends()
    # No control in its --dir, and one that has the port.
    outside = setup(rover.directory, state, "--dir", str(tmp_path / "elsewhere"), "--dry-run")
    assert outside.ends() == 1
    assert "another program uses it" in outside.text
    # Without a control setup has both, and a control that starts meanwhile ends with a sentence.
    end(rover.control)
    terminal = setup(rover.directory, state, "--no-loops")
    terminal.until("Write this to the flash")
    assert LENT not in terminal.text
    rover.control = rover.start_control()
    said, _ = rover.control.communicate(timeout=WITHIN_S)
    assert rover.control.returncode == 1
    assert "is running in" in said
    assert "another program uses it" in second_control_says()
    terminal.says("n\n")
    terminal.ends()
    rover.control = rover.start_control()
