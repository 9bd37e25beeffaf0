"""The gamepad from its events to drive commands, on the real evdev library."""

import math

import pytest
from msgspec import structs

from rover.config import Config, GamepadConfig
from rover.gamepad import GamepadUpdate
from rover.messages import Arc, Crab, Motion, RequestKind, Source, Spin, Stop
from rover.motion.kinematics import Kinematics
from rover.motion.sticks import DriveMode
from tests.builders import osr_config
from tests.gamepad import pads
from tests.gamepad.bed import Bed
from tests.gamepad.pads import ABS, KEY, SYN, XBOX, Description

AT_REST = Arc(0.0, 0.0)
TIGHTEST_PER_M = Kinematics(osr_config()).max_curvature_per_m


@pytest.fixture(scope="module")
def config() -> Config:
    return osr_config()


def motion_of(update: GamepadUpdate) -> Motion:
    assert update.command is not None
    return update.command.motion


def plugged(bed: Bed, config: Config, description: Description = XBOX) -> int:
    """Plug a pad in and start, the sticks at rest."""
    node = bed.plug(description)
    bed.start(config)
    assert motion_of(bed.poll()) == AT_REST
    return node


def held(bed: Bed, config: Config, description: Description = XBOX) -> int:
    """Plug a pad in, start and hold the dead-man button."""
    node = plugged(bed, config, description)
    bed.press(node, pads.BTN_TR)
    assert motion_of(bed.poll()) == AT_REST
    return node


def test_a_pad_that_lies_there_is_at_rest(bed, config):
    bed.plug(XBOX)
    bed.start(config)
    first, second = bed.poll(), bed.poll()
    assert first.connected
    assert first.name == XBOX.name
    assert first.trouble == ""
    assert second.connected
    assert not second.deflected
    assert bed.reply.filenos == 1
    assert first.command is not None
    assert second.command is not None
    assert second.command.source is Source.GAMEPAD
    assert second.command.seq == first.command.seq + 1
    assert second.command.stamp_s == bed.now_s


def test_the_left_stick_drives_and_the_right_one_steers(bed, config):
    node = held(bed, config)
    bed.move(node, pads.ABS_Y, -32768)
    assert motion_of(bed.poll()) == Arc(config.motion.max_speed_mps, 0.0)
    bed.move(node, pads.ABS_Y, 32767)
    bed.move(node, pads.ABS_RX, -32768)
    assert motion_of(bed.poll()) == Arc(-config.motion.max_speed_mps, TIGHTEST_PER_M)
    bed.move(node, pads.ABS_Y, 0)
    bed.move(node, pads.ABS_RX, 32767)
    assert motion_of(bed.poll()) == Arc(0.0, -TIGHTEST_PER_M)
    bed.move(node, pads.ABS_RX, 0)
    assert motion_of(bed.poll()) == AT_REST


def test_a_stick_at_its_end_is_the_tightest_turn_that_the_corners_make(bed, config):
    wheels = {
        name: structs.replace(
            wheel, steer=structs.replace(wheel.steer, min_deg=-20.0, max_deg=20.0)
        )
        if wheel.steer
        else wheel
        for name, wheel in config.wheels.items()
    }
    stiff = structs.replace(config, wheels=wheels)
    node = held(bed, stiff)
    bed.move(node, pads.ABS_RX, -32768)
    assert motion_of(bed.poll()) == Arc(0.0, Kinematics(stiff).max_curvature_per_m)
    assert Kinematics(stiff).max_curvature_per_m < 0.8 * TIGHTEST_PER_M


def test_half_a_stick_is_shaped_by_deadband_and_expo(bed, config):
    node = held(bed, config)
    bed.move(node, pads.ABS_Y, -16384)
    motion = motion_of(bed.poll())
    assert isinstance(motion, Arc)
    # 0.08 deadband, 0.4 expo: the stick is 0.4565 past the deadband.
    assert motion.speed_mps == pytest.approx(
        (0.6 * 0.4565 + 0.4 * 0.4565**3) * config.motion.max_speed_mps, rel=0.02
    )


def test_triggers_drive_right_forward_left_backward(bed, config):
    node = held(bed, config)
    bed.move(node, pads.ABS_RZ, 1023)
    assert motion_of(bed.poll()) == Arc(config.motion.max_speed_mps, 0.0)
    bed.move(node, pads.ABS_RZ, 0)
    bed.move(node, pads.ABS_Z, 1023)
    assert motion_of(bed.poll()) == Arc(-config.motion.max_speed_mps, 0.0)


