"""How long velocity loops may hold wheels at zero before it is zero duty that stops them.

A loop that is told to hold zero stops a wheel sooner than zero duty does; then it goes on putting
out what its integral has wound up, for ever if it sees nothing of the wheel.
"""

import math
from collections.abc import Sequence

from rover.hardware.wheel_encoder import WheelEncoder

# A stop's ramp leaves the loops a tenth of a second to do.
HOLD_S = 0.3
# What encoders must show for that: nine counts of JPL's in the 50 ms of an average. A wheel that
# is slower stands as soon with zero duty, which the integral of a long ramp does not hold up.
TURNING_RAD_S = 1.5
# As often as encoders are read in the slowest loop, and once more.
_SEEN_S = 0.1


class ZeroHold:
    """Watches one controller's wheels by their encoders."""

    def __init__(self, encoders: Sequence[WheelEncoder]) -> None:
        self._outputs = tuple(_Output(encoder) for encoder in encoders)

    def told(self, speeds_rad_s: Sequence[float], now_s: float) -> None:
        """Note what the wheels have been told, in the order of the encoders."""
        for output, speed_rad_s in zip(self._outputs, speeds_rad_s, strict=True):
            if speed_rad_s:
                output.asked_rad_s, output.asked_s = speed_rad_s, now_s

    def allowed(self, now_s: float) -> bool:
        """Whether the loops see what they hold, and for how long they have.

        Every wheel that was told to turn within HOLD_S still turns that way by its encoder.
        """
        recent = [output for output in self._outputs if now_s - output.asked_s <= HOLD_S]
        return bool(recent) and all(output.turns_as_told(now_s) for output in recent)

    def let_go(self) -> None:
        """Forget what was told: until the next speed there is nothing to hold."""
        for output in self._outputs:
            output.asked_s = -math.inf


class _Output:
    """What a wheel was last told other than to stand, and when."""

    def __init__(self, encoder: WheelEncoder) -> None:
        self._encoder = encoder
        self.asked_rad_s = 0.0
        self.asked_s = -math.inf

    def turns_as_told(self, now_s: float) -> bool:
        measured_rad_s = self._encoder.speed_rad_s
        return (
            measured_rad_s is not None
            and now_s - self._encoder.stamp_s <= _SEEN_S
            and measured_rad_s * math.copysign(1.0, self.asked_rad_s) >= TURNING_RAD_S
        )
