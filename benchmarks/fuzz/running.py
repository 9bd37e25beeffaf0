"""A target run on its inputs: what was found, how long inputs take, whether memory grows."""

import gc
import logging
import os
import time
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from benchmarks.fuzz.mutations import Mutator
from benchmarks.fuzz.target import Target
from benchmarks.records import Spread

# So many findings are kept to be shown, one of each text; all are counted.
_SHOWN = 5
# What the first inputs allocate stays: caches, the interpreter's own free lists.
_WARM_UP_PART = 0.1
_TELL_EVERY = 2000
_MB = 1e6

Tell = Callable[[int], None]


class Finding(Struct, frozen=True):
    """An input that broke something, and how. ``data`` replays it."""

    data: bytes
    error: str


class Run(Struct, frozen=True):
    """What became of one target: ``asked`` inputs, of which ``spent_us.count`` were run.

    ``growth_mb`` is what the process's resident memory has grown by since the warm-up.
    """

    asked: int
    accepted: int
    found: int
    findings: tuple[Finding, ...]
    spent_us: Spread
    growth_mb: float


def broken_by(target: Target, data: bytes) -> str:
    """Return what goes wrong with ``data``, empty if nothing does."""
    try:
        target.run(data)
    except Exception as error:  # noqa: BLE001 - any exception is what is looked for
        return _text_of(error)
    return ""


def _text_of(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def run_target(
    target: Target,
    inputs: int,
    *,
    seconds: float,
    seed: int,
    more_seeds: Sequence[bytes] = (),
    tell: Tell = lambda _: None,
) -> Run:
    """Run ``target`` on ``inputs`` inputs, or as many as ``seconds`` allow."""
    # What is logged about rubbish is no part of the table.
    for name in ("rover", "web"):
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
    make = Mutator((*target.seeds, *more_seeds), target.tokens, seed).input
    # Written to now, so that it does not count as growth when it is filled.
    spent_us = array("f", bytes(inputs * 4))
    accepted = found = done = 0
    findings: list[Finding] = []
    warm_up = max(1, int(inputs * _WARM_UP_PART))
    before_mb = _resident_mb()
    deadline_s = time.monotonic() + seconds
    while done < inputs and time.monotonic() < deadline_s:
        data = make()
        start_s = time.perf_counter()
        try:
            accepted += target.run(data)
        except Exception as error:  # noqa: BLE001 - any exception is what is looked for
            found += 1
            text = _text_of(error)
            if len(findings) < _SHOWN and all(text != shown.error for shown in findings):
                findings.append(Finding(data, text))
        spent_us[done] = (time.perf_counter() - start_s) * 1e6
        done += 1
        if done == warm_up:
            before_mb = _resident_mb()
        if done % _TELL_EVERY == 0:
            tell(done)
    growth_mb = _resident_mb() - before_mb
    tell(done)
    return Run(inputs, accepted, found, tuple(findings), Spread.of(spent_us[:done]), growth_mb)


def _resident_mb() -> float:
    """Return this process's resident memory, what is unreachable collected."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / _MB
