"""A loop that does nothing but wake up in time: what the computer itself has to give.

    python -m benchmarks.bare_timer FILE PERIOD_S PRIORITY

Runs until SIGTERM, then leaves the time and lateness of every wake-up in FILE.
"""

import signal
import sys
from array import array
from pathlib import Path

from rover.clock import SystemClock
from rover.realtime import ask_for_realtime


def read_lateness_s(path: Path, began_s: float, ended_s: float) -> list[float]:
    """Return how late each wake-up between two moments of SystemClock was. Raises OSError."""
    kept = array("d")
    kept.frombytes(path.read_bytes())
    pairs = zip(kept[::2], kept[1::2], strict=True)
    return [late_s for now_s, late_s in pairs if began_s <= now_s <= ended_s]


def main() -> None:
    """Wake up on a grid until told to end."""
    path, period_s, priority = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    ending: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: ending.append(number))
    ask_for_realtime(priority)
    clock, kept = SystemClock(), array("d")
    due_s = clock.now_s()
    while not ending:
        due_s += period_s
        clock.sleep_s(due_s - clock.now_s())
        now_s = clock.now_s()
        kept.extend((now_s, now_s - due_s))
        due_s = max(due_s, now_s - period_s)
    path.write_bytes(kept.tobytes())


if __name__ == "__main__":
    main()
