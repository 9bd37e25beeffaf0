"""What must be so after every tick of the simulated rover, judged by what is truly so.

The model knows what was said to the rover and which faults are in, and looks at the simulated
wheels, servos, lines and controllers. Of the rover itself it sees only what everybody is told:
the arming state and the telemetry. How the rover decides is not repeated here.
"""

import math
from array import array
from collections import Counter, deque

from msgspec import Struct

from rover.config import Config
from rover.messages import (
    Arc,
    ArmState,
    Motion,
    Source,
    Stop,
    Telemetry,
    is_neutral,
)
from rover.sim.devices import SimulatedDevices

# A wheel slower than this stands: a millimetre a second at the rim.
STANDING_RAD_S = 0.015
# From the fastest turbo to standstill the ramp of a stop takes 0.13 s, that of letting go
# 0.5 s; zero duty from the wheels' top speed 0.32 s; motors follow with a lag of 0.15 s.
STOP_WITHIN_S = 0.6
LET_GO_WITHIN_S = 0.9
# A controller that does not hear goes on as it was told until its own timeout strikes.
DEAF_FOR_S = 0.35
# What a motor may overshoot: share of its speed, and rad/s besides.
_OVERSHOOT_SHARE, _OVERSHOOT_RAD_S = 0.05, 0.3
# A wheel with a broken encoder is found out within this; commanded to stand, it runs away when
# it turns faster than what the rover tolerates of a wheel.
RUNS_AWAY_FOR_S, _WRONG_RAD_S = 1.2, 4.0
# A stop is on the wire within the tick; the motor's velocity loop turns round within this.
_TURNS_ROUND_S = 0.08
_SPEEDS_UP_RAD_S = 0.05
# A wheel that something kept behind its ramp, once let go of, catches up with it within this.
_CATCHES_UP_S = 0.4
# A controller that holds a wheel at zero speed lets it creep by what its integral has wound up:
# 8 cm/s at the most, and for a while.
_CREEPS_RAD_S, _CREEPS_FOR_S = 1.0, 3.0
_STEERING_RAD = 0.005
# A reset shows in the encoders at once or in the timeout, which is read every 0.63 s.
_RESET_SHOWS_S = 0.9
# A speed is the mean over 50 ms and is shown for 250 ms after it was read, 20 times a second.
_SPEED_SEEN_S = 0.4
_SPEED_OFF_SHARE, _SPEED_OFF_RAD_S = 0.03, 0.4
# A battery reading is shown for 2 s; controllers tell it in steps of 0.1 V.
_VOLTAGE_SEEN_S = 2.3
_VOLTAGE_OFF_V = 0.15
_TWIST_OLD_S = 0.4
_MOST_VIOLATIONS = 10


class Violation(Struct, frozen=True):
    """A rule that did not hold: when (simulated s), which, and what was so."""

    time_s: float
    rule: str
    detail: str


class _Said:
    """The newest of one source, and since when it may have what it asks for."""

    def __init__(self, deadline_s: float) -> None:
        self.deadline_s = deadline_s
        self.motion: Motion = Arc(0.0, 0.0)
        self.stamp_s = -math.inf
        self.rested = False


