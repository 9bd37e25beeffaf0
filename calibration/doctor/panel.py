"""The GPIO library and the gamepads: what a person presses and sees."""

from collections.abc import Iterator

from calibration.doctor.bench import Bench
from calibration.doctor.finding import Finding, skipped, well
from calibration.doctor.remedies import trouble
from calibration.doctor.surroundings import Surroundings
from rover.errors import DeviceError


def lines(surroundings: Surroundings, bench: Bench) -> Iterator[Finding]:
    """Open the GPIO library without claiming a line: the motor-enable line is nobody's toy."""
    panel = surroundings.config.panel
    if panel.gpio == "none":
        return
    if surroundings.telemetry is not None or bench.in_use():
        yield skipped("GPIO", "control-has-bus", "control has the lines; see what it says")
        return
    tried = "opened the GPIO library, without claiming a line"
    try:
        name = bench.pins(panel.gpio)
    except DeviceError as error:
        yield trouble("GPIO", "gpio-absent", tried, str(error))
    else:
        enable = "none" if panel.motor_enable is None else f"BCM {panel.motor_enable}"
        yield well("GPIO", "gpio", tried, f"{name}; motor-enable line {enable}")


def gamepads(surroundings: Surroundings, bench: Bench) -> Iterator[Finding]:
    """Say which gamepad drives, by the same survey as `rover gamepad list`."""
    found = bench.survey(surroundings.config.gamepad)
    tried = f"looked at {len(found.entries)} input devices"
    driving = next((entry for entry in found.entries if entry.drives), None)
    if driving is None:
        yield trouble("gamepad", "gamepad-none", tried, "none drives", how=found.next_step)
        return
    battery = f", battery {driving.battery}" if driving.battery else ""
    yield well("gamepad", "gamepad", tried, f"{driving.name} drives{battery}")
