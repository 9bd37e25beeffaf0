import pytest

from rover.clock import ManualClock
from web.lease import ASKING_S, SILENCE_S, Lease


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


class TestAsking:
    @pytest.fixture
    def refusals(self):
        return []

    @pytest.fixture
    def asked(self, lease, refusals):
        """A lease that ``a`` has; ``b`` and then ``c`` ask for it."""
        lease.take("a")
        for name in ("b", "c"):
            assert lease.ask(name, lambda holder, name=name: refusals.append((name, holder)))
        return lease

    def test_who_asks_is_seen_in_order(self, asked):
        assert asked.asking == ("b", "c")
        assert asked.holder == "a"

    def test_a_free_wheel_and_ones_own_cannot_be_asked_for(self, lease):
        assert not lease.ask("a", pytest.fail)
        lease.take("a")
        assert not lease.ask("a", pytest.fail)
        assert lease.asking == ()

    def test_only_the_holder_gives_and_only_to_who_asks(self, asked):
        assert not asked.give("b", "c")
        assert not asked.give("a", "d")
        assert not asked.give("a", "a")
        assert asked.holder == "a"
        assert asked.give("a", "c")
        assert asked.holder == "c"

    def test_a_new_holder_has_not_been_asked_yet(self, asked):
        asked.give("a", "b")
        assert asked.asking == ()

    def test_who_is_given_the_wheel_and_says_nothing_loses_it(self, asked, clock):
        asked.give("a", "b")
        clock.sleep_s(SILENCE_S + 0.001)
        assert asked.holder == ""
        assert asked.take("a")

    def test_only_the_holder_refuses_and_the_asker_is_told(self, asked, refusals):
        assert not asked.refuse("c", "b")
        assert asked.refuse("a", "b")
        assert not asked.refuse("a", "b")
        assert refusals == [("b", "a")]
        assert asked.asking == ("c",)
        assert not asked.give("a", "b")

    def test_who_has_gone_asks_no_more(self, asked):
        asked.release("b")
        assert asked.asking == ("c",)
        assert asked.holder == "a"

    def test_nobody_asks_for_ever(self, asked, clock):
        for _ in range(int(ASKING_S / SILENCE_S) + 1):
            clock.sleep_s(SILENCE_S)
            asked.hear("a")
        assert asked.asking == ()
        assert not asked.give("a", "b")

    @pytest.mark.parametrize("leave", ["release", "silence"])
    def test_a_wheel_let_go_of_is_for_the_first_who_takes_it(self, asked, clock, leave):
        if leave == "release":
            asked.release("a")
        else:
            clock.sleep_s(SILENCE_S + 0.001)
        assert (asked.holder, asked.asking) == ("", ())
        assert asked.take("d")
        assert not asked.take("b")
