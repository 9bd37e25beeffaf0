"""The bus of motor controllers: every rate and address asked for a version, nothing commanded.

A question keeps the wheels of a killed control turning, for any valid packet does: so the bus is
left quiet first for longer than the controllers' serial timeout, and where a wheel turns all the
same, no further question is asked.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from calibration.doctor.bench import ADDRESSES, Bench, QuestionLine
from calibration.doctor.finding import Finding, skipped, well
from calibration.doctor.judge import judge
from calibration.doctor.remedies import trouble
from calibration.doctor.surroundings import Surroundings
from calibration.doctor.unit import Questioner, UnitReading, read_unit
from rover.config import Config
from rover.errors import DeviceError, LinkError

STEP = "motor controllers"
BAUDS = (2400, 9600, 19200, 38400, 57600, 115200, 230400, 460800)
_QUIET_BEYOND_TIMEOUT_S = 0.2
# A part of all answers that is wrong on a good wire hardly ever.
_NOISY_PART = 0.02
_WITH_CONTROL = "control has the bus; what it says of its devices stands below"
_ASKED = "asked control for the bus"
_ASK_FOR_IT = "For a scan: disarm the rover, then `rover doctor --scan`."


@dataclass(frozen=True, slots=True)
class Heard:
    """Who answers at one rate: addresses with their version, and those that are never right."""

    baud: int
    versions: dict[int, str]
    garbled: tuple[int, ...]

    @property
    def nobody(self) -> bool:
        """Whether nothing at all came back."""
        return not self.versions and not self.garbled


def scan(surroundings: Surroundings, bench: Bench) -> Iterator[Finding]:
    """Ask every controller, if nobody else has them."""
    if surroundings.telemetry is not None:
        if bench.borrow is None:
            yield skipped(STEP, "control-has-bus", _WITH_CONTROL, _ASK_FOR_IT)
        else:
            yield from _borrowed_scan(surroundings, bench, bench.borrow)
        return
    if bench.in_use():
        found = "a control, or the alarm, has the hardware and says nothing"
        yield trouble(STEP, "control-mute", "looked at control's lock", found)
        return
    port = surroundings.config.roboclaw.port
    try:
        yield from _scan(surroundings, bench)
    except DeviceError as error:
        yield trouble(STEP, "port-trouble", f"opened {port}", str(error))


def _borrowed_scan(
    surroundings: Surroundings,
    bench: Bench,
    borrow: Callable[[str], AbstractContextManager[Callable[[], None]]],
) -> Iterator[Finding]:
    """Ask every controller on the bus that control lends, and give that back before telling."""
    port = surroundings.config.roboclaw.port
    findings = []
    try:
        with borrow(port) as allowed:
            found = "it lends the bus for this scan; the rover cannot be armed until that is done"
            findings.append(well(STEP, "bus-lent", _ASKED, found))
            findings += _scan(surroundings, bench, allowed)
    except LinkError as error:
        findings = [trouble(STEP, "bus-not-lent", _ASKED, str(error))]
    except DeviceError as error:
        findings.append(trouble(STEP, "port-trouble", f"opened {port}", str(error)))
    yield from findings


def _scan(
    surroundings: Surroundings, bench: Bench, allowed: Callable[[], None] = lambda: None
) -> Iterator[Finding]:
    config = surroundings.config
    baud, port = config.roboclaw.baud, config.roboclaw.port
    wanted = sorted({wheel.motor.address for wheel in config.wheels.values()})
    line = QuestionLine(bench.open_line(port, baud), allowed)
    try:
        surroundings.clock.sleep_s(config.roboclaw.serial_timeout_s + _QUIET_BEYOND_TIMEOUT_S)
        ask = Questioner(line, baud, config.roboclaw.reply_margin_s, surroundings.clock)
        heard = _listen(ask, line, baud, asks_on=True)
        readings: list[UnitReading] = []
        for address, version in heard.versions.items():
            readings.append(read_unit(ask, address, version))
            if readings[-1].turning:
                yield from judge(readings[-1], config, len(heard.versions))
                return
    finally:
        line.close()
    elsewhere: list[Heard] = []
    if not heard.garbled and any(address not in heard.versions for address in wanted):
        elsewhere = _at_other_rates(surroundings, bench, allowed)
    yield from _whom(heard, elsewhere, wanted)
    for reading in readings:
        yield from judge(reading, config, len(heard.versions))
    if not heard.garbled:
        yield from _noise(ask)
    yield from _battery(readings, config)


def _listen(ask: Questioner, line: QuestionLine, baud: int, *, asks_on: bool) -> Heard:
    """Ask every address for its version, and if ``asks_on`` those who stammer for less."""
    versions: dict[int, str] = {}
    garbled = []
    for address in ADDRESSES:
        before = line.received
        version = ask.version(address)
        if version is None and line.received > before and asks_on:
            # A version is long, and one wrong bit spoils it: something short before it is given up.
            answer = ask.values(address, 99, "H")
            version = None if answer is None else "a version that noise spoils"
        if version is not None:
            versions[address] = version
        elif line.received > before:
            garbled.append(address)
    return Heard(baud, versions, tuple(garbled))


def _at_other_rates(
    surroundings: Surroundings, bench: Bench, allowed: Callable[[], None]
) -> list[Heard]:
    """Return who answers at the rates that are not the configured one; a version is all asked."""
    config = surroundings.config.roboclaw
    found = []
    for baud in BAUDS:
        if baud == config.baud:
            continue
        line = QuestionLine(bench.open_line(config.port, baud), allowed)
        try:
            ask = Questioner(line, baud, config.reply_margin_s, surroundings.clock)
            heard = _listen(ask, line, baud, asks_on=False)
        finally:
            line.close()
        if not heard.nobody:
            found.append(heard)
    return found


def _whom(heard: Heard, elsewhere: list[Heard], wanted: list[int]) -> Iterator[Finding]:
    """Say who answers, who does not, and who does otherwise."""
    baud = heard.baud
    tried = f"asked 0x80 to 0x87 for their version at {baud} baud"
    if heard.nobody and not elsewhere:
        tried += f" and at {', '.join(str(rate) for rate in BAUDS if rate != baud)}"
        yield trouble(STEP, "bus-silent", tried, "nobody answers")
        return
    garbled = [(address, at.baud) for at in (heard, *elsewhere) for address in at.garbled]
    for address, rate in garbled:
        found = f"what answers at {_hex(address)} at {rate} baud is never right"
        yield trouble(STEP, "controller-garbled", tried, found)
    at_other = sorted((address, at.baud) for at in elsewhere for address in at.versions)
    for address, rate in at_other:
        found = f"{_hex(address)} answers at {rate} baud"
        yield trouble(STEP, "controller-baud", f"{tried}, and at other rates", found, baud=baud)
    silent = [address for address in wanted if address not in heard.versions]
    strange = [address for address in heard.versions if address not in wanted]
    accounted = {address for address, _ in (*garbled, *at_other)}
    for address in (address for address in silent if address not in accounted):
        if garbled:
            reason = f"{_hex(address)} is silent; it may be one of those that answer at once"
            yield skipped(STEP, "controller-silent", reason)
        elif strange:
            at = strange.pop(0)
            found = f"{_hex(address)} is silent, and {_hex(at)} answers, which is nobody's"
            yield trouble(STEP, "controller-address", tried, found, wanted=_hex(address))
        else:
            found = f"{_hex(address)} is silent"
            unit = f"RoboClaw {_hex(address)}"
            yield trouble(STEP, "controller-silent", tried, found, unit=unit)
    for address in strange:
        found = f"{_hex(address)} answers, and no wheel is wired to it"
        yield trouble(STEP, "controller-extra", tried, found)
    if not silent and not strange and not garbled:
        found = f"{', '.join(_hex(address) for address in heard.versions)} answer"
        yield well(STEP, "controllers", tried, found)


def _noise(ask: Questioner) -> Iterable[Finding]:
    total = ask.answered + ask.spoilt
    if ask.answered and ask.spoilt > _NOISY_PART * total:
        found = f"{ask.spoilt} of {total} answers were wrong"
        yield trouble("serial wire", "bus-noisy", "checked every answer's checksum", found)
    elif ask.answered:
        found = f"{ask.spoilt} of {total} answers were wrong"
        yield well("serial wire", "serial-wire", "checked every answer's checksum", found)


def _battery(readings: list[UnitReading], config: Config) -> Iterator[Finding]:
    told = [(unit.main_v, unit.name) for unit in readings if unit.main_v is not None]
    if not told:
        return
    read_v, name = min(told)
    voltage_v = read_v * config.roboclaw.voltage_scale
    tried, found = "asked the controllers for their main battery", f"{voltage_v:.1f} V by {name}"
    power = config.power
    if voltage_v < power.minimum_v:
        yield trouble("battery", "battery-empty", tried, f"{found}: below {power.minimum_v:g} V")
    elif voltage_v < power.low_v:
        yield trouble("battery", "battery-low", tried, f"{found}: below {power.low_v:g} V")
    elif voltage_v > power.full_v + power.disagreement_v:
        yield trouble("battery", "battery-high", tried, f"{found}: full is {power.full_v:g} V")
    else:
        yield well("battery", "battery", tried, found)


def _hex(address: int) -> str:
    return f"0x{address:02X}"
