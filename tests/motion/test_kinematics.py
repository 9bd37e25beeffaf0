"""Kinematics, worked out another way: circles about a turning centre, in complex numbers.

A rigid body that turns about a point carries every contact along a circle about that point.
A wheel rolls on it without slip if its axle points at the centre, and rolls as far as the
contact moves.
"""

import cmath
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rover.config import Config
from rover.errors import GeometryError
from rover.messages import Arc, Crab, Motion, Spin, Stop, Twist, WheelTargets
from rover.motion.kinematics import Kinematics
from tests.builders import osr_config
from tests.motion.wheel_tables import Row, agile_rovers, mirrored, rolling_rovers, rover_of

JPL = osr_config()
LEFT_FRONT, RIGHT_FRONT, LEFT_MIDDLE, RIGHT_MIDDLE, LEFT_REAR, RIGHT_REAR = range(6)

speeds = st.floats(-3.0, 3.0)
parts = st.floats(-1.0, 1.0)
yaw_rates = st.floats(-6.0, 6.0)
headings = st.floats(-math.pi, math.pi)


def places(config: Config) -> list[complex]:
    return [complex(wheel.x_m, wheel.y_m) for wheel in config.wheels.values()]


def rolled_m_s(config: Config, targets: WheelTargets) -> list[complex]:
    """Return how every wheel moves its contact if it rolls without slip: speed and heading."""
    return [
        cmath.rect(wheel.radius_m * speed, angle)
        for wheel, speed, angle in zip(
            config.wheels.values(), targets.wheel_rad_s, targets.steer_rad, strict=True
        )
    ]


def slips_m_s(config: Config, targets: WheelTargets, twist: Twist) -> list[float]:
    """Return by how much every contact's motion differs from what its wheel rolls."""
    body = complex(twist.vx_mps, twist.vy_mps)
    return [
        abs(body + 1j * twist.yaw_rate_rad_s * place - rolled)
        for place, rolled in zip(places(config), rolled_m_s(config, targets), strict=True)
    ]


def assert_twist(actual: Twist, expected: Twist, tolerance: float = 1e-8) -> None:
    assert actual.vx_mps == pytest.approx(expected.vx_mps, abs=tolerance)
    assert actual.vy_mps == pytest.approx(expected.vy_mps, abs=tolerance)
    assert actual.yaw_rate_rad_s == pytest.approx(expected.yaw_rate_rad_s, abs=tolerance)


def slowed(kinematics: Kinematics, motion: Motion) -> Motion:
    """Return ``motion`` times its speed fraction."""
    fraction = kinematics.speed_fraction(motion)
    match motion:
        case Arc(speed, curvature):
            return Arc(speed * fraction, curvature)
        case Spin(yaw_rate):
            return Spin(yaw_rate * fraction)
        case Crab(speed, heading):
            return Crab(speed * fraction, heading)
        case Stop():
            return motion


# --- Arcs ------------------------------------------------------------------------------------


@given(rolling_rovers, speeds, parts)
def test_all_axles_of_an_arc_pass_through_one_turning_centre(config, speed, part):
    kinematics = Kinematics(config)
    curvature = part * kinematics.max_curvature_per_m
    assume(abs(curvature) > 1e-3)
    centre = complex(0.0, 1.0 / curvature)
    targets = kinematics.targets(Arc(speed, curvature))
    for place, angle in zip(places(config), targets.steer_rad, strict=True):
        to_centre = centre - place
        along_heading = (to_centre * cmath.rect(1.0, -angle)).real
        assert along_heading == pytest.approx(0.0, abs=1e-9 * max(1.0, abs(to_centre)))


@given(rolling_rovers, speeds, parts)
def test_an_arc_moves_every_contact_as_far_round_the_centre_as_its_wheel_rolls(config, speed, part):
    kinematics = Kinematics(config)
    curvature = part * kinematics.max_curvature_per_m
    assume(abs(curvature) > 1e-3)
    arc = slowed(kinematics, Arc(speed, curvature))
    targets = kinematics.targets(arc)
    centre = complex(0.0, 1.0 / curvature)
    # Carry the body round the centre for a tenth of a second, exactly.
    angle = arc.speed_mps * curvature * 0.1
    for place, rolled in zip(places(config), rolled_m_s(config, targets), strict=True):
        moved = (place - centre) * (cmath.rect(1.0, angle) - 1.0)
        bend = math.sin(angle / 2) / (angle / 2) if angle else 1.0
        chord = rolled * 0.1 * bend * cmath.rect(1.0, angle / 2)
        assert chord == pytest.approx(moved, abs=1e-9)


