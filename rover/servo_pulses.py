"""From a corner's angle to the pulse that a PCA9685 gives its servo, in its whole counts. Pure."""

from rover import units
from rover.config import SteerConfig, SteeringConfig

_OSCILLATOR_HZ = 25e6
_COUNTS = 4096
_MIN_PRESCALE, _MAX_PRESCALE = 3, 255


def prescale_for(frequency_hz: float) -> int:
    """Return the PRESCALE register for a pulse frequency (datasheet, 7.3.5); 50 Hz gives 121."""
    prescale = round(_OSCILLATOR_HZ / (_COUNTS * frequency_hz)) - 1
    return max(_MIN_PRESCALE, min(_MAX_PRESCALE, prescale))


class ServoPulses:
    """The servo ``steer`` on ``board``: what pulses it is given, and what angles these mean."""

    def __init__(self, steer: SteerConfig, board: SteeringConfig) -> None:
        self._steer = steer
        self._board = board
        # By the frequency that the whole-numbered prescaler really makes.
        self._counts_per_us = _OSCILLATOR_HZ / 1e6 / (prescale_for(board.frequency_hz) + 1)

    def pulse_us(self, angle_rad: float) -> float:
        """Return the pulse for a wheel angle (positive to the left), within the servo's range."""
        board = self._board
        return max(board.pulse_min_us, min(board.pulse_max_us, self._unbounded_us(angle_rad)))

    def reaches(self, angle_rad: float) -> bool:
        """Tell whether the servo can turn its wheel so far."""
        beyond_us = abs(self._unbounded_us(angle_rad) - self.pulse_us(angle_rad))
        # Written so that an angle that is not a number is out of reach.
        return beyond_us <= 1.0 / self._counts_per_us

    def count(self, angle_rad: float) -> int:
        """Return how many of the board's 4096 counts the pulse for a wheel angle lasts."""
        return min(_COUNTS - 1, round(self.pulse_us(angle_rad) * self._counts_per_us))

    def servo_deg(self, angle_rad: float) -> float:
        """Return where the servo itself really is led, 0 to its range: counts are coarse."""
        board = self._board
        beyond_us = self.count(angle_rad) / self._counts_per_us - board.pulse_min_us
        return beyond_us / (board.pulse_max_us - board.pulse_min_us) * board.servo_range_deg

    @property
    def step_deg(self) -> float:
        """The servo's angle between one count and the next."""
        board = self._board
        span_us = board.pulse_max_us - board.pulse_min_us
        return board.servo_range_deg / span_us / self._counts_per_us

    def _unbounded_us(self, angle_rad: float) -> float:
        servo_deg = self._steer.centre_deg + self._steer.direction * units.deg_from_rad(angle_rad)
        shortest_us, longest_us = self._board.pulse_min_us, self._board.pulse_max_us
        return shortest_us + (longest_us - shortest_us) * servo_deg / self._board.servo_range_deg
