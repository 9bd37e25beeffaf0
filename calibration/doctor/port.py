"""The serial port before it is opened: is it there, whose is it, and what disturbs it."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from calibration.doctor.computer import pi_number
from calibration.doctor.finding import Finding, well
from calibration.doctor.remedies import trouble
from calibration.doctor.surroundings import Surroundings
from calibration.doctor.walk import Check

STEP = "serial port"
_BOOT = ("/boot/firmware", "/boot")
_CONSOLE = re.compile(r"console=(serial\d|tty(?:AMA|S)\d+)")
# The small UART of a Pi 3, 4 and Zero: its rate follows the processor's frequency.
_MINI_UART, _PI_5_DEBUG = "ttyS0", "ttyAMA10"
_ACTIVE_CONSOLES = "/sys/class/tty/console/active"
# The installer's name for the header's port: systemd/udev/99-rover.rules.
_HEADER = "/dev/rover-uart"
_UART_PREFIXES = ("/dev/serial", "/dev/ttyAMA", "/dev/ttyS", _HEADER)
# The port that Bluetooth has, on systems whose Bluetooth goes by a port.
_BLUETOOTH = "/dev/serial1"
_BLUETOOTH_MOVED = re.compile(r"^\s*dtoverlay=(?:pi3-)?(?:disable|miniuart)-bt\b", re.MULTILINE)
_PI_5 = 5
_LONGEST_NAME = 60


def _on_pins(port: str) -> bool:
    return port.startswith(_UART_PREFIXES) and not port.startswith("/dev/serial/")


def _exists(surroundings: Surroundings) -> Iterable[Finding]:
    port = surroundings.config.roboclaw.port
    tried = f"looked for {port}"
    path = surroundings.under_root(port)
    if path.exists():
        target = f", which is {path.resolve().name}" if path.is_symlink() else ""
        yield well(STEP, "port", tried, f"it is there{target}")
    elif port == _HEADER and _small_one_is_primary(surroundings):
        # The name is only given to the good one.
        file, _ = _boot_file(surroundings, "config.txt")
        found = f"there is no {port}: Bluetooth has the good UART"
        yield trouble(STEP, "uart-bluetooth", tried, found, file=file)
    else:
        has_pins = _on_pins(port) and pi_number(surroundings) is not None
        code = "uart-absent" if has_pins else "usb-absent"
        yield trouble(STEP, code, tried, f"there is no {port}")


def _small_one_is_primary(surroundings: Surroundings) -> bool:
    return surroundings.under_root("/dev/serial0").resolve().name == _MINI_UART


def _console(surroundings: Surroundings) -> Iterable[Finding]:
    """Look for Linux's own text on the port, and for a login prompt."""
    port = surroundings.config.roboclaw.port
    if not _on_pins(port):
        return
    names = _names(surroundings, port)
    file, text = _boot_file(surroundings, "cmdline.txt")
    tried = f"read {file} and {_ACTIVE_CONSOLES}, asked systemctl for a login prompt"
    step = "serial console"
    for name, where in (
        *((name, file) for name in _CONSOLE.findall(text)),
        *((name, _ACTIVE_CONSOLES) for name in (surroundings.text(_ACTIVE_CONSOLES) or "").split()),
    ):
        # On a Pi 5 the console's serial0 may be the debug plug, which is not the rover's port.
        if names & _names(surroundings, f"/dev/{name}"):
            found = f"Linux's console is on {name} ({where})"
            yield trouble(step, "uart-console", tried, found)
            return
    for name in sorted(names):
        unit = f"serial-getty@{name}.service"
        if surroundings.run(("systemctl", "is-active", unit)) == "active":
            yield trouble(step, "uart-getty", tried, f"{unit} is active", unit=unit)
            return
    yield well(step, "serial-console", tried, "neither console nor login prompt is on it")


