"""The arbiter: who drives, told as stories and as rules that hold for any story."""

import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from rover.messages import Arc, Crab, Motion, Selected, Source, Spin, Stop, is_neutral
from rover.motion.arbiter import Arbiter
from tests.builders import command, osr_config

REST = Arc(0.0, 0.0)
AHEAD = Arc(0.8, 0.1)
PAD, PHONE = Source.GAMEPAD, Source.WEB
DEADLINE_S = {PAD: 0.1, PHONE: 0.3}


@pytest.fixture
def arbiter() -> Arbiter:
    return Arbiter(osr_config())


def hear(arbiter: Arbiter, source: Source, motion: Motion, now_s: float) -> None:
    assert arbiter.receive(command(source, motion, now_s), now_s) == ""


NOBODY = Selected(Stop("nobody drives"), None, 0.0)


def test_nobody_drives_at_first(arbiter: Arbiter) -> None:
    assert arbiter.select(1.0) == NOBODY
    assert arbiter.holder is None


def test_motion_before_neutral_is_not_driven(arbiter: Arbiter) -> None:
    hear(arbiter, PHONE, AHEAD, 1.0)
    assert isinstance(arbiter.select(1.0).motion, Stop)
    assert arbiter.asking(1.0) == (PHONE,)


@pytest.mark.parametrize("source", list(Source))
def test_a_source_drives_after_neutral(arbiter: Arbiter, source: Source) -> None:
    hear(arbiter, source, REST, 1.0)
    hear(arbiter, source, AHEAD, 1.05)
    selected = arbiter.select(1.06)
    assert (selected.motion, selected.source) == (AHEAD, source)
    assert selected.age_s == pytest.approx(0.01)


@pytest.mark.parametrize(("source", "deadline_s"), list(DEADLINE_S.items()))
def test_silence_beyond_the_deadline_stops_and_wants_neutral(
    arbiter: Arbiter, source: Source, deadline_s: float
) -> None:
    hear(arbiter, source, REST, 1.0)
    hear(arbiter, source, AHEAD, 1.0 + 1e-3)
    last_s = 1.0 + 1e-3
    assert arbiter.select(last_s + deadline_s - 1e-6).motion == AHEAD
    stopped = arbiter.select(last_s + deadline_s + 1e-6)
    silent = Stop(f"{source} silent for {deadline_s * 1000:.0f} ms")
    assert stopped == Selected(silent, source, 0.0)
    assert arbiter.holder is None
    back_s = last_s + deadline_s + 0.01
    hear(arbiter, source, AHEAD, back_s)
    assert isinstance(arbiter.select(back_s).motion, Stop)
    hear(arbiter, source, REST, back_s + 0.01)
    hear(arbiter, source, AHEAD, back_s + 0.02)
    assert arbiter.select(back_s + 0.02).motion == AHEAD


def test_silence_is_told_with_the_deadline_in_force() -> None:
    config = osr_config()
    deadlines = structs.replace(config.deadlines, web_s=2.5)
    arbiter = Arbiter(structs.replace(config, deadlines=deadlines))
    hear(arbiter, PHONE, REST, 1.0)
    hear(arbiter, PHONE, AHEAD, 1.01)
    assert arbiter.select(1.01).motion == AHEAD
    assert arbiter.select(4.0).motion == Stop("web silent for 2500 ms")


@pytest.mark.parametrize("driver", list(Source))
@pytest.mark.parametrize("stopper", list(Source))
def test_a_stop_from_anyone_beats_whoever_drives(
    arbiter: Arbiter, driver: Source, stopper: Source
) -> None:
    hear(arbiter, driver, REST, 1.0)
    hear(arbiter, driver, AHEAD, 1.01)
    assert arbiter.select(1.01).motion == AHEAD
    hear(arbiter, stopper, Stop("let go"), 1.02)
    assert arbiter.asking(1.02) == ()
    hear(arbiter, driver, AHEAD, 1.03)
    assert arbiter.select(1.03) == Selected(Stop("let go"), stopper, 0.0)
    hear(arbiter, driver, AHEAD, 1.04)
    assert isinstance(arbiter.select(1.04).motion, Stop)
    hear(arbiter, driver, REST, 1.05)
    hear(arbiter, driver, AHEAD, 1.06)
    assert arbiter.select(1.06).motion == AHEAD


def test_the_pad_takes_the_wheel_and_the_phone_comes_back_from_neutral(arbiter: Arbiter) -> None:
    for source in Source:
        hear(arbiter, source, REST, 1.0)
    hear(arbiter, PHONE, AHEAD, 1.01)
    assert arbiter.select(1.01).source is PHONE
    hear(arbiter, PAD, Spin(1.0), 1.02)
    assert arbiter.select(1.02).source is PAD
    hear(arbiter, PHONE, AHEAD, 1.03)
    hear(arbiter, PAD, REST, 1.03)
    assert is_neutral(arbiter.select(1.03).motion)
    hear(arbiter, PHONE, REST, 1.04)
    hear(arbiter, PHONE, AHEAD, 1.05)
    hear(arbiter, PAD, REST, 1.05)
    assert arbiter.select(1.05).source is PHONE


