"""Events: numbered, bounded, logged; conditions and missed ticks become events once."""

import logging

import pytest

from rover.messages import Condition, Reaction, Severity
from rover.telemetry import ConditionLog, Journal, MissedTicks


def codes(journal: Journal) -> list[str]:
    return [event.code for event in journal.events()]


def test_events_are_numbered_and_the_oldest_go_first(caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal()
    with caplog.at_level(logging.INFO, "rover"):
        for n in range(20):
            journal.add(float(n), Severity.WARNING, "kind", f"number {n}")
    numbers = [event.number for event in journal.events()]
    assert numbers == list(range(5, 21))
    assert len(caplog.records) == 20
    assert caplog.records[-1].levelno == logging.WARNING
    assert "number 19" in caplog.text


def test_a_condition_is_an_event_when_it_comes_and_when_it_goes() -> None:
    journal = Journal()
    log = ConditionLog(journal)
    for seconds in ("0.2", "0.3", "11.7"):
        log.update((Condition("controller", f"RoboClaw silent for {seconds} s"),), 1.0)
    assert codes(journal) == ["controller"]
    log.update((), 2.0)
    assert codes(journal) == ["controller", "controller"]
    assert journal.events()[-1].text.startswith("over: ")
    assert journal.events()[-1].severity is Severity.INFO


def test_two_troubles_of_one_kind_are_two_events() -> None:
    journal = Journal()
    ConditionLog(journal).update(
        (Condition("steering", "board A is gone"), Condition("steering", "board B is gone")), 1.0
    )
    assert len(journal.events()) == 2


def test_the_same_trouble_of_two_devices_is_two_events() -> None:
    journal = Journal()
    ConditionLog(journal).update(
        tuple(Condition("controller", f"RoboClaw 0x{a:02X} silent for 0.2 s") for a in (128, 129)),
        1.0,
    )
    assert len(journal.events()) == 2


def test_a_flickering_warning_is_told_once_in_a_while() -> None:
    journal = Journal()
    log = ConditionLog(journal)
    for n in range(300):
        text = f"RoboClaw 0x80 warns: checksum 0x{n:04X} in the reply to 80 {n % 256:02x}"
        warning = Condition("controller", text, Severity.WARNING, reaction=Reaction.TELL)
        log.update((warning,) if n % 2 else (), n * 0.1)
    assert len(journal.events()) == 3


def test_missed_ticks_are_told_at_most_once_a_second() -> None:
    journal = Journal()
    missed = MissedTicks(journal)
    missed.update(0, 1.0)
    assert codes(journal) == []
    for n in range(1, 100):
        missed.update(n, 1.0 + n * 0.01)
    assert codes(journal) == ["overrun"]
    missed.update(100, 2.5)
    assert "99 ticks" in journal.events()[-1].text