class Rules:
    """Told what is said and done; ``check`` after every tick. Finds ``violations``."""

    def __init__(self, config: Config, devices: SimulatedDevices) -> None:
        self._plant = devices.plant
        self._units = devices.units
        self._lines = devices.lines
        self._bus = devices.bus
        self._top_rad_s = [wheel.max_speed_rad_s for wheel in config.wheels.values()]
        self._steer_rad = [
            (wheel.steer.min_rad - _STEERING_RAD, wheel.steer.max_rad + _STEERING_RAD)
            if wheel.steer
            else (0.0, 0.0)
            for wheel in config.wheels.values()
        ]
        addresses = [unit.settings.address for unit in devices.units]
        self._unit_of = [addresses.index(wheel.motor.address) for wheel in config.wheels.values()]
        self._timeout_units = int(config.roboclaw.serial_timeout_s * 10.0 + 1e-6)
        self._said = {
            Source.GAMEPAD: _Said(config.deadlines.gamepad_s),
            Source.WEB: _Said(config.deadlines.web_s),
        }
        self._heard: list[tuple[Source, Motion, float]] = []
        self._stopped_s = -math.inf
        self._wanted_s = self._armed_s = -math.inf
        self._refused_all = False
        self._arming_asked = False
        self._stop_asked = False
        self._let_go = self._was_wanted = False
        self._deaf_s = -math.inf
        self._reset_s = -math.inf
        self._stalled_s: float | None = None
        self._blind_until_s = [-math.inf] * len(self._top_rad_s)
        self._astray_since_s = [math.inf] * len(self._top_rad_s)
        self._behind_until_s = [-math.inf] * len(self._top_rad_s)
        self._lies_until_s = -math.inf
        self._state = ArmState.DISARMED
        self._slowest = [0.0] * len(self._top_rad_s)
        self._stood = True
        self._speeds: list[deque[tuple[float, float]]] = [deque() for _ in self._top_rad_s]
        self._volts: deque[tuple[float, float]] = deque()
        self._silent_since_s: dict[int, float] = {}
        self.checked = 0
        self.violations: list[Violation] = []
        self.broken = Counter[str]()
        # Arrays, so that what is kept of a long run is not taken for what the rover keeps.
        self.stop_times_s = array("d")
        self.deaf_stop_times_s = array("d")
        self.fastest_share = self.longest_astray_s = 0.0

    @property
    def _ramp_ends_s(self) -> float:
        """How long after the last who drove the wheels may still be slowing down."""
        return LET_GO_WITHIN_S if self._let_go else STOP_WITHIN_S

    @property
    def too_many(self) -> bool:
        """Whether enough has been found to look at."""
        return len(self.violations) >= _MOST_VIOLATIONS

    def command(self, source: Source, motion: Motion, stamp_s: float) -> None:
        """Note a command that the next tick hears, in the order in which it does."""
        self._heard.append((source, motion, stamp_s))

    def rubbish(self) -> None:
        """Note that the next tick hears what it must refuse, which stops everyone."""
        self._refused_all = True

    def asked(self, *, arm: bool = False, stop: bool = False) -> None:
        """Note a request to arm or to stop in the next tick; the button is a stop too."""
        self._arming_asked = self._arming_asked or arm
        self._stop_asked = self._stop_asked or stop

    def deaf_until(self, time_s: float) -> None:
        """Allow for controllers that may miss what they are told until ``time_s``."""
        self._deaf_s = max(self._deaf_s, time_s + DEAF_FOR_S)

    def reset(self, now_s: float) -> None:
        """Allow for a controller whose power was cut at ``now_s``."""
        self._reset_s = now_s
        self.deaf_until(now_s)

    def stalled(self, now_s: float) -> None:
        """Judge what is so at ``now_s`` while the loop stands still, deaf and dumb."""
        # The controllers go on as they were told until their own timeout strikes.
        if self._stalled_s is None:
            self._stalled_s = now_s
            self.deaf_until(now_s)
        armed = self._state is ArmState.ARMED
        self._check_wheels(now_s, wanted=False, armed=armed)

    def encoder_breaks(self, wheel: int) -> None:
        """Allow a wheel to run away for a while, and to be told of wrongly."""
        self._blind_until_s[wheel] = math.inf

    def encoder_mended(self, wheel: int, now_s: float) -> None:
        """Let the wheel's encoder count again from ``now_s``."""
        self._blind_until_s[wheel] = now_s + STOP_WITHIN_S

    def kept_behind(self, *wheels: int) -> None:
        """Allow wheels that something holds, or that lack voltage, to be slower than asked."""
        for wheel in wheels or range(len(self._top_rad_s)):
            self._behind_until_s[wheel] = math.inf

    def freed(self, now_s: float, *wheels: int) -> None:
        """Let wheels that were kept behind catch up with a ramp that is still on its way."""
        for wheel in wheels or range(len(self._top_rad_s)):
            self._behind_until_s[wheel] = now_s + _CATCHES_UP_S

    def voltage_lies(self, until_s: float) -> None:
        """Allow for a power monitor that tells a wrong voltage."""
        self._lies_until_s = until_s + _VOLTAGE_SEEN_S

    def check(self, start_s: float, now_s: float, state: ArmState) -> None:
        """Judge the tick that ran from ``start_s`` to ``now_s`` and left ``state`` behind."""
        self.checked += 1
        if self._stalled_s is not None:
            # What was said before may count again for what is left of its deadline.
            self.deaf_until(start_s)
            self._stalled_s = None
        if self._bus.silent or self._bus.cut:
            self.deaf_until(now_s)
        self._check_state(now_s, state)
        wanted = self._take_in(start_s, state)
        self._check_wheels(now_s, wanted=wanted, armed=state is ArmState.ARMED)
        self._check_devices(now_s, state)
        self._state = state

    def _check_state(self, now_s: float, state: ArmState) -> None:
        newly = state is ArmState.ARMED and self._state is not ArmState.ARMED
        if newly and not self._arming_asked:
            self._found(now_s, "only a person arms", f"armed from {self._state}")
        if self._stop_asked and state is not ArmState.ESTOP:
            self._found(now_s, "an emergency stop latches", f"asked for, and it is {state}")
        alarming = state in {ArmState.ESTOP, ArmState.FAULT}
        if alarming and self._lines.motors_enabled:
            self._found(now_s, "motor-enable is low in ESTOP and FAULT", f"high in {state}")
        self._arming_asked = self._stop_asked = False

    def _take_in(self, start_s: float, state: ArmState) -> bool:
        """Work out from what was said whether the rover may be moving now."""
        if self._refused_all:
            self._fail_safe(start_s)
            self._refused_all = False
        # In the tick that ends in a fault wheels may still have been told to turn.
        faulted = self._state is ArmState.ARMED and state is ArmState.FAULT
        if state is not self._state and not faulted:
            self._fail_safe(start_s)
        for source, motion, stamp_s in self._heard:
            if isinstance(motion, Stop):
                self._fail_safe(start_s)
                continue
            said = self._said[source]
            if stamp_s > said.stamp_s:
                said.motion, said.stamp_s = motion, stamp_s
                if is_neutral(motion) and stamp_s >= self._stopped_s:
                    said.rested = True
        self._heard.clear()
        wanted = neutral = False
        for said in self._said.values():
            if start_s - said.stamp_s > said.deadline_s:
                said.rested = False
            elif said.rested:
                if is_neutral(said.motion):
                    neutral = True
                else:
                    wanted = True
        wanted = wanted and (state is ArmState.ARMED or faulted)
        if faulted:
            self._fail_safe(start_s)
        if self._was_wanted and not wanted:
            # Who lets go may take the time of a soft stop; whoever else is lost may not.
            self._let_go = neutral
        self._was_wanted = wanted
        return wanted

    def _fail_safe(self, start_s: float) -> None:
        self._stopped_s = start_s
        for said in self._said.values():
            said.rested = False

    def _check_wheels(self, now_s: float, *, wanted: bool, armed: bool) -> None:
        if wanted:
            self._wanted_s = now_s
        if armed:
            self._armed_s = now_s
        deaf_s = DEAF_FOR_S if now_s < self._deaf_s else 0.0
        since_s = now_s - self._wanted_s
        watched = since_s > _TURNS_ROUND_S + deaf_s
        if not armed:
            # What crept while the wheels were held ends with the power.
            watched = watched and now_s - self._armed_s > _TURNS_ROUND_S + deaf_s
        gained_rad_s = _CREEPS_RAD_S if armed else _SPEEDS_UP_RAD_S
        ramp_ends_s = self._ramp_ends_s + deaf_s
        fastest_rad_s = 0.0
        for i, motor in enumerate(self._plant.motors):
            speed_rad_s = motor.speed_rad_s
            speeds = self._speeds[i]
            if not speeds or speeds[-1][1] != speed_rad_s:
                speeds.append((now_s, speed_rad_s))
            size = abs(speed_rad_s)
            if armed and now_s < self._blind_until_s[i]:
                self._check_blind(i, now_s, size, since_s)
                self._slowest[i] = size
                continue
            self._astray_since_s[i] = math.inf
            if size > fastest_rad_s:
                fastest_rad_s = size
                top = self._top_rad_s[i]
                if size > self.fastest_share * top and now_s > self._blind_until_s[i]:
                    self.fastest_share = size / top
                if size > _beyond(top) and now_s > self._blind_until_s[i]:
                    detail = f"{self._plant.names[i]} {size:.2f} rad/s, allowed {top:.2f}"
                    self._found(now_s, "no wheel beyond its limit", detail)
            catches_up = since_s <= ramp_ends_s and now_s < self._behind_until_s[i]
            held_to_it = watched and not catches_up
            if held_to_it and size > self._slowest[i] + gained_rad_s:
                detail = f"{self._plant.names[i]} {self._slowest[i]:.2f} to {size:.2f} rad/s"
                self._found(now_s, "nothing speeds up that nobody may drive", detail)
            self._slowest[i] = min(self._slowest[i], size) if held_to_it else size
        self._time_the_stop(now_s, fastest_rad_s, since_s, deaf_s)

    def _check_blind(self, i: int, now_s: float, size: float, since_s: float) -> None:
        """Hold a wheel whose encoder is broken against the time that it may run away."""
        runs_away = size > _beyond(self._top_rad_s[i]) or (
            since_s > STOP_WITHIN_S and size > _WRONG_RAD_S
        )
        if not runs_away:
            self._astray_since_s[i] = math.inf
            return
        self._astray_since_s[i] = min(self._astray_since_s[i], now_s)
        astray_s = now_s - self._astray_since_s[i]
        self.longest_astray_s = max(self.longest_astray_s, astray_s)
        if astray_s > RUNS_AWAY_FOR_S:
            detail = f"{self._plant.names[i]} {size:.2f} rad/s for {astray_s:.2f} s"
            self._found(now_s, "a wheel that runs away is stopped", detail)

    def _time_the_stop(
        self, now_s: float, fastest_rad_s: float, since_s: float, deaf_s: float
    ) -> None:
        """Hold what still turns against the time that a stop may take."""
        off_s = now_s - self._armed_s
        stands_rad_s = STANDING_RAD_S if off_s > 0.0 else _CREEPS_RAD_S
        if fastest_rad_s <= stands_rad_s:
            if not self._stood and since_s > 0.0 and math.isfinite(since_s):
                (self.deaf_stop_times_s if deaf_s else self.stop_times_s).append(since_s)
            self._stood = True
        elif since_s <= 0.0:
            self._stood = False
        if fastest_rad_s <= STANDING_RAD_S:
            return
        for what, turning_s, allowed_s, allowed_rad_s in (
            ("power is off", off_s, STOP_WITHIN_S, STANDING_RAD_S),
            ("nobody may drive", since_s, self._ramp_ends_s, _CREEPS_RAD_S),
            ("nobody may drive, no creeping either", since_s, _CREEPS_FOR_S, STANDING_RAD_S),
        ):
            if fastest_rad_s > allowed_rad_s and turning_s > allowed_s + deaf_s:
                detail = f"{fastest_rad_s:.2f} rad/s after {turning_s:.2f} s, not {allowed_s:.2f} s"
                self._found(now_s, f"wheels stand when {what}", detail)

    def _check_devices(self, now_s: float, state: ArmState) -> None:
        for name, servo, (low, high) in zip(
            self._plant.names, self._plant.servos, self._steer_rad, strict=True
        ):
            if not low <= servo.steer_rad <= high:
                detail = f"{name} at {servo.steer_rad:.3f} rad"
                self._found(now_s, "no corner beyond its range", detail)
        armed = state is ArmState.ARMED and self._state is ArmState.ARMED
        if armed and now_s - self._reset_s > _RESET_SHOWS_S:
            for unit in self._units:
                if unit.settings.timeout != self._timeout_units:
                    detail = f"0x{unit.settings.address:02X}: {unit.settings.timeout / 10:.1f} s"
                    self._found(now_s, "serial timeouts are set while armed", detail)
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
            doubtful = now_s - self._reset_s <= _RESET_SHOWS_S or now_s < self._blind_until_s[i]
            if not doubtful and not low - off <= view.speed_rad_s <= high + off:
                detail = f"{view.name} {view.speed_rad_s:.2f}, truly {low:.2f} to {high:.2f} rad/s"
                self._found(now_s, "no speed is shown that has not been", detail)
            silent_s = self._silent_since_s.get(self._unit_of[i], math.inf)
            if now_s - silent_s > _SPEED_SEEN_S:
                self._found(now_s, "no speed is shown of a silent controller", view.name)
        all_silent = len(self._silent_since_s) == len(self._units)
        silent_s = max(self._silent_since_s.values()) if all_silent else math.inf
        if telemetry.twist is not None and now_s - silent_s > _TWIST_OLD_S:
            self._found(now_s, "no motion is shown that nobody measures", str(telemetry.twist))
        power = telemetry.power
        if power is not None:
            if now_s - power.stamp_s > _VOLTAGE_SEEN_S:
                age_s = now_s - power.stamp_s
                self._found(now_s, "no old voltage is shown", f"{power.device}, {age_s:.2f} s")
            low, high = _range_since(self._volts, now_s - _VOLTAGE_SEEN_S)
            lies = now_s < self._lies_until_s
            if not lies and not low - _VOLTAGE_OFF_V <= power.voltage_v <= high + _VOLTAGE_OFF_V:
                detail = f"{power.voltage_v:.2f}, truly {low:.2f} to {high:.2f} V"
                self._found(now_s, "no voltage is shown that has not been", detail)

    def failed(self, now_s: float, error: Exception) -> None:
        """Note an exception out of a tick."""
        self._found(now_s, "no exception leaves a tick", f"{type(error).__name__}: {error}")

    def _found(self, now_s: float, rule: str, detail: str) -> None:
        self.broken[rule] += 1
        # Of what goes on for long, the beginning says enough.
        if self.broken[rule] <= 2 and not self.too_many:  # noqa: PLR2004
            self.violations.append(Violation(now_s, rule, detail))


def _beyond(top_rad_s: float) -> float:
    """Return what no motor comes to that holds ``top_rad_s``."""
    return top_rad_s * (1.0 + _OVERSHOOT_SHARE) + _OVERSHOOT_RAD_S


def _range_since(changes: deque[tuple[float, float]], since_s: float) -> tuple[float, float]:
    """Return the least and the greatest value since then, and forget what was before.

    ``changes`` has a value and when it came about; it held until the next one.
    """
    while len(changes) > 1 and changes[1][0] < since_s:
        changes.popleft()
    values = [value for _, value in changes]
    return min(values), max(values)
