"""The web process: from a page's frame to control's socket, alone and with many pages open.

The real web process between one driving page and a stand-in for control that publishes what a
driving rover does, 20 times a second. The frame's way on to the wire is input_to_wire's.
"""

import math
import random
import re
import select
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, cast

from msgspec import structs

from benchmarks.harness import Effort, Measurement, NotMeasuredError, Progress
from benchmarks.phone import Phone
from benchmarks.processes import whole_cpu_time_s
from benchmarks.records import Check, Record, Spread
from benchmarks.rig import Rig, running_rig
from rover.link import ControlLink
from rover.messages import Telemetry, is_neutral
from tests.whole.memory_rover import MemoryRover

_PUBLISH_S = 0.05
# As often as a page says where a held stick is; the moment within a period is left to chance.
_SAY_S = (0.02, 0.06)
_P50_MS, _P99_MS = 2.0, 10.0
_WATCHERS = 50
_CPU_LIMIT = 1.0
_WEIGHT_LIMIT_KB = 150.0
_GIVE_UP_S = 2.0
_OPEN_WITHIN_S = 20.0
_SEED = 1


class _Control:
    """Control's end of the link: publishes, and says when a command has come."""

    def __init__(self, link: ControlLink, rig: Rig, telemetry: Telemetry) -> None:
        self._link = link
        self._rig = rig
        self._telemetry = telemetry
        self._publish_s = 0.0
        self._moved_s = -math.inf

    def moved_s(self, phone: Phone, since_s: float, within_s: float) -> float | None:
        """Return when the first command after ``since_s`` came that moves the rover, if it did."""
        self.wait(phone, since_s + within_s, lambda: self._moved_s >= since_s)
        return self._moved_s if self._moved_s >= since_s else None

    def wait(self, phone: Phone | None, until_s: float, done: Callable[[], bool]) -> None:
        """Publish, hear and let ``phone`` read until then, or until ``done``."""
        while not done() and (now_s := time.monotonic()) < until_s:
            if now_s >= self._publish_s:
                self._publish_s = now_s + _PUBLISH_S
                stamp_s = self._rig.clock.now_s()
                self._link.publish(_stamped(self._telemetry, stamp_s))
            left_s = min(until_s, self._publish_s) - time.monotonic()
            readable = [*self._link.filenos(), *([phone.fileno()] if phone else [])]
            select.select(readable, (), (), max(0.0, left_s))
            if phone is not None:
                phone.read()
            while self._link.pending():
                for command in self._link.receive().drive:
                    if not is_neutral(command.motion):
                        self._moved_s = time.monotonic()


def _stamped(telemetry: Telemetry, stamp_s: float) -> Telemetry:
    return structs.replace(telemetry, stamp_s=stamp_s)


def _measure(effort: Effort, progress: Progress) -> list[Record]:
    count = effort.count(full=1000, tiny=5)
    crowds = (0, effort.count(full=_WATCHERS, tiny=2))
    telemetry = MemoryRover().armed().telemetry
    records: list[Record] = []
    for number, watching in enumerate(crowds):
        with running_rig() as rig, ControlLink(rig.directory) as link:
            port, key = rig.start_web()
            control = _Control(link, rig, telemetry)

            def tell(done: int, number: int = number) -> None:
                progress(number * count + done, len(crowds) * count)

            with _watchers(port, key, watching, control):
                before_s, began_s = whole_cpu_time_s(rig.newest.pid), time.monotonic()
                latencies_s = _latencies_s(Phone(port, key), control, count, tell)
                used = (whole_cpu_time_s(rig.newest.pid) - before_s) / (time.monotonic() - began_s)
            records += _records(watching, Spread.of(latencies_s).scaled(1e3), used)
            if not watching:
                records.append(_weight(port))
    return records


def _latencies_s(
    phone: Phone, control: _Control, count: int, tell: Callable[[int], None]
) -> list[float]:
    """Return how long each of ``count`` frames took to control."""
    chance = random.Random(_SEED)
    latencies_s = []
    with phone:
        # The sockets between the processes need a moment to find each other.
        deadline_s = time.monotonic() + _OPEN_WITHIN_S
        began_s = time.monotonic()
        while control.moved_s(phone, began_s, _SAY_S[0]) is None:
            if time.monotonic() > deadline_s:
                raise NotMeasuredError("no command ever reached control")
            phone.drive(0.0, 1.0)
            control.wait(phone, time.monotonic() + _SAY_S[0], lambda: False)
            phone.drive(1.0, 0.2)
            began_s = time.monotonic()
        for number in range(count):
            control.wait(phone, time.monotonic() + chance.uniform(*_SAY_S), lambda: False)
            sent_s = phone.drive(1.0, 0.2)
            moved_s = control.moved_s(phone, sent_s, _GIVE_UP_S)
            if moved_s is None:
                raise NotMeasuredError(f"a frame did not reach control within {_GIVE_UP_S} s")
            latencies_s.append(moved_s - sent_s)
            tell(number + 1)
    return latencies_s


@contextmanager
def _watchers(port: int, key: str, count: int, control: _Control) -> Iterator[None]:
    """Have so many more pages open meanwhile."""
    if count == 0:
        yield
        return
    command = [sys.executable, "-m", "benchmarks.watchers", str(port), key, str(count)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as watchers:
        output = cast(IO[str], watchers.stdout)

        def are_open() -> bool:
            return bool(select.select([output], (), (), 0)[0])

        try:
            # They are open once they have seen the rover, so it must be shown.
            control.wait(None, time.monotonic() + _OPEN_WITHIN_S, are_open)
            if not are_open() or output.readline() != "open\n":
                raise NotMeasuredError("the watching pages could not be opened")
            yield
        finally:
            cast(IO[str], watchers.stdin).close()


def _records(watching: int, spread: Spread, used: float) -> list[Record]:
    name = f"with {watching} pages watching" if watching else "one page"
    return [
        Record(
            f"frame to control, {name}",
            "ms",
            spread,
            "from the page's WebSocket frame to the command in control's socket",
            (Check("p50", spread.p50, _P50_MS), Check("p99", spread.p99, _P99_MS)),
        ),
        Record(
            f"processor, {name}",
            "cores",
            Spread.single(used),
            f"of the web process; every page is told {1 / _PUBLISH_S:.0f} states a second",
            (Check("cores", used, _CPU_LIMIT),),
        ),
    ]


def _weight(port: int) -> Record:
    origin = f"http://127.0.0.1:{port}"

    def fetch(path: str) -> bytes:
        with urllib.request.urlopen(origin + path) as answer:
            content: bytes = answer.read()
            return content

    page = fetch("/")
    parts = sorted(set(re.findall(rb'(?:src|href)="(/static/[^"]+)"', page)))
    weight_kb = (len(page) + sum(len(fetch(part.decode())) for part in parts)) / 1e3
    return Record(
        "page weight",
        "kB",
        Spread.single(weight_kb),
        f"the page and its {len(parts)} parts, not compressed",
        (Check("weight", weight_kb, _WEIGHT_LIMIT_KB),),
    )


MEASUREMENT = Measurement("web-load", "The web process", _measure)
