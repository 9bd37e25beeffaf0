"""The whole walk in its order, and the walk that the web server may take."""

from collections.abc import Iterable
from functools import partial

from calibration.doctor import bus_scan, i2c, panel
from calibration.doctor.bench import Bench
from calibration.doctor.computer import COMPUTER, PERSON
from calibration.doctor.finding import Finding, skipped
from calibration.doctor.port import PORT
from calibration.doctor.services import SERVICES
from calibration.doctor.surroundings import Surroundings
from calibration.doctor.told import CONTROL, TOLD
from calibration.doctor.walk import Check

# What no question to a standing rover answers.
_ONLY_TURNING = (
    "which way each wheel turns, which output and encoder is whose, a weak motor, an encoder that "
    "is off, which servo turns which corner and which way, servo centres and ends, servo power, "
    "wheel radius and track show only when something turns"
)
_TURN = "Lift the wheels off the ground, then `rover calibrate`: it turns one at a time."


def _turning(_surroundings: Surroundings) -> Iterable[Finding]:
    yield skipped("wheels", "only-turning", _ONLY_TURNING, _TURN)


def examination(bench: Bench) -> tuple[Check, ...]:
    """Return every check, from the power supply to the wheel."""
    return (
        *COMPUTER,
        *PERSON,
        *SERVICES,
        *CONTROL,
        *PORT,
        Check(
            bus_scan.STEP,
            "asking the motor controllers",
            partial(bus_scan.scan, bench=bench),
            ("configuration", "serial port", "serial console", "who has the port"),
        ),
        Check(
            i2c.STEP, "looking at the I2C bus", partial(i2c.look, bench=bench), ("configuration",)
        ),
        Check("GPIO", "opening the GPIO library", partial(panel.lines, bench=bench)),
        *TOLD,
        Check("gamepad", "looking for gamepads", partial(panel.gamepads, bench=bench)),
        Check("wheels", "", _turning),
    )
