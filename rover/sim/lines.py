"""The simulated GPIO lines: the motor-enable line, the stop button, lamps.

Lines keep the level they were driven to, also when the program that drove them has gone: the
worst case, for a Raspberry Pi may instead let them fall.
"""

from collections.abc import Callable

from rover.config import PanelConfig


class LineLevels:
    """Levels by BCM number; ``enable_motors`` is called when the motor-enable line changes.

    Where the rover has no such line its motors are always enabled. The line is low until
    somebody drives it, so that the motors are off while the computer boots; the stop button
    closes to ground against a pull-up, or opens.
    """

    def __init__(self, panel: PanelConfig, enable_motors: Callable[[bool], None]) -> None:
        self._panel = panel
        self._enable_motors = enable_motors
        self._driven: dict[int, bool] = {}
        self.stop_pressed = False

    @property
    def motors_enabled(self) -> bool:
        """Whether the motor-enable line lets the motors have power."""
        line = self._panel.motor_enable
        return True if line is None else self._driven.get(line, False)

    def drive(self, line: int, *, high: bool) -> None:
        """Drive ``line``; driving the stop button's line changes nothing."""
        before = self.motors_enabled
        self._driven[line] = high
        if self.motors_enabled != before:
            self._enable_motors(high)

    def level(self, line: int) -> bool:
        """Tell whether ``line`` is high."""
        if line == self._panel.stop_button:
            return self.stop_pressed == self._panel.stop_button_normally_closed
        return self._driven.get(line, False)
