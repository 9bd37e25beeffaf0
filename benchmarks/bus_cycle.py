"""A full cycle on the paced bus: six wheels commanded, positions, speeds and currents read.

Twelve transactions of 135 bytes, 11.72 ms of wire at 115200 baud. Our driver, a bare pyserial
loop with the same bytes, and the vendor's library take turns in one process on one simulated
bus, so that whatever else the computer does falls on all of them.
"""

import contextlib
import importlib.util
import time
from collections.abc import Callable, Iterator, Sequence

import serial

from benchmarks.drives import started_drive, targets_of
from benchmarks.harness import Effort, Measurement, NotMeasuredError, Progress, realtime
from benchmarks.records import Check, Record, Spread
from benchmarks.rig import running_rig
from benchmarks.taps import Exchange, Hear
from rover.config import Config
from rover.hardware.bus.framing import wire_time_s

_OF_WIRE, _OF_BARE = 1.10, 1.03
_WARM_UP = 5
_TIMEOUT_S = 0.1
_WHEEL_RAD_S = 0.2
_QPPS = 24

Cycle = Callable[[], None]


def _measure(effort: Effort, progress: Progress) -> list[Record]:
    rounds = effort.count(full=500, tiny=3)
    with running_rig() as rig:
        rig.start_hardware()
        config = rig.config
        exchanges = _listen_in(config)
        with _contenders(config, exchanges) as cycles, realtime(config.loop.realtime_priority):
            spreads = _take_turns(cycles, rounds, progress)
    wire_bytes = sum(exchange.wire_bytes for exchange in exchanges)
    wire_s = wire_time_s(wire_bytes, config.roboclaw.baud)
    ours, bare = spreads["ours"], spreads["bare"]
    of_wire = f"{{:.3f}} times the wire's own {wire_s * 1e3:.2f} ms for these {wire_bytes} bytes"
    records = [
        Record(
            "full cycle, our driver",
            "ms",
            ours.scaled(1e3),
            of_wire.format(ours.p50 / wire_s),
            (
                Check("p50/wire", ours.p50 / wire_s, _OF_WIRE),
                Check("p50/bare", ours.p50 / bare.p50, _OF_BARE),
            ),
        ),
        Record("bare pyserial", "ms", bare.scaled(1e3), of_wire.format(bare.p50 / wire_s)),
    ]
    if "vendor" in spreads:
        vendor = spreads["vendor"]
        records.append(
            Record(
                "vendor's library", "ms", vendor.scaled(1e3), of_wire.format(vendor.p50 / wire_s)
            )
        )
    return records


def _listen_in(config: Config) -> list[Exchange]:
    """Return what a full cycle of our driver sends and how much comes back."""
    heard: list[Exchange] = []
    with _driver(config, heard.append) as cycle:
        heard.clear()
        cycle()
        return heard.copy()


@contextlib.contextmanager
def _contenders(config: Config, exchanges: Sequence[Exchange]) -> Iterator[dict[str, Cycle]]:
    with contextlib.ExitStack() as stack:
        cycles = {
            "ours": stack.enter_context(_driver(config)),
            "bare": stack.enter_context(_bare_loop(config, exchanges)),
        }
        if importlib.util.find_spec("basicmicro"):
            cycles["vendor"] = stack.enter_context(_vendor(config))
        yield cycles


@contextlib.contextmanager
def _driver(config: Config, hear: Hear | None = None) -> Iterator[Cycle]:
    """Yield a full cycle of our driver, overheard by ``hear`` if given."""
    with started_drive(config, hear) as drive:
        targets = targets_of(config, _WHEEL_RAD_S)

        def cycle() -> None:
            drive.command(targets)
            drive.read_everything()

        yield cycle
        lost = [unit.name for unit in drive.health() if not unit.ready]
        if lost:
            raise NotMeasuredError(f"our driver lost {', '.join(lost)}")


@contextlib.contextmanager
def _bare_loop(config: Config, exchanges: Sequence[Exchange]) -> Iterator[Cycle]:
    """Yield the least that Python can do with pyserial: write, read, count the bytes."""
    port = serial.Serial(config.roboclaw.port, config.roboclaw.baud, timeout=_TIMEOUT_S)

    def cycle() -> None:
        for exchange in exchanges:
            port.write(exchange.sent)
            if len(port.read(exchange.received_bytes)) != exchange.received_bytes:
                raise NotMeasuredError("bare pyserial lost a reply")

    with port:
        yield cycle


@contextlib.contextmanager
def _vendor(config: Config) -> Iterator[Cycle]:
    """Yield the same twelve transactions by the both-motor commands of basicmicro."""
    from basicmicro import Basicmicro  # noqa: PLC0415 - it may not be installed

    claw = Basicmicro(config.roboclaw.port, config.roboclaw.baud)
    if not claw.Open():
        raise NotMeasuredError(f"basicmicro cannot open {config.roboclaw.port}")
    addresses = sorted({wheel.motor.address for wheel in config.wheels.values()})

    def cycle() -> None:
        answers = [claw.SpeedM1M2(address, _QPPS, _QPPS) for address in addresses]
        for address in addresses:
            answers += [
                claw.GetEncoders(address)[0],
                claw.GetISpeeds(address)[0],
                claw.ReadCurrents(address)[0],
            ]
        if not all(answers):
            raise NotMeasuredError("basicmicro lost a reply")

    try:
        yield cycle
    finally:
        claw.close()


def _take_turns(cycles: dict[str, Cycle], rounds: int, progress: Progress) -> dict[str, Spread]:
    """Run all cycles ``rounds`` times, who goes first changing; return their times (s)."""
    names = list(cycles)
    times_s: dict[str, list[float]] = {name: [] for name in names}
    for number in range(-_WARM_UP, rounds):
        for name in names:
            start_s = time.perf_counter()
            cycles[name]()
            if number >= 0:
                times_s[name].append(time.perf_counter() - start_s)
        names.append(names.pop(0))
        progress(max(0, number + 1), rounds)
    return {name: Spread.of(samples) for name, samples in times_s.items()}


MEASUREMENT = Measurement("bus-cycle", "A full cycle on the paced bus", _measure)
