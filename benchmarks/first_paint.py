"""Opening the page on a phone over a thin link: how much comes, when it is seen, when it drives.

The real web process, a stand-in for control, and a Chromium whose network is throttled by its own
means. Every opening is a browser that has never seen the page.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from playwright.sync_api import Browser, Error, sync_playwright

from benchmarks.harness import Effort, Measurement, NotMeasuredError, Progress
from benchmarks.records import Check, Record, Spread
from benchmarks.rig import running_rig
from tests.web.fake_control import FakeControl

_CHROMIUM = "/usr/bin/chromium"
_DEVICE = "Pixel 7"
# Wi-Fi at the end of its range, with other networks around.
_LATENCY_MS = 40
_BITS_PER_S = 1_600_000
_PAINT_LIMIT_S = 1.0
_WEIGHT_LIMIT_KB = 150.0
_OPEN_WITHIN_MS = 20_000
_FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
# When both have happened: the first paint, and the rover in sight (milliseconds).
_SEEN = f"""() => {{
  const paint = {_FIRST_PAINT};
  const lost = document.getElementById("lost");
  return paint && lost?.hidden ? [paint, performance.now()] : null;
}}"""


def _measure(effort: Effort, progress: Progress) -> list[Record]:
    openings = effort.count(full=20, tiny=1)
    # Playwright works once in a thread, and whoever measures may have one of their own in this.
    with running_rig() as rig, FakeControl(rig.directory), ThreadPoolExecutor(1) as apart:
        port, _ = rig.start_web()
        seen = apart.submit(_open_often, openings, f"http://127.0.0.1:{port}/", progress).result()
    paints_s, ready_s, weights_kb = zip(*seen, strict=True)
    paint, weight = Spread.of(paints_s), Spread.of(weights_kb)
    link = f"{_BITS_PER_S / 1e6:g} Mbit/s, {_LATENCY_MS} ms to each answer"
    return [
        Record(
            "first paint",
            "s",
            paint,
            f"from the link's being opened, over {link}",
            (Check("p50", paint.p50, _PAINT_LIMIT_S),),
        ),
        Record("rover in sight", "s", Spread.of(ready_s), "all modules are there and it drives"),
        Record(
            "on the wire",
            "kB",
            weight,
            "page, styles, scripts and their headers, packed, until then",
            (Check("max", weight.most, _WEIGHT_LIMIT_KB),),
        ),
    ]


def _open_often(openings: int, url: str, progress: Progress) -> list[tuple[float, float, float]]:
    seen = []
    with _browser() as (browser, phone):
        for number in range(openings):
            seen.append(_open(browser, phone, url))
            progress(number + 1, openings)
    return seen


@contextmanager
def _browser() -> Iterator[tuple[Browser, dict[str, object]]]:
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        except Error as error:
            raise NotMeasuredError(f"no browser could be started: {error.message}") from error
        yield browser, dict(playwright.devices[_DEVICE])
        browser.close()


def _open(browser: Browser, phone: dict[str, object], url: str) -> tuple[float, float, float]:
    """Open the page once: first paint (s), rover in sight (s), and what came (kB)."""
    context = browser.new_context(**phone, service_workers="block")  # type: ignore[arg-type]
    page = context.new_page()
    network = context.new_cdp_session(page)
    sizes: list[float] = []
    network.on("Network.loadingFinished", lambda told: sizes.append(told["encodedDataLength"]))
    network.send("Network.enable")
    throttle = {
        "offline": False,
        "latency": _LATENCY_MS,
        "downloadThroughput": _BITS_PER_S / 8,
        "uploadThroughput": _BITS_PER_S / 8,
    }
    network.send("Network.emulateNetworkConditions", throttle)
    page.goto(url, wait_until="commit")
    paint_ms, ready_ms = page.wait_for_function(_SEEN, timeout=_OPEN_WITHIN_MS).json_value()
    context.close()
    return paint_ms / 1e3, ready_ms / 1e3, sum(sizes) / 1e3


MEASUREMENT = Measurement("first-paint", "Opening the page", _measure)
