"""Rovers built wrong, on a computer set up wrong: the doctor names each, and the one next step."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs

from calibration.doctor.finding import Finding, Verdict
from rover.errors import DeviceError
from rover.sim.faults import Dialect, InjectStatus, OffsetPower, SetBatteryVoltage, SetFirmware
from rover.sim.miswired import MISWIRED
from tests.doctor.rig import ALARM, CONTROL, TARGET, WEB, Patient

# What is built wrong in the rover itself: the finding that names it, and its next step.
SEEN_STANDING = {
    "no-servo-board": ("servo-board-absent", "SDA to pin 3"),
    "no-power-monitor": ("power-monitor-absent", "power.ina260 = false"),
    "monitor-elsewhere": ("power-monitor-elsewhere", "Set power.address = 0x44."),
    "wrong-address": ("controller-address", "Give it address 0x82"),
    "same-address": ("controller-garbled", "one at a time"),
    "wrong-baud": ("controller-baud", "Set it to 115200 baud"),
    "factory-baud": ("controller-baud", "Set it to 115200 baud"),
    "single-unit": ("multi-unit-off", "Switch multi-unit mode on"),
    "silent-controller": ("controller-silent", "RoboClaw 0x82"),
    "silent-bus": ("bus-silent", "pin 8 to every S1"),
    "noisy-wire": ("bus-noisy", "twisted"),
    "low-current": ("current-limit-low", "Raise the motors' largest current"),
    "factory-loop": ("velocity-loop", "measured"),
    "latching-stop": ("stop-latches", "does not latch"),
    "absolute-encoders": ("encoder-mode", "quadrature"),
    "flat-battery": ("battery-empty", "Charge the battery."),
    "hot-controller": ("controller-hot", "cool"),
}
# What shows only when something turns: a word of what the doctor says of it.
SEEN_TURNING = {
    "swapped-channels": "which output",
    "swapped-controllers": "which output",
    "reversed-motor": "which way each wheel turns",
    "reversed-leads": "which way each wheel turns",
    "reversed-encoder": "encoder is whose",
    "dead-encoder": "an encoder that is off",
    "weak-motor": "a weak motor",
    "servos-off-centre": "servo centres",
    "narrow-steering": "servo centres and ends",
    "swapped-servos": "which servo",
    "reversed-servo": "which servo",
    "servos-without-power": "servo power",
    "other-measures": "wheel radius and track",
}


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    return Patient(tmp_path)


def named(findings: list[Finding], code: str) -> Finding:
    found = [finding for finding in findings if finding.code == code]
    assert found, [(finding.code, finding.found) for finding in findings]
    return found[0]


def test_nothing_is_wrong_with_a_rover_that_is_well(patient: Patient) -> None:
    findings = patient.findings()
    assert [f for f in findings if f.verdict in (Verdict.WARN, Verdict.FAIL)] == []
    steps = {finding.step for finding in findings if finding.verdict is Verdict.OK}
    assert {"model", "power supply", "serial port", "RoboClaw 0x81", "servo board"} <= steps
    assert {"power monitor", "battery", "GPIO", "gamepad", "services", "disk"} <= steps
    unit = named([f for f in findings if f.step == "RoboClaw 0x80"], "controller")
    for part in ("v4.2.4", "main 16.", "logic 16.", "M1 left_front at count 0", "M2 left_middle"):
        assert part in unit.found


def test_every_rover_built_wrong_is_tried() -> None:
    assert sorted([*SEEN_STANDING, *SEEN_TURNING]) == sorted(MISWIRED)


@pytest.mark.parametrize("wrong", list(SEEN_STANDING))
def test_what_is_built_wrong_is_named_with_one_next_step(tmp_path: Path, wrong: str) -> None:
    code, next_step = SEEN_STANDING[wrong]
    troubles = Patient(tmp_path, wrong=wrong).troubles()
    assert next_step in named(troubles, code).next_step
    # Nothing else is accused; a controller that is hot also warns of it.
    assert {finding.code for finding in troubles} <= {code, "controller-warns"}


@pytest.mark.parametrize("wrong", list(SEEN_TURNING))
def test_what_only_turning_shows_is_sent_to_the_calibration(tmp_path: Path, wrong: str) -> None:
    patient = Patient(tmp_path, wrong=wrong)
    findings = patient.findings()
    assert [f.code for f in findings if f.verdict in (Verdict.WARN, Verdict.FAIL)] == []
    finding = named(findings, "only-turning")
    assert SEEN_TURNING[wrong] in finding.found
    assert "`rover calibrate`" in finding.next_step


# The computer. What is done to it, the finding that names it, a part of its next step.


def _console(patient: Patient) -> None:
    patient.write("/boot/firmware/cmdline.txt", "console=serial0,115200 console=tty1 rootwait\n")


def _old_boot_folder(patient: Patient) -> None:
    patient.remove("/boot/firmware/cmdline.txt")
    patient.write("/boot/cmdline.txt", "console=ttyAMA0,115200 rootwait\n")


def _console_by_now(patient: Patient) -> None:
    patient.write("/sys/class/tty/console/active", "tty1 ttyAMA0\n")


def _getty(patient: Patient) -> None:
    patient.commands["systemctl", "is-active", "serial-getty@ttyAMA0.service"] = "active"


def _bluetooth(patient: Patient) -> None:
    patient.write("/boot/firmware/config.txt", "enable_uart=1\n#dtoverlay=disable-bt\n")
    patient.write("/dev/ttyS0", "")
    patient.link("/dev/serial0", "ttyS0")


def _installed(patient: Patient) -> None:
    """Give the header's port the name that the installer's udev rule gives it."""
    patient.set_config("roboclaw", port="/dev/rover-uart")
    patient.link("/dev/rover-uart", "ttyAMA0")


def _bluetooth_and_installed(patient: Patient) -> None:
    _installed(patient)
    _bluetooth(patient)
    patient.remove("/dev/rover-uart")


def _bluetooth_by_the_ports_name(patient: Patient) -> None:
    patient.set_config("roboclaw", port="/dev/ttyAMA0")
    _bluetooth(patient)
    patient.link("/dev/serial1", "ttyAMA0")


def _no_uart_and_installed(patient: Patient) -> None:
    _installed(patient)
    patient.remove("/dev/rover-uart")


def _pi_5(patient: Patient) -> None:
    patient.write("/proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0")
    patient.write("/dev/ttyAMA10", "")
    patient.link("/dev/serial0", "ttyAMA10")


def _held(patient: Patient) -> None:
    patient.write("/proc/99/cmdline", "minicom\0-D\0/dev/serial0")
    patient.link("/proc/99/fd/5", "/dev/ttyAMA0")


def _usb(patient: Patient) -> None:
    patient.set_config("roboclaw", port="/dev/serial/by-id/usb-FTDI-if00")


def _low(patient: Patient) -> None:
    patient.rover.inject(SetBatteryVoltage(13.4))


def _corrected(patient: Patient) -> None:
    patient.rover.inject(SetBatteryVoltage(14.5))
    patient.set_config("roboclaw", voltage_scale=0.93)


def _high(patient: Patient) -> None:
    patient.rover.inject(SetBatteryVoltage(18.3))


def _driver_fault(patient: Patient) -> None:
    patient.rover.inject(InjectStatus(0x81, 1 << 6))


def _timeout_lost(patient: Patient) -> None:
    for unit in patient.rover.devices.units:
        unit.settings.timeout = 0


def _limits(patient: Patient) -> None:
    patient.rover.devices.units[0].settings.main_limits = (60, 340)


def _no_line(patient: Patient) -> None:
    """The stop is on, and no motor-enable line of control's that could hold it."""
    patient.set_config("panel", gpio="none")


