"""The measurements as tables in docs/performance.md, between markers; the prose stays."""

import re
from collections.abc import Sequence
from pathlib import Path

from benchmarks.machine import describe_machine
from benchmarks.records import Outcome, Record
from benchmarks.report import MET, MISSED, figure, limit_text

_COLUMNS = ("what", "n", "p50", "p99", "max", "limit", "measured / limit", "met", "which means")


class MissingMarkersError(Exception):
    """The document has no place for a table."""


def write_tables(document: Path, outcomes: Sequence[Outcome]) -> None:
    """Replace the tables of ``outcomes`` in ``document``; others stay as they are.

    A table's place begins with ``<!-- bench: NAME -->`` and ends with ``<!-- /bench -->``.
    What could not be measured leaves its old table standing. Raises MissingMarkersError.
    """
    for outcome in outcomes:
        if not outcome.trouble:
            write_between(document, f"bench: {outcome.name}", table_of(outcome), "bench")


def write_between(document: Path, mark: str, content: str, end: str = "") -> None:
    """Replace what stands between ``<!-- mark -->`` and ``<!-- /end -->`` in ``document``.

    Without ``end`` the closing marker has the name of the opening one. Raises MissingMarkersError.
    """
    text = document.read_text(encoding="utf-8")
    opening, closing = f"<!-- {mark} -->", f"<!-- /{end or mark} -->"
    place = re.compile(rf"({re.escape(opening)}\n).*?({re.escape(closing)})", re.DOTALL)
    text, found = place.subn(lambda match: match[1] + content + match[2], text)
    if found != 1:
        raise MissingMarkersError(
            f"{document} has {found} places for {mark}: put {opening} and {closing} where it "
            "shall be"
        )
    document.write_text(text, encoding="utf-8")


def table_of(outcome: Outcome) -> str:
    """Return the outcome as a Markdown table and the conditions under it."""
    lines = [_row(_COLUMNS), _row(["---", *["---:"] * 4, *["---"] * 4])]
    lines += [_row(_cells(record)) for record in outcome.records]
    return "\n".join((*lines, "", f"{describe_machine()}; {outcome.conditions}.", ""))


def _cells(record: Record) -> list[str]:
    spread = record.spread
    return [
        f"{record.name} ({record.unit})",
        str(spread.count),
        figure(spread.p50),
        figure(spread.p99),
        figure(spread.most),
        "<br>".join(limit_text(check) for check in record.checks).replace("<=", "≤"),
        "<br>".join(figure(check.ratio) for check in record.checks),
        "<br>".join(MET if check.met else MISSED for check in record.checks),
        record.meaning,
    ]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
