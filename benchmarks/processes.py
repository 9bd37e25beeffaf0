"""What the system tells about other processes: their processor time and memory (Linux)."""

import os
from pathlib import Path

from benchmarks.harness import NotMeasuredError

_BYTES_PER_KIB = 1024


def cpu_time_s(pid: int) -> float:
    """Return the processor time that all threads of ``pid`` have had, to the nanosecond.

    Raises NotMeasuredError where the system does not tell.
    """
    try:
        return sum(
            int((task / "schedstat").read_text(encoding="ascii").split()[0]) * 1e-9
            for task in Path(f"/proc/{pid}/task").iterdir()
        )
    except OSError as error:
        raise NotMeasuredError(f"this system does not tell processor times ({error})") from error


def whole_cpu_time_s(pid: int) -> float:
    """Return the processor time that ``pid`` has had, ended threads included, to 10 ms.

    Raises NotMeasuredError where the system does not tell.
    """
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError as error:
        raise NotMeasuredError(f"this system does not tell processor times ({error})") from error
    # Behind the name, which may hold anything, in brackets.
    fields = told.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    """Return the processes that ``pid`` has started. Raises NotMeasuredError if nobody tells."""
    try:
        return [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text(encoding="ascii").split()
        ]
    except OSError as error:
        raise NotMeasuredError(f"this system does not tell child processes ({error})") from error


def memory_bytes(pid: int) -> dict[str, int]:
    """Return the memory of ``pid``: "Rss" is all it touches, "Pss" its share of that, and more.

    Raises NotMeasuredError where the system does not tell.
    """
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    except OSError as error:
        raise NotMeasuredError(f"this system does not tell memory sizes ({error})") from error
    return {
        line.split(":")[0]: int(line.split()[1]) * _BYTES_PER_KIB for line in lines if "kB" in line
    }
