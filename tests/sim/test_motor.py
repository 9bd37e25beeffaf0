import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rover.sim.motor import NOMINAL_SUPPLY_V, Motor, MotorParameters

OSR_MAX_RAD_S = 21.0


@pytest.fixture
def motor() -> Motor:
    return Motor(MotorParameters.for_wheel(OSR_MAX_RAD_S))


def run(motor: Motor, duration_s: float, supply_v: float = NOMINAL_SUPPLY_V, dt_s=0.005) -> None:
    for _ in range(round(duration_s / dt_s)):
        motor.step(dt_s, supply_v)


def hold(motor: Motor, speed_rad_s: float, gain: float = 4.0, integral: float = 20.0) -> None:
    full_rad_s = motor.parameters.no_load_rad_s
    drive = motor.drive
    drive.bias = speed_rad_s / full_rad_s
    drive.held_rad_s = speed_rad_s
    drive.gain_s = gain / full_rad_s
    drive.integral_gain = integral / full_rad_s


def test_jpls_motor_turns_at_223_rpm_without_load() -> None:
    parameters = MotorParameters.for_wheel(OSR_MAX_RAD_S)
    assert parameters.no_load_rad_s * 60 / math.tau == pytest.approx(223, rel=0.002)


def test_full_duty_reaches_the_balance_of_voltage_and_friction(motor: Motor) -> None:
    motor.drive.hold_duty(1.0)
    run(motor, 2.0)
    parameters = motor.parameters
    expected = (
        NOMINAL_SUPPLY_V - parameters.winding_ohm * parameters.friction_a
    ) / parameters.emf_v_s
    assert motor.speed_rad_s == pytest.approx(expected, rel=1e-6)
    assert motor.current_a == pytest.approx(parameters.friction_a, rel=1e-6)


def test_speed_rises_with_the_mechanical_time_constant(motor: Motor) -> None:
    motor.drive.hold_duty(1.0)
    run(motor, 0.1)
    after_one = motor.speed_rad_s
    run(motor, 2.0)
    assert after_one == pytest.approx(motor.speed_rad_s * (1 - math.exp(-1)), rel=1e-6)


def test_electrical_energy_becomes_heat_motion_and_friction(motor: Motor) -> None:
    # The work of each part is summed on its own, over an acceleration and a cruise.
    parameters = motor.parameters
    inertia = parameters.time_constant_s * parameters.emf_v_s**2 / parameters.winding_ohm
    motor.drive.hold_duty(0.8)
    electrical = heat = friction = 0.0
    dt_s = 0.0005
    for _ in range(1000):
        before_rad = motor.angle_rad
        motor.step(dt_s, NOMINAL_SUPPLY_V)
        electrical += motor.supply_a * NOMINAL_SUPPLY_V * dt_s
        heat += motor.current_a**2 * parameters.winding_ohm * dt_s
        friction += parameters.friction_a * parameters.emf_v_s * (motor.angle_rad - before_rad)
    kinetic = 0.5 * inertia * motor.speed_rad_s**2
    assert kinetic > 1.0
    assert electrical == pytest.approx(heat + friction + kinetic, rel=1e-3)


def test_a_stalled_motor_draws_supply_over_resistance(motor: Motor) -> None:
    motor.lock(True)
    motor.drive.hold_duty(1.0)
    run(motor, 0.1, supply_v=12.0)
    assert motor.speed_rad_s == 0.0
    assert motor.current_a == pytest.approx(9.2)
    assert motor.supply_a == pytest.approx(9.2)


