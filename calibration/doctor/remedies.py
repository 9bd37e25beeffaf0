"""Every trouble that the doctor can name, and the findings that are made of it.

docs/troubleshooting.md is written from this table; a test holds the two together.
"""

from calibration.doctor.computer_remedies import COMPUTER, PEOPLE, PORT
from calibration.doctor.device_remedies import CONTROLLERS, I2C, TOLD
from calibration.doctor.finding import Finding

# The part of the walk that each belongs to, for the document.
CHAPTERS = {
    "The computer": COMPUTER,
    "The serial port": PORT,
    "The motor controllers": CONTROLLERS,
    "I2C: servo board and power monitor": I2C,
    "Lines and gamepad": PEOPLE,
    "While control runs": TOLD,
}
# By its code, in the order of the walk.
REMEDIES = {remedy.code: remedy for remedies in CHAPTERS.values() for remedy in remedies}


def trouble(step: str, code: str, tried: str, found: str, **places: object) -> Finding:
    """Return that a step found the trouble of this code; ``places`` fill its next step."""
    remedy = REMEDIES[code]
    next_step = remedy.next_step.format(**places)
    return Finding(step, remedy.verdict, code, tried, found, next_step)