def test_the_phone_does_not_take_the_wheel_from_a_moving_pad(arbiter: Arbiter) -> None:
    for source in Source:
        hear(arbiter, source, REST, 1.0)
    hear(arbiter, PAD, AHEAD, 1.01)
    hear(arbiter, PHONE, Spin(1.0), 1.01)
    assert arbiter.select(1.01).source is PAD
    # Nor when the pad comes to rest, before the phone has.
    hear(arbiter, PAD, REST, 1.02)
    hear(arbiter, PHONE, Spin(1.0), 1.02)
    assert arbiter.select(1.02) == Selected(REST, PAD, 0.0)
    hear(arbiter, PHONE, REST, 1.03)
    hear(arbiter, PHONE, Spin(1.0), 1.04)
    assert arbiter.select(1.04) == Selected(Spin(1.0), PHONE, 0.0)


@pytest.mark.parametrize("source", list(Source))
def test_a_source_that_fell_silent_at_rest_starts_from_neutral(
    arbiter: Arbiter, source: Source
) -> None:
    hear(arbiter, source, REST, 1.0)
    hear(arbiter, source, AHEAD, 1.01)
    hear(arbiter, source, REST, 1.02)
    assert arbiter.select(1.02) == NOBODY
    assert arbiter.select(2.0) == NOBODY
    hear(arbiter, source, AHEAD, 2.01)
    assert arbiter.select(2.01) == NOBODY
    hear(arbiter, source, REST, 2.02)
    hear(arbiter, source, AHEAD, 2.03)
    assert arbiter.select(2.03).motion == AHEAD


def test_a_driver_that_falls_silent_at_rest_stops_nobody_else(arbiter: Arbiter) -> None:
    for source in Source:
        hear(arbiter, source, REST, 1.0)
    hear(arbiter, PAD, AHEAD, 1.01)
    assert arbiter.select(1.01).source is PAD
    hear(arbiter, PAD, REST, 1.02)
    assert arbiter.select(1.02) == Selected(REST, PAD, 0.0)
    hear(arbiter, PHONE, REST, 1.1)
    assert arbiter.select(1.2) == NOBODY
    assert arbiter.holder is None
    hear(arbiter, PHONE, AHEAD, 1.21)
    assert arbiter.select(1.21).motion == AHEAD


@pytest.mark.parametrize("pad", [REST, AHEAD])
def test_who_does_not_drive_stops_nobody_by_falling_silent(arbiter: Arbiter, pad: Motion) -> None:
    for source in Source:
        hear(arbiter, source, REST, 1.0)
    hear(arbiter, PAD, AHEAD, 1.01)
    hear(arbiter, PHONE, AHEAD, 1.01)
    assert arbiter.select(1.01).source is PAD
    hear(arbiter, PAD, pad, 1.5)
    assert arbiter.select(1.5) == Selected(pad, PAD, 0.0)


@pytest.mark.parametrize(("source", "deadline_s"), list(DEADLINE_S.items()))
def test_a_command_counts_until_its_very_deadline(
    arbiter: Arbiter, source: Source, deadline_s: float
) -> None:
    # From zero, where these numbers are exact.
    hear(arbiter, source, REST, -0.01)
    hear(arbiter, source, AHEAD, 0.0)
    assert arbiter.asking(deadline_s) == (source,)
    assert arbiter.hears(deadline_s)
    assert arbiter.select(deadline_s) == Selected(AHEAD, source, deadline_s)
    assert not arbiter.hears(deadline_s + 1e-6)
    assert arbiter.asking(deadline_s + 1e-6) == ()


def test_a_neutral_from_before_the_stop_does_not_revive(arbiter: Arbiter) -> None:
    arbiter.stop("fault", None, 2.0)
    assert arbiter.receive(command(PHONE, REST, 1.99), 2.01) == ""
    assert arbiter.receive(command(PHONE, AHEAD, 2.02), 2.02) == ""
    arbiter.select(2.02)
    assert isinstance(arbiter.select(2.03).motion, Stop)


def test_a_neutral_from_before_a_stop_does_not_revive_by_coming_twice(arbiter: Arbiter) -> None:
    hear(arbiter, PHONE, REST, 2.0)
    arbiter.stop("fault", None, 2.0)
    hear(arbiter, PHONE, REST, 2.0)
    hear(arbiter, PHONE, AHEAD, 2.01)
    assert isinstance(arbiter.select(2.01).motion, Stop)
    assert arbiter.select(2.02) == NOBODY


