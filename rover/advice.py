"""What to do about an event, by its code: one table, for the page and the journal.

An event's text says what is wrong, its advice what a person does now.
"""

from rover.messages import ArmState, Severity

ADVICE = {
    "battery-disagree": "Measure the battery; mend the device that is wrong.",
    "battery-empty": "Charge the battery.",
    "battery-low": "Drive home and charge the battery.",
    "battery-unknown": "Check the battery's leads and what measures it.",
    "battery-very-low": "Drive home now and charge the battery.",
    "bus-ended": "Switch the controllers' power off and on.",
    "bus-lent": "Wait until it is done, or end it where it runs.",
    "calibration": "Calibrate the steering before you arm.",
    "controller": "Check the controller's power, plug and motor leads.",
    "device": "Check what it names; control tries again by itself.",
    "feedback": "Check the serial cable and the encoder's plug.",
    "gamepad": "Do what it says, or drive by the page.",
    "overrun": "If it goes on, end other programs on this computer.",
    "panel": "Check panel.gpio, the lines' numbers and group gpio.",
    "power-monitor": "Check the power monitor's plug and address.",
    "refused": "Mend what it names, then ask again.",
    "shutdown": "Cut the motors' power, then read the journal.",
    "starting": "Wait a second, then ask again.",
    f"state-{ArmState.ESTOP}": "See that all is safe, clear the stop, then arm.",
    f"state-{ArmState.FAULT}": "Remove the cause, clear the fault, then arm.",
    "steering": "Check the servo board's power and I2C plug.",
    "stop-button": "Release the stop button, then clear the stop.",
    "wheel": "Free the wheel; check its motor and encoder leads.",
}


def advice_for(severity: Severity, code: str) -> str:
    """Return what to do, empty where nothing is to be done: what is merely told needs nothing."""
    return "" if severity is Severity.INFO else ADVICE.get(code, "")
