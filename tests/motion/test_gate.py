"""The gate: what passes is within every bound; what does not is an explicit stop."""

import math
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from rover.messages import ArmState, OneTarget, WheelTargets
from rover.motion.gate import Gate, PermittedTargets
from tests.builders import osr_config
from tests.what_one_thing_may_do import OneThingRules

CONFIG = osr_config()
COUNT = len(CONFIG.wheels)
STEERED = [i for i, wheel in enumerate(CONFIG.wheels.values()) if wheel.steer is not None]
FIXED = [i for i, wheel in enumerate(CONFIG.wheels.values()) if wheel.steer is None]
STILL = (0.0,) * COUNT
TICK_S = 0.01


def all_wheels(speed_rad_s: float, steer_rad: float = 0.0) -> WheelTargets:
    steer = tuple(steer_rad if i in STEERED else 0.0 for i in range(COUNT))
    return WheelTargets(steer, (speed_rad_s,) * COUNT)


def changed(values: tuple[float, ...], index: int, value: float) -> tuple[float, ...]:
    return (*values[:index], value, *values[index + 1 :])


def driving_gate(speed_rad_s: float = 1.0, now_s: float = 10.0) -> Gate:
    """Return a gate that has let ``speed_rad_s`` through just before ``now_s``."""
    gate = Gate(CONFIG)
    gate.permit(all_wheels(0.0), ArmState.ARMED, now_s - 2 * TICK_S)
    assert not gate.permit(all_wheels(speed_rad_s), ArmState.ARMED, now_s - TICK_S).refused
    return gate


def assert_stopped(permitted: PermittedTargets) -> None:
    assert permitted.wheel_rad_s == STILL
    assert permitted.power is False


def test_only_the_gate_makes_permitted_targets() -> None:
    with pytest.raises(TypeError) as refused:
        PermittedTargets(
            STILL,
            STILL,
            0.0,
            power=True,
            release=False,
            refused="",
            duty=STILL,
            only_servo=None,
            seal=object(),
        )
    assert str(refused.value) == "only the gate makes PermittedTargets: call Gate.permit"


def test_what_was_permitted_stays_what_it_was() -> None:
    permitted = driving_gate().permit(all_wheels(1.0), ArmState.ARMED, 10.0)
    for name, value in (("wheel_rad_s", (9.0,) * COUNT), ("power", True), ("stamp_s", 20.0)):
        with pytest.raises(FrozenInstanceError):
            setattr(permitted, name, value)


@pytest.mark.parametrize("state", [s for s in ArmState if s is not ArmState.ARMED])
def test_not_armed_is_zero_duty_and_limp_servos(state: ArmState) -> None:
    permitted = driving_gate().permit(all_wheels(1.0), state, 10.0)
    assert_stopped(permitted)
    assert permitted.release is True
    assert permitted.refused == ""
    assert permitted.stamp_s == 10.0


def test_armed_targets_within_bounds_pass_unchanged() -> None:
    gate = driving_gate(1.0)
    targets = all_wheels(1.2, 0.05)
    permitted = gate.permit(targets, ArmState.ARMED, 10.0)
    assert (permitted.steer_rad, permitted.wheel_rad_s) == (targets.steer_rad, targets.wheel_rad_s)
    assert permitted.power is True
    assert permitted.release is False
    assert permitted.refused == ""
    assert permitted.stamp_s == 10.0
    assert (permitted.duty, permitted.only_servo) == (STILL, None)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("field", ["steer_rad", "wheel_rad_s"])
@pytest.mark.parametrize("index", range(COUNT))
def test_one_number_that_is_not_finite_stops_all(value: float, field: str, index: int) -> None:
    good = all_wheels(1.0)
    steer, speed = good.steer_rad, good.wheel_rad_s
    if field == "steer_rad":
        steer = changed(steer, index, value)
    else:
        speed = changed(speed, index, value)
    permitted = driving_gate(1.0).permit(WheelTargets(steer, speed), ArmState.ARMED, 10.0)
    assert_stopped(permitted)
    assert "finite" in permitted.refused


