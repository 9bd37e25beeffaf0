"""The safety rules under any order of commands, stops, requests, failures and pauses.

The loop and everything it decides with are the real ones. What must hold is worked out here
from what was said to it alone: no state of arbiter, arming, governor or gate is looked at but
the arming state, which the rover tells everybody.
"""

import itertools
import math

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rover.clock import ManualClock
from rover.hardware import Hardware
from rover.link import ReceivedRequest, RefusedDrive
from rover.loop import ControlLoop
from rover.messages import (
    Arc,
    ArmState,
    Crab,
    DriveCommand,
    Motion,
    Request,
    RequestKind,
    Source,
    Spin,
    Stop,
    is_neutral,
)
from tests.builders import osr_config
from tests.whole.memory_rover import FakeLink, FakePad
from tests.whole.obedient_hardware import ButtonPanel, ObedientSteering, drive_of, obedient_hardware

TICK_S = 0.01
CONFIG = osr_config()
DEADLINE_S = {
    Source.GAMEPAD: CONFIG.deadlines.gamepad_s,
    Source.WEB: CONFIG.deadlines.web_s,
}
TOP_RAD_S = tuple(wheel.max_speed_rad_s for wheel in CONFIG.wheels.values())
STEER_RAD = tuple(
    (wheel.steer.min_rad, wheel.steer.max_rad) if wheel.steer else (0.0, 0.0)
    for wheel in CONFIG.wheels.values()
)
ROUNDING = 1e-6
AT_REST = Arc(0.0, 0.0)

speeds = st.floats(-5.0, 5.0) | st.sampled_from([0.0, 1.0, -1.0, math.inf, -math.inf, math.nan])
motions: st.SearchStrategy[Motion] = (
    st.builds(Arc, speeds, st.floats(-6.0, 6.0))
    | st.builds(Spin, speeds)
    | st.builds(Crab, speeds, st.floats(-4.0, 4.0))
)
sources = st.sampled_from(list(Source))


