"""How fast simulated time passes when the whole rover is driven in memory, as tests do."""

import time

from msgspec import structs

from benchmarks.harness import Effort, Measurement, Progress
from benchmarks.records import Record, Spread
from rover.messages import Arc
from tests.builders import osr_config
from tests.whole.memory_rover import MemoryRover

_RATES_HZ = (100.0, 50.0)
_ROUNDS = 5
_CIRCLE = Arc(0.5, 1.0)
_AN_HOUR_S = 3600.0


def _measure(effort: Effort, progress: Progress) -> list[Record]:
    drive_s = effort.count(full=30, tiny=1)
    records = []
    for number, rate_hz in enumerate(_RATES_HZ):
        config = osr_config()
        loop = structs.replace(config.loop, rate_hz=rate_hz)
        rover = MemoryRover(structs.replace(config, loop=loop)).driving(_CIRCLE)
        speeds = []
        for turn in range(_ROUNDS):
            start_s = time.perf_counter()
            rover.run(drive_s)
            speeds.append(drive_s / (time.perf_counter() - start_s))
            progress(number * _ROUNDS + turn + 1, len(_RATES_HZ) * _ROUNDS)
        spread = Spread.of(speeds)
        records.append(
            Record(
                f"simulated seconds a second, {rate_hz:.0f} Hz",
                "s/s",
                spread,
                f"an hour of driving takes {_AN_HOUR_S / spread.p50:.0f} s",
            )
        )
    return records


MEASUREMENT = Measurement("simulated-time", "Driving in memory", _measure)
