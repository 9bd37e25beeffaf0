"""How punctual the ticks are while ten pages are open and one of them drives.

Real processes; every page is sent telemetry 20 times a second. Judged are the ticks that were
due by the clock: one that input has brought forward is never late.
"""

import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass

from benchmarks.bare_timer import read_lateness_s
from benchmarks.control_process import Tick, read_ticks
from benchmarks.harness import Effort, Measurement, NotMeasuredError, Progress
from benchmarks.phone import Phone
from benchmarks.records import Check, Record, Spread
from benchmarks.rig import NO_PAD, SAY_EVERY_S, Rig, end, loop_settings, running_rig

_P99_MS = 0.5
_PHONES = 10
_PRIORITY = 50
_STICK, _SPEED_PART = 1.0, 0.3
_NEUTRAL_S = 0.5
# Pages get the newest frame, so that one may be passed over now and then.
_LEAST_FRAMES_PART = 0.8


@dataclass(frozen=True, slots=True)
class _Case:
    rate_hz: float
    priority: int

    @property
    def name(self) -> str:
        priority = f"FIFO {self.priority}" if self.priority else "normal priority"
        return f"{self.rate_hz:.0f} Hz, {priority}"


_CASES = tuple(_Case(rate_hz, priority) for rate_hz in (50.0, 100.0) for priority in (0, _PRIORITY))


def _measure(effort: Effort, progress: Progress) -> list[Record]:
    duration_s = effort.count(full=20, tiny=1)
    cases = _CASES[: effort.count(full=len(_CASES), tiny=1)]
    records = []
    for number, case in enumerate(cases):

        def tell(done_s: float, number: int = number) -> None:
            progress(round(number * duration_s + done_s), len(cases) * duration_s)

        with running_rig(NO_PAD + loop_settings(case.rate_hz, case.priority)) as rig:
            watched = _drive_and_watch(rig, case, effort, duration_s, tell)
        bare_lost = sum(late_s > 1.0 / case.rate_hz for late_s in watched.bare_s)
        records += [
            _record(case, watched.ticks, bare_lost),
            _peer(case, watched.bare_s, bare_lost),
        ]
    return records


def _peer(case: _Case, bare_s: list[float], lost: int) -> Record:
    return Record(
        f"bare sleep, {case.name}",
        "ms",
        Spread.of(bare_s).scaled(1e3),
        f"a loop that only sleeps, at the same time and priority; {lost} lost",
    )


def _record(case: _Case, ticks: list[Tick], lost_anyway: int) -> Record:
    due = [tick for tick in ticks if not tick.early]
    spread = Spread.of([tick.lateness_s for tick in due]).scaled(1e3)
    lost = ticks[-1].missed - ticks[0].missed
    over_s = ticks[-1].started_s - ticks[0].started_s
    return Record(
        case.name,
        "ms",
        spread,
        f"{len(ticks) / over_s:.1f} ticks a second, {len(ticks) - len(due)} of {len(ticks)} "
        f"brought forward by a frame; {lost} lost",
        (Check("p99", spread.p99, _P99_MS), Check("lost", lost, lost_anyway)),
    )


@dataclass(frozen=True, slots=True)
class _Watched:
    """Control's ticks, and how late a loop was that only slept meanwhile."""

    ticks: list[Tick]
    bare_s: list[float]


def _drive_and_watch(
    rig: Rig, case: _Case, effort: Effort, duration_s: float, tell: Callable[[float], None]
) -> _Watched:
    """Return what was measured while one page drove and all of them watched."""
    path, bare_path = rig.directory / "ticks", rig.directory / "bare"
    rig.start_hardware()
    control = rig.start_control((sys.executable, "-m", "benchmarks.control_process", str(path)))
    pace = (str(1.0 / case.rate_hz), str(case.priority))
    timer = (sys.executable, "-m", "benchmarks.bare_timer", str(bare_path), *pace)
    bare = rig.start("bare", timer)
    port, key = rig.start_web()
    # What only has to work must not starve beside other tests.
    aside = _standing_back() if effort is Effort.FULL else nullcontext()
    with aside, ExitStack() as stack:
        phones = [stack.enter_context(Phone(port, key)) for _ in range(_PHONES)]
        rig.arm()
        _converse(phones, _NEUTRAL_S, 0.0, lambda _: None)
        began_s = rig.clock.now_s()
        told = [phone.frames for phone in phones]
        _converse(phones, duration_s, _STICK, tell)
        tell(duration_s)
        ended_s = rig.clock.now_s()
        told = [phone.frames - before for phone, before in zip(phones, told, strict=True)]
        rig.require_armed()
    if min(told) < _LEAST_FRAMES_PART * rig.config.loop.telemetry_hz * duration_s:
        raise NotMeasuredError(f"the pages were told too little: {told} frames each")
    end(control)
    end(bare)
    return _Watched(
        [tick for tick in read_ticks(path) if began_s <= tick.started_s <= ended_s],
        read_lateness_s(bare_path, began_s, ended_s),
    )


@contextmanager
def _standing_back() -> Iterator[None]:
    """Give this process what the others leave meanwhile: phones are computers of their own."""
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def _converse(
    phones: list[Phone], duration_s: float, stick: float, tell: Callable[[float], None]
) -> None:
    """Let the first phone hold its stick there, and all of them be told."""
    began_s = frame_due_s = time.monotonic()
    while (now_s := time.monotonic()) < began_s + duration_s:
        if now_s >= frame_due_s:
            phones[0].drive(stick, _SPEED_PART)
            frame_due_s += SAY_EVERY_S
            tell(now_s - began_s)
        readable, _, _ = select.select(phones, (), (), max(0.0, frame_due_s - now_s))
        for phone in readable:
            phone.read()


MEASUREMENT = Measurement("lateness", "Lateness of ticks with ten pages open", _measure)
