"""Real minutes of the real processes at full load, on simulated hardware that breaks."""

import math
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from benchmarks.harness import NotMeasuredError, Progress
from benchmarks.records import Check, Record, Spread
from benchmarks.rig import NO_PAD, Rig, loop_settings, running_rig
from benchmarks.soak.crowd import Crowd, arm_and_stop_once
from benchmarks.soak.found import Violation
from benchmarks.soak.watching import Held, held_by, slope
from rover.messages import ArmState
from rover.sim.faults import (
    CorruptBytes,
    CutSerial,
    Fault,
    InjectStatus,
    LockWheel,
    PowerCycle,
    SetBatteryCharge,
    SetBatteryVoltage,
    Silence,
    UnplugI2c,
)
from rover.sim.truth import Truth, TruthClient

_RATE_HZ, _PRIORITY = 100.0, 50
_TURN_S = 0.005
_TRUTH_EVERY_S = 0.02
_HELD_EVERY_S = 1.0
# A computer that is overloaded on purpose tells late and is told late.
_STANDS_WITHIN_S = 1.5
_LETS_GO_WITHIN_S = 2.5
_LINE_LOW_WITHIN_S = 0.5
_STANDING_RAD_S, _CREEPS_RAD_S = 0.015, 1.0
_BEYOND = 1.07
_STEERING_RAD = 0.005
_RISES_MB_IN_10_MIN = 1.0
_TEN_MINUTES_S = 600.0
_MB = 1e6
_SETTLES_WITHIN_S = 10.0
_QUIET_FOR_S = 1.0
_MOST_VIOLATIONS = 10
# Of normal priority, as control's threads are not: one for each core.
_HOG = "while True: pass"


def soak_processes(
    duration_s: float, seed: int, progress: Progress
) -> tuple[list[Record], list[Violation]]:
    """Run hardware, control and web for ``duration_s`` with everybody at them, and break things.

    Raises NotMeasuredError if a process ends.
    """
    with ExitStack() as stack:
        rig = stack.enter_context(running_rig(NO_PAD + loop_settings(_RATE_HZ, _PRIORITY)))
        processes = {"hardware": rig.start_hardware(), "control": rig.start_control()}
        port, key = rig.start_web()
        processes["web"] = rig.process("web")
        # Some threads are made when somebody first needs them, and stay.
        with ExitStack() as clients:
            arm_and_stop_once(Crowd(rig, port, key, random.Random(seed), clients), 60.0)
        alone = _quiet(processes)
        soak = _Soak(rig, processes, random.Random(seed))
        with ExitStack() as clients:
            crowd = Crowd(rig, port, key, random.Random(seed + 1), clients)
            with _hogs():
                soak.run(crowd, duration_s, progress)
        after = _settled(processes, alone)
        return soak.records(crowd, duration_s, alone, after), soak.violations


