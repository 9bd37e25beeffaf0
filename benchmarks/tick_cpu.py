"""The processor time of one tick, all of ours, and where it goes.

The whole loop with its drivers, a plugged-in gamepad and the real sockets to clients drives a
circle; what the devices answer is played back, so that the simulator costs nothing. Beside it
the real control process on the simulated hardware, with what the kernel and ZeroMQ's own
thread cost it.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.control_process import read_ticks
from benchmarks.harness import Effort, Measurement, Progress
from benchmarks.processes import cpu_time_s
from benchmarks.records import Check, Record, Spread
from benchmarks.replay import ReplayingI2c, ReplayingLine, StillLines, Tape, TapingI2c, TapingLine
from benchmarks.rig import end, loop_settings, running_rig
from benchmarks.stopwatch import Stopwatch
from benchmarks.whole_loop import FarEnds, WholeLoop
from rover.clock import ManualClock
from rover.config import Config
from rover.messages import Arc
from rover.sim.memory import SimulatedRover
from tests.builders import osr_config

_LIMIT_MS = 0.5
_RATE_HZ = 100.0
_PRIORITY = 50
_REAL_S = 20.0
_CIRCLE = Arc(0.5, 1.0)


def _measure(effort: Effort, progress: Progress) -> list[Record]:
    ticks = effort.count(full=6000, tiny=50)
    config = osr_config()
    tape = _record_drive(config, 2 * ticks)
    progress(1, 3)
    with _replayed(config, tape) as whole:
        spread = Spread.of([whole.tick() for _ in range(ticks)]).scaled(1e3)
        stages = _stages(whole, ticks)
    progress(2, 3)
    real = [_real_process(_REAL_S)] if effort is Effort.FULL else []
    progress(3, 3)
    return [
        Record(
            "one tick, all of ours",
            "ms",
            spread,
            f"mean {spread.mean:.3f} ms: at {_RATE_HZ:.0f} Hz {spread.mean * _RATE_HZ / 10:.1f} % "
            "of a core",
            (Check("mean", spread.mean, _LIMIT_MS),),
        ),
        *real,
        *stages,
    ]


def _record_drive(config: Config, ticks: int) -> Tape:
    """Let the simulator answer a drive of so many ticks; return what it answered."""
    tape, clock = Tape(), ManualClock()
    simulated = SimulatedRover(config, clock)
    ends = FarEnds(
        TapingLine(simulated.serial_line, clock, tape),
        TapingI2c(simulated.i2c, tape),
        simulated.lines,
    )
    with _driving(config, clock, ends) as whole:
        for _ in range(ticks):
            whole.tick()
    return tape


@contextmanager
def _replayed(config: Config, tape: Tape) -> Iterator[WholeLoop]:
    clock = ManualClock()
    ends = FarEnds(ReplayingLine(clock, tape), ReplayingI2c(tape), StillLines())
    with _driving(config, clock, ends) as whole:
        yield whole


@contextmanager
def _driving(config: Config, clock: ManualClock, ends: FarEnds) -> Iterator[WholeLoop]:
    with tempfile.TemporaryDirectory(prefix="rover-bench-") as name:
        whole = WholeLoop(config, clock, Path(name), ends)
        with closing(whole):
            whole.drive_circle()
            yield whole


def _stages(whole: WholeLoop, ticks: int) -> list[Record]:
    """Return how long each stage takes; those of the drivers are parts of the loop's."""
    watch = Stopwatch()
    for owner, method, stage in (
        (whole.loop._hearing, "hear", "hear: link, gamepad, arbiter"),
        (whole.pad, "poll", "hear: gamepad alone"),
        (whole.loop, "_decide", "decide: govern, steer, permit, write"),
        (whole.hardware.drive, "command", "decide: writing drives alone"),
        (whole.loop, "_observe", "observe: read, odometry, conditions"),
        (whole.hardware.drive, "poll", "observe: reading drives alone"),
        (whole.loop, "_publish", "publish, every fifth tick"),
    ):
        watch.put_on(owner, method, stage)
    for _ in range(ticks):
        whole.tick()
    return [
        Record(
            stage,
            "ms",
            Spread.of(times_s).scaled(1e3),
            f"{sum(times_s) / ticks * 1e3:.3f} ms of a tick on average",
        )
        for stage, times_s in watch.times_s.items()
    ]


def _real_process(duration_s: float) -> Record:
    with running_rig(loop_settings(_RATE_HZ, _PRIORITY)) as rig:
        path = rig.directory / "ticks"
        rig.start_hardware()
        control = rig.start_control((sys.executable, "-m", "benchmarks.control_process", str(path)))
        rig.arm()
        rig.drive(_CIRCLE, 0.5)
        began_s, before_s = rig.clock.now_s(), cpu_time_s(control.pid)
        rig.drive(_CIRCLE, duration_s)
        used_s, ended_s = cpu_time_s(control.pid) - before_s, rig.clock.now_s()
        rig.require_armed()
        end(control)
        ticks = sum(began_s <= tick.started_s < ended_s for tick in read_ticks(path))
    return Record(
        "one tick of the real process",
        "ms",
        Spread.single(used_s / ticks * 1e3),
        f"on average, with all its system calls, its waking up and ZeroMQ's thread; "
        f"{ticks / (ended_s - began_s):.0f} ticks a second, as commands bring some forward, take "
        f"{used_s / (ended_s - began_s) * 100:.1f} % of a core",
    )


MEASUREMENT = Measurement("tick-cpu", "Processor time of one tick", _measure)
