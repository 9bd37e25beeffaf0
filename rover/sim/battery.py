"""A lithium-polymer battery: it sags with the current and drains with the charge."""

from bisect import bisect_right

# Open-circuit voltage of one LiPo cell over its charge at rest: the usual curve of hobby
# packs, steep at both ends.
_CHARGE = (0.0, 0.05, 0.10, 0.20, 0.40, 0.60, 0.80, 0.90, 1.0)
_CELL_V = (3.00, 3.45, 3.62, 3.71, 3.79, 3.88, 4.00, 4.09, 4.20)
_FULL_CELL_V = _CELL_V[-1]
_HIGHEST_V = 100.0


class Battery:
    """Charge, open-circuit voltage and internal resistance.

    ``full_v`` is the pack's voltage fully charged (16.8 for four cells), ``capacity_ah`` what
    JPL's rover carries, ``resistance_ohm`` pack, wiring and connectors together.
    """

    def __init__(
        self, full_v: float, capacity_ah: float = 5.2, resistance_ohm: float = 0.04
    ) -> None:
        self._cells = full_v / _FULL_CELL_V
        self._capacity_as = capacity_ah * 3600.0
        self.resistance_ohm = resistance_ohm
        self.charge = 0.8
        self.current_a = 0.0
        self.drawn_as = 0.0
        self._forced_v: float | None = None
        self._open_v = self._curve()

    @property
    def voltage_v(self) -> float:
        """Voltage at the terminals under the present current, never below zero."""
        return max(0.0, self._open_v - self.resistance_ohm * self.current_a)

    @property
    def open_circuit_v(self) -> float:
        """Voltage that it would show at rest."""
        return self._open_v

    def draw(self, current_a: float, dt_s: float) -> None:
        """Give ``current_a`` (negative: take it back from braking motors) for ``dt_s``."""
        self.current_a = current_a
        self.drawn_as += current_a * dt_s
        self.charge = min(1.0, max(0.0, self.charge - current_a * dt_s / self._capacity_as))
        if self._forced_v is None:
            self._open_v = self._curve()

    def set_charge(self, charge: float) -> None:
        """Put it at ``charge`` (0 to 1), the voltage following from it. Raises ValueError."""
        if not 0.0 <= charge <= 1.0:
            raise ValueError(f"battery charge {charge}: allowed 0 (empty) to 1 (full)")
        self.charge = charge
        self._forced_v = None
        self._open_v = self._curve()

    def set_voltage(self, open_circuit_v: float) -> None:
        """Hold its open-circuit voltage there until a charge is set. Raises ValueError."""
        if not 0.0 <= open_circuit_v <= _HIGHEST_V:
            raise ValueError(f"battery voltage {open_circuit_v} V: allowed 0 to {_HIGHEST_V} V")
        self._forced_v = self._open_v = open_circuit_v

    def _curve(self) -> float:
        """Open-circuit voltage of the pack at the present charge."""
        charge = self.charge
        i = min(bisect_right(_CHARGE, charge), len(_CHARGE) - 1)
        low, high = _CHARGE[i - 1], _CHARGE[i]
        part = (charge - low) / (high - low)
        return self._cells * (_CELL_V[i - 1] + part * (_CELL_V[i] - _CELL_V[i - 1]))
