"""From starting `rover control` to its first byte on the wire, and which imports take so long.

A fresh interpreter each time; the wire is a pseudo-terminal whose far end is in this process,
I2C and GPIO lines are the simulated ones.
"""

import re
import select
import sys
import time
from collections import Counter

from benchmarks.harness import Effort, Measurement, NotMeasuredError, Progress
from benchmarks.records import Check, Record, Spread
from benchmarks.rig import Rig, end, running_rig
from rover.sim.serial_port import PseudoTerminal

_LIMIT_S = 1.0
_GIVE_UP_S = 20.0
_SHOWN = 8
_ROVER = ("-m", "rover")
# A line of -X importtime: microseconds by itself, with all it imports, and the module.
_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s*([\w.]+)")


def _measure(effort: Effort, progress: Progress) -> list[Record]:
    starts = effort.count(full=20, tiny=1)
    with running_rig() as rig:
        rig.start_hardware()
        times_s = []
        # The first start finds nothing in the disk cache and compiles what has changed.
        _first_byte_s(rig, _ROVER)
        for number in range(starts):
            times_s.append(_first_byte_s(rig, _ROVER))
            progress(number + 1, starts)
        _first_byte_s(rig, ("-X", "importtime", *_ROVER))
        imports_us = _import_times_us(rig.told_by("control"))
    spread = Spread.of(times_s)
    total_us = sum(imports_us.values())
    return [
        Record(
            "start to first byte",
            "s",
            spread,
            f"importing is {total_us / 1e6:.2f} s of it, timed import by import",
            (Check("p50", spread.p50, _LIMIT_S),),
        ),
        *(
            Record(
                f"imports of {package}",
                "ms",
                Spread.single(time_us / 1e3),
                f"{time_us / total_us * 100:.0f} % of all imports",
            )
            for package, time_us in imports_us.most_common(_SHOWN)
        ),
    ]


def _first_byte_s(rig: Rig, python: tuple[str, ...]) -> float:
    """Start control, and end it; return how long it took to write to its serial port."""
    port = PseudoTerminal(rig.config.roboclaw.baud)
    serial = rig.directory / "serial0"
    serial.unlink()
    serial.symlink_to(port.path)
    try:
        start_s = time.monotonic()
        control = rig.start("control", (sys.executable, *python, *rig.control_options))
        readable, _, _ = select.select([port], (), (), _GIVE_UP_S)
        took_s = time.monotonic() - start_s
        end(control)
    finally:
        port.close()
    if not readable:
        raise NotMeasuredError(f"control wrote nothing; it said: {rig.told_by('control')}")
    return took_s


def _import_times_us(told: str) -> Counter[str]:
    """Return the time that each package's own modules took, the standard library as one."""
    times_us: Counter[str] = Counter()
    for match in _IMPORT.finditer(told):
        package = match[2].partition(".")[0].lstrip("_")
        if package in sys.stdlib_module_names or match[2] in sys.stdlib_module_names:
            package = "the standard library"
        times_us[package] += int(match[1])
    return times_us


MEASUREMENT = Measurement("startup", "From start to the first byte", _measure)
