"""What is found when values of the configuration do not go together."""

from dataclasses import dataclass

from rover.config.toml_lines import KeyPath


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Keys whose values do not go together, and what to do."""

    keys: tuple[KeyPath, ...]
    text: str