@pytest.mark.parametrize("index", range(COUNT))
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_speed_bound_is_each_wheels_own(index: int, sign: float) -> None:
    limit = list(CONFIG.wheels.values())[index].max_speed_rad_s
    gate = Gate(CONFIG)
    speed = 0.0
    now_s = 10.0
    while speed < limit:
        assert not gate.permit(all_wheels(sign * speed), ArmState.ARMED, now_s).refused
        speed, now_s = speed + 1.0, now_s + TICK_S
    at = WheelTargets(STILL, changed((sign * (speed - 1.0),) * COUNT, index, sign * limit))
    assert not gate.permit(at, ArmState.ARMED, now_s).refused
    over = WheelTargets(STILL, changed(at.wheel_rad_s, index, sign * (limit + 1.5e-6)))
    permitted = gate.permit(over, ArmState.ARMED, now_s + TICK_S)
    assert_stopped(permitted)
    assert "allowed" in permitted.refused


@pytest.mark.parametrize("index", STEERED)
@pytest.mark.parametrize("side", ["min_rad", "max_rad"])
def test_the_steering_bound_is_each_wheels_own(index: int, side: str) -> None:
    wheel = list(CONFIG.wheels.values())[index]
    assert wheel.steer is not None
    limit = wheel.steer.min_rad if side == "min_rad" else wheel.steer.max_rad
    for angle, refused in ((limit, False), (limit * 1.001, True)):
        gate = Gate(CONFIG)
        targets = WheelTargets(changed(STILL, index, angle), STILL)
        assert bool(gate.permit(targets, ArmState.ARMED, 10.0).refused) is refused


@pytest.mark.parametrize("index", FIXED)
def test_a_fixed_wheel_is_not_steered(index: int) -> None:
    targets = WheelTargets(changed(STILL, index, 0.01), STILL)
    assert_stopped(Gate(CONFIG).permit(targets, ArmState.ARMED, 10.0))


def test_a_jump_in_speed_is_refused_and_the_way_down_is_not() -> None:
    step = CONFIG.gate.max_wheel_accel_rad_s2 * TICK_S
    assert not driving_gate(1.0).permit(all_wheels(1.0 + 0.99 * step), ArmState.ARMED, 10.0).refused
    assert driving_gate(1.0).permit(all_wheels(1.0 + 1.01 * step), ArmState.ARMED, 10.0).refused
    assert not driving_gate(1.0).permit(all_wheels(0.0), ArmState.ARMED, 10.0).refused
    # Turning round counts from standing: what was gone forward is no credit backward.
    assert not driving_gate(1.0).permit(all_wheels(-0.99 * step), ArmState.ARMED, 10.0).refused
    assert driving_gate(1.0).permit(all_wheels(-1.01 * step), ArmState.ARMED, 10.0).refused


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_speed_may_grow_by_a_whole_step_from_any_speed(sign: float) -> None:
    """At walking pace too, and by the step exactly: rounding must not stop the rover."""
    step = CONFIG.gate.max_wheel_accel_rad_s2 * TICK_S
    for speed_rad_s in (0.1, 0.6, 1.0):
        faster = all_wheels(sign * (speed_rad_s + step))
        gate = driving_gate(sign * speed_rad_s)
        assert not gate.permit(faster, ArmState.ARMED, 10.0).refused


def test_corners_may_turn_by_a_whole_step_from_any_angle() -> None:
    step = CONFIG.gate.max_steer_rate_rad_s * TICK_S
    for steer_rad in (-0.4, 0.4):
        gate = Gate(CONFIG)
        gate.permit(all_wheels(0.0, steer_rad), ArmState.ARMED, 10.0 - TICK_S)
        assert not gate.permit(all_wheels(0.0, steer_rad), ArmState.ARMED, 10.0).refused
        turned = all_wheels(0.0, steer_rad + step)
        assert not gate.permit(turned, ArmState.ARMED, 10.0 + TICK_S).refused
        back = all_wheels(0.0, steer_rad - 0.01 * step)
        assert gate.permit(back, ArmState.ARMED, 10.0 + 2 * TICK_S).refused


