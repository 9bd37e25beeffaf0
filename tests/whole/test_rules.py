"""The safety rules under any order of commands, stops, requests, failures and pauses.

The loop and everything it decides with are the real ones. What must hold is worked out from
what was said to it and what its wheels were told: no state of arbiter, arming, governor or
gate is looked at but the arming state, which the rover tells everybody.
"""

import itertools
import math

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from rover.clock import ManualClock
from rover.gamepad import GamepadUpdate
from rover.link import ReceivedRequest, RefusedDrive
from rover.loop import ControlLoop
from rover.messages import (
    Arc,
    ArmState,
    Crab,
    DriveCommand,
    MaintenanceOrder,
    Motion,
    Order,
    Request,
    RequestKind,
    Rest,
    Source,
    Spin,
    Stop,
    TurnServo,
    TurnWheel,
    WheelTargets,
    is_neutral,
)
from rover.motion.gate import PermittedTargets
from tests.builders import osr_config
from tests.conftest import stateful
from tests.what_one_thing_may_do import OneThingRules
from tests.what_wheels_may_do import WheelRules, faster
from tests.who_may_drive import WhoMayDrive
from tests.whole.memory_rover import FakeLink, FakePad
from tests.whole.obedient_hardware import (
    ButtonPanel,
    ObedientSteering,
    drive_of,
    obedient_hardware,
)

TICK_S = 0.01
CONFIG = osr_config()
COUNT = len(CONFIG.wheels)
AT_REST = Arc(0.0, 0.0)
LOOK_S = 0.5
# The loop may stand still for two thirds of the controllers' own timeout.
STALL_S = CONFIG.roboclaw.serial_timeout_s * 2 / 3
MOVING = {ArmState.ARMED, ArmState.MAINTENANCE}
LATCHED = {ArmState.ESTOP, ArmState.FAULT}

ODD = (math.nan, math.inf, -math.inf)
speeds = st.sampled_from([1.0, -1.0, 0.3, 1.5, -9.0, *ODD]) | st.floats(-2.0, 2.0)
turns = st.sampled_from([0.0, 0.0, 2.2, -2.2, math.nan, math.inf]) | st.floats(-3.0, 3.0)
fair_motions = st.builds(Arc, st.sampled_from([1.5, -1.0, 0.5]), st.sampled_from([0.0, 1.0, -2.2]))
motions: st.SearchStrategy[Motion] = (
    st.builds(Arc, speeds, turns) | st.builds(Spin, speeds) | st.builds(Crab, speeds, turns)
)
sources = st.sampled_from(list(Source))
wheels = st.integers(0, COUNT - 1)
orders: st.SearchStrategy[Order] = st.sampled_from(
    [
        TurnWheel("left_front", 0.15),
        TurnWheel("right_rear", -9.0),
        TurnWheel("left_front", math.nan),
        TurnServo("left_front", 0.4),
        TurnServo("right_rear", -9.0),
        TurnServo("left_middle", 0.1),
        Rest(),
    ]
)
fair_orders: st.SearchStrategy[Order] = st.sampled_from(
    [TurnWheel("left_front", 0.15), TurnServo("right_rear", 0.4)]
)
kinds = st.sampled_from(list(RequestKind))