@given(rolling_rovers, speeds, parts)
def test_an_arc_leaves_no_constraint_violated(config, speed, part):
    kinematics = Kinematics(config)
    arc = slowed(kinematics, Arc(speed, part * kinematics.max_curvature_per_m))
    twist = Twist(arc.speed_mps, 0.0, arc.speed_mps * arc.curvature_per_m)
    assert math.fsum(slips_m_s(config, kinematics.targets(arc), twist)) < 1e-9


@given(rolling_rovers, speeds, parts)
def test_steering_of_an_arc_depends_on_neither_speed_nor_direction(config, speed, part):
    kinematics = Kinematics(config)
    curvature = part * kinematics.max_curvature_per_m
    forward = kinematics.targets(Arc(abs(speed), curvature))
    backward = kinematics.targets(Arc(-abs(speed), curvature))
    standing = kinematics.targets(Arc(0.0, curvature))
    assert forward.steer_rad == backward.steer_rad == standing.steer_rad
    assert backward.wheel_rad_s == tuple(-w for w in forward.wheel_rad_s)
    assert all(w == 0.0 for w in standing.wheel_rad_s)


@given(rolling_rovers, st.floats(-50.0, 50.0))
def test_no_arc_needs_a_corner_to_turn_round_or_leave_its_range(config, curvature):
    targets = Kinematics(config).targets(Arc(0.1, curvature))
    for wheel, angle, speed in zip(
        config.wheels.values(), targets.steer_rad, targets.wheel_rad_s, strict=True
    ):
        if wheel.steer is None:
            assert angle == 0.0
        else:
            assert wheel.steer.min_rad <= angle <= wheel.steer.max_rad
            if wheel.x_m != 0.0:
                assert speed > 0.0


def heading_on_arc(place: complex, curvature: float) -> float:
    """Return the angle at which a wheel rolls forward round the centre at 1/curvature."""
    to_centre = complex(0.0, 1.0 / curvature) - place
    return cmath.phase(to_centre * (-1j if curvature > 0 else 1j))


@given(rolling_rovers)
def test_the_tightest_arc_is_the_tightest_that_all_ranges_allow(config):
    tightest = Kinematics(config).max_curvature_per_m
    corners = [
        (complex(wheel.x_m, wheel.y_m), wheel.steer)
        for wheel in config.wheels.values()
        if wheel.steer is not None and wheel.x_m != 0.0
    ]

    def all_reach(curvature: float) -> bool:
        return all(
            steer.min_rad - 1e-6 <= heading_on_arc(place, side * curvature) <= steer.max_rad + 1e-6
            for place, steer in corners
            for side in (1.0, -1.0)
        )

    assert all(all_reach(tightest * i / 50) for i in range(1, 51))
    if tightest < config.motion.max_curvature_per_m:
        assert not all_reach(tightest * 1.001)
    else:
        assert tightest == config.motion.max_curvature_per_m


def test_a_tighter_arc_than_the_tightest_is_the_tightest():
    kinematics = Kinematics(JPL)
    assert kinematics.max_curvature_per_m == pytest.approx(1 / 0.45)
    assert kinematics.targets(Arc(0.3, 9.0)) == kinematics.targets(Arc(0.3, 1 / 0.45))
    assert kinematics.targets(Arc(0.3, -9.0)) == kinematics.targets(Arc(0.3, -1 / 0.45))


def test_a_steering_range_makes_the_tightest_arc():
    # Centre 1 m to the left of a wheel that stands 1 m ahead: 45 degrees.
    config = rover_of(Row(1.0, 0.5, (-45.0, 45.0)), Row(0.0, 0.5, None), Row(0.0, -0.5, None))
    assert Kinematics(config).max_curvature_per_m == pytest.approx(1 / 1.5)