def test_late_commands_are_passed_over_and_future_ones_stop(arbiter: Arbiter) -> None:
    hear(arbiter, PHONE, REST, 1.0)
    hear(arbiter, PHONE, AHEAD, 1.1)
    assert arbiter.receive(command(PHONE, Arc(0.2, 0.0), 1.05), 1.11) == ""
    assert arbiter.select(1.11).motion == AHEAD
    refused = arbiter.receive(command(PHONE, AHEAD, 9.0), 1.12)
    assert refused == "web: stamped 7.880 s in the future"
    assert arbiter.select(1.12) == Selected(Stop("a command from the future"), PHONE, 0.0)
    hear(arbiter, PHONE, REST, 1.13)
    hear(arbiter, PHONE, AHEAD, 1.14)
    assert arbiter.select(1.14).motion == AHEAD


def test_a_number_that_is_none_is_refused_and_stops_until_neutral(arbiter: Arbiter) -> None:
    hear(arbiter, PHONE, REST, 1.0)
    hear(arbiter, PHONE, AHEAD, 1.01)
    assert arbiter.select(1.01).motion == AHEAD
    refused = arbiter.receive(command(PHONE, Arc(math.nan, 0.0), 1.02), 1.02)
    assert refused == "web: Arc.speed_mps is nan: send a finite number"
    assert arbiter.select(1.02) == Selected(Stop("a malformed command"), PHONE, 0.0)
    hear(arbiter, PHONE, AHEAD, 1.03)
    assert arbiter.select(1.03) == NOBODY
    hear(arbiter, PHONE, REST, 1.04)
    hear(arbiter, PHONE, AHEAD, 1.05)
    assert arbiter.select(1.05).motion == AHEAD


def test_a_few_milliseconds_ahead_are_rounding(arbiter: Arbiter) -> None:
    assert arbiter.receive(command(PHONE, REST, 0.005), 0.0) == ""
    assert arbiter.receive(command(PHONE, REST, 0.0051), 0.0)


def test_a_held_back_burst_is_not_replayed(arbiter: Arbiter) -> None:
    hear(arbiter, PHONE, REST, 1.0)
    for i in range(20):
        arbiter.receive(command(PHONE, AHEAD, 1.01 + i * 0.01), 3.0)
    assert isinstance(arbiter.select(3.0).motion, Stop)
    assert isinstance(arbiter.select(3.01).motion, Stop)


@dataclass(frozen=True)
class Said:
    source: Source
    motion: Motion
    after_s: float
    delay_s: float


MOTIONS = st.one_of(
    st.just(REST),
    st.just(AHEAD),
    st.builds(Spin, st.sampled_from([0.0, 1.0, -1.0])),
    st.builds(Crab, st.sampled_from([0.0, 0.5]), st.just(0.3)),
    st.just(Stop("said so")),
)
STORIES = st.lists(
    st.builds(
        Said,
        st.sampled_from(list(Source)),
        MOTIONS,
        st.floats(0.0, 0.5),
        st.sampled_from([0.0, 0.0, 0.01, 0.2, 2.0]),
    ),
    max_size=40,
)


@given(STORIES)
def test_motion_is_fresh_and_came_after_a_neutral(story: list[Said]) -> None:
    arbiter = Arbiter(osr_config())
    now_s = 10.0
    # For each source: whether a neutral has come since the last stop and the last silence, told
    # independently, and when it was last heard of.
    rested = dict.fromkeys(Source, False)
    newest_s = dict.fromkeys(Source, -1.0)
    for said in story:
        now_s += said.after_s
        stamp_s = now_s - said.delay_s
        arbiter.receive(command(said.source, said.motion, now_s - said.delay_s), now_s)
        if isinstance(said.motion, Stop):
            rested = dict.fromkeys(Source, False)
        elif stamp_s > newest_s[said.source]:
            newest_s[said.source] = stamp_s
            if is_neutral(said.motion):
                rested[said.source] = True
        for source, deadline_s in DEADLINE_S.items():
            if now_s - newest_s[source] > deadline_s:
                rested[source] = False
        selected = arbiter.select(now_s)
        if isinstance(selected.motion, Stop):
            continue
        assert selected.source is not None
        assert selected.age_s <= DEADLINE_S[selected.source]
        if not is_neutral(selected.motion):
            assert rested[selected.source]


@pytest.mark.parametrize(
    ("motion", "ahead_s"),
    [
        (AHEAD, math.nan),
        (REST, math.nan),
        (AHEAD, math.inf),
        (AHEAD, 0.01),
        (Arc(math.inf, 0.0), 0.0),
        (Arc(0.0, math.nan), 0.0),
        (Spin(math.nan), 0.0),
        (Crab(0.0, math.nan), 0.0),
    ],
)
def test_what_cannot_be_meant_is_refused_and_stops_whoever_drives(
    arbiter: Arbiter, motion: Motion, ahead_s: float
) -> None:
    """No decoder lets it through; this does not rely on them."""
    hear(arbiter, PAD, REST, 1.0)
    hear(arbiter, PAD, AHEAD, 1.01)
    assert arbiter.select(1.01).motion == AHEAD
    assert arbiter.receive(command(PHONE, motion, 1.02 + ahead_s), 1.02)
    assert isinstance(arbiter.select(1.02).motion, Stop)
    hear(arbiter, PAD, AHEAD, 1.03)
    assert isinstance(arbiter.select(1.03).motion, Stop)