def test_the_first_targets_may_be_what_a_tenth_of_a_second_allows() -> None:
    step = CONFIG.gate.max_wheel_accel_rad_s2 * 0.1
    assert step > 2.0
    assert not Gate(CONFIG).permit(all_wheels(2.0), ArmState.ARMED, 10.0).refused


def test_a_jump_in_steering_is_refused_but_not_the_first_angle() -> None:
    step = CONFIG.gate.max_steer_rate_rad_s * TICK_S
    first = Gate(CONFIG)
    assert not first.permit(all_wheels(0.0, 0.9), ArmState.ARMED, 10.0).refused
    assert not driving_gate().permit(all_wheels(1.0, 0.99 * step), ArmState.ARMED, 10.0).refused
    assert driving_gate().permit(all_wheels(1.0, 1.01 * step), ArmState.ARMED, 10.0).refused


def test_a_refusal_holds_the_corners_where_they_were() -> None:
    gate = driving_gate()
    gate.permit(all_wheels(1.0, 0.05), ArmState.ARMED, 10.0)
    permitted = gate.permit(all_wheels(math.nan, 0.05), ArmState.ARMED, 10.01)
    assert permitted.steer_rad == all_wheels(0.0, 0.05).steer_rad
    assert permitted.release is False
    assert permitted.stamp_s == 10.01


def test_a_refusal_of_the_first_targets_leaves_the_corners_limp() -> None:
    assert Gate(CONFIG).permit(all_wheels(math.nan), ArmState.ARMED, 10.0).release


def test_targets_for_another_rover_are_refused() -> None:
    for steer, speed in ((STILL[1:], STILL), (STILL, STILL[1:])):
        permitted = Gate(CONFIG).permit(WheelTargets(steer, speed), ArmState.ARMED, 10.0)
        assert "wheels" in permitted.refused
        assert permitted.wheel_rad_s == STILL


def test_a_long_pause_is_no_credit_for_a_jump() -> None:
    """After a minute without a tick, no more may be gained than within a tenth of a second."""
    step = CONFIG.gate.max_wheel_accel_rad_s2 * 0.1
    gate = driving_gate(1.0, 10.0)
    assert gate.permit(all_wheels(1.0 + 1.01 * step), ArmState.ARMED, 70.0).refused


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(ArmState)),
            st.lists(st.floats(allow_nan=True, width=32), min_size=COUNT, max_size=COUNT),
            st.lists(st.floats(-1.5, 1.5), min_size=COUNT, max_size=COUNT),
            st.floats(-0.01, 0.2),
        ),
        max_size=15,
    )
)
def test_whatever_comes_what_passes_is_within_every_bound(
    story: list[tuple[ArmState, list[float], list[float], float]],
) -> None:
    gate = Gate(CONFIG)
    now_s, last = 10.0, STILL
    gate.permit(all_wheels(0.0), ArmState.ARMED, now_s)
    for state, speeds, steers, after_s in story:
        now_s += after_s
        permitted = gate.permit(WheelTargets(tuple(steers), tuple(speeds)), state, now_s)
        if state is not ArmState.ARMED:
            assert_stopped(permitted)
        allowed_gain = CONFIG.gate.max_wheel_accel_rad_s2 * min(max(after_s, 0.0), 0.1)
        for i, wheel in enumerate(CONFIG.wheels.values()):
            speed, steer = permitted.wheel_rad_s[i], permitted.steer_rad[i]
            assert abs(speed) <= wheel.max_speed_rad_s + 1e-5
            assert abs(speed) - abs(last[i]) <= allowed_gain + 1e-5
            low, high = (wheel.steer.min_rad, wheel.steer.max_rad) if wheel.steer else (0.0, 0.0)
            assert low - 1e-5 <= steer <= high + 1e-5
        last = permitted.wheel_rad_s


# Maintenance: one wheel by its duty, or one servo.

LIMP = (None,) * COUNT
MAINTENANCE = ArmState.MAINTENANCE


def one_wheel(index: int, duty: float) -> OneTarget:
    return OneTarget(changed(STILL, index, duty), LIMP)


def one_servo(index: int, angle_rad: float) -> OneTarget:
    angles: list[float | None] = [None] * COUNT
    angles[index] = angle_rad
    return OneTarget(STILL, tuple(angles))