def test_a_rover_whose_corner_cannot_turn_one_way_drives_straight():
    config = rover_of(Row(0.3, 0.2, (0.0, 45.0)), Row(0.0, -0.2, None))
    kinematics = Kinematics(config)
    assert kinematics.max_curvature_per_m == 0.0
    assert kinematics.targets(Arc(0.75, 1.0)).steer_rad == (0.0, 0.0)


def test_jpls_rover_on_its_tightest_circle_has_the_numbers_worked_out_by_hand():
    # Centre 0.45 m to the left, 0.5 m/s at the origin: yaw rate 1.1111 rad/s. For the left
    # front wheel tan(angle) = 0.274 / (0.450 - 0.177) and its circle has the radius 0.38679 m;
    # that times 1.1111 / 0.075 is its speed. The others likewise.
    targets = Kinematics(JPL).targets(Arc(0.5, 1 / 0.45))
    assert [math.degrees(angle) for angle in targets.steer_rad] == pytest.approx(
        [45.1047, 23.6054, 0.0, 0.0, -48.6314, -26.3086], abs=1e-3
    )
    assert targets.wheel_rad_s == pytest.approx(
        [5.7302, 10.1372, 2.9185, 10.4148, 6.1196, 10.3622], abs=1e-3
    )


def test_jpls_rover_spins_with_the_numbers_worked_out_by_hand():
    # Left front: distance to the origin 0.32620 m, at right angles to it
    # -atan(0.274 / 0.177) = -57.138 degrees, rolling backwards.
    targets = Kinematics(JPL).targets(Spin(1.0))
    assert [math.degrees(angle) for angle in targets.steer_rad] == pytest.approx(
        [-57.138, 57.138, 0.0, 0.0, 60.275, -60.275], abs=1e-3
    )
    assert targets.wheel_rad_s == pytest.approx(
        [-4.3493, 4.3493, -3.3733, 3.3733, -4.7596, 4.7596], abs=1e-3
    )


def test_straight_ahead_and_back():
    kinematics = Kinematics(JPL)
    for speed in (0.75, -0.75):
        targets = kinematics.targets(Arc(speed, 0.0))
        assert targets.steer_rad == (0.0,) * 6
        assert targets.wheel_rad_s == pytest.approx((speed / 0.075,) * 6)


def test_an_inner_fixed_wheel_turns_backwards_when_the_centre_is_inside_it():
    config = rover_of(Row(0.3, 0.1, (-80.0, 80.0)), Row(0.0, 0.5, None), Row(0.0, -0.5, None))
    targets = Kinematics(config).targets(Arc(0.2, 4.0))
    # The centre is at 0.25 m, this wheel 0.25 m beyond it.
    assert targets.wheel_rad_s[1] == pytest.approx(-0.2 / 0.075)


@pytest.mark.parametrize("steer_deg", [None, (-60.0, 60.0)])
def test_a_wheel_on_the_turning_centre_stands_still(steer_deg):
    config = rover_of(Row(0.0, 0.5, steer_deg), Row(0.0, -0.5, None))
    targets = Kinematics(config).targets(Arc(1.0, 2.0))
    assert targets.steer_rad[0] == 0.0
    assert targets.wheel_rad_s[0] == 0.0
    assert targets.wheel_rad_s[1] > 0.0


@pytest.mark.parametrize("x_m", [0.0, 1e-9])
def test_a_steered_wheel_on_the_y_axis_never_steers_on_arcs_and_rolls_back_within_them(x_m):
    config = rover_of(Row(x_m, 0.5, (-10.0, 10.0)), Row(0.0, -0.5, None))
    targets = Kinematics(config).targets(Arc(0.15, 4.0))
    assert targets.steer_rad == (0.0, 0.0)
    assert targets.wheel_rad_s[0] == pytest.approx(-0.15 / 0.075)


# --- Spins, crabs, stops ---------------------------------------------------------------------


@given(agile_rovers, yaw_rates)
def test_all_axles_of_a_spin_pass_through_the_origin_and_nothing_slips(config, yaw_rate):
    kinematics = Kinematics(config)
    spin = slowed(kinematics, Spin(yaw_rate))
    targets = kinematics.targets(spin)
    for place, angle in zip(places(config), targets.steer_rad, strict=True):
        assert (place * cmath.rect(1.0, -angle)).real == pytest.approx(0.0, abs=1e-9)
    twist = Twist(0.0, 0.0, spin.yaw_rate_rad_s)
    assert math.fsum(slips_m_s(config, targets, twist)) < 1e-9
    assert kinematics.targets(Spin(0.0)).steer_rad == targets.steer_rad