def test_a_playstation_pad_with_bytes_for_axes_drives(bed, config):
    node = held(bed, config, pads.PLAYSTATION)
    bed.move(node, pads.ABS_Y, 0)
    bed.move(node, pads.ABS_RX, 255)
    assert motion_of(bed.poll()) == Arc(config.motion.max_speed_mps, -TIGHTEST_PER_M)
    bed.move(node, pads.ABS_Y, 128)
    bed.move(node, pads.ABS_RX, 127)
    assert motion_of(bed.poll()) == AT_REST


def test_sticks_do_nothing_without_the_dead_man(bed, config):
    node = plugged(bed, config)
    bed.move(node, pads.ABS_Y, -32768)
    pushed = bed.poll()
    assert pushed.command is None
    assert pushed.deflected
    bed.press(node, pads.BTN_TR)
    waiting = bed.poll()
    assert waiting.command is None
    assert "let go of the sticks, hold the dead-man button" in waiting.trouble
    bed.move(node, pads.ABS_Y, 0)
    at_rest = bed.poll()
    assert motion_of(at_rest) == AT_REST
    assert at_rest.trouble == ""
    bed.move(node, pads.ABS_Y, -32768)
    assert motion_of(bed.poll()) == Arc(config.motion.max_speed_mps, 0.0)
    bed.release(node, pads.BTN_TR)
    assert motion_of(bed.poll()) == Stop("dead-man released")
    after = bed.poll()
    assert after.command is None
    assert after.deflected


def test_a_stick_pushed_just_before_the_press_does_not_count(bed, config):
    node = plugged(bed, config)
    bed.move(node, pads.ABS_Y, -32768)
    bed.press(node, pads.BTN_TR)
    assert bed.poll().command is None
    bed.move(node, pads.ABS_Y, 0)
    assert motion_of(bed.poll()) == AT_REST
    bed.release(node, pads.BTN_TR)
    assert motion_of(bed.poll()) == Stop("dead-man released")
    assert motion_of(bed.poll()) == AT_REST
    bed.press(node, pads.BTN_TR)
    bed.move(node, pads.ABS_Y, -32768)
    assert motion_of(bed.poll()) == Arc(config.motion.max_speed_mps, 0.0)


def test_a_stick_that_means_nothing_in_this_mode_is_not_at_rest(bed, config):
    node = plugged(bed, config)
    bed.press(node, pads.BTN_NORTH)
    bed.release(node, pads.BTN_NORTH)
    bed.move(node, pads.ABS_Y, -32768)
    assert bed.poll().deflected
    bed.press(node, pads.BTN_TR)
    assert "let go of the sticks" in bed.poll().trouble
    bed.press(node, pads.BTN_NORTH)
    back = bed.poll()
    assert back.mode is DriveMode.ARC
    assert back.command is None
    bed.move(node, pads.ABS_Y, 0)
    assert motion_of(bed.poll()) == AT_REST


def test_a_stick_and_a_trigger_that_cancel_out_are_not_at_rest(bed, config):
    node = plugged(bed, config)
    bed.move(node, pads.ABS_Y, -32768)
    bed.move(node, pads.ABS_Z, 1023)
    assert bed.poll().deflected
    bed.press(node, pads.BTN_TR)
    bed.move(node, pads.ABS_Z, 0)
    assert bed.poll().command is None


def test_the_sideways_axis_counts_where_wheels_can_crab(bed, config):
    steer = config.wheels["left_front"].steer
    wheels = {name: structs.replace(wheel, steer=steer) for name, wheel in config.wheels.items()}
    node = plugged(bed, structs.replace(config, wheels=wheels))
    bed.move(node, pads.ABS_X, -32768)
    assert bed.poll().deflected
    bed.start(config)
    sideways = bed.poll()
    assert sideways.connected
    assert not sideways.deflected


def test_a_stick_that_does_not_come_to_rest_is_told(bed, config):
    node = plugged(bed, config)
    bed.move(node, pads.ABS_RX, 6000)
    assert bed.poll(after_s=4.0).trouble == ""
    assert "raise sticks.deadband" in bed.poll(after_s=2.0).trouble
    bed.move(node, pads.ABS_RX, 0)
    assert bed.poll().trouble == ""


def test_a_tap_of_the_dead_man_between_two_polls_still_stops(bed, config):
    node = held(bed, config)
    bed.move(node, pads.ABS_Y, -32768)
    bed.poll()
    bed.send(node, (KEY, pads.BTN_TR, 0), (SYN, 0, 0), (KEY, pads.BTN_TR, 1))
    assert motion_of(bed.poll()) == Stop("dead-man released")
    assert bed.poll().command is None
    bed.move(node, pads.ABS_Y, 0)
    assert motion_of(bed.poll()) == AT_REST
    bed.move(node, pads.ABS_Y, -32768)
    assert motion_of(bed.poll()) == Arc(config.motion.max_speed_mps, 0.0)


