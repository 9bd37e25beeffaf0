"""Every trouble that the doctor can name: what people see, and the one thing to do about it.

docs/troubleshooting.md is written from this table; a test holds the two together.
"""

from dataclasses import dataclass

from calibration.doctor.finding import Finding, Verdict


@dataclass(frozen=True, slots=True)
class Remedy:
    """How a trouble looks, how bad it is, and what to do; ``next_step`` has places to fill."""

    code: str
    symptom: str
    verdict: Verdict
    next_step: str


def _fail(code: str, symptom: str, next_step: str) -> Remedy:
    return Remedy(code, symptom, Verdict.FAIL, next_step)


def _warn(code: str, symptom: str, next_step: str) -> Remedy:
    return Remedy(code, symptom, Verdict.WARN, next_step)


_COMPUTER = (
    _fail(
        "python-old",
        "Nothing starts; errors speak of syntax",
        "Install Raspberry Pi OS Bookworm or newer, which has Python 3.11.",
    ),
    _fail("packages", "A part of the rover does not start; ModuleNotFoundError", "{how}"),
    _fail(
        "configuration",
        "Control does not start and names a file",
        "Mend what `rover config check` names.",
    ),
    _warn(
        "no-pi",
        "No UART, no I2C, no GPIO on this computer",
        "Nothing, if this computer shall only simulate or scan by a USB adapter.",
    ),
    _fail(
        "under-voltage",
        "The Pi restarts or its Wi-Fi drops when the motors start; a lightning sign",
        "Feed the Pi 5.1 V at 3 A (a Pi 5: 5 A) through a short, thick cable.",
    ),
    _warn(
        "under-voltage-before",
        "Now and then the Pi restarts or its Wi-Fi drops",
        "Watch it while the motors start; if it comes back, give the Pi a stronger supply.",
    ),
    _fail(
        "throttled",
        "The rover answers late in the sun or in its box",
        "Let the Pi cool, and give it a heat sink or a fan.",
    ),
    _warn(
        "throttled-before",
        "The rover answered late for a while",
        "Give the Pi a heat sink or a fan before a long drive.",
    ),
    _fail(
        "clock-wrong",
        "HTTPS is refused; logs are from 1970",
        'Connect the Pi to a network with internet for a minute, or run `sudo date -s "..."`.',
    ),
    _warn(
        "clock-unsynchronised",
        "Times in the journal are off",
        "Connect the Pi to a network with internet for a minute.",
    ),
    _fail(
        "disk-full",
        "Calibration and pairing cannot be saved; services do not start",
        "Make room: `sudo journalctl --vacuum-size=50M`, then `sudo apt clean`.",
    ),
    _warn(
        "disk-nearly-full",
        "Soon calibration and pairing cannot be saved",
        "Make room: `sudo journalctl --vacuum-size=50M`, then `sudo apt clean`.",
    ),
    _fail(
        "disk-read-only",
        "Nothing can be saved; the memory card may be worn out",
        "Reboot; if it is read-only again, move to a new memory card.",
    ),
    _fail(
        "groups",
        "Permission denied for the serial port, I2C, GPIO or the gamepad",
        "Run `sudo usermod -aG {groups} {user}`, then log out and in again.",
    ),
    _fail(
        "service-failed",
        "The page or the rover is gone after a start",
        "Read why: `journalctl -u {unit} -n 50`.",
    ),
    _fail(
        "alarm",
        "The fault lamp blinks once a second and nothing drives",
        "Read why control failed: `journalctl -u rover-control -n 50`.",
    ),
    _warn(
        "service-off",
        "After a reboot the rover does not come up by itself",
        "Run `sudo systemctl enable --now {unit}`.",
    ),
)

