"""The processor time that a gamepad costs a tick: idle, busy, broken.

The real gamepad code with evdev's own reading, on a socket instead of a device. A busy pad sends
a thousand reports a second, two axes each; a broken one eight thousand; and one more than a tick
will read, so that the kernel's state is asked for instead.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.hands import held_gamepad
from benchmarks.harness import Effort, Measurement, Progress
from benchmarks.pretended_pad import PadHand
from benchmarks.processes import children, cpu_time_s
from benchmarks.records import Check, Record, Spread
from rover.clock import ManualClock
from rover.gamepad import Gamepad
from rover.gamepad.codes import EV_ABS, EV_KEY, EV_SYN, SYN_REPORT, Axis, Key
from tests.builders import osr_config
from tests.gamepad.pads import XBOX
from tests.gamepad.socket_device import Bench, OnlyPad, SocketDevice

_RATE_HZ = 100.0
# A fifth of a tick: the bus takes seven tenths of it.
_LIMIT_MS = 2.0
# Nothing, a common pad by USB, the fastest that USB's frames carry at full speed.
_REAL_HZ = (0, 125, 1000)
_REAL_S = 20.0
# Beyond the deadband, so that it drives.
_LEAST = 9000


@dataclass(frozen=True, slots=True)
class _Case:
    name: str
    reports_hz: int
    meaning: str


_CASES = (
    _Case("pad idle", 0, "nothing comes"),
    _Case("pad at 1 kHz", 1_000, "10 reports a tick, two axes each"),
    _Case("pad at 8 kHz", 8_000, "80 reports a tick, two axes each"),
    _Case("pad at 24 kHz", 24_000, "more than a tick reads: the kernel is asked for the sum"),
)


def _measure(effort: Effort, progress: Progress) -> list[Record]:
    ticks = effort.count(full=3000, tiny=5)
    records = []
    for number, case in enumerate(_CASES):
        with _driving() as (gamepad, device):
            spread = Spread.of(list(_polls_s(gamepad, device, case, ticks))).scaled(1e3)
        progress(number + 1, len(_CASES))
        records.append(
            Record(
                case.name,
                "ms",
                spread,
                f"{case.meaning}; mean {spread.mean:.3f} ms: {spread.mean * _RATE_HZ / 10:.1f} % "
                "of a core",
                (Check("p99", spread.p99, _LIMIT_MS),),
            )
        )
    return records + (_real_control(progress) if effort is Effort.FULL else [])


def _real_control(progress: Progress) -> list[Record]:
    """Measure the control process with a pretended pad that speaks so often.

    Not oftener: its device is a pseudo-terminal, which does not hold a tick's events of 8 kHz.
    """
    records = []
    with held_gamepad() as (rig, pad):
        (control,) = children(rig.process("control").pid)
        for number, reports_hz in enumerate(_REAL_HZ):
            missed, began_s = rig.telemetry().missed_ticks, time.monotonic()
            used_s = cpu_time_s(control)
            _speak(pad, reports_hz, began_s)
            used_s = cpu_time_s(control) - used_s
            part = used_s / (time.monotonic() - began_s)
            missed = rig.telemetry().missed_ticks - missed
            rig.require_armed()
            progress(number + 1, len(_REAL_HZ))
            records.append(
                Record(
                    f"real control, pad at {reports_hz} Hz",
                    "% of a core",
                    Spread.single(part * 100.0),
                    f"a pretended pad moves two axes {reports_hz} times a second; "
                    f"{missed} ticks missed in {_REAL_S:.0f} s",
                    (Check("missed", missed, 0.0),),
                )
            )
    return records


def _speak(pad: PadHand, reports_hz: int, began_s: float) -> None:
    sent = 0
    while (passed_s := time.monotonic() - began_s) < _REAL_S:
        while sent < passed_s * reports_hz:
            sent += 1
            pad.report({Axis.Y: -(_LEAST + sent % _LEAST), Axis.RX: sent % _LEAST})
        time.sleep(0.001)


@contextmanager
def _driving() -> Iterator[tuple[Gamepad, SocketDevice]]:
    """Yield a pad whose dead-man button is held."""
    bench = Bench()
    bench.descriptions["here"] = XBOX
    gamepad = Gamepad(osr_config(), ManualClock(0.0), OnlyPad(bench.open_at("here")))
    (device,) = bench.devices
    try:
        device.send((EV_KEY, Key.TR, 1))
        device.held = [Key.TR]
        gamepad.poll(0.0)
        yield gamepad, device
    finally:
        gamepad.close()
        bench.close()


def _polls_s(gamepad: Gamepad, device: SocketDevice, case: _Case, ticks: int) -> Iterator[float]:
    """Give the processor time (s) of each tick's poll, with what has come since the last one."""
    reports = round(case.reports_hz / _RATE_HZ)
    end = (EV_SYN, SYN_REPORT, 0)
    for tick in range(1, ticks + 1):
        events = [
            event
            for number in range(reports)
            for event in (
                (EV_ABS, Axis.Y, -(tick * reports + number) % 32768),
                (EV_ABS, Axis.RX, (tick * reports + number) % 32768),
                end,
            )
        ]
        if events:
            device.send(*events, report=False)
        began_s = time.process_time()
        gamepad.poll(tick / _RATE_HZ)
        yield time.process_time() - began_s
        # As the kernel does that runs over: what has not been read is thrown away.
        device.drain()


MEASUREMENT = Measurement("pad-storm", "Processor time of a gamepad", _measure)
