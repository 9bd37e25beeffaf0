"""Everybody who is at a real rover at once: a driver, one who arms and stops, ten who watch."""

import random
import time
from collections import Counter
from contextlib import ExitStack

from benchmarks.harness import NotMeasuredError
from benchmarks.phone import Phone
from benchmarks.rig import Rig
from rover.link import ControlClient
from rover.messages import ArmState, Telemetry

WATCHERS = 10
DRIVE_EVERY_S = 0.02
_LOOK_S = 0.7
_LEFT_ALONE_S = 5.0
_SLOW_READER_EVERY_S = 1.0


class Crowd:
    """Everybody's ends; ``turn`` lets each do what is due. All chance comes from ``chance``."""

    def __init__(
        self, rig: Rig, port: int, key: str, chance: random.Random, stack: ExitStack
    ) -> None:
        self._chance = chance
        self._driver = stack.enter_context(Phone(port, key))
        self._asker = stack.enter_context(Phone(port, key))
        self.watchers = [stack.enter_context(Phone(port, key)) for _ in range(WATCHERS)]
        self._slow = ControlClient(rig.directory)
        stack.callback(self._slow.close)
        self._rig = rig
        self._sticks = (0.0, 0.0, "arc", 1.0)
        self._silent = False
        self._leg_end_s = self._drive_s = self._slow_s = 0.0
        self._next_ask_s = 0.0
        self._interferes_s = time.monotonic() + _LEFT_ALONE_S
        self.counts = Counter[str]()
        # Since when nobody asks for motion; infinity while somebody does.
        self.at_rest_s = time.monotonic()
        self.state = ArmState.DISARMED
        self.state_s = time.monotonic()
        self.frames = 0

    def turn(self) -> None:
        """Read what has come, and do what is due."""
        now_s = time.monotonic()
        for phone in (self._driver, self._asker, *self.watchers):
            phone.read()
        telemetry = self._rig.client.telemetry(0.0)
        while telemetry is not None:
            self._look(telemetry, now_s)
            telemetry = self._rig.client.telemetry(0.0)
        if now_s >= self._slow_s:
            # Reads one frame a second of twenty: the rest is dropped at control.
            self._slow_s = now_s + _SLOW_READER_EVERY_S
            self._slow.telemetry(0.0)
        if now_s >= self._leg_end_s:
            self._choose(now_s)
        if now_s >= self._drive_s:
            self._drive_s = max(now_s, self._drive_s + DRIVE_EVERY_S)
            if not self._silent:
                drive, turn, mode, limit = self._sticks
                self._driver.hold(drive, turn, mode, limit)
                self.counts["drive frames"] += 1
        if now_s >= self._next_ask_s:
            self._ask(now_s)

    @property
    def frames_seen(self) -> int:
        """How many frames all pages have been told."""
        return sum(phone.frames for phone in (self._driver, self._asker, *self.watchers))

    def _look(self, telemetry: Telemetry, now_s: float) -> None:
        self.frames += 1
        if telemetry.state is not self.state:
            self.state, self.state_s = telemetry.state, now_s
            self.counts[f"became {telemetry.state}"] += 1

    def _choose(self, now_s: float) -> None:
        """Choose where to hold the sticks next, and for how long."""
        chance = self._chance
        kind = chance.choices(("drive", "rest", "silent"), (60, 30, 10))[0]
        if self.state is not ArmState.ARMED:
            kind = "rest"
        self._silent = kind == "silent"
        if kind == "drive":
            mode = chance.choice(("arc", "arc", "arc", "spin"))
            way = chance.choice((-1.0, 1.0)) * chance.uniform(0.5, 1.0)
            turn = chance.choice((0.0, chance.uniform(-1.0, 1.0)))
            self._sticks = (way, way if mode == "spin" else turn, mode, 1.0)
            self.at_rest_s = float("inf")
        elif kind == "rest":
            self._sticks = (0.0, 0.0, "arc", 1.0)
        if kind != "drive" and self.at_rest_s > now_s:
            self.at_rest_s = now_s
        self.counts[kind] += 1
        self._leg_end_s = now_s + chance.uniform(0.2, 3.0)

    def _ask(self, now_s: float) -> None:
        """Clear and arm properly; stop and disarm now and then."""
        chance = self._chance
        self._next_ask_s = now_s + _LOOK_S
        if self.state is ArmState.ARMED:
            if now_s >= self._interferes_s:
                self._interferes_s = now_s + chance.uniform(5.0, 40.0)
                self.request(chance.choice(("stop", "disarm", "stop")))
        elif self.state is ArmState.DISARMED:
            self.request("arm")
        else:
            self.request("clear")

    def request(self, kind: str) -> None:
        """Ask for something, having seen the rover as it is."""
        self._asker.ask(kind, self.state)
        self.counts[f"asked to {kind}"] += 1


def arm_and_stop_once(crowd: Crowd, within_s: float) -> None:
    """Let everybody go on until the rover has been armed and stopped once.

    Raises NotMeasuredError.
    """
    deadline_s = time.monotonic() + within_s
    for wish in (ArmState.ARMED, ArmState.ESTOP):
        if wish is ArmState.ESTOP:
            crowd.request("stop")
        while not crowd.counts[f"became {wish}"]:
            if time.monotonic() > deadline_s:
                raise NotMeasuredError(f"the rover did not become {wish} within {within_s:g} s")
            crowd.turn()
            time.sleep(0.005)