def test_a_dead_man_that_repeats_is_still_held(bed, config):
    node = held(bed, config)
    bed.move(node, pads.ABS_Y, -32768)
    bed.send(node, (KEY, pads.BTN_TR, 2))
    assert motion_of(bed.poll()) == Arc(config.motion.max_speed_mps, 0.0)


def test_a_dead_man_held_while_plugging_in_does_not_count(bed, config):
    held_down = structs.replace(XBOX, held=[pads.BTN_TR])
    node = plugged(bed, config, held_down)
    bed.move(node, pads.ABS_Y, -32768)
    assert bed.poll().command is None
    bed.release(node, pads.BTN_TR)
    bed.move(node, pads.ABS_Y, 0)
    assert motion_of(bed.poll()) == AT_REST
    bed.press(node, pads.BTN_TR)
    bed.move(node, pads.ABS_Y, -32768)
    assert motion_of(bed.poll()) == Arc(config.motion.max_speed_mps, 0.0)


def test_a_pad_plugged_in_with_its_stick_held_waits_for_it_to_rest(bed, config):
    forward = structs.replace(
        XBOX, axes={**XBOX.axes, pads.ABS_Y: structs.replace(XBOX.axes[pads.ABS_Y], value=-32768)}
    )
    node = bed.plug(forward)
    bed.start(config)
    assert bed.poll().command is None
    bed.press(node, pads.BTN_TR)
    waiting = bed.poll()
    assert waiting.command is None
    assert "let go of the sticks" in waiting.trouble
    bed.move(node, pads.ABS_Y, 0)
    assert bed.poll().trouble == ""
    bed.move(node, pads.ABS_Y, -32768)
    assert motion_of(bed.poll()) == Arc(config.motion.max_speed_mps, 0.0)


def test_turbo_is_faster_and_only_while_held(bed, config):
    node = held(bed, config)
    bed.move(node, pads.ABS_Y, -32768)
    bed.press(node, pads.BTN_TL)
    assert motion_of(bed.poll()) == Arc(config.motion.turbo_speed_mps, 0.0)
    bed.release(node, pads.BTN_TL)
    assert motion_of(bed.poll()) == Arc(config.motion.max_speed_mps, 0.0)


def test_the_d_pad_spins_while_held(bed, config):
    node = held(bed, config)
    bed.move(node, pads.ABS_HAT0X, -1)
    assert motion_of(bed.poll()) == Spin(config.motion.max_yaw_rate_rad_s)
    bed.move(node, pads.ABS_HAT0X, 1)
    assert motion_of(bed.poll()) == Spin(-config.motion.max_yaw_rate_rad_s)
    bed.move(node, pads.ABS_HAT0X, 0)
    assert motion_of(bed.poll()) == AT_REST


def test_a_mode_button_turns_steering_into_spinning_and_back(bed, config):
    node, button = held(bed, config), pads.BTN_NORTH
    bed.press(node, button)
    bed.move(node, pads.ABS_RX, -32768)
    update = bed.poll()
    assert update.mode is DriveMode.SPIN
    assert motion_of(update) == Spin(config.motion.max_yaw_rate_rad_s)
    bed.send(node, (KEY, button, 2))
    assert bed.poll().mode is DriveMode.SPIN
    bed.release(node, button)
    bed.press(node, button)
    assert bed.poll().mode is DriveMode.ARC


def test_a_rover_with_six_steered_wheels_has_a_mode_to_crab(bed, config):
    steer = config.wheels["left_front"].steer
    wheels = {name: structs.replace(wheel, steer=steer) for name, wheel in config.wheels.items()}
    node = held(bed, structs.replace(config, wheels=wheels))
    for _ in range(2):
        bed.press(node, pads.BTN_NORTH)
        bed.release(node, pads.BTN_NORTH)
    bed.move(node, pads.ABS_X, -32768)
    update = bed.poll()
    assert update.mode is DriveMode.CRAB
    assert motion_of(update) == Crab(config.motion.max_speed_mps, math.pi / 2)


