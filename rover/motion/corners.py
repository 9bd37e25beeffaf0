"""Where the steered wheels point. Hobby servos do not tell, so it is estimated.

The estimate moves towards its target at the rate of ``steering.slew_rad_s`` and is what the
servos are commanded, tick by tick: a servo that is led slower than it can turn is where it
was told to be. Limp servos can be anywhere, so each corner also carries how far it may be
from the estimate: all of its range after ``reset``, less with every tick it is powered.
"""

import math
from collections.abc import Sequence

from rover.config import Config

# Corners this well aligned scrub no more than the slack of a servo's gears.
_ALIGNED_RAD = math.radians(6.0)
# Beyond this the wheels would drag each other rather than roll.
_ASTRAY_RAD = math.radians(25.0)
# A late tick is not caught up: the gate allows no more than a tenth of a second's turning.
_LONGEST_TICK_S = 0.1


class Corners:
    """Estimated steering of every wheel, in the order of the wheel table; fixed ones stay 0."""

    def __init__(self, config: Config) -> None:
        wheels = config.wheels.values()
        self._slew_rad_s = config.steering.slew_rad_s
        self._ranges_rad = tuple(
            max(wheel.steer.max_rad, -wheel.steer.min_rad) if wheel.steer else None
            for wheel in wheels
        )
        self.reset()

    def reset(self) -> None:
        """Forget where the corners are, for their servos have gone limp.

        The next ``advance`` starts out from straight ahead. The wheels are held back for as
        long as the farthest corner may need to get there.
        """
        self._steer_rad = tuple(0.0 for _ in self._ranges_rad)
        self._unsure_rad = max((r for r in self._ranges_rad if r is not None), default=0.0)

    @property
    def angles_rad(self) -> tuple[float, ...]:
        """Where the wheels are believed to point."""
        return self._steer_rad

    def advance(self, target_steer_rad: Sequence[float], elapsed_s: float) -> tuple[float, ...]:
        """Turn every corner towards its target for ``elapsed_s`` and return the new angles.

        They are what to command now. Call it once a tick while the servos are powered. More
        than 0.1 s at once counts as 0.1 s. ``target_steer_rad`` has one angle for every wheel.
        """
        step = self._slew_rad_s * max(0.0, min(elapsed_s, _LONGEST_TICK_S))
        self._steer_rad = tuple(
            [
                0.0 if most is None else now + max(-step, min(step, target - now))
                for now, target, most in zip(
                    self._steer_rad, target_steer_rad, self._ranges_rad, strict=True
                )
            ]
        )
        self._unsure_rad = max(0.0, self._unsure_rad - step)
        return self._steer_rad

    def alignment(self, target_steer_rad: Sequence[float]) -> float:
        """Return how far the wheels may drive towards these targets: 1 freely, 0 not at all.

        The worst corner counts: 1 up to 6 degrees from its target, 0 from 25 degrees, with a
        smooth step (3t^2 - 2t^3) between them, so that no speed jumps.
        """
        worst = 0.0
        for now, target, most in zip(
            self._steer_rad, target_steer_rad, self._ranges_rad, strict=True
        ):
            if most is not None:
                worst = max(worst, abs(target - now))
        astray = worst + self._unsure_rad
        t = (_ASTRAY_RAD - astray) / (_ASTRAY_RAD - _ALIGNED_RAD)
        t = max(0.0, min(1.0, t))
        return t * t * (3.0 - 2.0 * t)
