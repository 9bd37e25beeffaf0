"""What a soak has found, as records with limits."""

import math
from collections import Counter
from collections.abc import Callable, Sequence

from benchmarks.records import Check, Record, Spread
from benchmarks.soak.found import Violation
from benchmarks.soak.simulated import Memory, Share
from benchmarks.soak.wheels import DEAF_FOR_S, LET_GO_WITHIN_S, RUNS_AWAY_FOR_S

# What Python's own free lists go up and down by.
_BLOCKS = 2000
_RESIDENT_MB = 1.0
_MB = 1e6
_FASTEST = 1.07


def simulated_records(shares: Sequence[Share]) -> list[Record]:
    """Return the lines of the table of the simulated hours."""
    counts = sum((Counter(share.counts) for share in shares), Counter[str]())
    seeds = ", ".join(str(share.seed) for share in shares)
    hours = sum(share.simulated_s for share in shares) / 3600.0
    armed = sum(share.armed_s for share in shares) / 3600.0
    stops = [time_s for share in shares for time_s in share.stop_times_s]
    deaf = [time_s for share in shares for time_s in share.deaf_stop_times_s]
    broken = sum((Counter(share.broken) for share in shares), Counter[str]())
    faults = {name[7:]: n for name, n in counts.items() if name.startswith("fault: ")}
    people = {
        name: n
        for name, n in counts.items()
        if not name.startswith(("fault: ", "became ", "frames "))
    }
    ticks = sum(share.ticks for share in shares)
    records = [
        Record(
            "simulated time",
            "h",
            Spread.single(hours),
            f"{armed:.1f} h of it armed; seeds {seeds}",
        ),
        Record(
            "ticks, each held against every rule",
            "ticks",
            Spread.single(ticks),
            _listed(broken) if broken else "no rule was broken",
            (Check("rules broken", sum(broken.values()), 0.0),),
        ),
        Record(
            "driven",
            "km",
            Spread.single(sum(share.driven_m for share in shares) / 1000.0),
            f"and judged {counts['frames of telemetry']} frames of telemetry",
        ),
        Record(
            "armed by a person",
            "times",
            Spread.single(counts["became armed"]),
            f"{counts['became fault']} faults and {counts['became estop']} emergency stops latched",
        ),
        Record("faults put in", "faults", Spread.single(sum(faults.values())), _listed(faults)),
        Record("people's doings", "doings", Spread.single(sum(people.values())), _listed(people)),
    ]
    if stops:
        records.append(
            Record(
                "until the wheels stand, nobody driving",
                "s",
                Spread.of(stops),
                "stops, failsafes and letting go alike",
                (Check("max", max(stops), LET_GO_WITHIN_S),),
            )
        )
    if deaf:
        records.append(
            Record(
                "the same, controllers not hearing",
                "s",
                Spread.of(deaf),
                "their own timeout stops them",
                (Check("max", max(deaf), LET_GO_WITHIN_S + DEAF_FOR_S),),
            )
        )
    fastest = max(share.fastest_share for share in shares)
    astray_s = max(share.longest_astray_s for share in shares)
    return [
        *records,
        Record(
            "fastest wheel, of its limit",
            "1",
            Spread.single(fastest),
            "what the motor overshoots by; wheels with a broken encoder are in the next line",
            (Check("max", fastest, _FASTEST),),
        ),
        Record(
            "longest run of a wheel with a broken encoder",
            "s",
            Spread.single(astray_s),
            "beyond its limit, or though it was to stand",
            (Check("max", astray_s, RUNS_AWAY_FOR_S),),
        ),
        *_memory_records(shares),
    ]


def _memory_records(shares: Sequence[Share]) -> list[Record]:
    figures: tuple[tuple[str, str, Callable[[Memory], float], float], ...] = (
        ("Python's blocks, grown", "blocks", lambda memory: memory.blocks, _BLOCKS),
        ("objects, grown", "objects", lambda memory: memory.objects, _BLOCKS),
        ("memory, grown", "MB", lambda memory: memory.resident_bytes / _MB, _RESIDENT_MB),
        ("threads, grown", "threads", lambda memory: memory.threads, 0.0),
        ("open files, grown", "files", lambda memory: memory.files, 0.0),
    )
    records = []
    for name, unit, of, limit in figures:
        grown = max(0.0, *(_growth([of(memory) for memory in share.memory]) for share in shares))
        held = max(of(share.memory[-1]) for share in shares)
        records.append(
            Record(
                name,
                unit,
                Spread.single(grown),
                f"{held:.0f} at the end; the most of any process, last third against first",
                (Check("max", grown, limit),),
            )
        )
    return records


def _growth(samples: Sequence[float]) -> float:
    """Return by how much the mean of the last third is above that of the first."""
    third = max(1, len(samples) // 3)
    return (math.fsum(samples[-third:]) - math.fsum(samples[:third])) / third


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {n}" for name, n in sorted(counts.items()))


def told_violations(violations: Sequence[Violation]) -> list[str]:
    """Return violations as lines for people."""
    return [f"at {found.time_s:.3f} s: {found.rule}: {found.detail}" for found in violations]
