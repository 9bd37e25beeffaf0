"""What processes hold, once a second from /proc: memory, open files, threads (Linux)."""

import math
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from benchmarks.harness import NotMeasuredError
from benchmarks.processes import memory_bytes


class Held(Struct, frozen=True):
    """What one process held at ``time_s``: bytes of its own and shared ones, files, threads."""

    time_s: float
    resident_bytes: int
    share_bytes: int
    files: int
    threads: int


def held_by(pid: int, time_s: float) -> Held:
    """Return what ``pid`` holds now. Raises NotMeasuredError if it has gone."""
    memory = memory_bytes(pid)
    try:
        files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    except OSError as error:
        raise NotMeasuredError(f"process {pid} cannot be looked at ({error})") from error
    return Held(time_s, memory["Rss"], memory["Pss"], files, threads)


def slope(samples: Sequence[tuple[float, float]]) -> float:
    """Return by how much the values of (time, value) rise in a unit of time: least squares."""
    count = len(samples)
    if count < 2:  # noqa: PLR2004 - a line has two points
        return 0.0
    mean_t = math.fsum(t for t, _ in samples) / count
    mean_v = math.fsum(v for _, v in samples) / count
    spread = math.fsum((t - mean_t) ** 2 for t, _ in samples)
    return math.fsum((t - mean_t) * (v - mean_v) for t, v in samples) / spread if spread else 0.0
