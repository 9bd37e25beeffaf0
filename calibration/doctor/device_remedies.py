"""What can be wrong with motor controllers, servo board and power monitor."""

from calibration.doctor.remedy import fail, warn

CONTROLLERS = (
    fail(
        "control-mute",
        "Control runs, but the page says that it hears nothing",
        "Restart it: `sudo systemctl restart rover-control`.",
    ),
    fail(
        "bus-not-lent",
        "Control does not let the doctor scan the controllers' bus",
        "Do what it says, then `rover doctor --scan` again.",
    ),
    fail(
        "wheels-turning",
        "Wheels turn though nobody drives",
        "Switch the motors' power off now; then start the doctor again.",
    ),
    fail(
        "bus-silent",
        "No controller answers at any rate",
        "Switch the motors' battery on; then check the wires: the Pi's pin 8 to every S1, pin 10 "
        "to every S2, ground to ground.",
    ),
    fail(
        "controller-silent",
        "One controller does not answer, the others do",
        "Check the power and the three wires (S1, S2, ground) of {unit}.",
    ),
    fail(
        "controller-address",
        "A controller answers at an address that is nobody's",
        "Give it address {wanted}: `rover setup roboclaw`, or set it in the table of wheels.",
    ),
    warn(
        "controller-extra",
        "A controller answers that no wheel is wired to",
        "Name it in the table of wheels, or take it off the bus.",
    ),
    fail(
        "controller-baud",
        "A controller answers at another baud rate",
        "Set it to {baud} baud: `rover setup roboclaw`.",
    ),
    fail(
        "controller-garbled",
        "A controller's answers are never right: two of them answer at once",
        "Connect the controllers one at a time and give each its own address: `rover setup "
        "roboclaw`.",
    ),
    warn(
        "bus-noisy",
        "Answers are wrong now and then",
        "Keep the serial wires short, twisted with their ground, and away from the motors' leads.",
    ),
    fail(
        "multi-unit-off",
        "Several controllers on one wire disturb each other",
        "Switch multi-unit mode on: `rover setup roboclaw`.",
    ),
    warn(
        "firmware-unknown",
        "A controller of another kind, or very old firmware",
        "Update it with the maker's program to 4.2.4 or newer.",
    ),
    fail(
        "controller-hot",
        "A controller switches its motors off after hard driving",
        "Let it cool down and give it air.",
    ),
    fail(
        "controller-status",
        "A controller reports an error of its own and does not drive",
        "Check its motors' leads for a short, then cut its power and give it back.",
    ),
    warn(
        "controller-warns",
        "A controller warns",
        "Look at it again after a drive; nothing has failed yet.",
    ),
    fail(
        "stop-latched",
        "After a stop the motors stay dead until the power is cycled",
        "Release the stop, then cut the controllers' power and give it back.",
    ),
    warn(
        "stop-latches",
        "After each stop the motors stay dead until the power is cycled",
        "Set S3 to an emergency stop that does not latch: `rover setup roboclaw`.",
    ),
    fail("battery-empty", "The rover does not arm, or stops by itself", "Charge the battery."),
    warn("battery-low", "The rover will soon slow down and stop", "Charge the battery soon."),
    fail(
        "battery-high",
        "The battery has more volts than it should",
        "Check power.full_v: this battery seems to have more cells.",
    ),
    warn(
        "voltage-limits",
        "The controllers do not protect the battery themselves",
        "Set the controllers' lowest voltage: `rover setup roboclaw`.",
    ),
    warn(
        "serial-timeout-off",
        "Until control has run once, a controller would not stop by itself",
        "Have it kept by the controllers: `rover setup roboclaw`.",
    ),
    fail(
        "current-limit-low",
        "Wheels do not climb or turn on the spot",
        "Raise the motors' largest current: `rover setup roboclaw`.",
    ),
    fail(
        "velocity-loop",
        "Wheels jerk, crawl or howl",
        "Have the velocity loop measured: `rover setup roboclaw`.",
    ),
    fail(
        "encoder-mode",
        "A wheel's position makes no sense",
        "Set the encoders to quadrature: `rover setup roboclaw`.",
    ),
)

I2C = (
    fail(
        "i2c-off",
        "No /dev/i2c-1; the servo board is not found",
        "Run `sudo raspi-config nonint do_i2c 0`, then reboot.",
    ),
    fail("i2c-trouble", "The I2C bus cannot be used", "Do what the message says, then try again."),
    fail(
        "servo-board-absent",
        "The corners do not steer and the rover does not arm",
        "Check the servo board's plug: SDA to pin 3, SCL to pin 5, VCC to pin 1, ground to pin 9.",
    ),
    warn(
        "steering-uncalibrated",
        "The rover does not arm: steering is not calibrated",
        "Run `rover calibrate steering`, or go to Calibrate the rover on the page.",
    ),
    warn(
        "power-monitor-absent",
        "The battery's current is not known",
        "Check the INA260's plug and address bridges (all open: 0x40, the servo board's own), or "
        "set power.ina260 = false if this rover has none.",
    ),
    warn(
        "power-monitor-unwired",
        "The battery shows no volts, or far too few",
        "Switch the battery on; then check that its positive lead goes through IN+ and IN-.",
    ),
    warn(
        "power-monitor-elsewhere",
        "The battery's current is not known: the INA260 has another address",
        "Set power.address = {address}.",
    ),
)

TOLD = (
    fail("told-error", "The page tells an error and the rover does not arm", "{how}"),
    warn("told-warning", "The page tells a warning", "{how}"),
)
