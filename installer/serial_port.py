"""Serial port and Bluetooth, and I2C: the Raspberry Pi's own interfaces.

By `raspi-config nonint` where it is there, and then by hand whatever it has not done: 0 switches on
and 1 off in all of its functions.
"""

from collections.abc import Sequence

from installer.boot_files import (
    HEADER_CONSOLES,
    PI_5_CONSOLES,
    consoles,
    in_force,
    own_lines,
    without_own,
)
from installer.changes import BootLine, Change, NoBootLine, NoConsole, Remove, Run, WriteFile
from installer.choices import BLUETOOTH_OFF, BLUETOOTH_SMALL
from installer.step import Job, Step
from installer.system import System

_FOLDERS = ("/boot/firmware", "/boot")
_MODULES = "/etc/modules-load.d/rover.conf"
_MODULES_TEXT = "# The servo board and the power monitor: /dev/i2c-1.\ni2c-dev\n"
_I2C = "dtparam=i2c_arm=on"
_HCIUART = "hciuart.service"
_PI_5 = 5
_OVERLAYS = {
    BLUETOOTH_OFF: ("dtoverlay=disable-bt",),
    # Bluetooth then has the small UART, whose rate follows this clock.
    BLUETOOTH_SMALL: ("dtoverlay=miniuart-bt", "core_freq=250"),
}


def boot_file(system: System, name: str) -> str | None:
    """Return where the boot loader's file is: Bookworm and later have it in /boot/firmware."""
    for folder in _FOLDERS:
        # What is left in /boot there is a note that says so.
        if system.there(f"{folder}/{name}"):
            return f"{folder}/{name}"
    return None


def console_ports(pi: int) -> tuple[str, ...]:
    """Return the ports on which a console would write to the motor controllers."""
    return PI_5_CONSOLES if pi >= _PI_5 else HEADER_CONSOLES


def uart_on(system: System, pi: int) -> bool:
    """Whether config.txt switches the header's UART on."""
    file = boot_file(system, "config.txt")
    return bool(file) and in_force(system.text(file or "") or "", _uart_line(pi), f"pi{pi}")


def i2c_on(system: System, pi: int) -> bool:
    """Whether config.txt switches the header's I2C on."""
    file = boot_file(system, "config.txt")
    return bool(file) and in_force(system.text(file or "") or "", _I2C, f"pi{pi}")


def bluetooth_chosen(system: System, pi: int) -> str:
    """Return what config.txt says about Bluetooth already, empty if it says nothing."""
    text = system.text(boot_file(system, "config.txt") or "") or ""
    for choice, lines in _OVERLAYS.items():
        if in_force(text, lines[0], f"pi{pi}"):
            return choice
    return ""


def _uart_line(pi: int) -> str:
    return "dtparam=uart0=on" if pi >= _PI_5 else "enable_uart=1"


def _plan_uart(job: Job) -> Sequence[Change]:
    system, pi = job.system, job.choices.pi
    config, cmdline = boot_file(system, "config.txt"), boot_file(system, "cmdline.txt")
    if not pi or config is None:
        return []
    changes: list[Change] = []
    text = system.text(config) or ""
    overlays = _OVERLAYS.get(job.choices.bluetooth, ()) if pi < _PI_5 else ()
    # Chosen otherwise before.
    every = {line for lines in _OVERLAYS.values() for line in lines}
    old = [line for line in own_lines(text) if line in every - set(overlays)]
    changes += [NoBootLine(config, line) for line in old]
    if pi < _PI_5 and not overlays:
        return changes  # the wheels are on USB: the header stays as it is
    ports = console_ports(pi)
    if cmdline and consoles(system.text(cmdline) or "", ports):
        if system.has("raspi-config"):
            changes.append(Run(("raspi-config", "nonint", "do_serial_cons", "1")))
        changes.append(NoConsole(cmdline, ports))
    if not uart_on(system, pi):
        if system.has("raspi-config"):
            changes.append(Run(("raspi-config", "nonint", "do_serial_hw", "0")))
        changes.append(BootLine(config, _uart_line(pi)))
    missing = [line for line in overlays if not in_force(text, line, f"pi{pi}")]
    changes += [BootLine(config, line) for line in missing]
    if overlays and job.choices.bluetooth == BLUETOOTH_OFF and hciuart_on(system):
        changes.append(Run(("systemctl", "disable", _HCIUART)))
    return changes


def hciuart_on(system: System) -> bool:
    """Whether the service that took the good UART for Bluetooth on older systems is enabled."""
    return system.ask("systemctl", "is-enabled", _HCIUART) == "enabled"


def _undo_uart(job: Job) -> Sequence[Change]:
    system, pi, before = job.system, job.choices.pi, job.before
    config = boot_file(system, "config.txt")
    if not pi or config is None:
        return []
    text = system.text(config) or ""
    changes: list[Change] = [NoBootLine(config, line) for line in own_lines(text)]
    rest = without_own(text)
    if system.has("raspi-config"):
        # What was switched on by it does not stand in the rover's part.
        if not before.serial_on and in_force(rest, _uart_line(pi), f"pi{pi}"):
            changes.append(Run(("raspi-config", "nonint", "do_serial_hw", "1")))
        if not before.i2c_on and in_force(rest, _I2C, f"pi{pi}"):
            changes.append(Run(("raspi-config", "nonint", "do_i2c", "1")))
        cmdline = boot_file(system, "cmdline.txt")
        if (
            before.consoles
            and cmdline
            and not consoles(system.text(cmdline) or "", console_ports(pi))
        ):
            changes.append(Run(("raspi-config", "nonint", "do_serial_cons", "0")))
    if before.hciuart and not hciuart_on(system):
        changes.append(Run(("systemctl", "enable", _HCIUART)))
    return changes


def _plan_i2c(job: Job) -> Sequence[Change]:
    system, pi = job.system, job.choices.pi
    config = boot_file(system, "config.txt")
    changes: list[Change] = []
    if pi and config and not i2c_on(system, pi):
        if system.has("raspi-config"):
            changes.append(Run(("raspi-config", "nonint", "do_i2c", "0")))
        changes.append(BootLine(config, _I2C))
    if system.text(_MODULES) != _MODULES_TEXT:
        changes.append(WriteFile(_MODULES, _MODULES_TEXT, "the driver for /dev/i2c-1"))
    return changes


def _undo_i2c(job: Job) -> Sequence[Change]:
    # The line in config.txt goes with the rover's other lines there.
    return [Remove(_MODULES)] if job.system.there(_MODULES) else []


UART = Step("Serial port and Bluetooth", _plan_uart, _undo_uart, reboot=True)
I2C = Step("I2C", _plan_i2c, _undo_i2c, reboot=True)