class Rules(RuleBasedStateMachine):
    """Everything that can be done to a rover, and what must be so after every tick of it."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.hardware: Hardware = obedient_hardware(CONFIG, self.clock)
        self.drive = drive_of(self.hardware)
        self.steering = self.hardware.steering
        self.panel = self.hardware.panel
        assert isinstance(self.steering, ObedientSteering)
        assert isinstance(self.panel, ButtonPanel)
        self.link = FakeLink()
        self.loop = ControlLoop(CONFIG, self.clock, self.hardware, self.link, FakePad())
        self.sequence = itertools.count(1)
        self.saying: dict[Source, Motion] = {}
        # What each source last said and when, and whether it has been at neutral since the last
        # failsafe: the rover may move only by a source that has.
        self.said: dict[Source, tuple[Motion, float]] = {}
        self.rested: set[Source] = set()
        self.last_rad_s = (0.0,) * len(CONFIG.wheels)
        self.last_steer_rad: tuple[float, ...] | None = None
        self.loop.start()

    @initialize()
    def comes_up(self) -> None:
        self.ticks(5)

    @rule(source=sources, motion=motions)
    def says(self, source: Source, motion: Motion) -> None:
        self.saying[source] = motion

    @rule(source=sources)
    def comes_to_rest(self, source: Source) -> None:
        self.saying[source] = AT_REST

    @rule(source=sources)
    def falls_silent(self, source: Source) -> None:
        self.saying.pop(source, None)

    @rule(source=sources)
    def says_stop(self, source: Source) -> None:
        self.deliver(source, Stop("a test"), self.clock.now_s())
        self.tick()

    @rule(source=sources, motion=motions, age_s=st.floats(0.0, 5.0))
    def says_something_late(self, source: Source, motion: Motion, age_s: float) -> None:
        self.deliver(source, motion, self.clock.now_s() - age_s)
        self.tick()

    @rule(source=sources, motion=motions, ahead_s=st.floats(2 * TICK_S, 1e6))
    def says_something_from_the_future(
        self, source: Source, motion: Motion, ahead_s: float
    ) -> None:
        self.link.drive.append(
            DriveCommand(source, next(self.sequence), self.clock.now_s() + ahead_s, motion)
        )
        self.rested.clear()
        self.tick()

    @rule(source=sources)
    def says_rubbish(self, source: Source) -> None:
        self.link.refused.append(RefusedDrive(source, "not a drive command"))
        self.rested.clear()
        self.tick()

    @rule(kind=st.sampled_from(list(RequestKind)), age_s=st.sampled_from([0.0, 0.3, 0.7]))
    def asks(self, kind: RequestKind, age_s: float) -> None:
        request = Request(kind, "a test", self.clock.now_s() - age_s)
        self.link.requests.append(ReceivedRequest(request, (b"", b"")))
        self.tick()

    @rule(source=sources, motion=motions)
    def is_armed_and_driven(self, source: Source, motion: Motion) -> None:
        """What random requests seldom come to: everything in order, then motion."""
        self.drive.broken = self.steering_broken = self.panel_pressed = False
        self.saying = {source: AT_REST}
        self.ticks(60)
        for kind in (RequestKind.CLEAR, RequestKind.ARM):
            self.asks(kind, 0.0)
            self.ticks(60)
        assert self.state is ArmState.ARMED
        self.saying[source] = motion
        self.ticks(30)

    @rule(pressed=st.booleans())
    def presses_the_button(self, pressed: bool) -> None:
        self.panel_pressed = pressed
        self.tick()

    @rule(broken=st.booleans())
    def controller_breaks(self, broken: bool) -> None:
        self.drive.broken = broken
        self.tick()

    @rule(broken=st.booleans())
    def steering_breaks(self, broken: bool) -> None:
        self.steering_broken = broken
        self.tick()

    @rule(count=st.integers(1, 60))
    def time_passes(self, count: int) -> None:
        self.ticks(count)

    @precondition(lambda self: self.saying)
    @rule(pause_s=st.floats(0.0, 1.0))
    def loop_stands_still(self, pause_s: float) -> None:
        self.clock.sleep_s(pause_s)
        self.tick()

    @invariant()
    def the_emergency_stop_and_faults_drop_motor_enable(self) -> None:
        assert isinstance(self.panel, ButtonPanel)
        if self.state in {ArmState.ESTOP, ArmState.FAULT}:
            assert not self.panel.enabled

    @property
    def state(self) -> ArmState:
        return self.loop.arming.state

    @property
    def panel_pressed(self) -> bool:
        assert isinstance(self.panel, ButtonPanel)
        return self.panel.pressed

    @panel_pressed.setter
    def panel_pressed(self, pressed: bool) -> None:
        assert isinstance(self.panel, ButtonPanel)
        self.panel.pressed = pressed

    @property
    def steering_broken(self) -> bool:
        assert isinstance(self.steering, ObedientSteering)
        return self.steering.broken

    @steering_broken.setter
    def steering_broken(self, broken: bool) -> None:
        assert isinstance(self.steering, ObedientSteering)
        self.steering.broken = broken

    def deliver(self, source: Source, motion: Motion, stamp_s: float) -> None:
        """Have a command reach the next tick, and note what it can at most mean."""
        self.link.drive.append(DriveCommand(source, next(self.sequence), stamp_s, motion))
        if isinstance(motion, Stop):
            self.rested.clear()
            return
        _, newest_s = self.said.get(source, (AT_REST, -math.inf))
        if stamp_s > newest_s:
            self.said[source] = (motion, stamp_s)
            if is_neutral(motion):
                self.rested.add(source)

    def ticks(self, count: int) -> None:
        for _ in range(count):
            self.tick()

    def tick(self) -> None:
        """Let a tick pass, and hold what it did against the rules."""
        self.clock.sleep_s(TICK_S)
        now_s = self.clock.now_s()
        for source, deadline_s in DEADLINE_S.items():
            _, stamp_s = self.said.get(source, (AT_REST, -math.inf))
            if now_s - TICK_S - stamp_s > deadline_s:
                # Forgotten: also if it speaks up again in this very tick.
                self.rested.discard(source)
        for source, motion in self.saying.items():
            self.deliver(source, motion, now_s)
        before = self.state
        self.loop.tick()
        self.check(before, now_s)
        if self.state is not before:
            self.rested.clear()

    def check(self, before: ArmState, now_s: float) -> None:
        permitted = self.drive.permitted
        assert permitted is not None
        wheel_rad_s, steer_rad = permitted.wheel_rad_s, permitted.steer_rad
        armed = ArmState.ARMED in {before, self.state}
        if not armed or ArmState.ESTOP is self.state or self.panel_pressed:
            assert not permitted.power
        if not permitted.power:
            assert not any(wheel_rad_s)
        for value, (low_rad, high_rad) in zip(steer_rad, STEER_RAD, strict=True):
            assert low_rad - ROUNDING <= value <= high_rad + ROUNDING
        for value, top_rad_s in zip(wheel_rad_s, TOP_RAD_S, strict=True):
            assert abs(value) <= top_rad_s + ROUNDING
        faster = [
            abs(value) > abs(last) + ROUNDING or value * last < 0.0
            for value, last in zip(wheel_rad_s, self.last_rad_s, strict=True)
        ]
        if any(faster):
            assert self.may_drive(now_s), "it speeds up though nobody may have it so"
        self.last_rad_s = wheel_rad_s
        if self.last_steer_rad is not None and not permitted.release:
            step_rad = max(
                abs(value - last)
                for value, last in zip(steer_rad, self.last_steer_rad, strict=True)
            )
            # A tick after a pause may do what a tenth of a second allows.
            assert step_rad <= CONFIG.gate.max_steer_rate_rad_s * 0.1 + ROUNDING
        self.last_steer_rad = None if permitted.release else steer_rad

    def may_drive(self, now_s: float) -> bool:
        """Whether some source asks for motion now and has been at neutral since the last stop."""
        return any(
            source in self.rested
            and not is_neutral(motion)
            and now_s - stamp_s <= DEADLINE_S[source] + TICK_S
            for source, (motion, stamp_s) in self.said.items()
        )


Rules.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestRules = Rules.TestCase