_PORT = (
    _fail(
        "uart-absent",
        "No /dev/serial0",
        "Run `sudo raspi-config nonint do_serial_hw 0`, then reboot.",
    ),
    _fail(
        "usb-absent",
        "There is no such port",
        "Plug the adapter in, or set roboclaw.port to one that `ls /dev/serial/by-id` lists.",
    ),
    _fail(
        "uart-console",
        "Motor controllers answer garbage while Linux starts, or not at all",
        "Run `sudo raspi-config nonint do_serial_cons 1`, then reboot.",
    ),
    _fail(
        "uart-getty",
        "A login prompt goes to the motor controllers",
        "Run `sudo systemctl disable --now {unit}`, then reboot.",
    ),
    _fail(
        "uart-bluetooth",
        "Controllers answer now and then; the UART changes its speed with the processor",
        "Add `dtoverlay=disable-bt` to {file} (or `miniuart-bt` to keep Bluetooth), then reboot.",
    ),
    _fail(
        "uart-debug-plug",
        "On a Pi 5 nothing answers: /dev/serial0 is its debug plug, not pins 8 and 10",
        'Add `dtparam=uart0=on` to {file}, set roboclaw.port = "/dev/ttyAMA0", then reboot.',
    ),
    _fail(
        "port-held",
        "The port cannot be opened: another program uses it",
        "End {program} (process {pid}).",
    ),
    _fail("port-trouble", "The port cannot be opened", "Do what the message says, then try again."),
)

_CONTROLLERS = (
    _fail(
        "control-mute",
        "Control runs, but the page says that it hears nothing",
        "Restart it: `sudo systemctl restart rover-control`.",
    ),
    _fail(
        "wheels-turning",
        "Wheels turn though nobody drives",
        "Switch the motors' power off now; then start the doctor again.",
    ),
    _fail(
        "bus-silent",
        "No controller answers at any rate",
        "Switch the motors' battery on; then check the wires: the Pi's pin 8 to every S1, pin 10 "
        "to every S2, ground to ground.",
    ),
    _fail(
        "controller-silent",
        "One controller does not answer, the others do",
        "Check the power and the three wires (S1, S2, ground) of {unit}.",
    ),
    _fail(
        "controller-address",
        "A controller answers at an address that is nobody's",
        "Give it address {wanted}: `rover setup roboclaw`, or set it in the table of wheels.",
    ),
    _warn(
        "controller-extra",
        "A controller answers that no wheel is wired to",
        "Name it in the table of wheels, or take it off the bus.",
    ),
    _fail(
        "controller-baud",
        "A controller answers at another baud rate",
        "Set it to {baud} baud: `rover setup roboclaw`.",
    ),
    _fail(
        "controller-garbled",
        "A controller's answers are never right: two of them answer at once",
        "Connect the controllers one at a time and give each its own address: `rover setup "
        "roboclaw`.",
    ),
    _warn(
        "bus-noisy",
        "Answers are wrong now and then",
        "Keep the serial wires short, twisted with their ground, and away from the motors' leads.",
    ),
    _fail(
        "multi-unit-off",
        "Several controllers on one wire disturb each other",
        "Switch multi-unit mode on: `rover setup roboclaw`.",
    ),
    _warn(
        "firmware-unknown",
        "A controller of another kind, or very old firmware",
        "Update it with the maker's program to 4.2.4 or newer.",
    ),
    _fail(
        "controller-hot",
        "A controller switches its motors off after hard driving",
        "Let it cool down and give it air.",
    ),
    _fail(
        "controller-status",
        "A controller reports an error of its own and does not drive",
        "Check its motors' leads for a short, then cut its power and give it back.",
    ),
    _warn(
        "controller-warns",
        "A controller warns",
        "Look at it again after a drive; nothing has failed yet.",
    ),
    _fail(
        "stop-latched",
        "After a stop the motors stay dead until the power is cycled",
        "Release the stop, then cut the controllers' power and give it back.",
    ),
    _warn(
        "stop-latches",
        "After each stop the motors stay dead until the power is cycled",
        "Set S3 to an emergency stop that does not latch: `rover setup roboclaw`.",
    ),
    _fail("battery-empty", "The rover does not arm, or stops by itself", "Charge the battery."),
    _warn("battery-low", "The rover will soon slow down and stop", "Charge the battery soon."),
    _fail(
        "battery-high",
        "The battery has more volts than it should",
        "Check power.full_v: this battery seems to have more cells.",
    ),
    _warn(
        "voltage-limits",
        "The controllers do not protect the battery themselves",
        "Set the controllers' lowest voltage: `rover setup roboclaw`.",
    ),
    _warn(
        "serial-timeout-off",
        "Until control has run once, a controller would not stop by itself",
        "Have it kept by the controllers: `rover setup roboclaw`.",
    ),
    _fail(
        "current-limit-low",
        "Wheels do not climb or turn on the spot",
        "Raise the motors' largest current: `rover setup roboclaw`.",
    ),
    _fail(
        "velocity-loop",
        "Wheels jerk, crawl or howl",
        "Have the velocity loop measured: `rover setup roboclaw`.",
    ),
    _fail(
        "encoder-mode",
        "A wheel's position makes no sense",
        "Set the encoders to quadrature: `rover setup roboclaw`.",
    ),
)

