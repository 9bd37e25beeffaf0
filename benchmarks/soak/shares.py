"""The simulated hours spread over processes, one a core, each with a seed of its own."""

import logging
import multiprocessing
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from multiprocessing.queues import SimpleQueue

from benchmarks.harness import Progress
from benchmarks.soak.simulated import Share, soak

_LOOK_EVERY_S = 0.5
_told: "SimpleQueue[tuple[int, float]] | None" = None


def soak_in_shares(seed: int, hours: float, count: int, progress: Progress) -> list[Share]:
    """Soak for ``hours`` of simulated time in ``count`` processes, seeded from ``seed`` on.

    ``progress`` is told how many of how many simulated minutes are done. The same seeds, hours
    and count give the same drive again.
    """
    duration_s = hours * 3600.0 / count
    seeds = range(seed, seed + count)
    minutes = round(hours * 60.0)
    if count == 1:
        return [soak(seed, duration_s, lambda s: progress(round(s / 60.0), minutes))]
    context = multiprocessing.get_context("spawn")
    # Without a thread of its own, which a soak would count.
    told: SimpleQueue[tuple[int, float]] = context.SimpleQueue()
    done_s = dict.fromkeys(seeds, 0.0)
    with ProcessPoolExecutor(count, context, _begin, (told,)) as pool:
        left = {pool.submit(_share, number, duration_s) for number in seeds}
        futures = list(left)
        while left:
            _, left = wait(left, _LOOK_EVERY_S, FIRST_COMPLETED)
            while not told.empty():
                number, done = told.get()
                done_s[number] = done
            progress(round(sum(done_s.values()) / 60.0), minutes)
        shares = [future.result() for future in futures]
    progress(minutes, minutes)
    return sorted(shares, key=lambda share: share.seed)


def _begin(told: "SimpleQueue[tuple[int, float]]") -> None:
    """Set a process up: where to tell how far it is, and that the rover's log goes nowhere."""
    global _told  # noqa: PLW0603 - what a process is given at its start has no other place
    _told = told
    logging.getLogger("rover").addHandler(logging.NullHandler())


def _share(seed: int, duration_s: float) -> Share:
    def tell(done_s: float) -> None:
        if _told is not None:
            _told.put((seed, done_s))

    return soak(seed, duration_s, tell)