class Rules(RuleBasedStateMachine):
    """Everything that can be done to a rover, and what must be so after every tick of it."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        hardware = obedient_hardware(CONFIG, self.clock)
        self.drive = drive_of(hardware)
        assert isinstance(hardware.steering, ObedientSteering)
        assert isinstance(hardware.panel, ButtonPanel)
        self.steering, self.panel = hardware.steering, hardware.panel
        self.link, self.pad = FakeLink(), FakePad()
        self.loop = ControlLoop(CONFIG, self.clock, hardware, self.link, self.pad)
        self.drive.when_commanded = self.commanded
        self.sequence = itertools.count(1)
        self.saying: dict[Source, Motion] = {}
        # Whether the pad speaks as a pad does, or as if the link had let it through.
        self.by_pad = True
        self.pad_held = False
        self.pad_once: Motion | None = None
        self.requests: list[RequestKind] = []
        self.pad_requests: list[RequestKind] = []
        self.timely = True
        self.expected = WhoMayDrive(CONFIG)
        self.wheels = WheelRules(CONFIG)
        self.changed_s = -math.inf
        self.commanded_s = self.clock.now_s()
        self.state_commanded = ArmState.DISARMED
        self.since_s: dict[str, float] = {}
        self.owed_rad = [0.0] * COUNT
        self.one_thing = OneThingRules(CONFIG)
        # What a session goes on saying, and the newest that it has said to move.
        self.order: Order | None = None
        self.ordered: tuple[Order, float] | None = None
        self.spoke_s = -math.inf
        self.loop.start()

    @initialize()
    def comes_up(self) -> None:
        self.ticks(5)

    # Driving.

    @rule(source=sources, motion=fair_motions | motions, count=st.integers(1, 40))
    def drives(self, source: Source, motion: Motion, count: int) -> None:
        self.saying[source] = motion
        self.ticks(count)

    @rule(source=sources, count=st.integers(1, 40))
    def comes_to_rest(self, source: Source, count: int) -> None:
        self.saying[source] = AT_REST
        self.ticks(count)

    @rule(source=sources, count=st.integers(1, 40))
    def falls_silent(self, source: Source, count: int) -> None:
        self.saying.pop(source, None)
        self.ticks(count)

    @rule(source=sources, motion=fair_motions, rested=st.booleans())
    def falls_silent_and_comes_back(self, source: Source, motion: Motion, rested: bool) -> None:
        if rested:
            self.saying[source] = AT_REST
            self.tick()
        self.saying.pop(source, None)
        self.ticks(int(self.expected.deadline_s[source] / TICK_S) + 2)
        self.saying[source] = motion
        self.ticks(60)

    @rule(source=sources, motion=fair_motions, other=fair_motions)
    def loses_the_wheel_and_gets_it_back(
        self, source: Source, motion: Motion, other: Motion
    ) -> None:
        """Whoever comes second, or loses to the pad, must come to rest before the next turn."""
        self.saying = dict.fromkeys(Source, AT_REST)
        self.tick()
        self.saying[source] = motion
        self.ticks(5)
        rival = Source.WEB if source is Source.GAMEPAD else Source.GAMEPAD
        self.saying[rival] = other
        self.ticks(5)
        self.saying[source if source is Source.GAMEPAD else rival] = AT_REST
        self.ticks(80)

    @rule(source=sources, motion=fair_motions, other=fair_motions)
    def falls_silent_beside_another(self, source: Source, motion: Motion, other: Motion) -> None:
        """Whoever was at rest when the driver was lost must come to rest again."""
        self.is_driving()
        rival = Source.WEB if source is Source.GAMEPAD else Source.GAMEPAD
        self.saying = {source: AT_REST}
        self.tick()
        self.saying = {source: motion}
        self.ticks(20)
        self.hears(rival, AT_REST, self.clock.now_s() + TICK_S)
        self.tick()
        self.saying.clear()
        self.ticks(int(self.expected.deadline_s[source] / TICK_S) + 2)
        self.saying = {rival: other}
        self.ticks(40)

    @rule(source=sources, age_s=st.sampled_from([0.0, 0.05, 2.0, -0.5, math.nan]))
    def says_stop(self, source: Source, age_s: float) -> None:
        """However late it comes, and whatever time it bears."""
        if source is Source.GAMEPAD and self.by_pad:
            self.pad_once = Stop("a test")
        else:
            self.hears(source, Stop("a test"), self.clock.now_s() - age_s)
        self.ticks(3)

    @rule(
        batch=st.lists(
            st.tuples(sources, fair_motions | st.just(AT_REST) | st.just(Stop("a test"))),
            min_size=2,
            max_size=6,
        ),
        late_s=st.sampled_from([0.0, 0.0, 0.02, 1.0]),
    )
    def says_much_in_one_tick(self, batch: list[tuple[Source, Motion]], late_s: float) -> None:
        for number, (source, motion) in enumerate(batch):
            self.hears(source, motion, self.clock.now_s() - late_s + number * 1e-4)
        self.ticks(3)

    @rule(source=sources, motion=motions, age_s=st.sampled_from([*ODD, 0.05, 0.2, 5.0, -0.1]))
    def says_something_at_an_odd_time(self, source: Source, motion: Motion, age_s: float) -> None:
        self.hears(source, motion, self.clock.now_s() - age_s)
        self.ticks(3)

    @rule(source=sources)
    def says_rubbish(self, source: Source) -> None:
        self.is_driving()
        self.link.refused.append(RefusedDrive(source, "not a drive command"))
        self.ticks(3)

    @rule(by_pad=st.booleans(), held=st.booleans())
    def has_the_pad_in_hand(self, by_pad: bool, held: bool) -> None:
        """Let the pad come over the link or not; hold something on it that does not count."""
        self.by_pad, self.pad_held = by_pad, held
        self.tick()

    # Requests.

    @rule(
        batch=st.lists(kinds, min_size=1, max_size=3),
        by_pad=st.booleans(),
        age_s=st.sampled_from([0.0, 0.0, 0.0, 0.3, 0.7, *ODD]),
    )
    def asks(self, batch: list[RequestKind], by_pad: bool, age_s: float) -> None:
        """ARM and STOP in one tick, in both orders, is among these."""
        if by_pad:
            self.pad_requests += batch
        else:
            self.send(batch, age_s)
        self.ticks(2)

    @rule(kind=kinds, other=kinds)
    def two_ask_at_once(self, kind: RequestKind, other: RequestKind) -> None:
        self.pad_requests.append(kind)
        self.send([other], 0.0)
        self.ticks(2)

    @rule(source=sources, motion=fair_motions)
    def is_armed_and_driven(self, source: Source, motion: Motion) -> None:
        """What random requests seldom come to: everything in order, then motion."""
        self.is_mended()
        self.saying = {source: AT_REST}
        # A battery that was low has to be well for a second.
        self.ticks(120)
        for kind in (RequestKind.DISARM, RequestKind.CLEAR, RequestKind.ARM):
            self.send([kind], 0.0)
            self.ticks(60)
        assert self.state is ArmState.ARMED, self.loop.arming.reason
        self.saying[source] = motion
        self.ticks(40)

    @rule(source=sources, motion=fair_motions, rested=st.booleans())
    def is_armed_and_driven_at_once(self, source: Source, motion: Motion, rested: bool) -> None:
        """Rest from before does not count, and corners that were limp are not known yet."""
        self.is_mended()
        self.saying = {source: AT_REST}
        self.send([RequestKind.STOP], 0.0)
        self.ticks(120)
        self.send([RequestKind.CLEAR], 0.0)
        self.ticks(60)
        self.send([RequestKind.ARM], 0.0)
        # What is held on the pad refuses arming in the very tick; a page is heard after it.
        if not rested and not (self.by_pad and source is Source.GAMEPAD):
            self.saying[source] = motion
        self.tick()
        assert self.state is ArmState.ARMED, self.loop.arming.reason
        self.saying[source] = motion
        self.ticks(60)

    @precondition(lambda self: self.state is not ArmState.ARMED)
    @rule(source=sources, motion=fair_motions)
    def is_nearly_armed(self, source: Source, motion: Motion) -> None:
        """Everything in order but one thing, each in its turn."""
        self.is_mended()
        self.saying = {source: AT_REST}
        self.send([RequestKind.STOP], 0.0)
        self.ticks(120)
        self.send([RequestKind.CLEAR], 0.0)
        self.ticks(20)
        for but in ("too soon", "controller", "pad", "button", "age", "sticks"):
            self.drive.broken = but == "controller"
            self.pad_held = but == "pad"
            self.panel.pressed = but == "button"
            self.tick()
            if but == "button":
                # It has stopped the rover: once more from there.
                self.panel.pressed = False
                self.ticks(60)
                self.send([RequestKind.CLEAR], 0.0)
            if but == "sticks":
                self.saying[source] = motion
                self.tick()
            self.send([RequestKind.ARM], 0.7 if but == "age" else 0.0)
            self.ticks(3)
            assert self.state is not ArmState.ARMED, f"armed in spite of {but}"
            self.ticks(60)
        self.is_mended()

    # Maintenance.

    @rule(given=st.lists(st.tuples(orders, st.integers(1, 50), st.booleans()), max_size=5))
    def calibrates(self, given: list[tuple[Order, int, bool]]) -> None:
        self.is_maintained()
        for order, count, rests in given:
            if rests:
                self.order = Rest()
                self.tick()
            self.order = order
            self.ticks(count)

    @rule(order=fair_orders)
    def a_session_falls_silent(self, order: Order) -> None:
        self.is_moving_one_thing(order)
        self.order = None
        self.ticks(31)
        assert not any(self.drive.permitted.duty)
        assert self.drive.permitted.release
        self.ticks(175)
        assert self.state is not ArmState.MAINTENANCE

    @rule(order=fair_orders, token=st.sampled_from(["", "another"]))
    def somebody_else_orders(self, order: Order, token: str) -> None:
        """Which does not count, whatever it says."""
        self.is_maintained()
        self.ticks(45)
        self.order = None
        for _ in range(40):
            said = MaintenanceOrder(token, self.clock.now_s() + TICK_S, order)
            self.link.orders.append(said)
            self.tick()
        assert not any(self.drive.permitted.duty)
        assert self.drive.permitted.release

    @rule(
        order=fair_orders,
        how=st.sampled_from(
            ["stop", "disarm", "web", "gamepad", "button", "rubbish", "controller", "pause"]
        ),
    )
    def a_calibration_is_ended(self, order: Order, how: str) -> None:
        self.is_moving_one_thing(order)
        match how:
            case "stop" | "disarm":
                # However late it comes.
                self.send([RequestKind(how)], 5.0)
            case "web" | "gamepad":
                self.hears(Source(how), Stop("a test"), self.clock.now_s() - 5.0)
            case "button":
                self.panel.pressed = True
            case "rubbish":
                self.link.refused.append(RefusedDrive(Source.WEB, "not a drive command"))
            case "controller":
                self.drive.broken = True
            case "pause":
                self.clock.sleep_s(0.25)
        self.tick()
        if how == "controller":
            # Found out after the wheels were told, once.
            self.tick()
        assert self.state is not ArmState.MAINTENANCE
        assert not any(self.drive.permitted.duty)
        assert self.drive.permitted.release
        # Its client goes on, for it does not know yet.
        self.ticks(5)
        self.order = None
        self.is_mended()

    def is_maintained(self) -> None:
        """Have a session calibrate, if none does."""
        self.saying = {}
        self.order = Rest()
        self.is_mended()
        if self.state is not ArmState.MAINTENANCE:
            self.send([RequestKind.DISARM], 0.0)
            self.ticks(120)
            for kind in (RequestKind.CLEAR, RequestKind.MAINTAIN):
                self.send([kind], 0.0)
                self.ticks(60)
        assert self.state is ArmState.MAINTENANCE, self.loop.arming.reason

    def is_moving_one_thing(self, order: Order) -> None:
        self.is_maintained()
        self.ticks(45)
        self.order = order
        self.ticks(30)
        permitted = self.drive.permitted
        assert any(permitted.duty) or permitted.only_servo is not None

    # Failures.

    @rule(
        what=st.sampled_from(["controller", "error", "steering", "panel", "stale", "caution"]),
        count=st.integers(1, 40),
    )
    def breaks(self, what: str, count: int) -> None:
        self.is_driving()
        match what:
            case "controller":
                self.drive.broken = True
            case "error":
                self.drive.errors = ("a driver fault",)
            case "steering":
                self.steering.broken = True
            case "panel":
                self.panel.broken = True
            case "stale":
                self.drive.stale = True
            case "caution":
                self.drive.cautions = ("temperature",)
        self.ticks(count)

    @rule(wheel=wheels, how=st.sampled_from(["held", "wrong_way", "unmeasurable"]))
    def a_wheel_disobeys(self, wheel: int, how: str) -> None:
        self.is_driving()
        getattr(self.drive, how).add(wheel)
        self.ticks(100)

    @rule(volts=st.sampled_from([16.0, 13.5, 13.0, 12.0, math.nan, None]))
    def the_battery_tells(self, volts: float | None) -> None:
        self.is_driving()
        self.drive.voltage_v = volts
        self.ticks(130)

    @rule()
    def is_mended(self) -> None:
        self.drive.broken = self.drive.stale = self.steering.broken = self.panel.broken = False
        self.panel.pressed = self.pad_held = False
        self.drive.errors = self.drive.cautions = ()
        for wrong in (self.drive.held, self.drive.wrong_way, self.drive.unmeasurable):
            wrong.clear()
        self.drive.voltage_v = 16.0
        self.tick()

    @rule(pressed=st.booleans())
    def presses_the_button(self, pressed: bool) -> None:
        self.panel.pressed = pressed
        self.ticks(2)

    @rule(pause_s=st.sampled_from([0.03, 0.09, 0.15, 0.25, 1.0]))
    def loop_stands_still(self, pause_s: float) -> None:
        self.is_driving()
        self.clock.sleep_s(pause_s)
        self.ticks(3)

    @rule(
        which=wheels,
        speed=st.sampled_from([*ODD, 30.0, 3.0]),
        steer=st.sampled_from([*ODD, 0.0, 2.0]),
    )
    def kinematics_fail_once(self, which: int, speed: float, steer: float) -> None:
        """As if they had a bug: the last check must not let it through."""
        self.is_driving()
        self.tick()
        last = self.wheels.last
        assert last is not None
        steers, asked = list(last.steer_rad), list(last.wheel_rad_s)
        asked[which] += speed
        steers[which] += steer
        wrong = WheelTargets(tuple(steers), tuple(asked))
        right = self.loop._kinematics.targets
        self.loop._kinematics.targets = lambda motion: wrong  # type: ignore[method-assign]
        self.loop._governor._kinematics = FixedKinematics(right, self.loop._kinematics)
        try:
            self.tick(failed=True)
        finally:
            del self.loop._kinematics.targets
            self.loop._governor._kinematics = self.loop._kinematics
        assert self.drive.permitted is not None
        if self.drive.permitted.refused:
            assert self.state is ArmState.FAULT
        # What the gate has let through is off the governor's ramp.
        self.pad_requests.append(RequestKind.DISARM)
        self.ticks(2)

    def is_driving(self) -> None:
        """Have somebody drive it, if nothing else than that is the matter."""
        if self.state is not ArmState.ARMED or not any(self.drive.permitted.wheel_rad_s):
            self.is_armed_and_driven(Source.WEB, Arc(1.5, 0.0))

    # How a tick is made, and what is known of it.

    @property
    def state(self) -> ArmState:
        return self.loop.arming.state

    def send(self, batch: list[RequestKind], age_s: float) -> None:
        self.timely = self.timely and abs(age_s) <= 0.6
        for kind in batch:
            request = Request(kind, "a test", self.clock.now_s() - age_s, "t")
            self.link.requests.append(ReceivedRequest(request, (b"", b"")))
            self.requests.append(kind)

    def hears(self, source: Source, motion: Motion, stamp_s: float) -> None:
        self.link.drive.append(DriveCommand(source, next(self.sequence), stamp_s, motion))

    def ticks(self, count: int) -> None:
        for _ in range(count):
            self.tick()

    def commanded(self) -> None:
        """What the rover has become by the time that it tells its wheels what to do."""
        self.state_commanded = self.state

    def everybody_speaks(self, now_s: float) -> tuple[DriveCommand | None, bool]:
        """Send what is being said; return the pad's part, and whether it is in hand."""
        pad_command = None
        for source, motion in self.saying.items():
            if source is Source.GAMEPAD and self.by_pad:
                pad_command = DriveCommand(source, next(self.sequence), now_s, motion)
            else:
                self.hears(source, motion, now_s)
        if self.order is not None:
            self.link.orders.append(MaintenanceOrder("t", now_s, self.order))
        if self.pad_once is not None:
            pad_command = DriveCommand(Source.GAMEPAD, next(self.sequence), now_s, self.pad_once)
            self.pad_once = None
        deflected = self.pad_held or (
            pad_command is not None and not is_neutral(pad_command.motion)
        )
        self.pad.update = GamepadUpdate(
            command=pad_command, deflected=deflected, requests=tuple(self.pad_requests)
        )
        return pad_command, deflected

    def tick(self, *, failed: bool = False) -> None:
        """Let a tick pass, and hold what it did against the rules."""
        self.clock.sleep_s(TICK_S)
        now_s = self.clock.now_s()
        pad_command, deflected = self.everybody_speaks(now_s)
        heard = [*self.link.drive, *([pad_command] if pad_command else [])]
        rubbish = bool(self.link.refused)
        asked = [*self.pad_requests, *self.requests]
        asking = self.expected.asking(now_s) or deflected
        before, last, pressed = self.state, self.wheels.last, self.panel.pressed

        self.loop.tick()

        state = self.state_commanded
        self.changes_by_request(before, state, asked, now_s, pressed=pressed, asking=bool(asking))
        # A pause is found out after everybody has been heard, a request has effect before.
        ended = before is ArmState.MAINTENANCE and state is ArmState.DISARMED
        ended = ended and not pressed and RequestKind.DISARM not in asked
        paused = state is not before and not asked and not pressed and not ended
        if state is not before and not paused and not ended:
            self.expected.loses(now_s)
        if rubbish:
            self.expected.stops(now_s)
        for command in heard:
            self.expected.hears(command.source, command.motion, command.stamp_s, now_s)
        if paused:
            assert now_s - self.commanded_s > STALL_S, f"{before} became {state} by itself"
            self.expected.loses(now_s)
        if now_s - self.commanded_s > STALL_S + 1e-6:
            assert state not in MOVING
        motion, source = self.expected.choose(now_s)
        self.check_end(state, now_s, ended=ended)
        self.check_one_thing(before, state, now_s)
        self.check_targets(last, motion, source, now_s, failed=failed)
        if self.state is not state:
            assert self.state is ArmState.FAULT
            assert state in MOVING
            self.expected.loses(now_s)
        if self.state is not before or (asked and RequestKind.STOP in asked) or pressed:
            self.changed_s = now_s
        self.check_troubles(now_s)
        if self.state in LATCHED:
            assert not self.panel.enabled
        self.check_reload()
        self.commanded_s = now_s
        self.requests, self.pad_requests, self.timely = [], [], True

    def changes_by_request(
        self,
        before: ArmState,
        state: ArmState,
        asked: list[RequestKind],
        now_s: float,
        *,
        pressed: bool,
        asking: bool,
    ) -> None:
        """What requests and the button may and must do to the arming state."""
        if pressed or RequestKind.STOP in asked:
            assert state is ArmState.ESTOP, "a stop is overtaken"
        elif RequestKind.DISARM in asked:
            assert state is not ArmState.ARMED or before is not ArmState.ARMED
        if state is ArmState.ARMED and before is not ArmState.ARMED:
            assert before is ArmState.DISARMED
            assert RequestKind.ARM in asked, "armed by nobody"
            assert not asking, "armed though somebody asks for motion"
            assert not self.troubles(), "armed though something is wrong"
        if state is ArmState.MAINTENANCE and before is not ArmState.MAINTENANCE:
            assert before is ArmState.DISARMED
            assert RequestKind.MAINTAIN in asked, "maintained by nobody"
            assert not asking, "maintained though somebody asks for motion"
            assert not self.troubles(), "maintained though something is wrong"
        if state is not before and state not in LATCHED and before not in MOVING:
            assert self.timely or self.pad_requests, "a stale request is carried out"
            assert now_s - self.changed_s >= LOOK_S - ROUNDING_S, "nobody has looked"

    def check_end(self, state: ArmState, now_s: float, *, ended: bool) -> None:
        """Maintenance ends at a stop and by silence, and by nothing else but a request."""
        if ended:
            silent = now_s - self.spoke_s > CONFIG.maintenance.silence_s
            assert self.expected.stopped or silent, "it ended by itself"
            self.expected.loses(now_s)
        elif self.expected.stopped:
            assert state is not ArmState.MAINTENANCE, "a stop does not end it"

    def check_reload(self) -> None:
        """The configuration is read anew if that was asked for, and only while disarmed."""
        before = self.state
        prepared = self.loop.reload(lambda: CONFIG) is CONFIG
        disarmed = before is ArmState.DISARMED
        assert prepared == (RequestKind.RELOAD in self.requests and self.timely and disarmed)
        assert self.state is before

    def check_one_thing(self, before: ArmState, state: ArmState, now_s: float) -> None:
        """What moves in maintenance, and that it is what its session has said lately."""
        permitted = self.drive.permitted
        assert permitted is not None
        self.one_thing.orders(permitted, state, now_s)
        if state is ArmState.MAINTENANCE and before is not state:
            self.spoke_s = now_s
        if self.order is not None:
            self.spoke_s = now_s
            self.ordered = (self.order, now_s)
        moved = [i for i, duty in enumerate(permitted.duty) if duty]
        if permitted.only_servo is not None:
            moved.append(permitted.only_servo)
        if not moved:
            return
        assert self.ordered is not None
        order, ordered_s = self.ordered
        assert now_s - ordered_s <= 0.3 + ROUNDING_S, "it moves though its client is silent"
        assert not isinstance(order, Rest)
        assert order.wheel == list(CONFIG.wheels)[moved[0]]

    def check_targets(
        self,
        last: PermittedTargets | None,
        motion: Motion | None,
        source: Source | None,
        now_s: float,
        *,
        failed: bool,
    ) -> None:
        permitted = self.drive.permitted
        assert permitted is not None
        armed = self.state_commanded is ArmState.ARMED
        self.wheels.gate(permitted, self.state_commanded, now_s)
        if failed:
            return
        self.wheels.governor(last, now_s - self.commanded_s)
        assert armed is permitted.power, "the gate refuses what the governor allows"
        elapsed_s = now_s - self.commanded_s
        if source is None or motion is None or not armed:
            assert not faster(last, permitted), "it speeds up though nobody may have it so"
            self.wheels.slows(last, elapsed_s, CONFIG.motion.stop_decel_mps2)
        elif is_neutral(motion):
            # Wheels on the inside of a turn may gain as the rover straightens; the rover may not.
            self.wheels.slows(last, elapsed_s, CONFIG.motion.decel_mps2)

    def troubles(self) -> dict[str, float]:
        """What is wrong that must stop the rover, and within which time."""
        drive = self.drive
        found = {
            "controller": (drive.broken, 0.0),
            "error": (bool(drive.errors), 0.0),
            "steering": (self.steering.broken, 0.0),
            "panel": (self.panel.broken, 0.0),
            "battery unknown": (drive.voltage_v is None, 0.0),
            "stale": (drive.stale, CONFIG.deadlines.feedback_s + TICK_S),
        }
        return {name: within_s for name, (present, within_s) in found.items() if present}

    def check_troubles(self, now_s: float) -> None:
        within_s = {**self.troubles()}
        volts = self.drive.voltage_v
        if volts is not None and not volts >= CONFIG.power.minimum_v:
            within_s["battery"] = 1.0 + TICK_S
        if volts is not None and not volts >= CONFIG.power.very_low_v:
            self.slow_after("very low", 1.0 + TICK_S, now_s)
        else:
            self.since_s.pop("very low", None)
        if self.drive.cautions:
            self.slow_after("caution", 0.0, now_s)
        else:
            self.since_s.pop("caution", None)
        for wheel in range(COUNT):
            if self.disobeys(wheel):
                within_s[f"wheel {wheel}"] = 0.9
        for name in [*self.since_s]:
            if name not in within_s and name not in {"very low", "caution"}:
                del self.since_s[name]
        for name, patience_s in within_s.items():
            since_s = self.since_s.setdefault(name, now_s)
            if now_s - since_s >= patience_s + ROUNDING_S:
                assert self.state not in MOVING, f"it drives on with {name}"

    def slow_after(self, name: str, patience_s: float, now_s: float) -> None:
        if now_s - self.since_s.setdefault(name, now_s) >= patience_s + ROUNDING_S:
            # The tick in which it is found out has told its wheels already.
            self.wheels.slowed(now_s)

    def disobeys(self, wheel: int) -> bool:
        """Whether a wheel plainly does not do what it has been told."""
        assert self.drive.permitted is not None
        asked_rad_s = self.drive.permitted.wheel_rad_s[wheel]
        if wheel in self.drive.unmeasurable:
            return self.drive.permitted.power
        return wheel in (self.drive.held | self.drive.wrong_way) and abs(asked_rad_s) > 2.0


ROUNDING_S = 1e-6


class FixedKinematics:
    """The governor's own, while the loop's fail."""

    def __init__(self, targets: object, kinematics: object) -> None:
        self.targets = targets
        self._kinematics = kinematics

    def __getattr__(self, name: str) -> object:
        return getattr(self._kinematics, name)


Rules.TestCase.settings = stateful(25, 20)
TestRules = Rules.TestCase
