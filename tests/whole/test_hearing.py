"""What the loop hears besides motion: the pad's buttons, refusals, devices that will not close."""

import logging

import pytest
from msgspec import structs

from rover.gamepad import GamepadUpdate
from rover.link import ReceivedRequest, RefusedDrive
from rover.messages import (
    Arc,
    ArmState,
    DriveCommand,
    Request,
    RequestKind,
    Severity,
    Source,
    Telemetry,
)
from rover.motion.arming import LOOK_S
from tests.builders import osr_config
from tests.whole.memory_rover import MemoryRover

AHEAD = Arc(0.5, 0.0)
REST = Arc(0.0, 0.0)


def press(rover: MemoryRover, kind: RequestKind) -> None:
    rover.pad.update = GamepadUpdate(requests=(kind,), connected=True, name="pad")
    rover.tick()


def events(rover: MemoryRover, code: str) -> list[str]:
    return [event.text for event in rover.loop.journal.events() if event.code == code]


def test_the_pad_arms_stops_clears_with_start_and_disarms() -> None:
    rover = MemoryRover()
    rover.run(0.5)
    for kind, state in (
        (RequestKind.ARM, ArmState.ARMED),
        (RequestKind.STOP, ArmState.ESTOP),
        # Start means clear while something is latched, and arms when pressed again.
        (RequestKind.ARM, ArmState.DISARMED),
    ):
        press(rover, kind)
        assert rover.state is state
        # No state is left again before a person can have seen it.
        press(rover, RequestKind.ARM)
        assert rover.state is state
        rover.run(0.6)
    rover.run(0.5)
    press(rover, RequestKind.ARM)
    assert rover.state is ArmState.ARMED
    press(rover, RequestKind.DISARM)
    assert rover.state is ArmState.DISARMED


def test_a_stop_has_its_effect_though_it_is_cleared_within_the_same_tick() -> None:
    rover = MemoryRover().driving(AHEAD)
    rover.hush()
    rover.run(0.1)
    now_s = rover.clock.now_s()
    for kind in (RequestKind.STOP, RequestKind.CLEAR, RequestKind.ARM):
        rover.link.requests.append(ReceivedRequest(Request(kind, "a test", now_s), (b"", b"")))
    rover.say(AHEAD)
    rover.run(0.5)
    assert len(rover.link.answers) >= 3
    assert rover.stands()


def rarely_telling() -> MemoryRover:
    """A rover that publishes once a second: its lamps do not wait for that."""
    config = osr_config()
    return MemoryRover(structs.replace(config, loop=structs.replace(config.loop, telemetry_hz=1.0)))


def lamps(rover: MemoryRover) -> tuple[bool, ...]:
    """Return the levels of the lamps for armed, fault and link, at the simulated lines."""
    panel, level = rover.config.panel, rover.simulated.lines.level
    lines = (panel.led_armed, panel.led_fault, panel.led_link)
    return tuple(level(line) for line in lines if line is not None)


def test_the_lamps_tell_armed_and_what_is_latched_within_a_tick() -> None:
    rover = rarely_telling()
    rover.run(0.5)
    assert lamps(rover) == (False, False, False)
    rover.armed()
    assert lamps(rover) == (True, False, True)
    rover.ask(RequestKind.STOP)
    assert lamps(rover) == (False, True, True)
    rover.run(LOOK_S)
    assert rover.ask(RequestKind.CLEAR).accepted
    assert lamps(rover) == (False, False, True)
    rover.run(LOOK_S)
    rover.armed()
    rover.loop.arming.fault("a test", rover.clock.now_s())
    rover.tick()
    assert lamps(rover) == (False, True, True)


def test_the_link_lamp_burns_while_a_page_is_heard_in_time() -> None:
    """Hands off too: a page says ten times a second that it is there."""
    rover = rarely_telling()
    rover.run(0.1)
    rover.say(REST)
    rover.tick()
    assert lamps(rover) == (False, False, True)
    rover.hush()
    deadline_s = rover.config.deadlines.web_s
    rover.run(deadline_s - 0.05)
    assert lamps(rover) == (False, False, True)
    rover.run(0.1)
    assert lamps(rover) == (False, False, False)


def test_the_link_lamp_burns_while_a_pad_is_there() -> None:
    rover = rarely_telling()
    for connected in (True, False, True):
        rover.pad.update = GamepadUpdate(connected=connected, name="a pad")
        rover.tick()
        assert lamps(rover) == (False, False, connected)


def test_a_refusal_to_the_pad_is_an_event() -> None:
    rover = MemoryRover()
    rover.run(0.5)
    rover.say(AHEAD)
    rover.run(0.1)
    press(rover, RequestKind.ARM)
    assert rover.state is ArmState.DISARMED
    assert events(rover, "refused") == ["web: let go of the sticks first"]


def test_nobody_arms_while_somebody_holds_a_stick_of_the_pad() -> None:
    """Whatever its dead-man says: a pad that drives nothing yet may do so in a moment."""
    rover = MemoryRover()
    rover.run(1.0)
    rover.pad.update = GamepadUpdate(connected=True, name="pad", deflected=True)
    assert rover.ask(RequestKind.ARM).refusals == ("gamepad: let go of the sticks first",)
    rover.run(0.1)
    assert rover.telemetry.refusals == ("gamepad: let go of the sticks first",)
    press(rover, RequestKind.ARM)
    rover.pad.update = GamepadUpdate(connected=True, name="pad")
    assert rover.ask(RequestKind.ARM).accepted


def test_a_pad_with_a_stick_astray_keeps_no_phone_from_driving() -> None:
    rover = MemoryRover().armed()
    rover.pad.update = GamepadUpdate(connected=True, name="pad", deflected=True)
    rover.say(AHEAD)
    rover.run(1.0)
    assert not rover.stands()
    assert rover.telemetry.source is Source.WEB


