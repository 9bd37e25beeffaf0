"""A corner's hobby servo: it turns towards its pulse at a limited rate, limp without one."""

import math

from rover.config import SteerConfig, SteeringConfig
from rover.units import deg_from_rad, rad_from_deg

# 0.20 s for 60 degrees: a strong 300-degree hobby servo at 6 V, without load.
SLEW_DEG_S = 60.0 / 0.20
# What it draws from the battery through its 5 to 6 V converter: holding, and turning.
_HOLDING_A = 0.02
_TURNING_A = 0.5
# One that is held fast: a strong hobby servo stalls at 2.5 A and 6 V.
_PUSHING_A = 1.0


class Servo:
    """One steering servo on a rover's corner, or a wheel that cannot steer.

    ``steer_rad`` is the wheel's true angle, positive to the left. Without pulses it stays
    where it is (gears and the tyre hold it).
    """

    def __init__(self, steer: SteerConfig | None, steering: SteeringConfig) -> None:
        self._steer = steer
        self._steering = steering
        self._servo_deg = steer.centre_deg if steer else 0.0
        self._target_deg: float | None = None
        self.steer_rad = 0.0
        # Where the wheel meets something, to the right and to the left; infinite: nowhere.
        self.ends_rad = (-math.inf, math.inf)
        # Whether it has power; the board's outputs go on pulsing without.
        self.supplied = True

    @property
    def channel(self) -> int | None:
        """Output of the servo board that it listens to; None where the wheel cannot steer."""
        return self._steer.channel if self._steer else None

    @property
    def powered(self) -> bool:
        """Whether it gets pulses, and so holds its angle with force."""
        return self._target_deg is not None

    @property
    def settled(self) -> bool:
        """Whether it will stay where it is until the pulses change."""
        return self._target_deg is None or self._held_deg(self._target_deg) == self._servo_deg

    @property
    def supply_a(self) -> float:
        """Current drawn from the battery."""
        if self._target_deg is None:
            return 0.0
        if self._target_deg == self._servo_deg:
            return _HOLDING_A
        return _PUSHING_A if self.settled else _TURNING_A

    def set_pulse(self, pulse_us: float | None) -> None:
        """Follow a pulse of that width from now on; None is no pulse at all.

        Pulses beyond the servo's range turn it to its own end stop.
        """
        if pulse_us is None or not self.supplied:
            self._target_deg = None
            return
        steering = self._steering
        part = (pulse_us - steering.pulse_min_us) / (steering.pulse_max_us - steering.pulse_min_us)
        self._target_deg = min(1.0, max(0.0, part)) * steering.servo_range_deg

    def step(self, dt_s: float) -> None:
        """Let ``dt_s`` pass."""
        if self._steer is None or self._target_deg is None:
            return
        reach_deg = SLEW_DEG_S * dt_s
        target_deg = self._held_deg(self._target_deg)
        ahead_deg = target_deg - self._servo_deg
        if abs(ahead_deg) <= reach_deg:
            self._servo_deg = target_deg
        else:
            self._servo_deg += reach_deg if ahead_deg > 0.0 else -reach_deg
        self._show()

    def place(self, steer_rad: float) -> None:
        """Turn the wheel by hand to ``steer_rad``, as far as the servo turns at all."""
        steer = self._steer
        if steer is None or steer.direction == 0:
            return
        servo_deg = steer.centre_deg + deg_from_rad(steer_rad) / steer.direction
        self._servo_deg = min(self._steering.servo_range_deg, max(0.0, servo_deg))
        self._show()

    def _held_deg(self, servo_deg: float) -> float:
        """Return how far towards ``servo_deg`` it gets before its wheel meets something."""
        steer = self._steer
        if steer is None or steer.direction == 0:
            return servo_deg
        ends_deg = sorted(
            steer.centre_deg + steer.direction * deg_from_rad(end) for end in self.ends_rad
        )
        return max(ends_deg[0], min(ends_deg[1], servo_deg))

    def _show(self) -> None:
        if self._steer is not None:
            off_deg = self._servo_deg - self._steer.centre_deg
            self.steer_rad = rad_from_deg(self._steer.direction * off_deg)
