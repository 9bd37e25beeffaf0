"""Hours on the manual clock: the real loop and drivers, byte-level devices, no waiting."""

import gc
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct, structs

from benchmarks.soak.breaking import Breaker
from benchmarks.soak.found import Violation
from benchmarks.soak.people import Driver, Scene, Script, looks_after
from benchmarks.soak.rules import Rules
from rover.config import Config
from rover.gamepad import GamepadUpdate
from rover.messages import ArmState, Source
from tests.builders import osr_config
from tests.whole.memory_rover import FakePad, MemoryRover

_STOP_BUTTON_LINE = 17
# Caches and the rings of events have filled up by then.
WARM_UP_S = 600.0
_SAMPLE_EVERY_S = 600.0


class Memory(Struct, frozen=True):
    """What this process held, after a collection: Python's blocks, its objects, pages, files."""

    time_s: float
    blocks: int
    objects: int
    resident_bytes: int
    threads: int
    files: int


class Share(Struct, frozen=True):
    """What became of one process's share of the hours."""

    seed: int
    simulated_s: float
    ticks: int
    violations: tuple[Violation, ...]
    broken: dict[str, int]
    counts: dict[str, int]
    stop_times_s: tuple[float, ...]
    deaf_stop_times_s: tuple[float, ...]
    fastest_share: float
    longest_astray_s: float
    armed_s: float
    driven_m: float
    memory: tuple[Memory, ...]


def soaked_config() -> Config:
    """Return the built-in rover with a stop button."""
    config = osr_config()
    panel = structs.replace(config.panel, stop_button=_STOP_BUTTON_LINE)
    return structs.replace(config, panel=panel)


def soak(seed: int, duration_s: float, tell: Callable[[float], None]) -> Share:
    """Drive and break a rover for ``duration_s`` of its time; ``tell`` hears how far it is."""
    pad = _Pad()
    rover = MemoryRover(soaked_config(), make_pad=lambda config, clock: pad)
    rules = Rules(rover.config, rover.simulated.devices)
    scene = Scene(rover, pad, rules, seed)
    run = _Run(scene, pad)
    begin_s = rover.clock.now_s()
    end_s = begin_s + duration_s
    warm_s = begin_s + min(WARM_UP_S, duration_s / 2.0)
    sample_s, memory = warm_s, []
    while (now_s := rover.clock.now_s()) < end_s and not rules.found.too_many and not run.ended:
        run.turn()
        if now_s >= sample_s:
            sample_s = now_s + _SAMPLE_EVERY_S
            memory.append(_memory(now_s))
            tell(now_s - begin_s)
    memory.append(_memory(rover.clock.now_s()))
    tell(duration_s)
    return Share(
        seed=seed,
        simulated_s=rover.clock.now_s() - begin_s,
        ticks=rules.checked,
        violations=tuple(rules.found.violations),
        broken=dict(rules.found.broken),
        counts=dict(scene.counts),
        stop_times_s=tuple(rules.wheels.stop_times_s),
        deaf_stop_times_s=tuple(rules.wheels.deaf_stop_times_s),
        fastest_share=rules.wheels.fastest_share,
        longest_astray_s=rules.wheels.longest_astray_s,
        armed_s=run.armed_s,
        driven_m=run.driven_m,
        memory=tuple(memory),
    )


class _Pad(FakePad):
    """Tells when control has heard everybody, the pad first."""

    polled_s = 0.0

    def poll(self, now_s: float) -> GamepadUpdate:
        self.polled_s = now_s
        update: GamepadUpdate = super().poll(now_s)
        return update


class _Run:
    """The scripts of everybody, run between ticks, and what a tick did."""

    def __init__(self, scene: Scene, pad: _Pad) -> None:
        self._scene = scene
        self._noted = pad
        web, self._pad = Driver(scene, Source.WEB), Driver(scene, Source.GAMEPAD)
        breaker = Breaker(scene)
        scripts = (
            web.script(),
            self._pad.script(),
            web.page(),
            looks_after(scene),
            breaker.script(),
            breaker.script(),
            breaker.charges(),
        )
        self._due: list[tuple[float, Script]] = [(scene.now_s, script) for script in scripts]
        self._radius_m = next(iter(scene.rover.config.wheels.values())).radius_m
        self._told = 0.0
        self.ended = False
        self.armed_s = 0.0
        self.driven_m = 0.0

    def turn(self) -> None:
        """Let everybody do what they want, and run a tick."""
        scene, rover = self._scene, self._scene.rover
        now_s = scene.now_s
        for number, (due_s, script) in enumerate(self._due):
            if due_s <= now_s:
                wait_s = next(script)
                self._due[number] = (scene.now_s + wait_s, script)
        self._pad.say()
        before = rover.state
        began_s = scene.now_s
        try:
            rover.tick()
        except Exception as error:  # noqa: BLE001 - any at all is what is looked for
            scene.rules.failed(scene.now_s, error)
            self.ended = True
            return
        now_s = scene.now_s
        state = rover.state
        scene.rules.check(self._noted.polled_s, now_s, state)
        if state is not before:
            scene.counts[f"became {state}"] += 1
        if state is ArmState.ARMED:
            self.armed_s += now_s - began_s
        self.driven_m += (
            abs(rover.simulated.devices.plant.motors[2].speed_rad_s)
            * self._radius_m
            * (now_s - began_s)
        )
        published = rover.link.published
        if published:
            scene.rules.shown.told(published[-1])
            scene.counts["frames of telemetry"] += len(published)
            published.clear()
        rover.link.answers.clear()


def _memory(now_s: float) -> Memory:
    gc.collect()
    return Memory(
        time_s=now_s,
        blocks=sys.getallocatedblocks(),
        objects=len(gc.get_objects()),
        resident_bytes=_resident_bytes(),
        threads=threading.active_count(),
        files=len(os.listdir("/proc/self/fd")),
    )


def _resident_bytes() -> int:
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