def test_trouble_with_the_pad_is_told_once_and_its_end_too() -> None:
    rover = MemoryRover()
    rover.pad.update = GamepadUpdate(trouble="no gamepad found: plug one in or pair it")
    rover.run(0.5)
    rover.pad.update = GamepadUpdate(connected=True, name="Some Pad")
    rover.run(0.5)
    assert events(rover, "gamepad") == [
        "no gamepad found: plug one in or pair it",
        "Some Pad ready",
    ]


def test_what_the_pad_was_set_to_is_told_when_it_changes() -> None:
    rover = MemoryRover()
    for slow, trim_per_m in ((True, 0.0), (True, 0.04), (True, -0.02), (False, 0.0)):
        rover.pad.update = GamepadUpdate(connected=True, slow=slow, trim_per_m=trim_per_m)
        rover.run(0.1)
    # A pad that has gone sets nothing.
    rover.pad.update = GamepadUpdate(slow=True)
    rover.run(0.1)
    assert events(rover, "gamepad-slow") == [
        "the gamepad drives slowly",
        "the gamepad drives at full speed",
    ]
    assert events(rover, "gamepad-trim") == [
        "steering trimmed by 0.04 1/m to the left",
        "steering trimmed by 0.02 1/m to the right",
        "steering not trimmed",
    ]


def test_the_pad_is_shown_what_the_lamps_show_and_its_notes_are_told() -> None:
    rover = MemoryRover().armed()
    assert rover.pad.shown == (True, False)
    rover.pad.update = GamepadUpdate(connected=True, notes=("Some Pad: no rumble",))
    rover.tick()
    assert events(rover, "gamepad-show") == ["Some Pad: no rumble"]
    rover.pad.update = GamepadUpdate(connected=True, requests=(RequestKind.STOP,))
    rover.tick()
    assert rover.pad.shown == (False, True)


@pytest.mark.parametrize("source", [Source.WEB, None])
def test_a_refused_message_is_told_with_its_reason(source: Source | None) -> None:
    rover = MemoryRover().driving(AHEAD)
    rover.link.refused.append(RefusedDrive(source, "not a drive command: garbage"))
    rover.tick()
    assert events(rover, "refused") == [
        f"{source or 'unknown source'}: not a drive command: garbage"
    ]
    rover.run(0.5)
    # Nobody's rubbish stops nobody; a source's own stops it.
    assert rover.stands() is (source is Source.WEB)


def test_a_command_from_the_future_is_refused_and_stops() -> None:
    rover = MemoryRover().driving(AHEAD)
    stamp_s = rover.clock.now_s() + 60.0
    rover.link.drive.append(DriveCommand(Source.WEB, 1, stamp_s, AHEAD))
    rover.run(0.5)
    assert rover.stands()
    assert "future" in events(rover, "refused")[0]


def test_one_device_that_will_not_close_keeps_no_other_from_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rover = MemoryRover().driving(AHEAD)

    def broken() -> None:
        raise OSError("a loose wire")

    monkeypatch.setattr(rover.hardware.drive, "close", broken)
    with caplog.at_level(logging.ERROR, "rover"):
        rover.loop.shut_down()
    assert "a loose wire" in caplog.text
    # The enable line has been dropped, which takes the motors' power.
    assert not rover.truth().motor_enable
    rover.clock.sleep_s(0.3)
    assert rover.stands()


def test_nothing_is_told_before_the_first_look_at_the_devices() -> None:
    rover = MemoryRover()
    assert not rover.link.published
    rover.tick()
    first: Telemetry = rover.link.published[0]
    assert first.state is ArmState.DISARMED
    assert first.source is None


def test_a_pause_of_the_whole_process_moves_nothing_afterwards() -> None:
    rover = MemoryRover().driving(AHEAD)
    rover.hush()
    rover.clock.sleep_s(10.0)
    rover.run(0.5)
    assert rover.stands()
    assert rover.state in {ArmState.ARMED, ArmState.FAULT}
    assert any(event.severity is Severity.WARNING for event in rover.loop.journal.events())


def test_the_number_of_wheels_is_a_matter_of_configuration() -> None:
    """Nothing in the chain counts on six wheels: JPL's rover without its middle ones drives."""
    rover = MemoryRover()
    wheels = {n: w for n, w in rover.config.wheels.items() if w.steer is not None}
    four = MemoryRover(structs.replace(rover.config, wheels=wheels)).driving(Arc(0.5, 0.5))
    assert len(four.telemetry.wheels) == 4
    assert four.truth().twist.yaw_rate_rad_s == pytest.approx(0.25, rel=0.05)


def test_in_a_storm_of_input_everything_is_still_read() -> None:
    rover = MemoryRover().driving(AHEAD)
    began_s = rover.clock.now_s()
    for _ in range(400):
        rover.tick(hurry=lambda: True)
    assert rover.state is ArmState.ARMED, rover.loop.arming.reason
    assert rover.telemetry.missed_ticks <= 1
    feedback = rover.hardware.drive.feedback()
    now_s = rover.clock.now_s()
    assert now_s - began_s == pytest.approx(4.0, abs=0.05)
    for wheel in feedback.wheels:
        assert now_s - wheel.position_stamp_s < 0.05
        assert now_s - wheel.current_stamp_s < 0.3
    power = rover.hardware.drive.power()
    assert power is not None
    assert now_s - power.stamp_s < 3.0
    pose, true = rover.telemetry.pose, rover.truth().pose
    assert pose.x_m == pytest.approx(true.x_m, abs=0.05)
