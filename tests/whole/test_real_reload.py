"""The real control process reads its files anew, and comes back as the same rover."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from rover.messages import Arc, ArmState, RequestKind
from tests.whole.real_rover import WITHIN_S, RealRover, end, real_rover, start_rover, wait_for

pytestmark = pytest.mark.process
SLOW = Arc(0.4, 0.0)
# Panel, motor controllers, steering, power monitor.
DEVICES = 4


@pytest.fixture
def rover() -> Iterator[RealRover]:
    with real_rover() as rover:
        wait_for(lambda: not rover.telemetry().refusals, "control never got ready to arm")
        yield rover


def by_command(rover: RealRover) -> tuple[int, str]:
    """Run `rover reload`; return its exit code and what it says."""
    process = start_rover("reload", "--dir", str(rover.directory))
    said, _ = process.communicate(timeout=WITHIN_S)
    return process.returncode, said


def is_back(rover: RealRover) -> bool:
    """Whether every device has been brought up since the configuration was last read anew."""
    codes = [event.code for event in rover.telemetry().events]
    since = codes[::-1].index("configuration") if "configuration" in codes else 0
    return codes[len(codes) - since :].count("device") >= DEVICES


def test_what_has_been_calibrated_is_in_force_without_a_restart(rover: RealRover) -> None:
    before = rover.telemetry()
    rover.calibration.write_text("[wheels.left_front]\nradius_m = 0.079\n")
    code, said = by_command(rover)
    assert (code, said) == (0, "The configuration has been read anew. The rover is disarmed.\n")
    wait_for(lambda: rover.telemetry().wheels[0].radius_m == 0.079, "the new radius is not there")
    after = rover.telemetry()
    assert after.state is ArmState.DISARMED
    assert after.events[-1].number > before.events[-1].number
    wait_for(lambda: not rover.telemetry().refusals, "not all devices have come back")
    assert "configuration" in [event.code for event in rover.telemetry().events]
    rover.driving(SLOW)
    assert rover.truth().motor_enable
    # Every controller has its timeout from the new loop, and none had to use it.
    assert {controller.timeout_s for controller in rover.truth().controllers} == {0.5}


def test_a_broken_file_is_refused_by_its_line_and_the_old_one_drives_on(rover: RealRover) -> None:
    rover.calibration.write_text("# measured\n\n[wheels.left_front]\nradius_n = 0.079\n")
    code, said = by_command(rover)
    assert code == 1
    assert f"{rover.calibration}:4: wheels.left_front.radius_n is not a known key" in said
    assert "Traceback" not in said
    assert rover.telemetry().wheels[0].radius_m == 0.075
    rover.driving(SLOW)


def test_an_armed_rover_refuses_and_drives_on(rover: RealRover) -> None:
    rover.driving(SLOW)
    rover.calibration.write_text("[wheels.left_front]\nradius_m = 0.079\n")
    answer = rover.client.request(RequestKind.RELOAD, "a test", WITHIN_S)
    assert answer.refusals == ("the rover is armed: disarm it first",)
    assert rover.telemetry().state is ArmState.ARMED
    assert rover.telemetry().wheels[0].radius_m == 0.075
    assert not rover.stands()


def test_a_stop_right_behind_it_is_not_lost(rover: RealRover) -> None:
    assert rover.client.request(RequestKind.RELOAD, "a test", WITHIN_S).accepted
    assert rover.client.request(RequestKind.STOP, "a test", WITHIN_S).accepted
    rover.wait_for_state(ArmState.ESTOP)
    wait_for(lambda: not rover.truth().motor_enable, "motor-enable is up")


def test_many_times_over_it_holds_no_more_than_once(rover: RealRover) -> None:
    held = []
    for _ in range(6):
        assert rover.client.request(RequestKind.RELOAD, "a test", WITHIN_S).accepted
        # A frame of the loop before may be on its way still: what is next is the new loop's.
        rover.telemetry()
        wait_for(lambda: is_back(rover), "not all devices have come back")
        held.append(len(list(Path(f"/proc/{rover.control.pid}/fd").iterdir())))
    assert max(held) == held[0]


def test_a_control_that_is_ended_right_behind_it_ends_quietly(rover: RealRover) -> None:
    assert rover.client.request(RequestKind.RELOAD, "a test", WITHIN_S).accepted
    rover.control.send_signal(signal.SIGTERM)
    said = end(rover.control)
    assert rover.control.returncode == 0
    assert "Traceback" not in said
    assert not rover.truth().motor_enable
