"""From a touch on the page in Chromium to the last byte of the last drive packet on the wire.

Everything between is real, the browser included, which shares this computer's processors with the
rover; the radio between a phone and a rover is not in it.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import IO, cast

from benchmarks.faults.page_hand import PageHand
from benchmarks.harness import Effort, Measurement, NotMeasuredError, Progress
from benchmarks.input_to_wire import latencies_s
from benchmarks.records import Check, Record, Spread
from benchmarks.rig import NO_PAD, Rig, loop_settings, running_rig

# What the page, the web server, control and the wire may add to the browser's own part.
_ADDED_MS = 25.0
# A browser hands moves over once a frame, and this one has no graphics card. Notes how long each
# took (ms) from the event to the page's first listener.
_WATCH = """() => {
  window.lags = [];
  const note = (event) => window.lags.push(performance.now() - event.timeStamp);
  addEventListener("pointermove", note, { capture: true });
}"""
_WATCHERS = 50
_PRIORITY = 50
# Two places of the thumb, so near each other that one tick's acceleration lies between them.
_PUSHES_PX = (30.0, 31.0)
_FIRST_PX = 33.0


class _Thumb:
    """A thumb on the page's pad, as ``benchmarks.hands.Hand`` wants one."""

    def __init__(self, page: PageHand) -> None:
        self._page = page

    def ask(self, which: int) -> float:
        asked_s = time.monotonic()
        self._page.push(_PUSHES_PX[which])
        return asked_s

    def wait(self, duration_s: float) -> None:
        self._page.wait(duration_s)


def _measure(effort: Effort, progress: Progress) -> list[Record]:
    count = effort.count(full=300, tiny=3)
    crowds = (0, _WATCHERS)[: effort.count(full=2, tiny=1)]
    records = []
    for number, watching in enumerate(crowds):

        def tell(done: int, number: int = number) -> None:
            progress(number * count + done, len(crowds) * count)

        with running_rig(NO_PAD + loop_settings(100.0, _PRIORITY)) as rig:
            rig.start_hardware()
            rig.start_control()
            port, key = rig.start_web()
            with _watchers(port, key, watching), ThreadPoolExecutor(1) as apart:
                # Playwright works once in a thread, and whoever measures may have one of its own.
                url = f"http://127.0.0.1:{port}/?key={key}"
                found_s, lags_ms = apart.submit(_touch, rig, url, count, tell).result()
        name = f"{watching} pages watching" if watching else "one page"
        whole, browser = Spread.of(found_s).scaled(1e3), Spread.of(lags_ms)
        added_ms = max(0.0, whole.p50 - browser.p50)
        records += [
            Record(
                f"touch, {name}",
                "ms",
                whole,
                "the browser's touch event to the last byte, at 100 Hz",
                (Check("p50 less the browser's own", added_ms, _ADDED_MS),),
            ),
            Record(
                f"the browser's own part, {name}",
                "ms",
                browser,
                "from the event to the page's listener, in Chromium without a graphics card",
            ),
        ]
    return records


def _touch(
    rig: Rig, url: str, count: int, tell: Callable[[int], None]
) -> tuple[list[float], list[float]]:
    """Return how long touches took to the wire (s), and to the page's listener (ms)."""
    page = PageHand(url)
    try:
        page.rest()
        rig.arm()
        page.rest()
        page.push(_FIRST_PX)
        # What the page said while it was opened must not count for what is measured.
        page.wait(1.0)
        rig.require_armed()
        page.page.evaluate(_WATCH)
        found_s = latencies_s(rig, _Thumb(page), count, tell)
        return found_s, page.page.evaluate("() => window.lags")
    finally:
        page.close()


@contextmanager
def _watchers(port: int, key: str, count: int) -> Iterator[None]:
    """Have so many more pages open meanwhile."""
    if count == 0:
        yield
        return
    command = [sys.executable, "-m", "benchmarks.watchers", str(port), key, str(count)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as watchers:
        try:
            if cast(IO[str], watchers.stdout).readline() != "open\n":
                raise NotMeasuredError("the watching pages could not be opened")
            yield
        finally:
            cast(IO[str], watchers.stdin).close()


MEASUREMENT = Measurement("touch-to-wire", "From a touch to the wire", _measure)
