"""What the system tells about other processes: their processor time and memory (Linux)."""

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
