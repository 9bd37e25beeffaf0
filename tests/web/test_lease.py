import pytest

from rover.clock import ManualClock
from web.lease import SILENCE_S, Lease


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def lease(clock):
    return Lease(clock)


# What was done before -> what happens next -> its result, and who has the wheel then.
@pytest.mark.parametrize(
    ("before", "act", "expected"),
    [
        ([], ("take", "a"), (True, "a")),
        ([], ("hear", "a"), (False, "")),
        ([], ("release", "a"), (False, "")),
        (["a takes"], ("take", "a"), (True, "a")),
        (["a takes"], ("take", "b"), (False, "a")),
        (["a takes"], ("hear", "a"), (True, "a")),
        (["a takes"], ("hear", "b"), (False, "a")),
        (["a takes"], ("release", "a"), (True, "")),
        (["a takes"], ("release", "b"), (False, "a")),
        (["a takes", "silence"], ("take", "b"), (True, "b")),
        (["a takes", "silence"], ("hear", "a"), (False, "")),
        (["a takes", "silence"], ("release", "a"), (False, "")),
        (["a takes", "silence", "b takes"], ("hear", "a"), (False, "b")),
        (["a takes", "silence", "b takes"], ("release", "a"), (False, "b")),
        (["a takes", "release"], ("take", "b"), (True, "b")),
    ],
)
def test_one_driver_at_a_time(lease, clock, before, act, expected):
    for step in before:
        match step:
            case "a takes":
                assert lease.take("a")
            case "b takes":
                assert lease.take("b")
            case "release":
                assert lease.release("a")
            case "silence":
                clock.sleep_s(SILENCE_S + 0.001)
    verb, client = act
    assert (getattr(lease, verb)(client), lease.holder) == expected


def test_a_holder_that_is_heard_keeps_the_wheel(lease, clock):
    lease.take("a")
    for _ in range(10):
        clock.sleep_s(SILENCE_S)
        assert lease.hear("a")
    assert lease.holder == "a"