def _extra(patient: Patient) -> None:
    wheels = {
        name: wheel for name, wheel in patient.config.wheels.items() if wheel.motor.address != 0x82
    }
    patient.config = structs.replace(patient.config, wheels=wheels)


def _throttled(text: str) -> Callable[[Patient], None]:
    return lambda patient: patient.write(
        "/sys/devices/platform/soc/soc:firmware/get_throttled", text
    )


def _commands(*said: tuple[tuple[str, ...], str]) -> Callable[[Patient], None]:
    return lambda patient: patient.commands.update(dict(said))


def _set(**fields: object) -> Callable[[Patient], None]:
    def change(patient: Patient) -> None:
        for name, value in fields.items():
            setattr(patient, name, value)

    return change


COMPUTERS: list[tuple[str, Callable[[Patient], None], str, str]] = [
    ("console on the UART", _console, "uart-console", "do_serial_cons 1"),
    ("console, older system", _old_boot_folder, "uart-console", "do_serial_cons 1"),
    ("console, by the kernel's list", _console_by_now, "uart-console", "do_serial_cons 1"),
    ("login prompt on the UART", _getty, "uart-getty", "disable --now serial-getty@ttyAMA0"),
    ("Bluetooth has the UART", _bluetooth, "uart-bluetooth", "disable-bt"),
    ("Bluetooth has it, installed", _bluetooth_and_installed, "uart-bluetooth", "disable-bt"),
    ("Bluetooth's port", _bluetooth_by_the_ports_name, "uart-bluetooth", "disable-bt"),
    ("UART off, installed", _no_uart_and_installed, "uart-absent", "do_serial_hw 0"),
    ("a Pi 5's debug plug", _pi_5, "uart-debug-plug", "dtparam=uart0=on"),
    ("UART off", lambda p: p.remove("/dev/serial0"), "uart-absent", "do_serial_hw 0"),
    ("adapter not plugged in", _usb, "usb-absent", "Plug the adapter in"),
    ("port held", _held, "port-held", "End `minicom -D /dev/serial0` (process 99)"),
    (
        "port cannot be opened",
        _set(open_error=DeviceError("cannot open it: is it a serial port at all?")),
        "port-trouble",
        "Do what the message says",
    ),
    (
        "not in the groups",
        lambda p: setattr(p, "person", type(p.person)("ann", frozenset({"ann", "gpio"}), False)),
        "groups",
        "usermod -aG dialout,input,i2c ann",
    ),
    ("I2C off", lambda p: p.remove("/dev/i2c-1"), "i2c-off", "do_i2c 0"),
    ("under-voltage now", _throttled("50005\n"), "under-voltage", "5.1 V"),
    ("under-voltage before", _throttled("50000\n"), "under-voltage-before", "stronger supply"),
    ("slowed down now", _throttled("80008\n"), "throttled", "cool"),
    ("slowed down before", _throttled("e0000\n"), "throttled-before", "fan"),
    ("disk full", _set(free_mb=40), "disk-full", "Make room"),
    ("disk nearly full", _set(free_mb=300), "disk-nearly-full", "Make room"),
    ("disk read-only", _set(read_only=True), "disk-read-only", "new memory card"),
    ("clock of 1970", _set(unix_s=90.0), "clock-wrong", "network"),
    (
        "clock not synchronised",
        _commands((("timedatectl", "show", "--property=NTPSynchronized"), "NTPSynchronized=no")),
        "clock-unsynchronised",
        "network",
    ),
    ("Python too old", _set(python=(3, 9)), "python-old", "Bookworm"),
    (
        "packages missing",
        _set(modules_missing=("evdev", "lgpio")),
        "packages",
        "apt install python3-evdev python3-lgpio",
    ),
    ("installation torn", _set(modules_missing=("zmq",)), "packages", "anew"),
    (
        "configuration wrong",
        _set(config_trouble="rover.toml, line 3: no such key"),
        "configuration",
        "rover config check",
    ),
    ("no Raspberry Pi", lambda p: p.remove("/proc/device-tree/model"), "no-pi", "Nothing"),
    (
        "service failed",
        _commands((("systemctl", "is-active", CONTROL), "failed")),
        "service-failed",
        "journalctl -u rover-control.service",
    ),
    (
        "service not enabled",
        _commands((("systemctl", "is-enabled", WEB), "disabled")),
        "service-off",
        "enable --now rover-web.service",
    ),
    (
        "camera failed",
        _commands(
            (("systemctl", "is-enabled", "rover-camera.service"), "enabled"),
            (("systemctl", "is-active", "rover-camera.service"), "failed"),
        ),
        "service-failed",
        "journalctl -u rover-camera.service",
    ),
    (
        "target not enabled",
        _commands((("systemctl", "is-enabled", TARGET), "disabled")),
        "service-off",
        "enable --now rover.target",
    ),
    (
        "alarm active",
        _commands((("systemctl", "is-active", ALARM), "active")),
        "alarm",
        "journalctl -u rover-control",
    ),
    (
        "GPIO library missing",
        _set(pins_error=DeviceError("no GPIO pins on this computer")),
        "gpio-absent",
        "python3-lgpio",
    ),
    ("no gamepad", _set(pads=()), "gamepad-none", "plug the pad in"),
    (
        "steering not calibrated",
        lambda p: p.set_config("steering", calibrated=False),
        "steering-uncalibrated",
        "rover calibrate steering",
    ),
    ("battery low", _low, "battery-low", "Charge the battery soon."),
    ("battery low once corrected", _corrected, "battery-low", "Charge the battery soon."),
    ("battery of more cells", _high, "battery-high", "power.full_v"),
    ("driver fault", _driver_fault, "controller-status", "short"),
    ("serial timeout lost", _timeout_lost, "serial-timeout-off", "rover setup roboclaw"),
    ("no low-voltage cut-off", _limits, "voltage-limits", "lowest voltage"),
    ("stop latched, no line", _no_line, "stop-latched", "Release the stop"),
    ("controller too many", _extra, "controller-extra", "table of wheels"),
    (
        "no battery behind the monitor",
        lambda p: p.rover.inject(OffsetPower(-15.9)),
        "power-monitor-unwired",
        "IN+",
    ),
    (
        "very old firmware",
        lambda p: _firmware(p, "USB Roboclaw 2x5a v3.1.6"),
        "firmware-unknown",
        "4.2.4",
    ),
]


