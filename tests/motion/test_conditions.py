"""What is wrong with the rover: each kind of trouble, and that a sound rover has none."""

import math

from msgspec import structs

from rover.config import Config
from rover.messages import (
    Condition,
    DeviceHealth,
    PowerReading,
    Reaction,
    Severity,
    WheelFeedback,
    WheelReading,
)
from rover.motion.conditions import Observed, Watch
from tests.builders import osr_config

NOW_S = 20.0


def sound(now_s: float = NOW_S, volts: float = 15.5) -> Observed:
    """Return what a rover with nothing wrong says."""
    reading = WheelReading(0.0, now_s - 0.01, 0.0, 0.1, now_s - 0.1)
    return Observed(
        drive=tuple(DeviceHealth(f"RoboClaw {a}", True, 0.01) for a in ("0x80", "0x81", "0x82")),
        steering=(DeviceHealth("PCA9685", True, 0.1),),
        monitor=(DeviceHealth("INA260", True, 0.1),),
        panel=(DeviceHealth("GPIO", True, 0.0),),
        feedback=WheelFeedback((reading,) * 6),
        commanded_rad_s=(0.0,) * 6,
        power=(PowerReading(volts, 1.0, now_s - 0.1, "INA260"), None),
        stop_pressed=False,
    )


def found(observed: Observed, config: Config | None = None) -> tuple[Condition, ...]:
    return Watch(config or osr_config()).conditions(observed, NOW_S)


def the_one(observed: Observed, config: Config | None = None) -> Condition:
    (condition,) = found(observed, config)
    return condition


def test_a_sound_rover_has_none() -> None:
    assert found(sound()) == ()


def test_a_silent_controller_stops_and_is_named() -> None:
    observed = sound()
    silent = DeviceHealth("RoboClaw 0x81", False, 0.2, errors=("no reply to command 37",))
    drive = (observed.drive[0], silent, observed.drive[2])
    condition = the_one(structs.replace(observed, drive=drive))
    assert condition.reaction is Reaction.STOP
    assert "0x81" in condition.text
    assert "0.2 s" in condition.text
    assert "command 37" in condition.text


def test_a_controller_never_heard_says_so() -> None:
    observed = sound()
    silent = DeviceHealth("RoboClaw 0x80", False, math.inf)
    condition = the_one(structs.replace(observed, drive=(silent, *observed.drive[1:])))
    assert "not answered yet" in condition.text


def test_status_errors_stop_cautions_slow_and_warnings_are_told() -> None:
    observed = sound()
    device = DeviceHealth(
        "RoboClaw 0x80", True, 0.01, ("M1 driver fault",), ("temperature",), ("S4 input",)
    )
    error, caution, warning = found(structs.replace(observed, drive=(device, *observed.drive[1:])))
    assert caution.reaction is Reaction.SLOW
    assert caution.severity is Severity.WARNING
    assert "temperature" in caution.text
    assert error.reaction is Reaction.STOP
    assert "M1 driver fault" in error.text
    assert warning.reaction is Reaction.TELL
    assert warning.severity is Severity.WARNING


def test_stale_encoders_stop_and_are_named() -> None:
    observed = sound()
    old = WheelReading(0.0, NOW_S - 0.26, 0.0)
    wheels = (*observed.feedback.wheels[:5], old)
    condition = the_one(structs.replace(observed, feedback=WheelFeedback(wheels)))
    assert condition.reaction is Reaction.STOP
    assert "right_rear" in condition.text
    assert "left_front" not in condition.text


def test_a_servo_board_that_is_gone_stops() -> None:
    board = DeviceHealth("PCA9685", False, 1.0)
    assert the_one(structs.replace(sound(), steering=(board,))).reaction is Reaction.STOP


def test_steering_not_calibrated_stops() -> None:
    config = osr_config()
    config = structs.replace(config, steering=structs.replace(config.steering, calibrated=False))
    condition = the_one(sound(), config)
    assert condition.severity is Severity.ERROR
    assert condition.reaction is Reaction.STOP


def test_a_wheel_that_does_not_do_what_it_is_told_stops_and_is_named() -> None:
    watch = Watch(osr_config())
    observed = structs.replace(sound(), commanded_rad_s=(0.0, 0.0, 13.0, 0.0, 0.0, 0.0))
    assert watch.conditions(observed, NOW_S) == ()
    later = structs.replace(sound(NOW_S + 0.7), commanded_rad_s=observed.commanded_rad_s)
    (condition,) = watch.conditions(later, NOW_S + 0.7)
    assert condition.reaction is Reaction.STOP
    assert "left_middle" in condition.text


def test_wheels_owe_nothing_for_what_they_were_told_while_a_controller_fell_silent() -> None:
    watch = Watch(osr_config())
    tick_s, position_rad = 0.01, 0.0

    def tick(n: int, commanded_rad_s: float, *, ready: bool) -> list[str]:
        now_s = NOW_S + n * tick_s
        reading = WheelReading(position_rad, now_s, 0.0)
        observed = structs.replace(
            sound(now_s),
            feedback=WheelFeedback((reading,) * 6),
            commanded_rad_s=(commanded_rad_s,) * 6,
        )
        if not ready:
            silent = DeviceHealth("RoboClaw 0x81", False, 0.2)
            observed = structs.replace(observed, drive=(silent, *observed.drive[1:]))
        return [condition.code for condition in watch.conditions(observed, now_s)]

    # The cable comes off at full speed; it is put back, and somebody drives on slowly.
    for n in range(15):
        assert tick(n, 20.0, ready=True) == []
    for n in range(15, 100):
        assert tick(n, 0.0, ready=False) == ["controller"]
    for n in range(100, 300):
        position_rad += 0.67 * tick_s
        assert tick(n, 0.67, ready=True) == []


def test_a_rover_without_steering_needs_no_calibration() -> None:
    config = osr_config()
    wheels = {name: structs.replace(w, steer=None) for name, w in config.wheels.items()}
    steering = structs.replace(config.steering, calibrated=False)
    config = structs.replace(config, wheels=wheels, steering=steering)
    assert found(structs.replace(sound(), steering=()), config) == ()


def test_a_missing_ina260_is_a_warning_when_the_controllers_know_the_battery() -> None:
    observed = structs.replace(
        sound(),
        monitor=(DeviceHealth("INA260", False, math.inf),),
        power=(None, PowerReading(15.0, None, NOW_S - 0.2, "RoboClaw 0x80")),
    )
    condition = the_one(observed)
    assert condition.severity is Severity.WARNING


def test_nothing_that_measures_the_battery_stops() -> None:
    for power in ((None, None), (PowerReading(15.0, 1.0, NOW_S - 2.1, "INA260"), None)):
        assert the_one(structs.replace(sound(), power=power)).code == "battery-unknown"


def test_the_stop_button() -> None:
    assert the_one(structs.replace(sound(), stop_pressed=True)).reaction is Reaction.STOP
