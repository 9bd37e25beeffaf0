import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rover.sim.body import Body

OSR = [
    (0.274, 0.177),
    (0.274, -0.177),
    (0.0, 0.253),
    (0.0, -0.253),
    (-0.31, 0.177),
    (-0.31, -0.177),
]
metres = st.floats(-1.0, 1.0)


def consistent(positions, vx, vy, yaw_rate):
    """Steering angles and rolling speeds of wheels that all roll without slip."""
    velocities = [(vx - yaw_rate * y, vy + yaw_rate * x) for x, y in positions]
    return (
        tuple(math.atan2(v, u) for u, v in velocities),
        [math.hypot(u, v) for u, v in velocities],
    )


@given(
    positions=st.lists(st.tuples(metres, metres), min_size=2, max_size=8),
    vx=st.floats(-2, 2),
    vy=st.floats(-2, 2),
    yaw_rate=st.floats(-2, 2),
)
def test_wheels_that_agree_move_the_body_as_they_say(positions, vx, vy, yaw_rate) -> None:
    spread = max(math.dist(positions[0], other) for other in positions)
    assume(spread > 0.05)
    steer_rad, rolling_mps = consistent(positions, vx, vy, yaw_rate)
    body = Body(positions)
    body.step(0.001, steer_rad, rolling_mps)
    assert body.vx_mps == pytest.approx(vx, abs=1e-6)
    assert body.vy_mps == pytest.approx(vy, abs=1e-6)
    assert body.yaw_rate_rad_s == pytest.approx(yaw_rate, abs=1e-6)


def drive(body: Body, steer_rad, rolling_mps, duration_s: float, dt_s: float = 0.005) -> None:
    # The first step starts from standstill; one of no length puts the speed there at once.
    body.step(0.0, steer_rad, rolling_mps)
    for _ in range(round(duration_s / dt_s)):
        body.step(dt_s, steer_rad, rolling_mps)


def test_straight_ahead_is_a_straight_line() -> None:
    body = Body(OSR)
    drive(body, (0.0,) * 6, [1.2] * 6, 10.0)
    assert (body.x_m, body.y_m, body.yaw_rad) == pytest.approx((12.0, 0.0, 0.0), abs=1e-9)


def test_an_arc_ends_on_its_circle() -> None:
    speed_mps, radius_m = 0.8, 0.9
    body = Body(OSR)
    steer_rad, rolling_mps = consistent(OSR, speed_mps, 0.0, speed_mps / radius_m)
    drive(body, steer_rad, rolling_mps, 7.0)
    turned_rad = 7.0 * speed_mps / radius_m
    assert body.yaw_rad == pytest.approx(turned_rad)
    assert body.x_m == pytest.approx(radius_m * math.sin(turned_rad), abs=1e-9)
    assert body.y_m == pytest.approx(radius_m * (1 - math.cos(turned_rad)), abs=1e-9)
    assert -math.pi < body.pose.yaw_rad <= math.pi


def test_a_spin_stays_on_the_spot() -> None:
    body = Body(OSR)
    steer_rad, rolling_mps = consistent(OSR, 0.0, 0.0, -1.1)
    drive(body, steer_rad, rolling_mps, 20.0)
    assert body.yaw_rad == pytest.approx(-22.0)
    assert math.hypot(body.x_m, body.y_m) < 1e-9


def test_all_wheels_crosswise_slide_the_body_sideways() -> None:
    body = Body(OSR)
    drive(body, (math.pi / 2,) * 6, [0.5] * 6, 2.0)
    assert (body.x_m, body.y_m, body.yaw_rad) == pytest.approx((0.0, 1.0, 0.0), abs=1e-9)


def test_wheels_crosswise_hold_the_body_back() -> None:
    # Two of six wheels turned across the way scrub sideways and slow the body down.
    free, scrubbing = Body(OSR), Body(OSR)
    free.step(0.1, (0.0,) * 6, [1.0] * 6)
    scrubbing.step(0.1, (0.0, 0.0, math.pi / 2, math.pi / 2, 0.0, 0.0), [1.0, 1.0, 0, 0, 1.0, 1.0])
    assert free.vx_mps == pytest.approx(1.0)
    assert 0.5 < scrubbing.vx_mps < 0.9


def test_one_side_faster_turns_the_body() -> None:
    body = Body(OSR)
    body.step(0.1, (0.0,) * 6, [0.5, 1.0, 0.5, 1.0, 0.5, 1.0])
    assert body.yaw_rate_rad_s > 0.2
    assert body.vx_mps == pytest.approx(0.75)


def test_a_single_wheel_does_not_divide_by_zero() -> None:
    body = Body([(0.1, 0.2)])
    body.step(0.1, (0.0,), [1.0])
    assert body.vx_mps == pytest.approx(1.0, rel=1e-3)
    assert math.isfinite(body.yaw_rate_rad_s)
    Body([]).step(0.1, (), [])