class _Soak:
    """Looks at the truth and at the processes, and puts faults in and takes them out."""

    def __init__(
        self, rig: Rig, processes: dict[str, "subprocess.Popen[bytes]"], chance: random.Random
    ) -> None:
        self._rig = rig
        self._processes = processes
        self._chance = chance
        config = rig.config
        self._top_rad_s = [wheel.max_speed_rad_s for wheel in config.wheels.values()]
        self._steer = [
            (w.steer.min_rad - _STEERING_RAD, w.steer.max_rad + _STEERING_RAD)
            if w.steer
            else (0.0, 0.0)
            for w in config.wheels.values()
        ]
        self._timeout_s = config.roboclaw.serial_timeout_s
        self._wheels = tuple(config.wheels)
        self._addresses = sorted({wheel.motor.address for wheel in config.wheels.values()})
        self._i2c = (config.steering.address, config.power.address)
        self._truths = TruthClient(str(rig.directory / "truth"))
        self._held: dict[str, list[Held]] = {name: [] for name in processes}
        self._looked = 0
        self._reset_s = self._line_low_s = -math.inf
        self._turned_rad = 0.0
        self._angle_rad: float | None = None
        self.faults = Counter[str]()
        self.violations: list[Violation] = []

    def run(self, crowd: Crowd, duration_s: float, progress: Progress) -> None:
        """Let everybody go on for ``duration_s``."""
        begin_s = time.monotonic()
        faults = self._break()
        truth_s = held_s = fault_s = begin_s
        seconds = math.ceil(duration_s)
        while (now_s := time.monotonic()) < begin_s + duration_s:
            crowd.turn()
            if now_s >= truth_s:
                truth_s = max(now_s, truth_s + _TRUTH_EVERY_S)
                self._check(crowd, self._truths.truth(), time.monotonic())
            if now_s >= fault_s:
                fault_s = time.monotonic() + next(faults)
            if now_s >= held_s:
                held_s += _HELD_EVERY_S
                self._look_at_processes(now_s - begin_s)
                progress(min(seconds, int(now_s - begin_s)), seconds)
            time.sleep(_TURN_S)
        self._look_at_processes(duration_s)
        self._truths.close()
        progress(seconds, seconds)

    def _look_at_processes(self, time_s: float) -> None:
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise NotMeasuredError(f"{name} has ended: {self._rig.told_by(name)[-600:]}")
            self._held[name].append(held_by(process.pid, time_s))

    def _check(self, crowd: Crowd, truth: Truth, now_s: float) -> None:
        self._looked += 1
        state_s = now_s - crowd.state_s
        fastest_rad_s = 0.0
        for wheel, top_rad_s, (low, high) in zip(
            truth.wheels, self._top_rad_s, self._steer, strict=True
        ):
            size = abs(wheel.speed_rad_s)
            fastest_rad_s = max(fastest_rad_s, size)
            if size > _BEYOND * top_rad_s:
                self._found(now_s, "no wheel beyond its limit", f"{wheel.name} {size:.2f} rad/s")
            if not low <= wheel.steer_rad <= high:
                detail = f"{wheel.name} at {wheel.steer_rad:.3f} rad"
                self._found(now_s, "no corner beyond its range", detail)
        off = crowd.state is not ArmState.ARMED and state_s > _STANDS_WITHIN_S
        if off and fastest_rad_s > _STANDING_RAD_S:
            detail = f"{fastest_rad_s:.2f} rad/s, {state_s:.1f} s after {crowd.state}"
            self._found(now_s, "wheels stand when it is not armed", detail)
        at_rest_s = now_s - crowd.at_rest_s
        if at_rest_s > _LETS_GO_WITHIN_S and fastest_rad_s > _CREEPS_RAD_S:
            detail = f"{fastest_rad_s:.2f} rad/s after {at_rest_s:.1f} s"
            self._found(now_s, "wheels stand when nobody drives", detail)
        # A change of state is told up to 50 ms after the line has followed it, and read later.
        latched = crowd.state in {ArmState.ESTOP, ArmState.FAULT}
        if not (latched and truth.motor_enable):
            self._line_low_s = now_s
        elif now_s - max(self._line_low_s, crowd.state_s) > _LINE_LOW_WITHIN_S:
            self._found(now_s, "motor-enable is low in ESTOP and FAULT", f"high, {crowd.state}")
        if crowd.state is ArmState.ARMED and state_s > _STANDS_WITHIN_S:
            for unit in truth.controllers:
                wrong = abs(unit.timeout_s - self._timeout_s) > 1e-6  # noqa: PLR2004 - rounding
                if wrong and now_s - self._reset_s > _STANDS_WITHIN_S:
                    detail = f"0x{unit.address:02X}: {unit.timeout_s} s"
                    self._found(now_s, "serial timeouts are set while armed", detail)
        angle_rad = truth.wheels[2].angle_rad
        if self._angle_rad is not None:
            self._turned_rad += abs(angle_rad - self._angle_rad)
        self._angle_rad = angle_rad

    def _break(self) -> Iterator[float]:
        """Put a fault in, take it out, and leave the rover alone: yields how long each takes."""
        chance = self._chance
        while True:
            yield chance.uniform(2.0, 12.0)
            address = chance.choice(self._addresses)
            wheel, i2c = chance.choice(self._wheels), chance.choice(self._i2c)
            bit = 1 << chance.randrange(29)
            volts = chance.uniform(12.0, 16.5)
            kinds: tuple[tuple[str, Fault, Fault | None], ...] = (
                ("one controller silent", Silence(address), Silence(address, silent=False)),
                ("serial cable out", CutSerial(), CutSerial(cut=False)),
                ("controller reset", PowerCycle(address), None),
                ("status bit", InjectStatus(address, bit), InjectStatus(address, 0)),
                ("wheel held", LockWheel(wheel), LockWheel(wheel, locked=False)),
                ("I2C device unplugged", UnplugI2c(i2c), UnplugI2c(i2c, unplugged=False)),
                ("bytes corrupted", CorruptBytes(share=0.01), CorruptBytes()),
                ("battery voltage", SetBatteryVoltage(volts), SetBatteryCharge(0.8)),
            )
            name, fault, mending = chance.choice(kinds)
            self.faults[name] += 1
            if isinstance(fault, PowerCycle):
                self._reset_s = time.monotonic()
            self._truths.inject(fault)
            if mending is not None:
                yield chance.uniform(0.05, 3.0)
                self._truths.inject(mending)

    def _found(self, now_s: float, rule: str, detail: str) -> None:
        if len(self.violations) < _MOST_VIOLATIONS:
            self.violations.append(Violation(now_s, rule, detail))

    def records(
        self,
        crowd: Crowd,
        duration_s: float,
        alone: dict[str, Held],
        after: dict[str, Held],
    ) -> list[Record]:
        """Return the lines of the table."""
        counts = crowd.counts
        radius_m = next(iter(self._rig.config.wheels.values())).radius_m
        did = ", ".join(f"{name} {n}" for name, n in sorted(counts.items()))
        faults = ", ".join(f"{name} {n}" for name, n in sorted(self.faults.items()))
        faults = faults or "none yet"
        found = "; ".join(sorted({one.rule for one in self.violations})) or "no rule was broken"
        records = [
            Record("real time", "min", Spread.single(duration_s / 60.0), did),
            Record(
                "looks at the truth, each held against every rule",
                "looks",
                Spread.single(self._looked),
                found,
                (Check("rules broken", len(self.violations), 0.0),),
            ),
            Record(
                "driven",
                "km",
                Spread.single(self._turned_rad * radius_m / 1000.0),
                f"{crowd.frames_seen} frames told to {2 + len(crowd.watchers)} pages",
            ),
            Record("faults put in", "faults", Spread.single(self.faults.total()), faults),
        ]
        for name, samples in self._held.items():
            records += _process_records(name, samples, alone[name], after[name])
        return records


