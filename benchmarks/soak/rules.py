"""What must be so after every tick of the simulated rover, judged by what is truly so.

The model knows what was said to the rover and which faults are in, and looks at the simulated
wheels, servos, lines and controllers. Of the rover itself it sees only what everybody is told:
the arming state and the telemetry. How the rover decides is not repeated here.
"""

import math

from benchmarks.soak.asked import Asked
from benchmarks.soak.found import Found
from benchmarks.soak.shown import RESET_SHOWS_S, Shown
from benchmarks.soak.wheels import Wheels
from rover.config import Config
from rover.messages import ArmState
from rover.sim.devices import SimulatedDevices

_STEERING_RAD = 0.005


class Rules:
    """Told what is said and done; ``check`` after every tick. What is broken is in ``found``.

    ``asked`` is told what people say, ``wheels`` and ``shown`` which faults excuse what.
    """

    def __init__(self, config: Config, devices: SimulatedDevices) -> None:
        self._plant = devices.plant
        self._units = devices.units
        self._lines = devices.lines
        self._bus = devices.bus
        self._steer_rad = [
            (wheel.steer.min_rad - _STEERING_RAD, wheel.steer.max_rad + _STEERING_RAD)
            if wheel.steer
            else (0.0, 0.0)
            for wheel in config.wheels.values()
        ]
        self._timeout_units = int(config.roboclaw.serial_timeout_s * 10.0 + 1e-6)
        self.found = Found()
        self.asked = Asked(config)
        self.wheels = Wheels(config, devices.plant, self.found)
        self.shown = Shown(config, devices, self.wheels, self.found)
        self._arming_asked = False
        self._stop_asked = False
        self._reset_s = -math.inf
        self._stalled_s: float | None = None
        self._state = ArmState.DISARMED
        self.checked = 0

    def requested(self, *, arm: bool = False, stop: bool = False) -> None:
        """Note a request to arm or to stop in the next tick; the button is a stop too."""
        self._arming_asked = self._arming_asked or arm
        self._stop_asked = self._stop_asked or stop

    def reset(self, now_s: float) -> None:
        """Allow for a controller whose power was cut at ``now_s``."""
        self._reset_s = now_s
        self.shown.reset(now_s)
        self.wheels.deaf_until(now_s)

    def stalled(self, now_s: float) -> None:
        """Judge what is so at ``now_s`` while the loop stands still, deaf and dumb."""
        # The controllers go on as they were told until their own timeout strikes.
        if self._stalled_s is None:
            self._stalled_s = now_s
            self.wheels.deaf_until(now_s)
        self._check_wheels(now_s, self._state, wanted=False)

    def check(self, start_s: float, now_s: float, state: ArmState) -> None:
        """Judge the tick that ran from ``start_s`` to ``now_s`` and left ``state`` behind."""
        self.checked += 1
        if self._stalled_s is not None:
            # What was said before may count again for what is left of its deadline.
            self.wheels.deaf_until(start_s)
            self._stalled_s = None
        if self._bus.silent or self._bus.cut:
            self.wheels.deaf_until(now_s)
        self._check_state(now_s, state)
        self._check_wheels(now_s, state, wanted=self.asked.wants(start_s, state))
        self._check_devices(now_s, state)
        self.shown.remember(now_s)
        self._state = state

    def failed(self, now_s: float, error: Exception) -> None:
        """Note an exception out of a tick."""
        self.found.add(now_s, "no exception leaves a tick", f"{type(error).__name__}: {error}")

    def _check_state(self, now_s: float, state: ArmState) -> None:
        newly = state is ArmState.ARMED and self._state is not ArmState.ARMED
        if newly and not self._arming_asked:
            self.found.add(now_s, "only a person arms", f"armed from {self._state}")
        if self._stop_asked and state is not ArmState.ESTOP:
            self.found.add(now_s, "an emergency stop latches", f"asked for, and it is {state}")
        alarming = state in {ArmState.ESTOP, ArmState.FAULT}
        if alarming and self._lines.motors_enabled:
            self.found.add(now_s, "motor-enable is low in ESTOP and FAULT", f"high in {state}")
        self._arming_asked = self._stop_asked = False

    def _check_wheels(self, now_s: float, state: ArmState, *, wanted: bool) -> None:
        self.shown.remember_speeds(now_s)
        armed = state is ArmState.ARMED
        self.wheels.check(now_s, wanted=wanted, armed=armed, let_go=self.asked.let_go)

    def _check_devices(self, now_s: float, state: ArmState) -> None:
        for name, servo, (low, high) in zip(
            self._plant.names, self._plant.servos, self._steer_rad, strict=True
        ):
            if not low <= servo.steer_rad <= high:
                detail = f"{name} at {servo.steer_rad:.3f} rad"
                self.found.add(now_s, "no corner beyond its range", detail)
        armed = state is ArmState.ARMED and self._state is ArmState.ARMED
        if armed and now_s - self._reset_s > RESET_SHOWS_S:
            for unit in self._units:
                if unit.settings.timeout != self._timeout_units:
                    detail = f"0x{unit.settings.address:02X}: {unit.settings.timeout / 10:.1f} s"
                    self.found.add(now_s, "serial timeouts are set while armed", detail)
