"""Values that are allowed alone and wrong together: each pair told by both keys."""

import msgspec
import pytest

from rover.config.checks import contradictions
from rover.config.files import NOWHERE, load_config

OSR = load_config("osr", places=NOWHERE).config


def changed(**sections):
    """Return JPL's rover with some keys of some sections set otherwise."""
    return msgspec.structs.replace(
        OSR,
        **{
            section: msgspec.structs.replace(getattr(OSR, section), **values)
            for section, values in sections.items()
        },
    )


def with_wheel(name, **values):
    wheel = msgspec.structs.replace(OSR.wheels[name], **values)
    return msgspec.structs.replace(OSR, wheels={**OSR.wheels, name: wheel})


def with_steer(name, **values):
    return with_wheel(name, steer=msgspec.structs.replace(OSR.wheels[name].steer, **values))


def only(config):
    (found,) = contradictions(config)
    return {".".join(key) for key in found.keys}, found.text


def test_jpls_rover_contradicts_itself_nowhere():
    assert contradictions(OSR) == ()


@pytest.mark.parametrize(
    ("config", "keys", "said"),
    [
        (
            changed(roboclaw={"max_current_a": 2.5}),
            {"roboclaw.max_current_a", "roboclaw.stall_current_a"},
            "roboclaw.max_current_a = 2.5 is less than roboclaw.stall_current_a = 3.0",
        ),
        (
            changed(motion={"turbo_speed_mps": 0.9}),
            {"motion.turbo_speed_mps", "motion.max_speed_mps"},
            "motion.turbo_speed_mps = 0.9 is less than motion.max_speed_mps = 1.0",
        ),
        (
            changed(motion={"stop_decel_mps2": 4.0, "decel_mps2": 5.0}),
            {"motion.stop_decel_mps2", "motion.decel_mps2"},
            "motion.stop_decel_mps2 = 4.0 is less than motion.decel_mps2 = 5.0",
        ),
        (changed(motion={"stop_decel_mps2": 3.0}), set(), None),
        (
            changed(motion={"stop_decel_mps2": 2.9, "decel_mps2": 1.0}),
            {"motion.stop_decel_mps2", "motion.turbo_speed_mps"},
            "motion.stop_decel_mps2 = 2.9 stops the rover from motion.turbo_speed_mps = 1.5 in "
            "0.517 s, at most 0.5 s are allowed: brake with 3 m/s2 or more, or drive slower",
        ),
        (
            changed(
                motion={
                    "stop_decel_mps2": 0.6,
                    "decel_mps2": 0.5,
                    "turbo_speed_mps": 0.3,
                    "max_speed_mps": 0.3,
                }
            ),
            set(),
            None,
        ),
        *(
            (changed(roboclaw={"serial_timeout_s": timeout_s}), set(), None)
            for timeout_s in (0.3, 0.1 + 0.2, 0.4, 0.5)
        ),
        (
            changed(roboclaw={"serial_timeout_s": 0.39}),
            {"roboclaw.serial_timeout_s"},
            "roboclaw.serial_timeout_s = 0.39: the controllers count in steps of 0.1 s, so it must "
            "be one of 0.1, 0.2, 0.3, 0.4 and 0.5: set 0.3, or one of the others",
        ),
        (
            changed(deadlines={"controller_s": 0.31}),
            {"deadlines.controller_s", "roboclaw.serial_timeout_s"},
            "deadlines.controller_s = 0.31 is more than the 0.3 s after which the controllers stop "
            "by themselves (roboclaw.serial_timeout_s): going on",
        ),
        (
            changed(deadlines={"feedback_s": 0.25}, roboclaw={"serial_timeout_s": 0.2}),
            {"deadlines.feedback_s", "roboclaw.serial_timeout_s"},
            "deadlines.feedback_s = 0.25 is more than the 0.2 s",
        ),
        (
            changed(
                deadlines={"feedback_s": 0.5, "controller_s": 0.5},
                roboclaw={"serial_timeout_s": 0.5},
            ),
            set(),
            None,
        ),
        (
            changed(power={"low_v": 13.0}),
            {"power.low_v", "power.very_low_v"},
            "power.low_v = 13.0 is less than power.very_low_v = 13.2",
        ),
        (
            changed(power={"very_low_v": 12.0}),
            {"power.very_low_v", "power.minimum_v"},
            "power.very_low_v = 12.0 is less than power.minimum_v = 12.8",
        ),
        (
            changed(power={"full_v": 13.0}),
            {"power.full_v", "power.low_v"},
            "power.full_v = 13.0 is less than power.low_v = 13.6",
        ),
        (
            changed(steering={"slew_rad_s": 7.0}, gate={"max_steer_rate_rad_s": 6.0}),
            {"gate.max_steer_rate_rad_s", "steering.slew_rad_s"},
            "gate.max_steer_rate_rad_s = 6.0 is less than steering.slew_rad_s = 7.0",
        ),
        (
            changed(maintenance={"duty": 0.25}),
            {"gate.maintenance_duty", "maintenance.duty"},
            "gate.maintenance_duty = 0.2 is less than maintenance.duty = 0.25",
        ),
        (
            changed(gate={"maintenance_steer_rate_rad_s": 0.4}),
            {"gate.maintenance_steer_rate_rad_s", "maintenance.steer_rate_rad_s"},
            "gate.maintenance_steer_rate_rad_s = 0.4 is less than",
        ),
        (
            changed(maintenance={"pause_s": 0.25}),
            {"gate.maintenance_pause_s", "maintenance.pause_s"},
            "maintenance.pause_s = 0.25 is less than gate.maintenance_pause_s = 0.3",
        ),
        (
            changed(loop={"rate_hz": 25.0, "telemetry_hz": 30.0}),
            {"loop.rate_hz", "loop.telemetry_hz"},
            "loop.rate_hz = 25.0 is less than loop.telemetry_hz = 30.0",
        ),
        (
            changed(deadlines={"controller_s": 0.03}, loop={"rate_hz": 50.0}),
            {"deadlines.controller_s", "loop.rate_hz"},
            "deadlines.controller_s = 0.03 is less than two ticks of loop.rate_hz = 50, 0.04 s",
        ),
        (
            changed(steering={"pulse_min_us": 2500.0}),
            {"steering.pulse_max_us", "steering.pulse_min_us"},
            "steering.pulse_max_us = 2500 is not greater than steering.pulse_min_us = 2500",
        ),
        (
            changed(steering={"frequency_hz": 330.0}, loop={"rate_hz": 100.0}),
            set(),
            None,
        ),
        (
            changed(steering={"pulse_max_us": 3000.0, "frequency_hz": 340.0}),
            {"steering.pulse_max_us", "steering.frequency_hz"},
            "steering.pulse_max_us = 3000 does not fit into one period of "
            "steering.frequency_hz = 340, 2941 us",
        ),
        (
            changed(roboclaw={"baud": 115201}),
            {"roboclaw.baud"},
            "roboclaw.baud = 115201: must be one of 2400, 9600,",
        ),
        (
            changed(power={"address": 0x40}),
            {"power.address", "steering.address"},
            "power.address = 0x40 is the servo board on the same bus",
        ),
        (
            changed(power={"address": 0x70}),
            {"power.address", "steering.address"},
            "power.address = 0x70 is the servo board's all-call address on the same bus",
        ),
        (changed(power={"address": 0x40, "i2c_bus": "/dev/i2c-3"}), set(), None),
        (changed(power={"address": 0x40, "ina260": False}), set(), None),
        (
            changed(panel={"stop_button": 23}),
            {"panel.stop_button", "panel.motor_enable"},
            "panel.stop_button and panel.motor_enable are the same line, 23",
        ),
        (changed(panel={"led_armed": None, "led_fault": None}), set(), None),
        (
            with_wheel("left_middle", motor=OSR.wheels["right_rear"].motor),
            {"wheels.right_rear.motor.channel", "wheels.left_middle.motor.channel"},
            "wheels.right_rear.motor and wheels.left_middle.motor are the same output, "
            "address = 0x81, channel = 1",
        ),
        (
            with_steer("left_front", channel=0),
            {"wheels.right_rear.steer.channel", "wheels.left_front.steer.channel"},
            "wheels.right_rear.steer and wheels.left_front.steer are the same servo, channel = 0",
        ),
        (
            with_steer("left_front", direction=0),
            {"wheels.left_front.steer.direction"},
            "wheels.left_front.steer.direction = 0: must be 1, or -1",
        ),
        (
            with_steer("left_front", min_deg=0.0, max_deg=0.0),
            {"wheels.left_front.steer.min_deg", "wheels.left_front.steer.max_deg"},
            "wheels.left_front.steer: min_deg and max_deg are both 0",
        ),
        (
            with_wheel("left_middle", x_m=OSR.wheels["left_front"].x_m, y_m=0.1775),
            {"wheels.left_middle.x_m", "wheels.left_front.x_m"},
            "wheels.left_middle and wheels.left_front stand at the same place",
        ),
        (
            with_wheel("left_middle", radius_m=0.005),
            {
                "gate.max_wheel_accel_rad_s2",
                "motion.accel_mps2",
                "wheels.left_middle.radius_m",
            },
            "gate.max_wheel_accel_rad_s2 = 150 lets wheels.left_middle gain 0.75 m/s2, less than "
            "motion.accel_mps2 = 1.5",
        ),
        (
            msgspec.structs.replace(OSR, wheels={"left_front": OSR.wheels["left_front"]}),
            {"wheels"},
            "wheels: 1 given, at least 2",
        ),
    ],
)
def test_a_contradiction_names_its_keys_and_values(config, keys, said):
    if said is None:
        assert contradictions(config) == ()
    else:
        assert only(config)[0] == keys
        assert only(config)[1].startswith(said)