def test_a_wheel_at_the_origin_does_nothing_in_a_spin():
    config = rover_of(Row(0.0, 0.0, (-10.0, 10.0)), Row(0.3, 0.0), Row(0.0, 0.3, None))
    targets = Kinematics(config).targets(Spin(1.0))
    assert (targets.steer_rad[0], targets.wheel_rad_s[0]) == (0.0, 0.0)
    assert abs(targets.steer_rad[1]) == pytest.approx(math.pi / 2)


@given(agile_rovers, speeds, headings)
def test_a_crab_moves_every_contact_alike(config, speed, heading):
    kinematics = Kinematics(config)
    crab = slowed(kinematics, Crab(speed, heading))
    targets = kinematics.targets(crab)
    for rolled in rolled_m_s(config, targets):
        assert rolled == pytest.approx(cmath.rect(crab.speed_mps, heading), abs=1e-9)
    for wheel, angle in zip(config.wheels.values(), targets.steer_rad, strict=True):
        assert wheel.steer.min_rad <= angle <= wheel.steer.max_rad
    assert kinematics.targets(Crab(0.0, heading)).steer_rad == targets.steer_rad


def test_a_crab_beyond_a_range_turns_the_wheels_round_and_reverses():
    config = rover_of(Row(0.3, 0.2, (-70.0, 70.0)), Row(-0.3, -0.2, (-70.0, 70.0)))
    targets = Kinematics(config).targets(Crab(0.75, math.radians(120.0)))
    assert targets.steer_rad == pytest.approx((math.radians(-60.0),) * 2)
    assert targets.wheel_rad_s == pytest.approx((-10.0, -10.0))


@pytest.mark.parametrize("heading", [0.0, math.pi, -math.pi])
def test_a_rover_with_fixed_wheels_crabs_ahead_and_back_only(heading):
    kinematics = Kinematics(JPL)
    assert not kinematics.can_crab
    targets = kinematics.targets(Crab(0.75, heading))
    assert targets.wheel_rad_s == pytest.approx((math.cos(heading) * 10.0,) * 6)
    assert targets.steer_rad == pytest.approx((0.0,) * 6)


def test_a_crab_that_drags_fixed_wheels_is_refused_and_they_are_named():
    kinematics = Kinematics(JPL)
    for ask in (kinematics.check, kinematics.targets, kinematics.speed_fraction):
        for deg in (30.0, -30.0, 179.0, -90.0):
            with pytest.raises(GeometryError, match=f"at {deg} deg: left_middle, right_middle"):
                ask(Crab(0.0, math.radians(deg)))


def test_a_motion_out_of_a_range_is_refused_naming_every_wheel_and_what_it_may():
    config = rover_of(Row(0.3, 0.3, (-30.0, 40.0)), Row(-0.1, 0.3), Row(0.3, -0.3, (-30.0, 40.0)))
    kinematics = Kinematics(config)
    with pytest.raises(GeometryError) as refusal:
        kinematics.check(Spin(0.0))
    text = str(refusal.value)
    assert "w0 would have to steer to -45.0 deg, allowed -30.0 to 40.0" in text
    assert "w2 would have to steer to 45.0 deg, allowed -30.0 to 40.0" in text
    assert "w1" not in text
    with pytest.raises(GeometryError, match=r"crab at 41.0 deg: w0 would .* to 41.0 deg"):
        kinematics.check(Crab(0.0, math.radians(41.0)))
    kinematics.check(Crab(0.0, math.radians(40.0)))
    kinematics.check(Crab(0.0, math.radians(150.0)))


def test_rovers_whose_wheels_all_steer_can_crab():
    assert Kinematics(rover_of(Row(0.3, 0.2), Row(-0.3, -0.2, (-5.0, 0.0)))).can_crab
    assert not Kinematics(rover_of(Row(0.3, 0.2, (0.0, 9.0)), Row(-0.3, 0.2, (-9.0, 0.0)))).can_crab


