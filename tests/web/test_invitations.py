import itertools

import pytest

from rover.clock import ManualClock
from web.invitations import FIRST_WAIT_S, GOOD_FOR_S, LONGEST_WAIT_S, MAX_WRONG, Invitations

HERE = "192.168.1.20"


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def invitations(clock):
    return Invitations(clock)


def other_than(code):
    return f"{(int(code) + 1) % 10**6:06}"


def test_a_code_lets_one_device_in_once(invitations):
    code = invitations.make().code
    assert len(code) == 6
    assert invitations.redeem_code(f" {code[:3]} {code[3:]} ", HERE).fits
    assert not invitations.redeem_code(code, HERE).fits


def test_the_link_lets_one_device_in_once(invitations):
    invitation = invitations.make()
    assert invitations.redeem_token(invitation.token).fits
    assert not invitations.redeem_token(invitation.token).fits
    assert not invitations.redeem_code(invitation.code, HERE).fits


def test_without_an_invitation_nothing_fits(invitations):
    assert not invitations.redeem_code("", HERE).fits
    assert not invitations.redeem_token("").fits


@pytest.mark.parametrize(("late_s", "fits"), [(-1.0, True), (1.0, False)])
def test_it_is_good_for_so_long(invitations, clock, late_s, fits):
    code = invitations.make().code
    clock.sleep_s(GOOD_FOR_S + late_s)
    assert invitations.redeem_code(code, HERE).fits is fits
    token = invitations.make().token
    clock.sleep_s(GOOD_FOR_S + late_s)
    assert invitations.redeem_token(token).fits is fits


def test_a_new_one_voids_the_one_before(invitations):
    old = invitations.make()
    new = invitations.make()
    assert not invitations.redeem_token(old.token).fits
    assert invitations.redeem_token(new.token).fits


def test_after_some_wrong_codes_the_right_one_is_void_but_the_link_is_good(invitations, clock):
    invitation = invitations.make()
    for number in range(MAX_WRONG):
        assert not invitations.redeem_code(other_than(invitation.code), f"10.0.0.{number}").fits
        clock.sleep_s(10.0)
    assert not invitations.redeem_code(invitation.code, HERE).fits
    assert invitations.redeem_token(invitation.token).fits


def test_who_guesses_waits_twice_as_long_each_time(invitations, clock):
    invitations.make()
    waits = []
    for _ in range(12):
        assert invitations.redeem_code("x", HERE).wait_s == 0.0
        verdict = invitations.redeem_code("x", HERE)
        waits.append(verdict.wait_s)
        clock.sleep_s(max(verdict.wait_s, 10.0))
    expected = [min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0**number) for number in range(12)]
    assert waits == pytest.approx(expected)


def test_who_has_to_wait_is_not_even_compared(invitations, clock):
    code = invitations.make().code
    invitations.redeem_code(other_than(code), HERE)
    assert invitations.redeem_code(code, HERE).wait_s > 0.0
    clock.sleep_s(FIRST_WAIT_S)
    assert invitations.redeem_code(code, HERE).fits


def test_the_addresses_of_one_ipv6_network_wait_together(invitations):
    invitations.make()
    invitations.redeem_code("x", "2001:db8:1:2::1")
    assert invitations.redeem_code("x", "2001:db8:1:2:ffff::9").wait_s > 0.0
    assert invitations.redeem_code("x", "2001:db8:1:3::1").wait_s == 0.0


def test_all_addresses_together_try_ten_times_a_minute(invitations, clock):
    code = invitations.make().code
    looked_at = 0
    for number in range(3600):
        address = f"10.0.{number // 256}.{number % 256}"
        looked_at += invitations.redeem_code(other_than(code), address).wait_s == 0.0
        clock.sleep_s(0.1)
    assert 60 <= looked_at <= 70


def test_a_hundred_wrong_codes_get_nowhere(invitations, clock):
    """From one address or from many, fast or slow."""
    for many, pause_s in itertools.product((False, True), (0.0, 2.0)):
        code = invitations.make().code
        for number in range(100):
            address = f"10.1.1.{number}" if many else HERE
            assert not invitations.redeem_code(other_than(code), address).fits
            clock.sleep_s(pause_s)