NOTHING = OneTarget(STILL, LIMP)


def led_to(gate: Gate, index: int, angle_rad: float) -> float:
    """Lead a servo there in steps that are allowed, from time 10; return when it is there."""
    step = CONFIG.gate.maintenance_steer_rate_rad_s * 0.1 * math.copysign(1.0, angle_rad)
    now_s, at = 10.0, 0.0
    while abs(angle_rad - at) > abs(step):
        at, now_s = at + step, now_s + 0.1
        assert not gate.permit_one(one_servo(index, at), MAINTENANCE, now_s).refused
    return now_s + 0.1


def test_in_maintenance_one_wheel_gets_its_duty_and_nothing_else_anything() -> None:
    permitted = Gate(CONFIG).permit_one(one_wheel(2, -0.1), MAINTENANCE, 10.0)
    assert permitted.refused == ""
    assert permitted.duty == changed(STILL, 2, -0.1)
    assert (permitted.wheel_rad_s, permitted.steer_rad) == (STILL, STILL)
    assert permitted.stamp_s == 10.0
    assert (permitted.power, permitted.release, permitted.only_servo) == (False, True, None)


@pytest.mark.parametrize("angle_rad", [0.05, 0.0])
def test_in_maintenance_one_servo_gets_pulses_and_the_others_none(angle_rad: float) -> None:
    permitted = Gate(CONFIG).permit_one(one_servo(1, angle_rad), MAINTENANCE, 10.0)
    assert permitted.refused == ""
    assert permitted.steer_rad == changed(STILL, 1, angle_rad)
    assert (permitted.release, permitted.only_servo) == (False, 1)
    assert permitted.duty == STILL


@pytest.mark.parametrize("state", [state for state in ArmState if state is not MAINTENANCE])
def test_in_no_other_state_one_thing_moves(state: ArmState) -> None:
    for target in (one_wheel(0, 0.1), one_servo(0, 0.0)):
        permitted = Gate(CONFIG).permit_one(target, state, 10.0)
        assert_stopped(permitted)
        assert (permitted.duty, permitted.release) == (STILL, True)
        assert (permitted.refused, permitted.stamp_s) == ("", 10.0)


@pytest.mark.parametrize(
    "target",
    [
        OneTarget((0.1, 0.1, 0.0, 0.0, 0.0, 0.0), LIMP),
        OneTarget((0.1, 0.0, 0.0, 0.0, 0.0, 0.0), (0.0, None, None, None, None, None)),
        OneTarget(STILL, (0.0, 0.0, None, None, None, None)),
        OneTarget(STILL[1:], LIMP),
        OneTarget(STILL, LIMP[1:]),
        one_wheel(0, 0.2001),
        one_wheel(0, -0.2001),
        one_wheel(0, math.nan),
        one_wheel(0, math.inf),
        one_servo(0, math.nan),
        one_servo(0, 0.13),
        one_servo(2, 0.0),
        one_servo(3, 0.1),
    ],
)
def test_what_is_too_much_in_maintenance_is_refused(target: OneTarget) -> None:
    permitted = Gate(CONFIG).permit_one(target, MAINTENANCE, 10.0)
    assert permitted.refused
    assert (permitted.duty, permitted.release, permitted.power) == (STILL, True, False)
    assert (permitted.only_servo, permitted.stamp_s) == (None, 10.0)


@pytest.mark.parametrize("way", [1.0, -1.0])
def test_duty_may_be_all_that_is_allowed_and_grow_by_a_whole_step(way: float) -> None:
    """Exactly so: rounding must not end a calibration."""
    most, step = CONFIG.gate.maintenance_duty, CONFIG.gate.maintenance_duty_rate_per_s * TICK_S
    for duty in (0.02, 0.1, 0.15, most - step):
        gate = Gate(CONFIG)
        assert not gate.permit_one(one_wheel(0, way * duty), MAINTENANCE, 10.0).refused
        more = one_wheel(0, way * (duty + step))
        assert not gate.permit_one(more, MAINTENANCE, 10.0 + TICK_S).refused