def _bluetooth(surroundings: Surroundings) -> Iterable[Finding]:
    """Look whether Bluetooth has the good UART (Pi 3, 4 and Zero), or a Pi 5 its debug plug."""
    port = surroundings.config.roboclaw.port
    number = pi_number(surroundings)
    if number is None or not _on_pins(port):
        return
    step = "UART and Bluetooth"
    file, text = _boot_file(surroundings, "config.txt")
    tried = f"followed {port}, read {file}"
    name = surroundings.under_root(port).resolve().name
    if number >= _PI_5:
        if name == _PI_5_DEBUG:
            found = f"{port} is {name}, the debug plug of a Pi 5"
            yield trouble(step, "uart-debug-plug", tried, found, file=file)
        else:
            found = f"{port} is {name}; a Pi 5's Bluetooth has a UART of its own"
            yield well(step, "bluetooth", tried, found)
    elif name == _MINI_UART:
        moved = _BLUETOOTH_MOVED.search(text)
        more = "; the overlay is in the file, so a reboot is missing" if moved else ""
        found = f"{port} is {name}, the small UART: Bluetooth has the good one{more}"
        yield trouble(step, "uart-bluetooth", tried, found, file=file)
    elif name == surroundings.under_root(_BLUETOOTH).resolve().name:
        found = f"{port} is {name}, which Bluetooth has; the header's is another"
        yield trouble(step, "uart-bluetooth", tried, found, file=file)
    else:
        yield well(step, "bluetooth", tried, f"{port} is {name}, the good UART")


def _holder(surroundings: Surroundings) -> Iterable[Finding]:
    """Look who has the port open."""
    port = surroundings.config.roboclaw.port
    step, tried = "who has the port", f"looked for {port} among the open files of all processes"
    if surroundings.telemetry is not None:
        yield well(step, "port-holder", tried, "control has it, as it should")
        return
    if not port.startswith("/dev/"):
        return  # a simulated port, which its simulator has open too
    node = surroundings.under_root(port).resolve()
    holders = [pid for pid in _processes(surroundings) if _has_open(surroundings, pid, node)]
    holders = [pid for pid in holders if pid != os.getpid()]
    if holders:
        program = _program(surroundings, holders[0])
        found = f"{program} (process {holders[0]}) has it"
        yield trouble(step, "port-held", tried, found, program=program, pid=holders[0])
        return
    more = "" if surroundings.person.is_root else " (of those that this user may see)"
    yield well(step, "port-holder", tried, f"nobody has it{more}")


def _names(surroundings: Surroundings, port: str) -> set[str]:
    """Return the port's name and that of the device it stands for."""
    return {Path(port).name, surroundings.under_root(port).resolve().name}


def _boot_file(surroundings: Surroundings, name: str) -> tuple[str, str]:
    """Return where the boot loader's file is, and its content."""
    for folder in _BOOT:
        text = surroundings.text(f"{folder}/{name}")
        if text is not None:
            return f"{folder}/{name}", text
    return f"{_BOOT[0]}/{name}", ""


def _processes(surroundings: Surroundings) -> Iterator[int]:
    try:
        names = [entry.name for entry in surroundings.under_root("/proc").iterdir()]
    except OSError:
        names = []
    yield from sorted(int(name) for name in names if name.isdigit())


def _has_open(surroundings: Surroundings, pid: int, node: Path) -> bool:
    try:
        links = list(surroundings.under_root(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False  # another user's, or gone meanwhile
    for link in links:
        try:
            target = os.readlink(link)
        except OSError:
            continue  # closed meanwhile
        if target in {str(node), f"/dev/{node.name}"}:
            return True
    return False


def _program(surroundings: Surroundings, pid: int) -> str:
    words = (surroundings.text(f"/proc/{pid}/cmdline") or "").replace("\0", " ").strip()
    return f"`{words[:_LONGEST_NAME]}`" if words else "a program"


CONSOLE = Check("serial console", "looking for Linux's console", _console, ("configuration",))
PORT = (
    Check(STEP, "looking for the serial port", _exists, ("configuration",)),
    CONSOLE,
    Check("UART and Bluetooth", "looking for Bluetooth", _bluetooth, (STEP,)),
    Check("who has the port", "looking who has the port", _holder, (STEP,)),
)
