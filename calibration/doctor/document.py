"""docs/troubleshooting.md, written from the table of remedies.

`python -m calibration.doctor.document` writes it to standard output.
"""

import re
import sys

from calibration.doctor.finding import Verdict
from calibration.doctor.remedies import CHAPTERS
from calibration.doctor.remedy import Remedy

_HEAD = """\
# Troubleshooting

`rover doctor` walks from the power supply to the wheel and says for each step what it tried, what
it found, and the one thing to do next. It only asks: no question of its moves anything, and while
control runs it leaves the hardware to control and takes control's word. This page has everything
that it can name, by what a person sees of it. It is written from the doctor's own tables
(`calibration/doctor/remedies.py`) by `python -m calibration.doctor.document`.

What shows only when a wheel or servo turns (which way, which channel, whose encoder, a weak motor,
servo centres) the doctor cannot see: lift the wheels off the ground and calibrate
([calibration.md](calibration.md)).
"""
_TABLE = """
| what you see | `rover doctor` says | do this |
|---|---|---|
"""
_WORDS = {Verdict.FAIL: "fail", Verdict.WARN: "look"}


def text() -> str:
    """Return the whole document."""
    parts = [_HEAD]
    for title, remedies in CHAPTERS.items():
        parts.append(f"\n## {title}\n{_TABLE}")
        parts += [_row(remedy) for remedy in remedies]
    return "".join(parts)


def _row(remedy: Remedy) -> str:
    # A place that only the walk can fill stands in capitals.
    next_step = remedy.next_step.replace("{how}", "What it says with it.")
    next_step = re.sub(r"{(\w+)}", lambda place: place[1].upper(), next_step)
    told = f"`{remedy.code}` ({_WORDS[remedy.verdict]})"
    return f"| {remedy.symptom} | {told} | {next_step} |\n"


if __name__ == "__main__":
    sys.stdout.write(text())
