"""What people are shown: nothing that has not been, and nothing older than it is told to be."""

import math
from collections import deque

from benchmarks.soak.found import Found
from benchmarks.soak.wheels import Wheels
from rover.config import Config
from rover.messages import Telemetry
from rover.sim.devices import SimulatedDevices

# A reset shows in the encoders at once or in the timeout, which is read every 0.63 s.
RESET_SHOWS_S = 0.9
# A speed is the mean over 50 ms and is shown for 250 ms after it was read, 20 times a second.
_SPEED_SEEN_S = 0.4
_SPEED_OFF_SHARE, _SPEED_OFF_RAD_S = 0.03, 0.4
# A battery reading is shown for 2 s; controllers tell it in steps of 0.1 V.
_VOLTAGE_SEEN_S = 2.3
_VOLTAGE_OFF_V = 0.15
_TWIST_OLD_S = 0.4


class Shown:
    """Remembers what was so lately, and holds frames of telemetry against it."""

    def __init__(
        self, config: Config, devices: SimulatedDevices, wheels: Wheels, found: Found
    ) -> None:
        self._plant = devices.plant
        self._units = devices.units
        self._bus = devices.bus
        self._wheels = wheels
        self._found = found
        addresses = [unit.settings.address for unit in devices.units]
        self._unit_of = [addresses.index(wheel.motor.address) for wheel in config.wheels.values()]
        self._reset_s = -math.inf
        self._lies_until_s = -math.inf
        self._speeds: list[deque[tuple[float, float]]] = [deque() for _ in self._unit_of]
        self._volts: deque[tuple[float, float]] = deque()
        self._silent_since_s: dict[int, float] = {}

    def reset(self, now_s: float) -> None:
        """Allow for a controller whose power was cut at ``now_s``: its counters begin anew."""
        self._reset_s = now_s

    def voltage_lies(self, until_s: float) -> None:
        """Allow for a power monitor that tells a wrong voltage."""
        self._lies_until_s = until_s + _VOLTAGE_SEEN_S

    def remember_speeds(self, now_s: float) -> None:
        """Note how fast every wheel turns at ``now_s``."""
        for speeds, motor in zip(self._speeds, self._plant.motors, strict=True):
            if not speeds or speeds[-1][1] != motor.speed_rad_s:
                speeds.append((now_s, motor.speed_rad_s))

    def remember(self, now_s: float) -> None:
        """Note which controllers are silent at ``now_s``, and the battery's voltage."""
        for number, unit in enumerate(self._units):
            if self._bus.cut or unit in self._bus.silent:
                self._silent_since_s.setdefault(number, now_s)
            else:
                self._silent_since_s.pop(number, None)
        volts = self._plant.battery.voltage_v
        if not self._volts or abs(self._volts[-1][1] - volts) > _VOLTAGE_OFF_V / 8.0:
            self._volts.append((now_s, volts))

    def told(self, telemetry: Telemetry) -> None:
        """Judge a frame of telemetry: nothing in it may be older than it is shown to be."""
        # Devices that have gone are looked for after telling, which takes a while.
        now_s = telemetry.stamp_s + telemetry.tick_ms / 1000.0
        for i, view in enumerate(telemetry.wheels):
            if view.speed_rad_s is None:
                continue
            low, high = _range_since(self._speeds[i], now_s - _SPEED_SEEN_S)
            off = _SPEED_OFF_RAD_S + _SPEED_OFF_SHARE * max(abs(low), abs(high))
            # A counter that begins anew near where it was is not told from one that turned.
            doubtful = now_s - self._reset_s <= RESET_SHOWS_S or self._wheels.is_blind(i, now_s)
            if not doubtful and not low - off <= view.speed_rad_s <= high + off:
                detail = f"{view.name} {view.speed_rad_s:.2f}, truly {low:.2f} to {high:.2f} rad/s"
                self._found.add(now_s, "no speed is shown that has not been", detail)
            silent_s = self._silent_since_s.get(self._unit_of[i], math.inf)
            if now_s - silent_s > _SPEED_SEEN_S:
                self._found.add(now_s, "no speed is shown of a silent controller", view.name)
        all_silent = len(self._silent_since_s) == len(self._units)
        silent_s = max(self._silent_since_s.values()) if all_silent else math.inf
        if telemetry.twist is not None and now_s - silent_s > _TWIST_OLD_S:
            self._found.add(now_s, "no motion is shown that nobody measures", str(telemetry.twist))
        power = telemetry.power
        if power is not None:
            if now_s - power.stamp_s > _VOLTAGE_SEEN_S:
                age_s = now_s - power.stamp_s
                self._found.add(now_s, "no old voltage is shown", f"{power.device}, {age_s:.2f} s")
            low, high = _range_since(self._volts, now_s - _VOLTAGE_SEEN_S)
            lies = now_s < self._lies_until_s
            if not lies and not low - _VOLTAGE_OFF_V <= power.voltage_v <= high + _VOLTAGE_OFF_V:
                detail = f"{power.voltage_v:.2f}, truly {low:.2f} to {high:.2f} V"
                self._found.add(now_s, "no voltage is shown that has not been", detail)


def _range_since(changes: deque[tuple[float, float]], since_s: float) -> tuple[float, float]:
    """Return the least and the greatest value since then, and forget what was before.

    ``changes`` has a value and when it came about; it held until the next one.
    """
    while len(changes) > 1 and changes[1][0] < since_s:
        changes.popleft()
    values = [value for _, value in changes]
    return min(values), max(values)