def test_a_duty_that_jumps_is_refused_and_one_that_ends_is_not() -> None:
    step = CONFIG.gate.maintenance_duty_rate_per_s * TICK_S
    for then, refused in (
        (0.1 + 0.99 * step, False),
        (0.1 + 1.01 * step, True),
        (-0.99 * step, False),
        (-1.01 * step, True),
        (0.0, False),
    ):
        gate = Gate(CONFIG)
        assert not gate.permit_one(one_wheel(0, 0.1), MAINTENANCE, 10.0).refused
        target = one_wheel(0, then)
        assert bool(gate.permit_one(target, MAINTENANCE, 10.0 + TICK_S).refused) is refused


def test_what_was_gone_before_it_rested_is_no_credit() -> None:
    gate = Gate(CONFIG)
    assert not gate.permit_one(one_wheel(0, 0.15), MAINTENANCE, 10.0).refused
    gate.permit_one(NOTHING, MAINTENANCE, 10.01)
    assert gate.permit_one(one_wheel(0, 0.15), MAINTENANCE, 10.02).refused


@pytest.mark.parametrize("start", ["out of maintenance", "at rest"])
@pytest.mark.parametrize(
    ("within", "beyond"),
    [
        (one_wheel(0, 0.0199), one_wheel(0, 0.0201)),
        (one_servo(0, 0.0119), one_servo(0, 0.0121)),
    ],
)
def test_a_start_is_a_step_of_one_tick_and_no_jerk(
    within: OneTarget, beyond: OneTarget, start: str
) -> None:
    """However long nothing has moved."""
    state = MAINTENANCE if start == "at rest" else ArmState.DISARMED
    for target, refused in ((within, False), (beyond, True)):
        gate = Gate(CONFIG)
        for tick in range(50):
            if start == "at rest":
                gate.permit_one(NOTHING, MAINTENANCE, 10.0 + tick * TICK_S)
            else:
                gate.permit(all_wheels(0.0), state, 10.0 + tick * TICK_S)
        permitted = gate.permit_one(target, MAINTENANCE, 10.0 + 50 * TICK_S)
        assert bool(permitted.refused) is refused


def test_what_was_refused_starts_from_nothing_again() -> None:
    gate = Gate(CONFIG)
    assert not gate.permit_one(one_wheel(0, 0.15), MAINTENANCE, 10.0).refused
    assert gate.permit_one(one_wheel(0, 0.3), MAINTENANCE, 10.01).refused
    assert gate.permit_one(one_wheel(0, 0.15), MAINTENANCE, 10.02).refused
    assert not gate.permit_one(one_wheel(0, 0.01), MAINTENANCE, 10.03).refused


@pytest.mark.parametrize(
    ("between", "then"), [(None, 3), (one_servo(0, 0.0), 0), (one_wheel(1, 0.04), 0)]
)
def test_the_duty_of_what_moved_before_is_no_credit(between: OneTarget | None, then: int) -> None:
    slow = structs.replace(CONFIG.gate, maintenance_duty_rate_per_s=0.5)
    gate = Gate(structs.replace(CONFIG, gate=slow))
    for i, duty in enumerate((0.05, 0.1)):
        assert not gate.permit_one(one_wheel(0, duty), MAINTENANCE, 10.0 + i * 0.1).refused
    if between is not None:
        assert not gate.permit_one(between, MAINTENANCE, 10.5).refused
    assert gate.permit_one(one_wheel(then, 0.1), MAINTENANCE, 11.0).refused


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (one_wheel(0, 0.1), one_wheel(1, 0.05)),
        (one_wheel(0, 0.1), one_servo(0, 0.0)),
        (one_servo(0, 0.0), one_wheel(0, 0.05)),
        (one_servo(0, 0.0), one_servo(1, 0.0)),
    ],
)
def test_another_thing_moves_only_after_a_pause(first: OneTarget, then: OneTarget) -> None:
    pause_s = CONFIG.gate.maintenance_pause_s
    for after_s, refused in ((0.01, True), (pause_s - 0.01, True), (pause_s, False)):
        gate = Gate(CONFIG)
        assert not gate.permit_one(first, MAINTENANCE, 10.0).refused
        # Leaving it meanwhile does not shorten the pause.
        gate.permit(all_wheels(0.0), ArmState.DISARMED, 10.005)
        assert bool(gate.permit_one(then, MAINTENANCE, 10.0 + after_s).refused) is refused