@pytest.mark.parametrize(
    ("button", "request_kind"),
    [
        (pads.BTN_EAST, RequestKind.STOP),
        (pads.BTN_START, RequestKind.ARM),
        (pads.BTN_SELECT, RequestKind.DISARM),
    ],
)
def test_buttons_ask_once_for_each_press_dead_man_or_not(bed, config, button, request_kind):
    node = plugged(bed, config)
    bed.press(node, button)
    assert bed.poll().requests == (request_kind,)
    bed.send(node, (KEY, button, 2))
    assert bed.poll().requests == ()
    bed.release(node, button)
    assert bed.poll().requests == ()
    bed.press(node, button)
    assert bed.poll().requests == (request_kind,)


def test_a_stop_silences_every_other_request_of_the_same_moment(bed, config):
    node = plugged(bed, config)
    bed.press(node, pads.BTN_EAST)
    bed.press(node, pads.BTN_START)
    assert bed.poll().requests == (RequestKind.STOP,)


def test_a_stop_button_held_while_plugging_in_is_a_stop(bed, config):
    bed.plug(structs.replace(XBOX, held=[pads.BTN_EAST]))
    bed.start(config)
    assert bed.poll().requests == (RequestKind.STOP,)
    assert bed.poll().requests == ()


def test_unplugging_in_the_middle_of_a_drive_stops_once(bed, config):
    node = held(bed, config)
    bed.move(node, pads.ABS_Y, -32768)
    bed.poll()
    bed.unplug(node)
    gone = bed.poll()
    assert motion_of(gone) == Stop("gamepad unplugged")
    assert not gone.connected
    assert bed.reply.filenos == 0
    after = bed.poll()
    assert after.command is None
    assert after.trouble == f"{XBOX.name} was unplugged or switched off"


def test_a_pad_plugged_in_again_elsewhere_needs_the_dead_man_anew(bed, config):
    node = held(bed, config)
    seq = bed.poll().command.seq
    bed.unplug(node)
    bed.poll()
    bed.poll()
    again = bed.plug(XBOX)
    update = bed.poll(after_s=1.0)
    assert update.connected
    assert update.trouble == ""
    assert update.command.seq > seq
    bed.move(again, pads.ABS_Y, -32768)
    assert bed.poll().command is None
    bed.move(again, pads.ABS_Y, 0)
    assert motion_of(bed.poll()) == AT_REST
    bed.press(again, pads.BTN_TR)
    bed.move(again, pads.ABS_Y, -32768)
    assert motion_of(bed.poll()) == Arc(config.motion.max_speed_mps, 0.0)


def test_a_rover_started_without_a_pad_says_so_and_takes_one_later(bed, config):
    bed.start(config)
    assert bed.poll() == GamepadUpdate(trouble="no gamepad found: plug one in or pair it")
    bed.plug(XBOX)
    assert not bed.poll().connected
    assert bed.poll(after_s=1.0).connected


def test_of_two_pads_the_first_drives_and_the_other_takes_over_when_it_goes(bed, config):
    first = bed.plug(XBOX)
    second = bed.plug(pads.PLAYSTATION)
    bed.start(config)
    update = bed.poll()
    assert update.name == XBOX.name
    assert f"{XBOX.name} (/dev/input/event{first}) drives" in update.trouble
    assert f"{pads.PLAYSTATION.name} (/dev/input/event{second}) is ignored" in update.trouble
    bed.unplug(first)
    bed.poll()
    taken = bed.poll()
    assert taken.name == pads.PLAYSTATION.name
    assert taken.trouble == ""


def test_a_second_pad_is_not_listened_to(bed, config):
    held(bed, config)
    second = bed.plug(pads.PLAYSTATION)
    assert "more than one gamepad" in bed.poll(after_s=1.0).trouble
    bed.press(second, pads.BTN_TR)
    bed.press(second, pads.BTN_EAST)
    bed.move(second, pads.ABS_Y, 0)
    update = bed.poll()
    assert motion_of(update) == AT_REST
    assert update.requests == ()


def test_what_is_no_gamepad_is_passed_over(bed, config):
    for other in (pads.KEYBOARD, pads.MOTION_SENSORS, pads.TOUCHPAD):
        bed.plug(other)
    bed.start(config)
    assert not bed.poll().connected
    bed.plug(pads.PLAYSTATION)
    update = bed.poll(after_s=1.0)
    assert update.name == pads.PLAYSTATION.name
    assert update.trouble == ""


def test_a_configured_device_is_the_only_one_taken(bed, config):
    bed.plug(pads.PLAYSTATION)
    node = bed.reserve()
    path = f"/dev/input/event{node}"
    bed.start(structs.replace(config, gamepad=GamepadConfig(device=path)))
    absent = bed.poll()
    assert not absent.connected
    assert absent.trouble.startswith(f"gamepad.device is {path}: No such file")
    bed.plug(XBOX, node)
    present = bed.poll(after_s=1.0)
    assert present.name == XBOX.name
    assert present.trouble == ""


