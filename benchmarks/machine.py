"""Which computer was measured, in general terms, and how busy it was."""

import os
import platform
from pathlib import Path


def describe_machine() -> str:
    """Return cores, processor, system and Python in one line."""
    return (
        f"{os.cpu_count()} cores of {_processor()}, {platform.system()} {_release()}, "
        f"{platform.python_implementation()} {platform.python_version()}"
    )


def describe_load() -> str:
    """Return how many programs wanted a processor lately, others' ones included."""
    return f"load average before: {os.getloadavg()[0]:.2f}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    facts = dict(_fact(line) for line in lines)
    # x86 tells its name by "model name"; a Raspberry Pi its board by "Model".
    for key in ("model name", "Model", "Hardware"):
        if facts.get(key):
            return facts[key]
    return platform.machine() or "an unknown processor"


def _fact(line: str) -> tuple[str, str]:
    key, _, value = line.partition(":")
    return key.strip(), value.strip()


def _release() -> str:
    """Return the kernel's version without what its builder has added."""
    return platform.release().partition("-")[0]
