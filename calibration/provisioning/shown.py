"""What controllers keep, in words and tables for people."""

from collections.abc import Sequence

from rich.table import Table

from calibration.provisioning.kept import (
    CURRENTS,
    ENCODERS,
    GAIN_ONE,
    VELOCITIES,
    ConfigWord,
    Kept,
    Snapshot,
    Values,
    differing,
)

_PINS_OLD = {0: "stop, latches", 1: "stop, latches", 2: "stop", 3: "voltage clamp"}
_PINS_NEW = {0x00: "stop, latches", 0x01: "stop", 0x81: "stop, latches", 0x14: "voltage clamp"}


def value_text(kept: Kept, snapshot: Snapshot) -> str:
    """Say in a few words what a controller keeps there."""
    values = snapshot.values.get(kept)
    if values is None:
        return "not told"
    return _text(kept, values, newer=snapshot.newer)


def _text(kept: Kept, values: Values, *, newer: bool) -> str:
    if kept is Kept.CONFIG:
        return _word_text(ConfigWord(values[0]))
    if kept is Kept.TIMEOUT:
        return f"{values[0] / 10:g} s" if values[0] else "off"
    if kept in {Kept.MAIN_LIMITS, Kept.LOGIC_LIMITS}:
        return f"{values[0] / 10:g} to {values[1] / 10:g} V"
    if kept is Kept.PINS:
        names = _PINS_NEW if newer else _PINS_OLD
        rest = " ".join(f"0x{value:02X}" for value in values[1:])
        return f"S3 {names.get(values[0], f'0x{values[0]:02X}')}, others {rest}"
    if kept in ENCODERS:
        flags = values[0] & ~1
        kind = "absolute" if values[0] & 1 else "quadrature"
        return f"{kind}, flags 0x{flags:02X}" if flags else kind
    if kept in CURRENTS:
        return f"{values[0] / 100:g} A"
    if kept in VELOCITIES:
        p, i, d = (value / GAIN_ONE for value in values[:3])
        return f"P {p:.4g}, I {i:.4g}, D {d:.4g}, QPPS {values[3]}"
    return " ".join(str(value) for value in values)


def _word_text(word: ConfigWord) -> str:
    if not word.packet_serial:
        return f"not packet serial (0x{word.value:04X})"
    multi = "multi-unit" if word.multi_unit else "alone on the wire"
    return f"0x{word.address:02X} at {word.baud} baud, {multi} (0x{word.value:04X})"


def changes_table(changes: Sequence[tuple[str, Snapshot, Snapshot]]) -> Table:
    """Show what differs between what each controller keeps and what it should, by its name."""
    table = Table(title="What would change", title_justify="left")
    for heading in ("controller", "setting", "now", "then"):
        table.add_column(heading, overflow="fold")
    for name, old, new in changes:
        called = name
        for kept in differing(old, new):
            table.add_row(called, kept.value, value_text(kept, old), value_text(kept, new))
            called = ""
        if called:
            table.add_row(called, "nothing differs", "", "", style="dim")
    return table
