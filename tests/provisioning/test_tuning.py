"""From runs to constants, from constants to gains: each held to what it was made of."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.provisioning.identify import DutyRun, MotorFit, identify
from calibration.provisioning.recording import Sample, step_response
from calibration.provisioning.tuning import Gains, Supply, design, modelled_step, revised
from rover.errors import DeviceError

SUPPLY = Supply(nominal_v=15.2, low_v=12.8, full_v=16.8)
DURATION_S = 2.0


def run(motor: MotorFit, duty: float, ramp_s: float, supply_v: float) -> DutyRun:
    """Return what a motor of these constants does, stepped finely in a way of its own."""
    speed = angle = 0.0
    samples = []
    steps = 2000
    dt_s = DURATION_S / steps
    for step in range(steps + 1):
        time_s = step * dt_s
        if step % 10 == 0:
            samples.append(Sample(time_s, round(angle), 0, 0.5, supply_v))
        asked = motor.qpps_per_v * supply_v * duty * min(1.0, time_s / ramp_s)
        push = asked - motor.friction_qpps - speed
        speed = max(0.0, speed + push * dt_s / motor.time_constant_s)
        angle += speed * dt_s
    return DutyRun(duty, ramp_s, tuple(samples))


@settings(max_examples=40)
@given(
    st.floats(60.0, 800.0),
    st.floats(0.0, 0.12),
    st.floats(0.02, 0.3),
    st.floats(11.5, 17.0),
)
def test_constants_are_found_again(gain, friction_part, time_constant_s, supply_v) -> None:
    motor = MotorFit(gain, friction_part * gain * supply_v, time_constant_s)
    found = identify([run(motor, duty, 0.5, supply_v) for duty in (0.7, 0.35)])
    assert found.full_speed_qpps(15.2) == pytest.approx(motor.full_speed_qpps(15.2), rel=0.02)
    assert found.time_constant_s == pytest.approx(motor.time_constant_s, rel=0.2, abs=0.02)


def test_what_has_not_settled_is_no_measurement() -> None:
    motor = MotorFit(180.0, 50.0, 1.0)
    with pytest.raises(DeviceError, match=r"35% duty the speed has not settled after 2.0 s"):
        identify([run(motor, duty, 0.5, 15.0) for duty in (0.35, 0.7)])


def test_a_wheel_that_is_no_faster_with_more_duty_is_no_motor() -> None:
    motor = MotorFit(180.0, 50.0, 0.1)
    slow = run(motor, 0.35, 0.5, 15.0)
    with pytest.raises(DeviceError, match="no motor that turns freely"):
        identify([slow, DutyRun(0.7, 0.5, slow.recording)])


@settings(max_examples=40)
@given(
    st.floats(60.0, 800.0),
    st.floats(0.0, 0.15),
    st.floats(0.01, 0.5),
    st.sampled_from([0.2, 0.5, 0.8]),
    st.floats(12.8, 16.8),
)
def test_gains_do_not_overshoot_on_any_charge(gain, friction_part, tau_s, step, supply_v) -> None:
    """In a model of the loop's own, stepped five times as finely."""
    motor = MotorFit(gain, friction_part * gain * 15.2, tau_s)
    gains = design(motor, SUPPLY)
    qpps = motor.full_speed_qpps(SUPPLY.nominal_v)
    target, speed, integral, highest = step * qpps, 0.0, 0.0, 0.0
    dt_s = tau_s / 100
    for _ in range(2000):
        error = (target - speed) / qpps
        duty = target / qpps + gains.p * error + integral
        clipped = max(-1.0, min(1.0, duty))
        if clipped == duty:
            integral += gains.i_per_s * error * dt_s
        push = motor.qpps_per_v * supply_v * clipped - motor.friction_qpps - speed
        speed = max(0.0, speed + push * dt_s / tau_s)
        highest = max(highest, speed)
    assert highest <= 1.10 * target
    assert 0.5 <= gains.p <= 4.0
    assert gains.i_per_s >= 4.0
    assert gains.loop(qpps).d == 0


def test_what_is_seen_counts_more_than_the_model() -> None:
    gains = Gains(2.0, 10.0)

    def seen(overshoot: float, rise_s: float | None):
        times_s = [index * 0.01 for index in range(120)]
        rise = 10.0 if rise_s is None else rise_s
        counts, recording = 0.0, []
        for time_s in times_s:
            recording.append(Sample(time_s, round(counts), 0, 0.5, 15.0))
            peak = 1.0 + overshoot if rise < time_s < rise + 0.1 else 1.0
            counts += 0.01 * 100_000.0 * (peak if time_s > rise else 0.85 * time_s / rise)
        return step_response(recording, 100_000.0)

    assert revised(gains, seen(0.02, 0.06), 0.05) is None
    softer = revised(gains, seen(0.3, 0.06), 0.05)
    assert (softer.p, softer.i_per_s) == (1.0, 2.5)
    for slow in (seen(0.0, None), seen(0.0, 0.6)):
        assert revised(gains, slow, 0.05).p > gains.p


def test_the_models_own_figures() -> None:
    """Without a loop it is the motor alone: nine tenths after ln 10 time constants."""
    motor = MotorFit(200.0, 0.0, 0.1)
    overshoot, rise_s = modelled_step(motor, SUPPLY, Gains(0.0, 0.0), SUPPLY.nominal_v)
    assert overshoot == 0.0
    assert rise_s == pytest.approx(0.1 * math.log(10), rel=0.02)
