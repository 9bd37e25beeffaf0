"""Whether the wheels do what they are told, by their own encoders.

A stalled wheel burns its motor or holds somebody's foot; a wheel whose encoder is off is
driven at full power by a controller that believes it stands; one whose encoder is swapped
runs away. All three show as a measured speed that stays far from the commanded one.
"""

import math
from collections.abc import Sequence

from rover.messages import WheelFeedback

# Commanded faster than this, a wheel gives several counts within the patience below, and one
# that gives none has lost its encoder or its motor.
_MUST_COUNT_RAD_S = 0.5
# Below this much, or this share of what is asked, a difference is load, lag or rounding.
_TOLERATED_RAD_S = 3.0
_TOLERATED_SHARE = 0.5
# A loaded wheel takes up to 0.3 s to come up to speed, the measured speed 0.05 s more.
_PATIENCE_S = 0.6


class Obedience:
    """Watches every wheel, in the order of the wheel table."""

    def __init__(self, count: int) -> None:
        self._since_s = [math.inf] * count

    def update(
        self, commanded_rad_s: Sequence[float], feedback: WheelFeedback, now_s: float
    ) -> tuple[int, ...]:
        """Return the wheels that have disobeyed for 0.6 s without a break, by their index.

        A wheel whose speed is not known is not judged here: stale feedback is a fault of
        its own.
        """
        for i, (commanded, reading) in enumerate(
            zip(commanded_rad_s, feedback.wheels, strict=True)
        ):
            measured = reading.speed_rad_s
            if measured is None or _obeys(commanded, measured):
                self._since_s[i] = math.inf
            else:
                self._since_s[i] = min(self._since_s[i], now_s)
        return tuple(i for i, since_s in enumerate(self._since_s) if now_s - since_s >= _PATIENCE_S)


def _obeys(commanded_rad_s: float, measured_rad_s: float) -> bool:
    if measured_rad_s == 0.0 and abs(commanded_rad_s) > _MUST_COUNT_RAD_S:
        return False
    tolerated = max(_TOLERATED_RAD_S, _TOLERATED_SHARE * abs(commanded_rad_s))
    return abs(measured_rad_s - commanded_rad_s) <= tolerated
