"""Tables in the document: written between their markers, the rest left alone."""

import pytest

from benchmarks.document import MissingMarkersError, write_tables
from benchmarks.machine import describe_machine
from benchmarks.records import Check, Outcome, Record, Spread

TEXT = """# How fast

Before. <!-- not a table -->

<!-- bench: one -->
old one
<!-- /bench -->

Between.

<!-- bench: two -->
old two
<!-- /bench -->

After.
"""


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "performance.md"
    path.write_text(TEXT)
    return path


def outcome(name: str, measured: float = 7.6) -> Outcome:
    record = Record(
        "a | b",
        "ms",
        Spread(300, 7.0, measured, 12.345, 20.0),
        "to the wire",
        (Check("p50", measured, 8.0), Check("p99", 12.345, 15.0)),
    )
    return Outcome(name, "Title", "load average before: 0.10", (record,))


def test_a_table_takes_the_place_of_the_old_one(document) -> None:
    write_tables(document, [outcome("two")])
    before, _, rest = document.read_text().partition("<!-- bench: two -->\n")
    table, _, after = rest.partition("<!-- /bench -->")
    assert before == TEXT.partition("<!-- bench: two -->\n")[0]
    assert after == "\n\nAfter.\n"
    lines = table.splitlines()
    assert lines[2] == (
        "| a \\| b (ms) | 300 | 7.60 | 12.35 | 20.00 | p50 ≤ 8<br>p99 ≤ 15 | 0.950<br>0.823 "
        "| yes<br>yes | to the wire |"
    )
    assert lines[-1] == f"{describe_machine()}; load average before: 0.10."


def test_writing_twice_is_writing_once(document) -> None:
    write_tables(document, [outcome("one"), outcome("two")])
    once = document.read_text()
    write_tables(document, [outcome("one"), outcome("two")])
    assert document.read_text() == once


def test_a_missed_limit_shows(document) -> None:
    write_tables(document, [outcome("one", measured=9.0)])
    assert "| NO<br>yes |" in document.read_text()


def test_what_was_not_measured_leaves_its_old_table(document) -> None:
    write_tables(document, [Outcome("one", "Title", "", trouble="umockdev is missing")])
    assert document.read_text() == TEXT


def test_a_measurement_without_a_place_says_which_markers_are_missing(document) -> None:
    with pytest.raises(MissingMarkersError, match="<!-- bench: three -->"):
        write_tables(document, [outcome("three")])
