"""One simulated RoboClaw: its state, and what its commands do to it.

The bytes of each command are in ``roboclaw_commands``; here is what a unit knows and does:
two motor outputs, settings in memory and in flash, the serial timeout, the emergency-stop
input, limits and status.

Assumed where the manual is silent: a unit that shuts down or times out puts out zero duty
on both outputs and forgets what it was told, so that it moves again only when told again;
its logic is fed from the main battery; address and baud rate change as soon as the
configuration word does.
"""

import math
from typing import TYPE_CHECKING

from rover.sim.plant import Plant
from rover.sim.roboclaw_output import Output
from rover.sim.roboclaw_settings import Firmware, Settings
from rover.sim.roboclaw_status import NOTHING, SHUTS_DOWN, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

# Where a unit warns, and where it shuts down, for each of its temperatures (manual).
_WARM_C, _HOT_C = 85.0, 100.0
_TIMEOUT_UNIT_S = 0.1
_OLD_LATCHING = frozenset({0x00, 0x01})
_NEW_LATCHING = frozenset({0x00, 0x81})
_OLD_ESTOP = frozenset({0x00, 0x01, 0x02})
_NEW_ESTOP = frozenset({0x00, 0x01, 0x81})


class Roboclaw:
    """One unit with its two outputs. Times are the plant's clock's."""

    def __init__(
        self, plant: Plant, outputs: "Sequence[Output]", settings: Settings, firmware: Firmware
    ) -> None:
        self._plant = plant
        self.outputs = tuple(outputs)
        self.settings = settings
        self.firmware = firmware
        self.now_s = plant.time_s
        self.nvm_writes = 0
        # Whether its flash keeps what is written; worn out, it says that it does.
        self.flash_worn = False
        self.temperatures_c = (30.0, 30.0)
        self.injected = NOTHING
        self.timed_out = False
        # When it last heard the end of a packet that asked its outputs for something new.
        self.asked_s = -math.inf
        self._nvm = settings.copy()
        self._last_valid_s = math.inf
        self._estop_input = False
        self._estop_latched = False
        self.set_settings(settings)

    @property
    def timeout_due_s(self) -> float:
        """When the serial timeout strikes if nothing valid arrives before; infinity: never."""
        if self.timed_out or self.settings.timeout == 0:
            return math.inf
        return self._last_valid_s + self.settings.timeout * _TIMEOUT_UNIT_S

    @property
    def main_voltage_v(self) -> float:
        """Voltage at the main battery terminals."""
        return self._plant.battery.voltage_v

    @property
    def status(self) -> Status:
        """Status bits as of now."""
        status = self._shutdown_reasons() | self.injected
        volts_10 = self.main_voltage_v * 10.0
        low_10, high_10 = self.settings.main_limits
        first_c, second_c = self.temperatures_c
        first, second = self.outputs
        for present, flag in (
            (volts_10 < low_10, Status.WARN_MAIN_LOW),
            (volts_10 > high_10, Status.WARN_MAIN_HIGH),
            (first_c > _WARM_C, Status.WARN_TEMPERATURE),
            (second_c > _WARM_C, Status.WARN_TEMPERATURE_2),
            (first.overcurrent, Status.WARN_M1_OVERCURRENT),
            (second.overcurrent, Status.WARN_M2_OVERCURRENT),
        ):
            if present:
                status |= flag
        # Older firmware stops the motors as well, but tells it by the warning alone.
        # (In plain numbers: a flag's inverse knows nothing of bits that have no name here.)
        return status if self.firmware.newer else Status(int(status) & ~int(Status.MAIN_LOW))

    def heard(self, now_s: float) -> None:
        """Note that a valid packet for this unit has arrived at ``now_s``."""
        self.now_s = self._last_valid_s = now_s

    def check(self, now_s: float) -> None:
        """Stop the motors if there is a reason to: the serial timeout, or a shutdown."""
        if now_s >= self.timeout_due_s:
            self.timed_out = True
            self._stop(now_s)
        if self._shut_down:
            self._stop(now_s)

    def drive(
        self,
        *,
        regulating: bool,
        targets: tuple[float | None, float | None],
        rates_per_s: tuple[float, float] = (math.inf, math.inf),
    ) -> None:
        """Command the outputs whose target is not None; ignored while shut down.

        Targets and rates as in Output.command.
        """
        self.timed_out = False
        if self._shut_down:
            return
        for output, target, rate_per_s in zip(self.outputs, targets, rates_per_s, strict=True):
            if target is not None and output.asks(
                regulating=regulating, target=target, rate_per_s=rate_per_s
            ):
                self._plant.change(self.now_s)
                output.command(regulating=regulating, target=target, rate_per_s=rate_per_s)
                self.asked_s = self.now_s

    def set_settings(self, settings: Settings) -> None:
        """Work with ``settings`` from now on."""
        self._plant.change(self.now_s)
        self.settings = settings
        for output, chosen in zip(self.outputs, settings.outputs, strict=True):
            output.configure(chosen)

    def settings_changed(self) -> None:
        """Take over what has been changed in ``settings``."""
        self.set_settings(self.settings)

    def save(self) -> None:
        """Write the settings to flash, which wears; the writes are counted."""
        if not self.flash_worn:
            self._nvm = self.settings.copy()
        self.nvm_writes += 1

    def load(self) -> None:
        """Take the settings from flash."""
        self.set_settings(self._nvm.copy())

    def restore_defaults(self) -> None:
        """Take the factory's settings; address and baud rate stay as they are [?]."""
        self.set_settings(Settings.factory(self.settings.config))

    def power_cycle(self, now_s: float) -> None:
        """Lose and regain power: settings from flash, counters at zero, nothing latched."""
        self.now_s = now_s
        self._stop(now_s)
        self.load()
        self.timed_out = False
        self._last_valid_s = math.inf
        self._estop_latched = False
        self.set_estop_input(self._estop_input, now_s)
        for output in self.outputs:
            output.set_count(0, now_s)

    def set_estop_input(self, active: bool, now_s: float) -> None:
        """Pull the emergency-stop input S3 low (``active``), or let go of it."""
        self.now_s = now_s
        self._estop_input = active
        latching = _NEW_LATCHING if self.firmware.newer else _OLD_LATCHING
        if active and self.settings.pins[0] in latching:
            self._estop_latched = True
        self.check(now_s)

    def reset_estop(self) -> None:
        """Clear a latched emergency stop, if the input has been let go of."""
        if not self._estop_input:
            self._estop_latched = False

    @property
    def _estopped(self) -> bool:
        pins = _NEW_ESTOP if self.firmware.newer else _OLD_ESTOP
        return self._estop_latched or (self._estop_input and self.settings.pins[0] in pins)

    @property
    def _shut_down(self) -> bool:
        """Whether the motors are without power: asked at every packet, so in plain numbers."""
        volts_10 = self.main_voltage_v * 10.0
        main, logic = self.settings.main_limits, self.settings.logic_limits
        return (
            not (main[0] <= volts_10 <= main[1] and logic[0] <= volts_10 <= logic[1])
            or self._estopped
            or max(self.temperatures_c) > _HOT_C
            or (self.injected != NOTHING and bool(self.injected & SHUTS_DOWN))
        )

    def _shutdown_reasons(self) -> Status:
        """Return the conditions that keep the motors without power."""
        volts_10 = self.main_voltage_v * 10.0
        main, logic = self.settings.main_limits, self.settings.logic_limits
        first_c, second_c = self.temperatures_c
        status = self.injected & SHUTS_DOWN
        for present, flag in (
            (self._estopped, Status.ESTOP),
            (volts_10 > main[1], Status.MAIN_HIGH),
            (volts_10 < main[0], Status.MAIN_LOW),
            (volts_10 > logic[1], Status.LOGIC_HIGH),
            (volts_10 < logic[0], Status.LOGIC_LOW),
            (first_c > _HOT_C, Status.TEMPERATURE),
            (second_c > _HOT_C, Status.TEMPERATURE_2),
        ):
            if present:
                status |= flag
        return status

    def _stop(self, now_s: float) -> None:
        """Put out zero duty on both outputs."""
        for output in self.outputs:
            if not output.idle:
                self._plant.change(now_s)
                output.command(regulating=False, target=0.0)