def _firmware(patient: Patient, version: str) -> None:
    unit = patient.rover.devices.units[0]
    unit.firmware = type(unit.firmware)(version, unit.firmware.newer, unit.firmware.status_bits)


@pytest.mark.parametrize(
    ("spoil", "code", "next_step"),
    [row[1:] for row in COMPUTERS],
    ids=[row[0] for row in COMPUTERS],
)
def test_what_is_set_up_wrong_is_named_with_one_next_step(
    patient: Patient, spoil: Callable[[Patient], None], code: str, next_step: str
) -> None:
    spoil(patient)
    finding = named(patient.troubles(), code)
    assert next_step in finding.next_step
    assert finding.tried
    assert finding.found


@pytest.mark.parametrize("dialect", ["classic", "old status", "newer"])
def test_firmware_of_every_dialect_is_read_without_complaint(
    patient: Patient, dialect: str
) -> None:
    for unit in patient.rover.devices.units:
        patient.rover.inject(SetFirmware(unit.settings.address, Dialect(dialect)))
    if dialect == "newer":
        for unit in patient.rover.devices.units:
            unit.settings.pins = (0x01, 0, 0, 0, 0)
    assert patient.troubles() == []


def test_a_computer_without_pins_is_not_sent_to_raspi_config(patient: Patient) -> None:
    patient.remove("/proc/device-tree/model")
    patient.remove("/dev/serial0")
    assert "raspi-config" not in named(patient.troubles(), "usb-absent").next_step


def test_the_console_on_the_debug_plug_of_a_pi_5_disturbs_nobody(patient: Patient) -> None:
    _pi_5(patient)
    patient.set_config("roboclaw", port="/dev/ttyAMA0")
    patient.write("/boot/firmware/cmdline.txt", "console=serial0,115200 console=tty1 rootwait\n")
    assert patient.troubles() == []