def test_what_counts_is_the_timeout_that_the_controllers_make_of_the_setting():
    found = contradictions(
        changed(deadlines={"feedback_s": 0.29}, roboclaw={"serial_timeout_s": 0.29})
    )
    assert [{".".join(key) for key in one.keys} for one in found] == [
        {"roboclaw.serial_timeout_s"},
        {"deadlines.feedback_s", "roboclaw.serial_timeout_s"},
    ]


@pytest.mark.parametrize(
    ("direction", "centre_deg", "fits"),
    [
        # -30 to 60 degrees of the wheel: the servo goes the same way for 1, the other for -1.
        (1, 30.0, True),
        (1, 29.9, False),
        (1, 240.0, True),
        (1, 240.1, False),
        (-1, 60.0, True),
        (-1, 59.9, False),
        (-1, 270.0, True),
        (-1, 270.1, False),
    ],
)
def test_the_wheels_range_must_lie_within_the_servos(direction, centre_deg, fits):
    config = with_steer(
        "left_front", direction=direction, centre_deg=centre_deg, min_deg=-30.0, max_deg=60.0
    )
    if fits:
        assert contradictions(config) == ()
    else:
        keys, text = only(config)
        assert "steering.servo_range_deg" in keys
        assert f"centre_deg = {centre_deg:g}" in text
        assert "it has 0 to 300 (steering.servo_range_deg)" in text
