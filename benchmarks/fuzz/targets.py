"""All that is fuzzed, by name."""

from benchmarks.fuzz import calibrating, devices, ipc, parser, websocket
from benchmarks.fuzz.target import Target

TARGETS: tuple[Target, ...] = (
    *parser.TARGETS,
    *devices.TARGETS,
    *ipc.TARGETS,
    *websocket.TARGETS,
    *calibrating.TARGETS,
)
BY_NAME = {target.name: target for target in TARGETS}


def share(target: Target, family_inputs: int) -> int:
    """Return how many of its family's inputs ``target`` gets; together no fewer than those."""
    whole = sum(other.weight for other in TARGETS if other.family is target.family)
    return -int(-family_inputs * target.weight // whole)