def _process_records(
    name: str, samples: Sequence[Held], alone: Held, after: Held
) -> Iterator[Record]:
    half = samples[len(samples) // 2 :]
    rises = slope([(held.time_s, held.resident_bytes / _MB) for held in half]) * _TEN_MINUTES_S
    rises_mb = max(0.0, rises)
    share_mb = samples[-1].share_bytes / _MB
    yield Record(
        f"{name}, resident",
        "MB",
        Spread.of([held.resident_bytes / _MB for held in samples]),
        f"its share {share_mb:.1f} MB; over the last half it rises by {rises:.2f} MB in 10 minutes",
        (Check("rise in 10 min", rises_mb, _RISES_MB_IN_10_MIN),),
    )
    for what, values, before, later in (
        ("open files", [held.files for held in samples], alone.files, after.files),
        ("threads", [held.threads for held in samples], alone.threads, after.threads),
    ):
        yield Record(
            f"{name}, {what}",
            "1",
            Spread.of([float(value) for value in values]),
            f"{before} before anybody came, {later} after all had gone",
            (Check("left over", float(max(0, later - before)), 0.0),),
        )


def _settled(
    processes: dict[str, "subprocess.Popen[bytes]"], alone: dict[str, Held]
) -> dict[str, Held]:
    """Return what processes hold once everybody has gone: as before, or after a while."""
    deadline_s = time.monotonic() + _SETTLES_WITHIN_S
    while True:
        after = {name: held_by(process.pid, 0.0) for name, process in processes.items()}
        back = all(
            after[name].files <= alone[name].files and after[name].threads <= alone[name].threads
            for name in processes
        )
        if back or time.monotonic() > deadline_s:
            return after
        time.sleep(0.05)


def _quiet(processes: dict[str, "subprocess.Popen[bytes]"]) -> dict[str, Held]:
    """Return what processes hold once that has not changed for a while."""
    deadline_s = time.monotonic() + _SETTLES_WITHIN_S
    before, since_s = None, time.monotonic()
    while True:
        now = {name: held_by(process.pid, 0.0) for name, process in processes.items()}
        counts = [(held.files, held.threads) for held in now.values()]
        if counts != before:
            before, since_s = counts, time.monotonic()
        if time.monotonic() > min(deadline_s, since_s + _QUIET_FOR_S):
            return now
        time.sleep(0.05)


@contextmanager
def _hogs() -> Iterator[None]:
    """Keep every core busy at normal priority meanwhile."""
    hogs = [subprocess.Popen((sys.executable, "-c", _HOG)) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()