def test_a_configured_device_that_is_no_gamepad_is_named(bed, config):
    node = bed.plug(pads.KEYBOARD)
    path = f"/dev/input/event{node}"
    bed.start(structs.replace(config, gamepad=GamepadConfig(device=path)))
    assert bed.poll().trouble == (
        f"{pads.KEYBOARD.name} ({path}) cannot drive: it is not a gamepad (it has no BTN_SOUTH)"
    )


def test_lost_events_are_made_up_for_from_the_kernels_state(bed, config):
    later = structs.replace(
        XBOX, later_held=[pads.BTN_TR], later_values={pads.ABS_Y: -32768, pads.ABS_RX: -32768}
    )
    node = held(bed, config, later)
    bed.send(
        node,
        (ABS, pads.ABS_Y, 32767),
        (SYN, pads.SYN_DROPPED, 0),
        (ABS, pads.ABS_Y, 20000),
        (KEY, pads.BTN_START, 1),
    )
    update = bed.poll()
    assert update.requests == ()
    assert motion_of(update) == Arc(config.motion.max_speed_mps, TIGHTEST_PER_M)
    bed.move(node, pads.ABS_RX, 0)
    assert motion_of(bed.poll()) == Arc(config.motion.max_speed_mps, 0.0)


def test_a_dead_man_released_among_lost_events_stops(bed, config):
    node = held(bed, config)
    bed.move(node, pads.ABS_Y, -32768)
    bed.poll()
    bed.send(node, (SYN, pads.SYN_DROPPED, 0))
    assert motion_of(bed.poll()) == Stop("dead-man released")


@pytest.mark.parametrize(
    ("button", "requests"),
    [
        (pads.BTN_EAST, (RequestKind.STOP,)),
        (pads.BTN_SELECT, (RequestKind.DISARM,)),
        (pads.BTN_START, ()),
    ],
)
def test_a_stop_among_lost_events_is_found_and_an_arming_is_not(bed, config, button, requests):
    node = plugged(bed, config, structs.replace(XBOX, later_held=[button]))
    bed.send(node, (SYN, pads.SYN_DROPPED, 0))
    assert bed.poll().requests == requests


def test_a_silent_pad_stops_and_needs_rest_and_a_new_press(bed, config):
    node = held(bed, config)
    bed.move(node, pads.ABS_Y, -32768)
    forward = Arc(config.motion.max_speed_mps, 0.0)
    assert motion_of(bed.poll()) == forward
    limit_s = config.deadlines.gamepad_silence_s
    assert motion_of(bed.poll(after_s=limit_s - 0.1)) == forward
    silent = bed.poll(after_s=0.2)
    assert motion_of(silent) == Stop(f"gamepad silent for {limit_s + 0.1:.1f} s with a stick held")
    assert silent.command.stamp_s == bed.now_s
    assert "went silent" in silent.trouble
    assert bed.poll().command is None
    # The radio is back, with the thumb where it was.
    bed.move(node, pads.ABS_Y, -32000)
    assert bed.poll().command is None
    bed.move(node, pads.ABS_Y, 0)
    assert motion_of(bed.poll()) == AT_REST
    bed.move(node, pads.ABS_Y, -32768)
    assert bed.poll().command is None
    bed.release(node, pads.BTN_TR)
    bed.move(node, pads.ABS_Y, 0)
    assert motion_of(bed.poll()) == AT_REST
    bed.press(node, pads.BTN_TR)
    bed.move(node, pads.ABS_Y, -32768)
    assert motion_of(bed.poll()) == forward


def test_a_pad_at_rest_may_be_silent_for_as_long_as_it_likes(bed, config):
    node = held(bed, config)
    update = bed.poll(after_s=600.0)
    assert motion_of(update) == AT_REST
    assert update.command.stamp_s == bed.now_s
    bed.move(node, pads.ABS_Y, -32768)
    assert motion_of(bed.poll()) == Arc(config.motion.max_speed_mps, 0.0)


def test_of_thousands_of_events_the_newest_counts(bed, config):
    node = held(bed, config)
    for start in range(0, 10_000, 100):
        values = range(start, start + 100)
        bed.send(node, *((ABS, pads.ABS_Y, -(value % 32768)) for value in values))
        motion = motion_of(bed.poll())
    assert isinstance(motion, Arc)
    bed.move(node, pads.ABS_Y, -9_999)
    assert motion_of(bed.poll()) == motion