def test_stop_is_no_speed_with_the_wheels_straight():
    kinematics = Kinematics(JPL)
    assert kinematics.targets(Stop("test")) == WheelTargets((0.0,) * 6, (0.0,) * 6)
    assert kinematics.speed_fraction(Stop("test")) == 1.0
    assert kinematics.body_twist(Stop("test")) == Twist(0.0, 0.0, 0.0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_refused(bad):
    kinematics = Kinematics(JPL)
    for motion in (Arc(bad, 0.0), Arc(1.0, bad), Spin(bad), Crab(bad, 0.0), Crab(0.0, bad)):
        with pytest.raises(GeometryError, match="finite"):
            kinematics.targets(motion)


# --- Speed limits ----------------------------------------------------------------------------


@given(rolling_rovers, st.floats(1.0, 1e6), parts, st.sampled_from([1.0, -1.0]))
def test_too_much_is_scaled_as_a_whole_to_the_fastest_wheels_limit(config, ask, part, sign):
    kinematics = Kinematics(config)
    arc = Arc(sign * ask * 40.0, part * kinematics.max_curvature_per_m)
    fraction = kinematics.speed_fraction(arc)
    targets = kinematics.targets(arc)
    used = [
        abs(speed) / wheel.max_speed_rad_s
        for wheel, speed in zip(config.wheels.values(), targets.wheel_rad_s, strict=True)
    ]
    assert fraction < 1.0
    assert max(used) == pytest.approx(1.0, rel=1e-12)
    scaled = Arc(arc.speed_mps * fraction, arc.curvature_per_m)
    assert kinematics.targets(scaled).wheel_rad_s == pytest.approx(targets.wheel_rad_s, rel=1e-9)
    twist = kinematics.body_from_wheels(targets.steer_rad, targets.wheel_rad_s)
    curvature = twist.yaw_rate_rad_s / twist.vx_mps
    assert curvature == pytest.approx(arc.curvature_per_m, abs=1e-8)


def test_what_the_wheels_have_is_not_scaled():
    kinematics = Kinematics(JPL)
    assert kinematics.speed_fraction(Arc(21.0 * 0.075, 0.0)) == pytest.approx(1.0)
    assert kinematics.speed_fraction(Arc(1.0, 0.0)) == 1.0
    # Twice what a wheel has, forwards and backwards alike.
    assert kinematics.speed_fraction(Arc(-42.0 * 0.075, 0.0)) == pytest.approx(0.5)
    assert kinematics.targets(Arc(-99.0, 0.0)).wheel_rad_s == pytest.approx((-21.0,) * 6)


# --- Mirror, and back from the wheels --------------------------------------------------------


@given(rolling_rovers, speeds, parts)
def test_the_mirrored_rover_on_the_mirrored_arc_mirrors_the_wheels(config, speed, part):
    kinematics, mirror = Kinematics(config), Kinematics(mirrored(config))
    assert mirror.max_curvature_per_m == pytest.approx(kinematics.max_curvature_per_m)
    curvature = part * kinematics.max_curvature_per_m
    targets = kinematics.targets(Arc(speed, curvature))
    other = mirror.targets(Arc(speed, -curvature))
    assert other.steer_rad == pytest.approx([-angle for angle in targets.steer_rad], abs=1e-9)
    assert other.wheel_rad_s == pytest.approx(targets.wheel_rad_s, abs=1e-9)


@given(rolling_rovers, speeds, parts)
def test_the_wheels_of_an_arc_tell_the_arc(config, speed, part):
    kinematics = Kinematics(config)
    arc = slowed(kinematics, Arc(speed, part * kinematics.max_curvature_per_m))
    targets = kinematics.targets(arc)
    assert_twist(
        kinematics.body_from_wheels(targets.steer_rad, targets.wheel_rad_s),
        kinematics.body_twist(arc),
    )


@given(agile_rovers, st.builds(Spin, yaw_rates) | st.builds(Crab, speeds, headings))
def test_the_wheels_of_spins_and_crabs_tell_them(config, motion):
    kinematics = Kinematics(config)
    motion = slowed(kinematics, motion)
    targets = kinematics.targets(motion)
    assert_twist(
        kinematics.body_from_wheels(targets.steer_rad, targets.wheel_rad_s),
        kinematics.body_twist(motion),
    )


def test_body_twists_have_the_signs_of_rep_103():
    kinematics = Kinematics(JPL)
    assert kinematics.body_twist(Arc(0.5, 2.0)) == Twist(0.5, 0.0, 1.0)
    assert kinematics.body_twist(Arc(-0.5, 2.0)) == Twist(-0.5, 0.0, -1.0)
    assert kinematics.body_twist(Spin(-0.5)) == Twist(0.0, 0.0, -0.5)
    assert_twist(kinematics.body_twist(Crab(2.0, math.pi / 2)), Twist(0.0, 2.0, 0.0))


@given(rolling_rovers, st.data())
def test_wheels_that_disagree_give_the_motion_with_the_least_slip(config, data):
    kinematics = Kinematics(config)
    count = len(config.wheels)
    targets = WheelTargets(
        tuple(
            data.draw(st.floats(wheel.steer.min_rad, wheel.steer.max_rad)) if wheel.steer else 0.0
            for wheel in config.wheels.values()
        ),
        tuple(data.draw(st.lists(st.floats(-20.0, 20.0), min_size=count, max_size=count))),
    )

    def squares(vx: float, vy: float, yaw_rate: float) -> float:
        return math.fsum(s * s for s in slips_m_s(config, targets, Twist(vx, vy, yaw_rate)))

    best = kinematics.body_from_wheels(targets.steer_rad, targets.wheel_rad_s)
    vx, vy, yaw_rate = best.vx_mps, best.vy_mps, best.yaw_rate_rad_s
    least = squares(vx, vy, yaw_rate)
    for step in (1e-3, -1e-3):
        assert squares(vx + step, vy, yaw_rate) > least
        assert squares(vx, vy + step, yaw_rate) > least
        assert squares(vx, vy, yaw_rate + step) > least
        assert squares(vx + step, vy - step, yaw_rate + step) > least


@given(rolling_rovers, speeds, parts, st.data())
def test_any_wheels_that_suffice_tell_the_same_motion(config, speed, part, data):
    kinematics = Kinematics(config)
    count = len(config.wheels)
    known = tuple(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    used = [place for place, is_known in zip(places(config), known, strict=True) if is_known]
    assume(any(abs(a - b) > 0.05 for a in used for b in used))
    arc = slowed(kinematics, Arc(speed, part * kinematics.max_curvature_per_m))
    targets = kinematics.targets(arc)
    seen = tuple(
        wheel if is_known else None
        for wheel, is_known in zip(targets.wheel_rad_s, known, strict=True)
    )
    assert kinematics.knows_body(known)
    assert_twist(
        kinematics.body_from_wheels(targets.steer_rad, seen), kinematics.body_twist(arc), 1e-7
    )


def test_wheels_that_do_not_suffice_are_refused():
    kinematics = Kinematics(JPL)
    only_one = (None, None, None, 3.0, None, None)
    assert not kinematics.knows_body((False, False, False, True, False, False))
    assert not kinematics.knows_body((False,) * 6)
    with pytest.raises(GeometryError, match="fewer than two wheels"):
        kinematics.body_from_wheels((0.0,) * 6, only_one)


def test_fixed_wheels_that_are_dragged_in_turns_tell_them_all_the_same():
    # A skid-steered rover: its four wheels can do nothing but slip sideways in a spin.
    config = rover_of(*(Row(x, y, None) for x in (0.3, -0.3) for y in (0.2, -0.2)))
    kinematics = Kinematics(config)
    targets = kinematics.targets(Spin(1.0))
    assert targets.steer_rad == (0.0,) * 4
    assert targets.wheel_rad_s == pytest.approx([-0.2 / 0.075, 0.2 / 0.075] * 2)
    twist = kinematics.body_from_wheels(targets.steer_rad, targets.wheel_rad_s)
    assert_twist(twist, Twist(0.0, 0.0, 1.0), 1e-6)
    # Its two left wheels alone say nothing of a turn.
    assert not kinematics.knows_body((True, False, True, False))


@pytest.mark.parametrize("rows", [(), (Row(0.1, 0.2),), (Row(0.1, 0.2), Row(0.1, 0.2))])
def test_a_rover_without_two_places_to_stand_on_is_refused(rows):
    with pytest.raises(GeometryError, match="two different places"):
        Kinematics(rover_of(*rows))