_I2C = (
    _fail(
        "i2c-off",
        "No /dev/i2c-1; the servo board is not found",
        "Run `sudo raspi-config nonint do_i2c 0`, then reboot.",
    ),
    _fail("i2c-trouble", "The I2C bus cannot be used", "Do what the message says, then try again."),
    _fail(
        "servo-board-absent",
        "The corners do not steer and the rover does not arm",
        "Check the servo board's plug: SDA to pin 3, SCL to pin 5, VCC to pin 1, ground to pin 9.",
    ),
    _warn(
        "steering-uncalibrated",
        "The rover does not arm: steering is not calibrated",
        "Set every wheel's centre_deg, then steering.calibrated = true: README.md tells how.",
    ),
    _warn(
        "power-monitor-absent",
        "The battery's current is not known",
        "Check the INA260's plug and address bridges (all open: 0x40, the servo board's own), or "
        "set power.ina260 = false if this rover has none.",
    ),
    _warn(
        "power-monitor-unwired",
        "The battery shows no volts, or far too few",
        "Switch the battery on; then check that its positive lead goes through IN+ and IN-.",
    ),
    _warn(
        "power-monitor-elsewhere",
        "The battery's current is not known: the INA260 has another address",
        "Set power.address = {address}.",
    ),
)

_PEOPLE = (
    _fail(
        "gpio-absent",
        "No lamps, no stop button, no motor-enable line",
        'Run `sudo apt install python3-lgpio`; on a rover without lines set panel.gpio = "none".',
    ),
    _warn("gamepad-none", "The gamepad does nothing", "{how}"),
)

_TOLD = (
    _fail("told-error", "The page tells an error and the rover does not arm", "{how}"),
    _warn("told-warning", "The page tells a warning", "{how}"),
)

# By its code, in the order of the walk.
REMEDIES = {
    remedy.code: remedy for remedy in (*_COMPUTER, *_PORT, *_CONTROLLERS, *_I2C, *_PEOPLE, *_TOLD)
}
# The part of the walk that each belongs to, for the document.
CHAPTERS = {
    "The computer": _COMPUTER,
    "The serial port": _PORT,
    "The motor controllers": _CONTROLLERS,
    "I2C: servo board and power monitor": _I2C,
    "Lines and gamepad": _PEOPLE,
    "While control runs": _TOLD,
}


def trouble(step: str, code: str, tried: str, found: str, **places: object) -> Finding:
    """Return that a step found the trouble of this code; ``places`` fill its next step."""
    remedy = REMEDIES[code]
    next_step = remedy.next_step.format(**places)
    return Finding(step, remedy.verdict, code, tried, found, next_step)
