"""From a person's input to the last byte of the last drive packet on the wire.

Real processes on the paced bus. An input asks for another speed at a random moment; the
simulated controllers tell when the last byte of the packet that changed their speed had
arrived. Of that, 3.4 ms are the 39 bytes that command three controllers.
"""

import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

from benchmarks.hands import Hand, client_hand, gamepad_hand, phone_hand
from benchmarks.harness import Effort, Measurement, NotMeasuredError, Progress
from benchmarks.records import Check, Record, Spread
from benchmarks.rig import SAY_EVERY_S, Rig

_P50_MS, _P99_MS = 8.0, 15.0
# Long enough for every phase of a tick to come up, and for the corners to be straight.
_PAUSE_S = (0.040, 0.080)
# Later than any input may take; then the controllers are asked.
_LOOK_AFTER_S = 0.04
_GIVE_UP_S = 0.5
_STORM_EVERY_S = 0.005
# The same pauses at every run.
_SEED = 1


@dataclass(frozen=True, slots=True)
class _Way:
    name: str
    meaning: str
    hand: Callable[[], AbstractContextManager[tuple[Rig, Hand]]]


_WAYS = (
    _Way("gamepad event, 100 Hz", "evdev's event of a pretended pad, to the wire", gamepad_hand),
    _Way(
        "WebSocket frame, 100 Hz", "the page's frame into the web process, to the wire", phone_hand
    ),
    _Way(
        "control's socket, 100 Hz",
        "what control alone adds",
        partial(client_hand, 100.0, SAY_EVERY_S),
    ),
    _Way(
        "control's socket in a storm, 100 Hz",
        "the same while another 200 commands a second come in",
        partial(client_hand, 100.0, _STORM_EVERY_S),
    ),
    _Way(
        "control's socket, 50 Hz",
        "the same at half the rate, for comparison",
        partial(client_hand, 50.0, SAY_EVERY_S),
    ),
)


def _measure(effort: Effort, progress: Progress) -> list[Record]:
    count = effort.count(full=400, tiny=3)
    ways = _WAYS[: effort.count(full=len(_WAYS), tiny=1)]
    records: list[Record] = []
    for number, way in enumerate(ways):
        with way.hand() as (rig, hand):

            def tell(done: int, number: int = number) -> None:
                progress(number * count + done, len(ways) * count)

            spread = Spread.of(latencies_s(rig, hand, count, tell)).scaled(1e3)
        records.append(
            Record(
                way.name,
                "ms",
                spread,
                way.meaning,
                (Check("p50", spread.p50, _P50_MS), Check("p99", spread.p99, _P99_MS)),
            )
        )
    return records


def latencies_s(rig: Rig, hand: Hand, count: int, tell: Callable[[int], None]) -> list[float]:
    """Return how long each of ``count`` inputs took to the wire; ``tell`` hears of each."""
    chance = random.Random(_SEED)
    found_s = []
    for number in range(-count // 10, count):
        hand.wait(chance.uniform(*_PAUSE_S))
        asked_s = hand.ask(number % 2)
        arrived_s = _arrived_s(rig, hand, asked_s)
        if number >= 0:
            found_s.append(arrived_s - asked_s)
            tell(number + 1)
    return found_s


def _arrived_s(rig: Rig, hand: Hand, asked_s: float) -> float:
    """Return when the last controller had heard of what was asked at ``asked_s``."""
    while time.monotonic() < asked_s + _GIVE_UP_S:
        hand.wait(_LOOK_AFTER_S)
        heard_s = [controller.asked_s for controller in rig.truth().controllers]
        if min(heard_s) > asked_s:
            return max(heard_s)
    rig.require_armed()
    raise NotMeasuredError(f"an input did not reach every controller within {_GIVE_UP_S} s")


MEASUREMENT = Measurement("input-to-wire", "From an input to the wire", _measure)
