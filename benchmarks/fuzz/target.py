"""What is fuzzed: a decoder, the messages to begin with, and the rules that must hold."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Family(StrEnum):
    """Whose bytes they are. Every family gets its full share of inputs."""

    PARSER = "RoboClaw parser"
    IPC = "ipc"
    WEBSOCKET = "WebSocket"


class BrokenRuleError(Exception):
    """An input was decoded to something that it must not be decoded to."""


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to fuzz.

    ``run`` takes one input whole, leaves nothing behind, and tells whether it was accepted. It
    swallows the documented exceptions; whatever it raises is a finding. ``seeds`` are inputs to
    begin with, ``tokens`` pieces that mean something in them. ``weight`` is its part of its
    family's inputs.
    """

    name: str
    family: Family
    run: Callable[[bytes], bool]
    seeds: tuple[bytes, ...]
    tokens: tuple[bytes, ...] = ()
    weight: float = 1.0


def require(holds: bool, rule: str) -> None:
    """Raise BrokenRuleError with the ``rule`` unless it ``holds``."""
    if not holds:
        raise BrokenRuleError(rule)
