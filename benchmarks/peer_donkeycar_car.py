"""A donkeycar that drives nothing: its own web controller in its own loop. Run by its own Python.

python peer_donkeycar_car.py PORT: writes a line whenever what its loop would hand to the motor
changes, with the monotonic clock and the throttle. Needs donkeycar and nothing of this project.
"""

import sys
import time

from donkeycar.parts.web_controller.web import LocalWebController  # type: ignore[import-not-found]
from donkeycar.vehicle import Vehicle  # type: ignore[import-not-found]

# DRIVE_LOOP_HZ as donkeycar's template has it.
_LOOP_HZ = 20


class Motor:
    """Stands where donkeycar has its speed controller."""

    def __init__(self) -> None:
        self._throttle = 0.0

    def run(self, throttle: float) -> None:
        """Tell of a throttle that is new."""
        if throttle != self._throttle:
            self._throttle = throttle
            sys.stdout.write(f"{time.monotonic()} {throttle}\n")
            sys.stdout.flush()

    def shutdown(self) -> None:
        """Nothing to do."""


def main() -> None:
    """Drive until killed."""
    port = int(sys.argv[1])

    car = Vehicle()
    car.add(
        LocalWebController(port=port),
        inputs=["image", "records", "mode", "recording"],
        outputs=["angle", "throttle", "mode", "recording", "buttons"],
        threaded=True,
    )
    car.add(Motor(), inputs=["throttle"])
    car.start(rate_hz=_LOOP_HZ)


if __name__ == "__main__":
    main()
