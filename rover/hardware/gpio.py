"""Motor-enable line, stop button and lamps on GPIO lines, through gpiozero."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from rover.config import Config
from rover.errors import DeviceError
from rover.messages import DeviceHealth

if TYPE_CHECKING:
    from gpiozero import LED, InputDevice, OutputDevice
    from gpiozero.pins import Factory


class GpioPanel:
    """The Panel of a rover with GPIO lines; ``open_factory`` opens a gpiozero pin factory.

    A line that the configuration leaves out is not there: no button is never pressed. What was
    asked for before a ``start`` that succeeds holds after it.
    """

    def __init__(self, config: Config, open_factory: Callable[[], "Factory"]) -> None:
        self._config = config.panel
        self._open_factory = open_factory
        self._factory: Factory | None = None
        self._enable: OutputDevice | None = None
        self._button: InputDevice | None = None
        self._lamps: tuple[tuple[LED, str], ...] = ()
        self._enabled = False
        self._lit: frozenset[str] = frozenset()
        self._failure = "has not been started"

    def start(self) -> None:
        """Claim the lines with the motors disabled. Raises DeviceError naming the cause."""
        self._let_go()
        try:
            self._factory = self._open_factory()
            self._claim(self._factory)
        except Exception as error:
            # Each GPIO library has exceptions of its own.
            self._failure = f"cannot use the GPIO lines: {error}"
            self._let_go()
            raise DeviceError(self._failure) from error
        self._failure = ""
        self._lit |= {"power"}
        self.enable_motors(self._enabled)
        self._light()

    def enable_motors(self, enabled: bool) -> None:
        """Raise or drop the motor-enable line; takes effect at once."""
        self._enabled = enabled
        if self._enable is not None:
            self._write(self._enable, enabled)

    def stop_pressed(self) -> bool:
        """Tell whether the stop button is held down; a button that cannot be read is pressed."""
        if self._config.stop_button is None:
            return False
        if self._button is None:
            return True
        try:
            # Active is low: closed to ground.
            return bool(self._button.is_active) != self._config.stop_button_normally_closed
        except Exception as error:  # noqa: BLE001 - each GPIO library has its own; see health()
            self._failure = f"cannot read the stop button: {error}"
            return True

    def show(self, *, armed: bool, fault: bool, link: bool) -> None:
        """Set the lamps; the power lamp burns from ``start`` to ``close``."""
        lit = {name for name, on in (("armed", armed), ("fault", fault), ("link", link)) if on}
        self._lit = frozenset(lit | {"power"})
        self._light()

    def health(self) -> tuple[DeviceHealth, ...]:
        """Return one entry for the lines; one that could not be read or set is not ready."""
        ready = not self._failure
        return (
            DeviceHealth(
                "GPIO panel",
                ready,
                silent_s=0.0 if ready else math.inf,
                errors=() if ready else (self._failure,),
            ),
        )

    def close(self) -> None:
        """Drop motor-enable, put the lamps out, let go of the lines."""
        self.enable_motors(False)
        self._lit = frozenset()
        self._light()
        self._let_go()
        self._failure = "has been closed"

    def _claim(self, factory: "Factory") -> None:
        from gpiozero import LED, InputDevice, OutputDevice  # noqa: PLC0415 - 60 ms to import

        lines = self._config
        if lines.motor_enable is not None:
            self._enable = OutputDevice(
                lines.motor_enable, initial_value=False, pin_factory=factory
            )
        if lines.stop_button is not None:
            # Polled every tick: a Button's threads and edge detection would only add latency.
            self._button = InputDevice(lines.stop_button, pull_up=True, pin_factory=factory)
        self._lamps = tuple(
            (LED(line, initial_value=False, pin_factory=factory), name)
            for line, name in (
                (lines.led_armed, "armed"),
                (lines.led_fault, "fault"),
                (lines.led_link, "link"),
                (lines.led_power, "power"),
            )
            if line is not None
        )

    def _light(self) -> None:
        for lamp, name in self._lamps:
            self._write(lamp, name in self._lit)

    def _write(self, device: "OutputDevice", high: bool) -> None:
        try:
            if high:
                device.on()
            else:
                device.off()
        except Exception as error:  # noqa: BLE001 - each GPIO library has its own; see health()
            self._failure = f"cannot set {device.pin}: {error}"

    def _let_go(self) -> None:
        """Close every line and the factory, whatever fails; from the start nobody uses them."""
        claimed = (self._enable, self._button, *(lamp for lamp, _ in self._lamps), self._factory)
        self._enable = self._button = self._factory = None
        self._lamps = ()
        for resource in claimed:
            if resource is None:
                continue
            try:
                resource.close()
            except Exception as error:  # noqa: BLE001 - each GPIO library has its own; see health()
                self._failure = self._failure or f"cannot let go of the GPIO lines: {error}"
