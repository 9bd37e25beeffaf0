"""The camera's picture from its drawing to the page's canvas: how old it is, and what it costs.

The real camera and web processes, a stand-in for control, and Chromium, all on this computer. The
drawn camera has the time in its picture, which is read off the canvas as each picture is drawn.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

from playwright.sync_api import Error, Page, sync_playwright

from benchmarks.harness import Effort, Measurement, NotMeasuredError, Progress
from benchmarks.processes import whole_cpu_time_s
from benchmarks.records import Check, Record, Spread
from benchmarks.rig import Rig, running_rig
from rover.camera.synthetic import CELLS, TIME_BITS
from rover.clock import SystemClock
from tests.web.fake_control import FakeControl

_CHROMIUM = "/usr/bin/chromium"
_RATE_HZ = 15
# A hand that sees a stone needs as long again; a tenth of a second at 1 m/s is 10 cm.
_P50_MS, _P99_MS = 100.0, 250.0
_CPU_LIMIT = 0.5
_WITHIN_MS = 60_000
_LOOK_MS = 200
_ROUND_MS = 1 << TIME_BITS

# Notes in window.seen, for each picture: when it was drawn (ms since 1970), the time in it (ms)
# and how wide it is.
WATCH = f"""() => {{
  const canvas = document.getElementById("camera");
  window.seen = [];
  canvas.addEventListener("drawn", () => {{
    const {{ width, height }} = canvas;
    const row = canvas.getContext("2d").getImageData(0, Math.floor((height * 39) / 40), width, 1);
    let ms = 0;
    for (let cell = {CELLS - TIME_BITS}; cell < {CELLS}; cell += 1) {{
      const x = Math.floor(((cell + 0.5) * width) / {CELLS});
      ms = ms * 2 + (row.data[4 * x] > 128 ? 1 : 0);
    }}
    window.seen.push([performance.timeOrigin + performance.now(), ms, width]);
  }});
}}"""


def delays_ms(page: Page) -> list[float]:
    """Return how old each picture was as it was drawn, of a page that has been told to WATCH."""
    wall_ms = (time.time() - SystemClock().now_s()) * 1e3
    seen = page.evaluate("() => window.seen")
    return [_signed((drawn_ms - wall_ms) - taken_ms) for drawn_ms, taken_ms, _ in seen]


def _signed(ms: float) -> float:
    """Return a difference of times that begin anew every 49 days."""
    return (ms + _ROUND_MS / 2) % _ROUND_MS - _ROUND_MS / 2


def _measure(effort: Effort, progress: Progress) -> list[Record]:
    count = effort.count(full=600, tiny=5)
    with running_rig() as rig, FakeControl(rig.directory), ThreadPoolExecutor(1) as apart:
        port, key = rig.start_web()
        # The same options, simulated devices included: the drawn camera is one of them.
        options = rig.control_options[1:]
        rig.start("camera", (sys.executable, "-m", "rover", "camera", *options))
        # Playwright works once in a thread, and whoever measures may have one of their own.
        url = f"http://127.0.0.1:{port}/?key={key}"
        return apart.submit(_watch, rig, url, count, progress).result()


def _watch(rig: Rig, url: str, count: int, progress: Progress) -> list[Record]:
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        except Error as error:
            raise NotMeasuredError(f"no browser could be started: {error.message}") from error
        page = browser.new_page()
        page.goto(url)
        page.wait_for_function(
            "() => document.getElementById('camera').width > 100", timeout=_WITHIN_MS
        )
        page.evaluate(WATCH)
        processes = [rig.process("camera").pid, rig.process("web").pid]
        before_s, began_s = [whole_cpu_time_s(pid) for pid in processes], time.monotonic()
        done = 0
        while done < count:
            page.wait_for_timeout(_LOOK_MS)
            done = page.evaluate("() => window.seen.length")
            progress(min(done, count), count)
        took_s = time.monotonic() - began_s
        used = [
            (whole_cpu_time_s(pid) - before) / took_s
            for pid, before in zip(processes, before_s, strict=True)
        ]
        ages = Spread.of(delays_ms(page))
        sizes = page.evaluate("() => [...new Set(window.seen.map(([, , width]) => width))]")
        browser.close()
    return [
        Record(
            "glass to glass",
            "ms",
            ages,
            f"from the drawing to the canvas, pictures {max(sizes)} pixels wide",
            (Check("p50", ages.p50, _P50_MS), Check("p99", ages.p99, _P99_MS)),
        ),
        Record(
            "pictures seen",
            "1/s",
            Spread.single(done / took_s),
            f"of {_RATE_HZ} that are taken",
        ),
        Record(
            "processor, camera",
            "cores",
            Spread.single(used[0]),
            "drawing the picture included",
            (Check("cores", used[0], _CPU_LIMIT),),
        ),
        Record(
            "processor, web",
            "cores",
            Spread.single(used[1]),
            "with one page that drives nothing",
            (Check("cores", used[1], _CPU_LIMIT),),
        ),
    ]


MEASUREMENT = Measurement("video", "The camera's picture", _measure)