@pytest.mark.parametrize("index", STEERED)
@pytest.mark.parametrize("way", [1.0, -1.0])
def test_a_servo_is_led_beyond_the_wheels_range_but_not_beyond_its_own(
    index: int, way: float
) -> None:
    most = CONFIG.gate.maintenance_steer_rad
    wheel = list(CONFIG.wheels.values())[index]
    assert wheel.steer is not None
    assert most > wheel.steer.max_rad
    gate = Gate(CONFIG)
    now_s = led_to(gate, index, way * (most - 1e-7))
    assert not gate.permit_one(one_servo(index, way * most), MAINTENANCE, now_s).refused
    over = one_servo(index, way * (most + 2e-6))
    assert "allowed" in gate.permit_one(over, MAINTENANCE, now_s + 0.1).refused


@pytest.mark.parametrize("direction", [-1, 1])
@pytest.mark.parametrize("centre_deg", [30.0, 270.0])
def test_a_servo_near_its_own_end_is_led_no_farther(direction: int, centre_deg: float) -> None:
    wheel = CONFIG.wheels["left_front"]
    assert wheel.steer is not None
    steer = structs.replace(
        wheel.steer, centre_deg=centre_deg, direction=direction, min_deg=-20.0, max_deg=20.0
    )
    wheels = {**CONFIG.wheels, "left_front": structs.replace(wheel, steer=steer)}
    # The near end is 30 degrees away, and the far one farther than the gate allows.
    near = math.copysign(math.radians(30.0), direction * (centre_deg - 150.0))
    far = math.copysign(CONFIG.gate.maintenance_steer_rad, -near)
    for end in (near, far):
        gate = Gate(structs.replace(CONFIG, wheels=wheels))
        now_s = led_to(gate, 0, end)
        assert not gate.permit_one(one_servo(0, end), MAINTENANCE, now_s).refused
        over = one_servo(0, end + math.copysign(0.01, end))
        assert "allowed" in gate.permit_one(over, MAINTENANCE, now_s + 0.1).refused


def test_servos_begin_straight_ahead_each_time_anew() -> None:
    gate = Gate(CONFIG)
    led_to(gate, 0, 0.3)
    gate.permit_one(NOTHING, ArmState.DISARMED, 20.0)
    assert gate.permit_one(one_servo(0, 0.3), MAINTENANCE, 30.0).refused
    assert not gate.permit_one(one_servo(0, 0.1), MAINTENANCE, 30.1).refused


def test_after_maintenance_wheels_start_from_standing() -> None:
    gate = Gate(CONFIG)
    gate.permit_one(one_wheel(0, 0.1), MAINTENANCE, 10.0)
    step = CONFIG.gate.max_wheel_accel_rad_s2 * TICK_S
    over = all_wheels(1.01 * step)
    assert gate.permit(over, ArmState.ARMED, 10.0 + TICK_S).refused


@given(
    st.lists(
        st.tuples(
            st.sampled_from([MAINTENANCE] * 5 + [ArmState.DISARMED]),
            st.lists(
                st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.02, -0.02, 0.1, -0.2, 0.3, math.nan]),
                min_size=COUNT,
                max_size=COUNT,
            ),
            st.lists(
                st.sampled_from([None, None, None, None, 0.0, 0.05, -0.1, 0.3, 3.0, math.inf]),
                min_size=COUNT,
                max_size=COUNT,
            ),
            st.sampled_from([0.01, 0.01, 0.1, 0.4]),
        ),
        max_size=30,
    )
)
def test_whatever_comes_in_maintenance_one_thing_moves_slowly(
    story: list[tuple[ArmState, list[float], list[float | None], float]],
) -> None:
    gate, rules, now_s = Gate(CONFIG), OneThingRules(CONFIG), 10.0
    for state, duty, steer, after_s in story:
        now_s += after_s
        permitted = gate.permit_one(OneTarget(tuple(duty), tuple(steer)), state, now_s)
        rules.gate(permitted, state, now_s)
