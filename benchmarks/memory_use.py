"""The control process's memory after a minute of driving, and what it consists of."""

import subprocess
import sys

from benchmarks.harness import Effort, Measurement, NotMeasuredError, Progress
from benchmarks.processes import memory_bytes
from benchmarks.records import Check, Record, Spread
from benchmarks.rig import loop_settings, running_rig
from rover.messages import Arc

_LIMIT_MB = 40.0
_MB = 1e6
_RATE_HZ, _PRIORITY = 100.0, 50
# In an interpreter of its own, imported one after the other, the rover's own parts last.
_LADDER = ("msgspec", "zmq", "click", "serial", "evdev", "gpiozero", "rover.cli", "rover.app")
_CLIMB = """
import importlib, resource, sys
def tell(name):
    pages = int(open("/proc/self/statm").read().split()[1])
    print(name, pages * resource.getpagesize())
tell("Python itself")
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ImportError:
        continue
    tell(name)
"""


def _measure(effort: Effort, progress: Progress) -> list[Record]:
    seconds = effort.count(full=60, tiny=1)
    with running_rig(loop_settings(_RATE_HZ, _PRIORITY)) as rig:
        rig.start_hardware()
        control = rig.start_control()
        rig.arm()
        resident_mb = []
        for number in range(seconds):
            rig.drive(Arc(0.5, 1.0), 1.0)
            resident_mb.append(memory_bytes(control.pid)["Rss"] / _MB)
            progress(number + 1, seconds)
        rig.require_armed()
        share_mb = memory_bytes(control.pid)["Pss"] / _MB
    resident = Spread.of(resident_mb)
    return [
        Record(
            "control, resident",
            "MB",
            resident,
            f"grown by {resident_mb[-1] - resident_mb[0]:.2f} MB in {seconds} s of driving; its "
            f"share, with what other processes use too divided, is {share_mb:.1f} MB",
            (Check("max", resident.most, _LIMIT_MB),),
        ),
        *_steps(),
    ]


def _steps() -> list[Record]:
    """Return what Python and each import after it add."""
    climbed = subprocess.run(
        [sys.executable, "-c", _CLIMB, *_LADDER], capture_output=True, text=True, check=False
    )
    if climbed.returncode:
        raise NotMeasuredError(f"importing fails: {climbed.stderr}")
    records: list[Record] = []
    before_mb = 0.0
    for line in climbed.stdout.splitlines():
        name, _, told = line.rpartition(" ")
        resident_mb = int(told) / _MB
        records.append(
            Record(
                f"adds {name}" if records else name,
                "MB",
                Spread.single(resident_mb - before_mb),
                f"{resident_mb:.1f} MB with all before it",
            )
        )
        before_mb = resident_mb
    return records


MEASUREMENT = Measurement("memory", "Memory of the control process", _measure)