def test_the_current_limit_holds_in_stall_and_in_acceleration(motor: Motor) -> None:
    motor.drive.hold_duty(1.0)
    motor.drive.current_limit_a = 4.0
    motor.step(0.005, NOMINAL_SUPPLY_V)
    assert motor.current_a == pytest.approx(4.0)
    assert motor.limited
    parameters = motor.parameters
    accel = (4.0 - parameters.friction_a) * parameters.winding_ohm
    accel /= parameters.emf_v_s * parameters.time_constant_s
    assert motor.speed_rad_s == pytest.approx(accel * 0.005)
    motor.lock(True)
    motor.step(0.005, NOMINAL_SUPPLY_V)
    assert motor.current_a == pytest.approx(4.0)
    # Chopping: four amperes through the winding need less from the supply.
    assert motor.supply_a == pytest.approx(4.0**2 * parameters.winding_ohm / NOMINAL_SUPPLY_V)


def test_a_duty_too_small_to_overcome_friction_moves_nothing(motor: Motor) -> None:
    parameters = motor.parameters
    breakaway = parameters.friction_a * parameters.winding_ohm / NOMINAL_SUPPLY_V
    motor.drive.hold_duty(0.99 * breakaway)
    run(motor, 1.0)
    assert motor.angle_rad == 0.0
    motor.drive.hold_duty(1.01 * breakaway)
    run(motor, 1.0)
    assert motor.angle_rad > 0.0


def test_the_velocity_loop_stops_from_full_speed_within_a_tenth_of_a_second(motor: Motor) -> None:
    hold(motor, OSR_MAX_RAD_S)
    run(motor, 1.0)
    assert motor.speed_rad_s == pytest.approx(OSR_MAX_RAD_S, rel=0.01)
    hold(motor, 0.0)
    motor.drive.current_limit_a = 15.0
    run(motor, 0.1)
    assert motor.speed_rad_s == 0.0
    run(motor, 0.1)
    assert motor.current_a == 0.0


def test_zero_duty_brakes_by_the_shorted_winding(motor: Motor) -> None:
    motor.drive.hold_duty(1.0)
    run(motor, 1.0)
    full_rad_s = motor.speed_rad_s
    motor.drive.hold_duty(0.0)
    motor.step(0.005, NOMINAL_SUPPLY_V)
    assert motor.current_a < -5.0
    assert motor.supply_a == pytest.approx(0.0, abs=1e-9)
    run(motor, 0.095)
    assert motor.speed_rad_s < full_rad_s * math.exp(-1)
    run(motor, 0.3)
    assert motor.speed_rad_s == 0.0


@given(
    speed=st.floats(-OSR_MAX_RAD_S, OSR_MAX_RAD_S),
    gain=st.floats(0.5, 200.0),
    integral=st.floats(0.0, 40.0),
    dt_s=st.floats(1e-3, 0.02),
)
def test_no_gain_and_no_step_length_makes_the_loop_unstable(speed, gain, integral, dt_s) -> None:
    motor = Motor(MotorParameters.for_wheel(OSR_MAX_RAD_S))
    hold(motor, speed, gain, integral)
    for _ in range(round(2.0 / dt_s)):
        motor.step(dt_s, NOMINAL_SUPPLY_V)
    lost_rad_s = motor.parameters.friction_a * motor.parameters.winding_ohm
    lost_rad_s /= motor.parameters.emf_v_s * (1.0 + gain)
    assert abs(motor.speed_rad_s - speed) <= lost_rad_s + 0.02 * abs(speed) + 0.02


@given(
    st.lists(st.tuples(st.floats(-1, 1), st.floats(5.0, 17.0)), min_size=1, max_size=40),
)
def test_a_large_step_ends_where_many_small_ones_do(commands) -> None:
    coarse = Motor(MotorParameters.for_wheel(OSR_MAX_RAD_S))
    fine = Motor(MotorParameters.for_wheel(OSR_MAX_RAD_S))
    for duty, supply_v in commands:
        for motor, steps in ((coarse, 4), (fine, 80)):
            motor.drive.hold_duty(duty)
            for _ in range(steps):
                motor.step(0.02 / steps, supply_v)
    # Only the moment of a reversal is interpolated.
    assert coarse.speed_rad_s == pytest.approx(fine.speed_rad_s, abs=0.1)
