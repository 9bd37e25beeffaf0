"""Fuzzing in short: every target on a few inputs, and that what is broken is found."""

import msgspec
import pytest

from benchmarks.fuzz.independent import agrees, crc16
from benchmarks.fuzz.mutations import MAX_BYTES, Mutator
from benchmarks.fuzz.running import broken_by, run_target
from benchmarks.fuzz.target import BrokenRuleError, Family, Target, require
from benchmarks.fuzz.targets import TARGETS, share
from rover.link import decoding
from rover.messages import Answer
from rover.motion import sticks
from web import drive, frames

# Together a few seconds; a whole drive and simulated units take a hundred times as long as a frame.
FEW, FEWER = 600, 40
# So many find what has been broken on purpose.
MANY = 1500


def target_named(name: str) -> Target:
    return next(target for target in TARGETS if target.name == name)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_nothing_that_is_sent_does_harm(target: Target) -> None:
    few = FEWER if target.name in {"the whole drive", "simulated units"} else FEW
    run = run_target(target, few, seconds=30.0, seed=1)
    assert run.findings == ()
    assert run.spent_us.count == few
    # Neither is everything refused, nor has nothing been broken.
    assert 0 < run.accepted < few


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_most_of_what_it_begins_with_is_valid(target: Target) -> None:
    accepted = sum(target.run(data) for data in target.seeds)
    assert accepted >= len(target.seeds) / 4


def test_every_family_gets_all_its_inputs() -> None:
    for family in Family:
        assert sum(share(t, 1_000_000) for t in TARGETS if t.family is family) >= 1_000_000


def test_the_same_seed_makes_the_same_inputs() -> None:
    def inputs(seed: int) -> list[bytes]:
        make = Mutator((b"abcdefgh" * 20, b"12345678"), (b"token",), seed).input
        return [make() for _ in range(2000)]

    made = inputs(1)
    assert made == inputs(1) != inputs(2)
    assert max(map(len, made)) == MAX_BYTES
    assert b"" in made
    assert any(b"token" in data for data in made)


def test_what_escapes_or_breaks_a_rule_is_found_and_can_be_replayed() -> None:
    def run(data: bytes) -> bool:
        if b"\xff" in data:
            raise KeyError("escaped")
        require(b"\x80" not in data, "a rule")
        return True

    target = Target("a test", Family.IPC, run, (b"\x00" * 8,))
    result = run_target(target, 2000, seconds=30.0, seed=3)
    errors = {finding.error for finding in result.findings}
    assert errors == {"KeyError: 'escaped'", "BrokenRuleError: a rule"}
    assert result.found + result.accepted == 2000
    assert result.found > len(result.findings)
    assert [broken_by(target, f.data) for f in result.findings] == [
        f.error for f in result.findings
    ]


def test_time_that_runs_out_ends_it_and_shows() -> None:
    run = run_target(target_named("frames"), 10_000_000, seconds=0.05, seed=1)
    assert 0 < run.spent_us.count < run.asked


def found_in(name: str) -> str:
    run = run_target(target_named(name), MANY, seconds=30.0, seed=1)
    return "; ".join(finding.error for finding in run.findings)


def test_it_finds_a_decoder_that_lets_exceptions_out(monkeypatch) -> None:
    monkeypatch.setattr(decoding, "_UNREADABLE", (msgspec.DecodeError,))
    assert "UnicodeDecodeError" in found_in("requests")


def test_it_finds_numbers_that_are_not_finite(monkeypatch) -> None:
    monkeypatch.setattr(decoding, "require_finite", lambda motion: None)
    assert "every number of a command is finite" in found_in("drive commands")


def test_it_finds_a_bus_that_takes_any_checksum(monkeypatch) -> None:
    monkeypatch.setattr("rover.hardware.bus.framing.check_reply", lambda request, reply: reply[:-2])
    for name in ("replies on the bus", "checksums"):
        assert "checksum" in found_in(name)


def test_it_finds_a_page_that_drives_without_having_rested(monkeypatch) -> None:
    monkeypatch.setattr(drive.DriveSession, "_has_wheel", lambda self, motion: True)
    assert "motion comes after rest" in found_in("conversations")


def test_it_finds_a_page_that_drives_too_fast(monkeypatch) -> None:
    monkeypatch.setattr(sticks, "_expo", lambda value, expo: 3.0 * value)
    assert "is within its limit" in found_in("conversations")


def test_it_finds_a_frame_that_is_too_long(monkeypatch) -> None:
    monkeypatch.setattr(frames, "MAX_FRAME_BYTES", 1 << 20)
    text = '{"type":"ping","t":1' + " " * 3000 + "}"
    assert "what is too long is refused" in broken_by(target_named("frames"), text.encode())


def test_the_checksum_it_compares_with_is_the_standards() -> None:
    assert crc16(b"123456789") == 0x31C3


@pytest.mark.parametrize(
    ("plain", "same"),
    [
        ({"accepted": False, "refusals": ["no"]}, True),
        ({"accepted": False, "refusals": ["no", "and no"]}, False),
        ({"accepted": 0, "refusals": ["no"]}, False),
        ({"accepted": False}, False),
        (["accepted"], False),
    ],
)
def test_the_comparison_sees_every_difference(plain: object, same: bool) -> None:
    assert agrees(Answer(False, ("no",)), plain) is same


def test_a_rule_that_holds_raises_nothing() -> None:
    require(True, "a rule")
    with pytest.raises(BrokenRuleError, match="a rule"):
        require(False, "a rule")
