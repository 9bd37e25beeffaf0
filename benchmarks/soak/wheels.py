"""What wheels may do: stand when nobody drives, and never outrun their limits.

Told of faults that excuse a wheel for a while; looks at the simulated motors.
"""

import math
from array import array

from benchmarks.soak.found import Found
from rover.config import Config
from rover.sim.plant import Plant

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


class Wheels:
    """Every wheel's part of the rules, and the figures of a run."""

    def __init__(self, config: Config, plant: Plant, found: Found) -> None:
        self._plant = plant
        self._found = found
        self._top_rad_s = [wheel.max_speed_rad_s for wheel in config.wheels.values()]
        count = len(self._top_rad_s)
        self._wanted_s = self._armed_s = -math.inf
        self._deaf_s = -math.inf
        self._let_go = False
        self._blind_until_s = [-math.inf] * count
        self._astray_since_s = [math.inf] * count
        self._behind_until_s = [-math.inf] * count
        self._slowest = [0.0] * count
        self._stood = True
        # Arrays, so that what is kept of a long run is not taken for what the rover keeps.
        self.stop_times_s = array("d")
        self.deaf_stop_times_s = array("d")
        self.fastest_share = self.longest_astray_s = 0.0

    @property
    def _ramp_ends_s(self) -> float:
        """How long after the last who drove the wheels may still be slowing down."""
        return LET_GO_WITHIN_S if self._let_go else STOP_WITHIN_S

    def deaf_until(self, time_s: float) -> None:
        """Allow for controllers that may miss what they are told until ``time_s``."""
        self._deaf_s = max(self._deaf_s, time_s + DEAF_FOR_S)

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

    def is_blind(self, wheel: int, now_s: float) -> bool:
        """Return whether the wheel's encoder is broken, or was until just now."""
        return now_s < self._blind_until_s[wheel]

    def check(self, now_s: float, *, wanted: bool, armed: bool, let_go: bool) -> None:
        """Judge all wheels at ``now_s``; ``wanted`` is whether somebody may drive.

        ``let_go`` is whether the last who did came to rest by himself.
        """
        self._let_go = let_go
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
            size = abs(motor.speed_rad_s)
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
                    self._found.add(now_s, "no wheel beyond its limit", detail)
            catches_up = since_s <= ramp_ends_s and now_s < self._behind_until_s[i]
            held_to_it = watched and not catches_up
            if held_to_it and size > self._slowest[i] + gained_rad_s:
                detail = f"{self._plant.names[i]} {self._slowest[i]:.2f} to {size:.2f} rad/s"
                self._found.add(now_s, "nothing speeds up that nobody may drive", detail)
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
            self._found.add(now_s, "a wheel that runs away is stopped", detail)

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
                self._found.add(now_s, f"wheels stand when {what}", detail)


def _beyond(top_rad_s: float) -> float:
    """Return what no motor comes to that holds ``top_rad_s``."""
    return top_rad_s * (1.0 + _OVERSHOOT_SHARE) + _OVERSHOOT_RAD_S
