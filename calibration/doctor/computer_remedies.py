"""What can be wrong with the computer, its serial port, its lines and its gamepads."""

from calibration.doctor.remedy import fail, warn

COMPUTER = (
    fail(
        "python-old",
        "Nothing starts; errors speak of syntax",
        "Install Raspberry Pi OS Bookworm or newer, which has Python 3.11.",
    ),
    fail("packages", "A part of the rover does not start; ModuleNotFoundError", "{how}"),
    fail(
        "configuration",
        "Control does not start and names a file",
        "Mend what `rover config check` names.",
    ),
    warn(
        "no-pi",
        "No UART, no I2C, no GPIO on this computer",
        "Nothing, if this computer shall only simulate or scan by a USB adapter.",
    ),
    fail(
        "under-voltage",
        "The Pi restarts or its Wi-Fi drops when the motors start; a lightning sign",
        "Feed the Pi 5.1 V at 3 A (a Pi 5: 5 A) through a short, thick cable.",
    ),
    warn(
        "under-voltage-before",
        "Now and then the Pi restarts or its Wi-Fi drops",
        "Watch it while the motors start; if it comes back, give the Pi a stronger supply.",
    ),
    fail(
        "throttled",
        "The rover answers late in the sun or in its box",
        "Let the Pi cool, and give it a heat sink or a fan.",
    ),
    warn(
        "throttled-before",
        "The rover answered late for a while",
        "Give the Pi a heat sink or a fan before a long drive.",
    ),
    fail(
        "clock-wrong",
        "HTTPS is refused; logs are from 1970",
        'Connect the Pi to a network with internet for a minute, or run `sudo date -s "..."`.',
    ),
    warn(
        "clock-unsynchronised",
        "Times in the journal are off",
        "Connect the Pi to a network with internet for a minute.",
    ),
    fail(
        "disk-full",
        "Calibration and pairing cannot be saved; services do not start",
        "Make room: `sudo journalctl --vacuum-size=50M`, then `sudo apt clean`.",
    ),
    warn(
        "disk-nearly-full",
        "Soon calibration and pairing cannot be saved",
        "Make room: `sudo journalctl --vacuum-size=50M`, then `sudo apt clean`.",
    ),
    fail(
        "disk-read-only",
        "Nothing can be saved; the memory card may be worn out",
        "Reboot; if it is read-only again, move to a new memory card.",
    ),
    fail(
        "groups",
        "Permission denied for the serial port, I2C, GPIO or the gamepad",
        "Run `sudo usermod -aG {groups} {user}`, then log out and in again.",
    ),
    fail(
        "service-failed",
        "The page or the rover is gone after a start",
        "Read why: `journalctl -u {unit} -n 50`.",
    ),
    fail(
        "alarm",
        "The fault lamp blinks once a second and nothing drives",
        "Read why control failed: `journalctl -u rover-control -n 50`.",
    ),
    warn(
        "service-off",
        "After a reboot the rover does not come up by itself",
        "Run `sudo systemctl enable --now {unit}`.",
    ),
)

PORT = (
    fail(
        "uart-absent",
        "No /dev/serial0, or no /dev/rover-uart",
        "Run `sudo raspi-config nonint do_serial_hw 0`, then reboot.",
    ),
    fail(
        "usb-absent",
        "There is no such port",
        "Plug the adapter in, or set roboclaw.port to one that `ls /dev/serial/by-id` lists.",
    ),
    fail(
        "uart-console",
        "Motor controllers answer garbage while Linux starts, or not at all",
        "Run `sudo raspi-config nonint do_serial_cons 1`, then reboot.",
    ),
    fail(
        "uart-getty",
        "A login prompt goes to the motor controllers",
        "Run `sudo systemctl disable --now {unit}`, then reboot.",
    ),
    fail(
        "uart-bluetooth",
        "Controllers answer now and then; the UART changes its speed with the processor",
        "Add `dtoverlay=disable-bt` to {file} (or `miniuart-bt` to keep Bluetooth), then reboot.",
    ),
    fail(
        "uart-debug-plug",
        "On a Pi 5 nothing answers: /dev/serial0 is its debug plug, not pins 8 and 10",
        'Add `dtparam=uart0=on` to {file}, set roboclaw.port = "/dev/ttyAMA0", then reboot.',
    ),
    fail(
        "port-held",
        "The port cannot be opened: another program uses it",
        "End {program} (process {pid}).",
    ),
    fail("port-trouble", "The port cannot be opened", "Do what the message says, then try again."),
)

PEOPLE = (
    fail(
        "gpio-absent",
        "No lamps, no stop button, no motor-enable line",
        'Run `sudo apt install python3-lgpio`; on a rover without lines set panel.gpio = "none".',
    ),
    warn("gamepad-none", "The gamepad does nothing", "{how}"),
)
