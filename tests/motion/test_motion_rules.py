"""From the arbiter to the gate, without loop and devices: any words, in any order, at any time.

What the wheels may do is worked out from what was said (``tests.who_may_drive``) and from the
wheels themselves: the body's speed is that of the middle wheels, which cannot steer.
"""

import itertools
import math

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from rover.messages import (
    Arc,
    ArmState,
    Condition,
    Crab,
    DriveCommand,
    MaintenanceOrder,
    Motion,
    OneTarget,
    Order,
    Request,
    RequestKind,
    Rest,
    Selected,
    Source,
    Spin,
    Stop,
    TurnServo,
    TurnWheel,
    WheelTargets,
    is_neutral,
)
from rover.motion.arbiter import Arbiter
from rover.motion.arming import STOP_BUTTON, Arming
from rover.motion.corners import Corners
from rover.motion.gate import Gate, PermittedTargets
from rover.motion.governor import Governor
from rover.motion.kinematics import Kinematics
from rover.motion.maintenance import Maintenance
from tests.builders import osr_config
from tests.conftest import stateful
from tests.what_one_thing_may_do import OneThingRules
from tests.what_wheels_may_do import LONGEST_S, WheelRules, faster
from tests.who_may_drive import WhoMayDrive

CONFIG = osr_config()
COUNT = len(CONFIG.wheels)
STEERED = tuple(wheel.steer is not None for wheel in CONFIG.wheels.values())
REST = Arc(0.0, 0.0)
LOOK_S, REQUEST_AGE_S = 0.5, 0.6

ODD = (math.inf, -math.inf, math.nan)
fair_speeds = st.sampled_from([1.5, -1.5, 1.0, -0.4, 9.0, 0.02])
fair_turns = st.sampled_from([0.0, 0.5, 2.2, -2.2, -9.0])
motions: st.SearchStrategy[Motion] = (
    st.builds(Arc, fair_speeds, fair_turns)
    | st.builds(Spin, fair_speeds)
    | st.builds(Crab, fair_speeds, st.sampled_from([0.0, 0.3, math.pi]))
)
hard_motions = st.sampled_from(
    [Arc(9.0, 0.0), Arc(-9.0, 0.0), Arc(9.0, 9.0), Spin(9.0), Spin(-9.0), Crab(9.0, math.pi)]
)
odd_numbers = st.sampled_from((*ODD, 0.0, 0.5))
odd_motions = (
    st.builds(Arc, odd_numbers, odd_numbers)
    | st.builds(Spin, odd_numbers)
    | st.builds(Crab, odd_numbers, odd_numbers)
)
sources = st.sampled_from(list(Source))
names = st.sampled_from([*CONFIG.wheels, "nowhere"])
duties = st.sampled_from([0.15, -0.15, 0.08, 9.0, -9.0, 0.0, *ODD])
angles = st.sampled_from([0.0, 0.3, -0.3, 1.5, -9.0, 9.0, *ODD])
orders: st.SearchStrategy[Order] = (
    st.builds(TurnWheel, names, duties) | st.builds(TurnServo, names, angles) | st.builds(Rest)
)
fair_orders: st.SearchStrategy[Order] = st.sampled_from(
    [TurnWheel("left_front", 0.15), TurnWheel("right_rear", -0.1), TurnServo("left_rear", 0.4)]
)
ages_s = st.sampled_from([0.0, 0.0, 0.0, 0.02, 0.15, 0.5, 5.0, -0.02, -3.0])
pauses_s = st.sampled_from([0.01, 0.01, 0.005, 0.04, 0.1, 0.3, 2.0])


def has_no_speed(motion: Motion) -> bool:
    """Whether a motion's speed is not a number."""
    match motion:
        case Arc(speed, _) | Crab(speed, _) | Spin(speed):
            return math.isnan(speed)
    return False


class MotionRules(RuleBasedStateMachine):
    """The rooms between what people say and what drivers take, joined as the loop joins them."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 100.0
        kinematics, self.corners = Kinematics(CONFIG), Corners(CONFIG)
        self.arbiter, self.arming, self.gate = Arbiter(CONFIG), Arming(), Gate(CONFIG)
        self.kinematics = kinematics
        self.governor = Governor(CONFIG, kinematics, self.corners)
        self.sequence = itertools.count(1)
        self.expected = WhoMayDrive(CONFIG)
        self.expected_state = ArmState.DISARMED
        self.changed_s = -math.inf
        self.wheels = WheelRules(CONFIG)
        self.saying: dict[Source, Motion] = {}
        self.maintenance = Maintenance(CONFIG)
        self.one_thing = OneThingRules(CONFIG)
        # The newest order that counts and when it was given; when a session last spoke.
        self.ordered: tuple[Order, float] | None = None
        self.spoke_s = -math.inf

    # What people do.

    @rule(
        source=sources,
        motion=motions,
        count=st.sampled_from([1, 3, 10, 30, 130]),
        armed=st.booleans(),
    )
    def drives(self, source: Source, motion: Motion, count: int, armed: bool) -> None:
        """Hold a stick for a while."""
        if armed and self.expected_state is not ArmState.ARMED:
            self.is_armed()
            self.saying = {source: REST}
            self.ticks(45)
        self.saying[source] = motion
        self.ticks(count)

    @rule(source=sources, first=hard_motions, then=hard_motions)
    def drives_as_hard_as_it_goes(self, source: Source, first: Motion, then: Motion) -> None:
        """Beyond every limit, one way and then another."""
        self.is_armed()
        for motion, count in ((REST, 45), (first, 120), (then, 120)):
            self.saying = {source: motion}
            self.ticks(count)

    @rule(source=sources, silence=st.booleans(), count=st.integers(1, 30))
    def lets_go(self, source: Source, silence: bool, count: int) -> None:
        self.saying[source] = REST
        if silence:
            self.tick(0.01)
            del self.saying[source]
        self.ticks(count)

    @rule(source=sources, motion=motions, rested=st.booleans())
    def comes_back(self, source: Source, motion: Motion, rested: bool) -> None:
        """Fall silent, at rest or not, and come back asking for motion."""
        if rested:
            self.saying[source] = REST
            self.tick(0.01)
        self.saying.pop(source, None)
        self.ticks(int(self.expected.deadline_s[source] / 0.01) + 2)
        self.saying[source] = motion
        self.ticks(60)

    @rule(source=sources, motion=motions, other=motions)
    def falls_silent_beside_another(self, source: Source, motion: Motion, other: Motion) -> None:
        """Whoever was at rest when the driver was lost must come to rest again."""
        rival = Source.WEB if source is Source.GAMEPAD else Source.GAMEPAD
        for held in (REST, motion):
            self.saying = {source: held}
            self.tick(0.01)
        self.hears(rival, REST, self.now_s)
        self.tick(0.01)
        self.saying.clear()
        self.ticks(int(self.expected.deadline_s[source] / 0.01) + 2)
        self.saying = {rival: other}
        self.ticks(5)

    @rule(source=sources, motion=motions, age_s=ages_s, pause_s=pauses_s)
    def says(self, source: Source, motion: Motion, age_s: float, pause_s: float) -> None:
        self.hears(source, motion, self.now_s - age_s)
        self.tick(pause_s)

    @rule(source=sources, motion=motions | odd_motions, stamp_s=odd_numbers | st.none())
    def says_what_no_decoder_lets_through(
        self, source: Source, motion: Motion, stamp_s: float | None
    ) -> None:
        rival = Source.WEB if source is Source.GAMEPAD else Source.GAMEPAD
        for said in (REST, Arc(1.0, 0.0)):
            # Somebody drives, who must be stopped by it.
            self.saying = {rival: said}
            self.tick(0.01)
        self.hears(source, motion, self.now_s if stamp_s is None else self.now_s + stamp_s)
        self.ticks(3)

    @rule(
        batch=st.lists(
            st.tuples(sources, motions | st.just(REST) | st.just(Stop("a test")), ages_s),
            min_size=2,
            max_size=5,
        )
    )
    def says_much_at_once(self, batch: list[tuple[Source, Motion, float]]) -> None:
        for number, (source, motion, age_s) in enumerate(batch):
            self.hears(source, motion, self.now_s - age_s + number * 1e-4)
        self.ticks(3)

    @rule(source=sources, motion=motions, other=sources)
    def says_motion_in_the_tick_of_a_stop(
        self, source: Source, motion: Motion, other: Source
    ) -> None:
        self.saying.clear()
        self.hears(other, Stop("a test"), self.now_s)
        self.hears(source, REST, self.now_s + 1e-4)
        self.hears(source, motion, self.now_s + 2e-4)
        # Heard in the same tick, so not what this tick is to be.
        self.tick(1e-3)
        self.ticks(3)

    @rule(source=sources, motion=motions, other=motions | st.just(REST))
    def hears_an_older_word_last(self, source: Source, motion: Motion, other: Motion) -> None:
        self.saying.clear()
        self.hears(source, REST, self.now_s)
        self.tick(0.01)
        self.hears(source, motion, self.now_s)
        self.hears(source, other, self.now_s - 0.005)
        self.ticks(3)

    @rule(source=sources, motion=motions)
    def hears_a_neutral_from_before_the_stop(self, source: Source, motion: Motion) -> None:
        self.saying.clear()
        self.tick(0.05)
        self.hears(source, Stop("a test"), self.now_s)
        self.hears(source, REST, self.now_s - 0.005)
        self.tick(0.01)
        self.hears(source, motion, self.now_s)
        self.ticks(3)

    @rule(source=sources, age_s=ages_s)
    def stops(self, source: Source, age_s: float) -> None:
        self.hears(source, Stop("a test"), self.now_s - age_s)
        self.ticks(3)

    @rule(pause_s=pauses_s)
    def time_passes(self, pause_s: float) -> None:
        self.tick(pause_s)

    @rule()
    def something_makes_it_slow(self) -> None:
        self.tick(0.01, slow=True)

    # Arming.

    @rule(
        kinds=st.lists(st.sampled_from(list(RequestKind)), min_size=1, max_size=3),
        age_s=st.sampled_from([0.0, 0.0, 0.3, 0.7, -0.7, math.nan, math.inf, -math.inf]),
        wrong=st.sampled_from(["", "", "something", STOP_BUTTON]),
    )
    def asks(self, kinds: list[RequestKind], age_s: float, wrong: str) -> None:
        for kind in kinds:
            self.ask(kind, age_s, wrong)
        self.tick(0.01)

    @rule(source=sources, motion=motions)
    def is_nearly_armed(self, source: Source, motion: Motion) -> None:
        """Everything in order but one thing, each in its turn."""
        self.saying = {source: REST}
        self.ask(RequestKind.STOP, 0.0, "")
        self.ticks(52)
        for kind in (RequestKind.ARM, RequestKind.CLEAR):
            self.ask(kind, 0.0, STOP_BUTTON)
            self.ask(kind, 0.7, "")
        self.ask(RequestKind.CLEAR, 0.0, "")
        assert self.arming.state is ArmState.DISARMED
        # Nobody has looked yet.
        self.ticks(20)
        self.ask(RequestKind.ARM, 0.0, "")
        self.ticks(32)
        for age_s, wrong in ((0.7, ""), (math.nan, ""), (0.0, "something")):
            self.ask(RequestKind.ARM, age_s, wrong)
        self.saying[source] = motion
        self.tick(0.01)
        self.ask(RequestKind.ARM, 0.0, "")
        assert self.arming.state is ArmState.DISARMED
        self.saying[source] = REST
        self.tick(0.01)
        self.ask(RequestKind.ARM, 0.0, "")
        assert self.arming.state is ArmState.ARMED
        self.faults()
        self.ticks(52)
        self.ask(RequestKind.ARM, 0.0, "")
        assert self.arming.state is ArmState.FAULT

    @precondition(lambda self: self.expected_state is ArmState.ARMED)
    @rule(kind=st.sampled_from([RequestKind.STOP, RequestKind.DISARM]), twice=st.booleans())
    def is_stopped(self, kind: RequestKind, twice: bool) -> None:
        self.ask(kind, 5.0, "something")
        if twice:
            # One that is latched already counts from now.
            self.ticks(30)
            self.ask(kind, 0.0, "")
            self.ticks(30)
            self.ask(RequestKind.CLEAR, 0.0, "")
        self.ticks(3)

    @rule()
    def faults(self) -> None:
        self.arming.fault("a test", self.now_s)
        if self.expected_state in {ArmState.ARMED, ArmState.MAINTENANCE}:
            self.becomes(ArmState.FAULT)
        self.tick(0.01)

    @precondition(lambda self: self.expected_state is not ArmState.ARMED)
    @rule(source=sources, motion=motions)
    def is_armed_and_driven(self, source: Source, motion: Motion) -> None:
        """What random requests seldom come to: everything in order, then motion."""
        self.saying = {source: REST}
        self.ask(RequestKind.DISARM, 0.0, "")
        for kind in (RequestKind.CLEAR, RequestKind.ARM):
            self.ticks(52)
            self.ask(kind, 0.0, "")
        assert self.arming.state is ArmState.ARMED
        self.ticks(45)
        self.saying[source] = motion
        self.ticks(40)

    # Maintenance.

    @rule(
        given=st.lists(st.tuples(orders, st.integers(1, 60)), min_size=1, max_size=6),
        rests=st.booleans(),
    )
    def calibrates(self, given: list[tuple[Order, int]], rests: bool) -> None:
        """Whatever a session may say, with rest in between or without."""
        self.is_maintained()
        for order, count in given:
            if rests:
                self.session_says(Rest(), 0.0)
            for _ in range(count):
                self.session_says(order, 0.0)
                self.tick(0.01)

    @rule(order=fair_orders, silent=st.integers(1, 40))
    def calibrates_and_falls_silent(self, order: Order, silent: int) -> None:
        self.is_moving_one_thing(order)
        self.ticks(silent)
        for _ in range(60):
            # Again without rest: it moves only if it had not been silent for too long.
            self.session_says(order, 0.0)
            self.tick(0.01)

    @rule(order=fair_orders, age_s=ages_s, pause_s=pauses_s)
    def an_order_comes_at_an_odd_time(self, order: Order, age_s: float, pause_s: float) -> None:
        self.is_moving_one_thing(order)
        self.session_says(order, age_s)
        self.tick(pause_s)

    @rule(order=fair_orders, motion=motions, source=sources)
    def somebody_drives_meanwhile(self, order: Order, motion: Motion, source: Source) -> None:
        """Which is not listened to: what moves is what is calibrated."""
        self.is_moving_one_thing(order)
        for said in (REST, motion):
            self.saying = {source: said}
            for _ in range(10):
                self.session_says(order, 0.0)
                self.tick(0.01)
        assert self.wheels.last.only_servo is not None or any(self.wheels.last.duty)

    @rule(order=fair_orders, how=st.sampled_from([*RequestKind, "stop by a stick", "fault"]))
    def ends_a_calibration(self, order: Order, how: str) -> None:
        self.is_moving_one_thing(order)
        if how == "fault":
            self.faults()
        elif how == "stop by a stick":
            self.hears(Source.WEB, Stop("a test"), self.now_s)
        else:
            self.ask(RequestKind(how), 0.0, "")
        # Its client does not know yet.
        for _ in range(10):
            self.session_says(order, 0.0)
            self.tick(0.01)
        ends = how in {RequestKind.STOP, RequestKind.DISARM, "stop by a stick", "fault"}
        assert (self.expected_state is not ArmState.MAINTENANCE) is ends

    @rule(
        duty=st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.1, 0.3]), min_size=COUNT, max_size=COUNT),
        steer=st.lists(
            st.sampled_from([None, None, None, None, 0.0, 3.0]), min_size=COUNT, max_size=COUNT
        ),
    )
    def maintenance_fails(self, duty: list[float], steer: list[float | None]) -> None:
        """As if it had a bug: the gate lets one thing move, slowly, or nothing."""
        self.is_maintained()
        for _ in range(3):
            self.now_s += 0.01
            target = OneTarget(tuple(duty), tuple(steer))
            permitted = self.gate.permit_one(target, self.arming.state, self.now_s)
            self.wheels.gate(permitted, self.expected_state, self.now_s)
            self.one_thing.gate(permitted, self.expected_state, self.now_s)
        self.faults()

    def is_maintained(self) -> None:
        """Have a session calibrate, if none does."""
        if self.expected_state is ArmState.MAINTENANCE:
            # One that has been silent goes on, and whoever plays with a stick lets go of it.
            self.saying = dict.fromkeys(Source, REST)
            self.session_says(Rest(), 0.0)
            self.tick(0.01)
        self.saying.clear()
        if self.expected_state is ArmState.MAINTENANCE:
            return
        self.ask(RequestKind.DISARM, 0.0, "")
        self.ticks(35)
        for kind in (RequestKind.CLEAR, RequestKind.MAINTAIN):
            self.ticks(52)
            self.ask(kind, 0.0, "")
        assert self.arming.state is ArmState.MAINTENANCE

    def is_moving_one_thing(self, order: Order) -> None:
        """Have a session move it, from rest."""
        self.is_maintained()
        for said, count in ((Rest(), 45), (order, 30)):
            for _ in range(count):
                self.session_says(said, 0.0)
                self.tick(0.01)
        permitted = self.wheels.last
        assert any(permitted.duty) or permitted.only_servo is not None

    def session_says(self, order: Order, age_s: float) -> None:
        """As hearing does; then what of it counts."""
        if self.arming.state is not ArmState.MAINTENANCE:
            return
        stamp_s = self.now_s - age_s
        refused = self.maintenance.receive(MaintenanceOrder("t", stamp_s, order), self.now_s)
        timely = -0.005 <= age_s <= 0.3
        newer = stamp_s >= self.spoke_s
        if timely and newer:
            self.spoke_s = stamp_s
        if refused or not timely or isinstance(order, Rest):
            self.ordered = None if not timely or newer else self.ordered
        elif newer:
            self.ordered = (order, stamp_s)

    def check_one_thing(self, permitted: PermittedTargets) -> None:
        """What moves is what was asked for last, and lately."""
        self.one_thing.orders(permitted, self.expected_state, self.now_s)
        moved = [i for i, duty in enumerate(permitted.duty) if duty]
        if permitted.only_servo is not None:
            moved.append(permitted.only_servo)
        if not moved:
            return
        assert self.ordered is not None, "it moves though nobody has said so"
        order, stamp_s = self.ordered
        assert self.now_s - stamp_s <= 0.3 + 1e-9, "it moves though its client is silent"
        assert isinstance(order, TurnServo if permitted.only_servo is not None else TurnWheel)
        assert order.wheel == list(CONFIG.wheels)[moved[0]]
        if isinstance(order, TurnWheel):
            assert permitted.duty[moved[0]] * order.duty > 0.0, "the other way"

    # Rooms that fail: what comes out of one is not believed by the next.

    @rule(source=sources, motion=motions | odd_motions)
    def the_arbiter_lets_through(self, source: Source, motion: Motion) -> None:
        """What is late, or what is no number."""
        self.is_driving()
        for age_s in (0.0, math.nan, 0.0, -math.inf, 0.0, 0.31, math.inf):
            late = not age_s <= self.expected.deadline_s[source]
            was = self.wheels.last
            self.now_s += 0.01
            self.run(Selected(motion, source, age_s), 0.01)
            if late or has_no_speed(motion):
                self.wheels.slows(was, 0.01, CONFIG.motion.decel_mps2)

    @rule(
        which=st.integers(0, COUNT - 1),
        speed=st.sampled_from((*ODD, 21.1, -21.1, 5.0, 3.0, -3.0, 0.0)),
        steer=st.sampled_from((*ODD, 0.0, 0.0, 0.02, 1.2, -1.2)),
        short=st.sampled_from([False, False, False, True]),
        pause_s=st.sampled_from([0.01, 0.1, 2.0]),
    )
    def kinematics_ask_for(
        self, which: int, speed: float, steer: float, short: bool, pause_s: float
    ) -> None:
        self.is_driving()
        self.tick(0.01)
        last = self.wheels.last
        steers, speeds = list(last.steer_rad), list(last.wheel_rad_s)
        steers[which] += steer
        speeds[which] += speed
        if short:
            speeds.pop()
        permitted = self.permit(steers, speeds, pause_s)
        if short or not all(map(math.isfinite, (*steers, *speeds))):
            assert not permitted.power
        if permitted.refused:
            assert permitted.steer_rad == last.steer_rad, "a refusal moves the corners"
            assert not permitted.release
            # Going on as before would be a start without a ramp.
            self.permit(list(last.steer_rad), list(last.wheel_rad_s), 0.01)
        # As the loop does when the gate refuses; what it lets through is off the ramp too.
        self.faults()

    @rule(step=st.sampled_from([1.4, -1.4]), turn=st.sampled_from([0.0, 0.07, -0.07]))
    def kinematics_run_away(self, step: float, turn: float) -> None:
        """Ask for ever more, by steps that would each be allowed."""
        self.is_driving()
        for _ in range(40):
            last = self.wheels.last
            self.permit(
                [a + turn * steered for a, steered in zip(last.steer_rad, STEERED, strict=True)],
                [speed + step for speed in last.wheel_rad_s],
                0.01,
            )
        self.faults()

    @rule(jump=st.sampled_from([0.3, -0.3, 0.1]))
    def kinematics_jump(self, jump: float) -> None:
        self.is_driving()
        last = self.wheels.last
        steers = [a + jump * steered for a, steered in zip(last.steer_rad, STEERED, strict=True)]
        assert self.permit(steers, list(last.wheel_rad_s), 0.01).refused
        self.faults()

    @rule(share=st.sampled_from([-1.0, -0.5]))
    def kinematics_turn_round(self, share: float) -> None:
        self.is_driving()
        last = self.wheels.last
        self.permit(list(last.steer_rad), [share * speed for speed in last.wheel_rad_s], 0.01)
        self.faults()

    def permit(self, steers: list[float], speeds: list[float], pause_s: float) -> PermittedTargets:
        self.now_s += pause_s
        targets = WheelTargets(tuple(steers), tuple(speeds))
        permitted = self.gate.permit(targets, self.arming.state, self.now_s)
        self.wheels.gate(permitted, self.expected_state, self.now_s)
        return permitted

    def is_armed(self) -> None:
        """Arm, if nobody has."""
        if self.expected_state is ArmState.ARMED:
            return
        self.saying.clear()
        self.ticks(35)
        self.ask(RequestKind.DISARM, 0.0, "")
        for kind in (RequestKind.CLEAR, RequestKind.ARM):
            self.ticks(52)
            self.ask(kind, 0.0, "")
        assert self.arming.state is ArmState.ARMED

    def is_driving(self) -> None:
        """Have somebody drive it, if nobody does."""
        if self.expected_state is not ArmState.ARMED or not any(self.wheels.last.wheel_rad_s):
            self.is_armed()
            for motion, count in ((REST, 45), (Arc(1.5, 0.5), 40)):
                self.saying = {Source.WEB: motion}
                self.ticks(count)

    # What joins the rooms.

    def ask(self, kind: RequestKind, age_s: float, wrong: str) -> None:
        """Make a request, and hold the answer against what is to be expected."""
        conditions = (Condition(wrong, "a test"),) if wrong else ()
        asking = self.arbiter.asking(self.now_s)
        assert list(asking) == self.expected.asking(self.now_s)
        request = Request(kind, "a test", self.now_s - age_s, "t")
        answer = self.arming.request(request, conditions, asking, self.now_s)
        timely = abs(age_s) <= REQUEST_AGE_S and request.stamp_s - self.changed_s >= LOOK_S
        state, accepted = self.expected_state, True
        if kind is RequestKind.STOP:
            state = ArmState.ESTOP
        elif kind is RequestKind.DISARM:
            moving = state in {ArmState.ARMED, ArmState.MAINTENANCE}
            state = ArmState.DISARMED if moving else state
        elif kind is RequestKind.CLEAR and state in {ArmState.ESTOP, ArmState.FAULT}:
            accepted = timely and wrong != STOP_BUTTON
            state = ArmState.DISARMED if accepted else state
        elif kind is RequestKind.ARM and state is not ArmState.ARMED:
            accepted = timely and not wrong and not asking and state is ArmState.DISARMED
            state = ArmState.ARMED if accepted else state
        elif kind is RequestKind.MAINTAIN and state is not ArmState.MAINTENANCE:
            accepted = timely and not wrong and not asking and state is ArmState.DISARMED
            state = ArmState.MAINTENANCE if accepted else state
        elif kind is RequestKind.RELOAD:
            accepted = abs(age_s) <= REQUEST_AGE_S and state is ArmState.DISARMED
        assert answer.accepted is accepted
        assert bool(answer.refusals) is not accepted
        if state is not self.expected_state or kind is RequestKind.STOP:
            self.becomes(state)
        assert self.arming.state is state

    def becomes(self, state: ArmState) -> None:
        if state is not self.expected_state:
            self.arbiter.hold(self.now_s)
            self.governor.reset()
            self.corners.reset()
            self.maintenance.enter(self.arming.maintainer, self.now_s)
            self.ordered, self.spoke_s = None, self.now_s
            self.expected.loses(self.now_s)
        self.expected_state, self.changed_s = state, self.now_s

    def hears(self, source: Source, motion: Motion, stamp_s: float) -> None:
        self.arbiter.receive(DriveCommand(source, next(self.sequence), stamp_s, motion), self.now_s)
        self.expected.hears(source, motion, stamp_s, self.now_s)

    def ticks(self, count: int) -> None:
        for _ in range(count):
            self.tick(0.01)

    def tick(self, pause_s: float, *, slow: bool = False) -> None:
        """Let ``pause_s`` pass, then hear what is being said, and choose."""
        self.now_s += pause_s
        for source, motion in self.saying.items():
            self.hears(source, motion, self.now_s)
        selected = self.arbiter.select(self.now_s)
        motion, source = self.expected.choose(self.now_s)
        if source is None:
            assert isinstance(selected.motion, Stop)
        else:
            assert (selected.motion, selected.source) == (motion, source)
        before = self.wheels.last
        if self.expected_state is ArmState.MAINTENANCE:
            self.end_it_on(selected, stopped=self.expected.stopped)
        self.run(selected, pause_s, slow=slow)
        # What the rooms make of anything that is said never needs the gate.
        assert self.wheels.last.refused == ""
        if source is None or self.expected_state is not ArmState.ARMED:
            assert not faster(before, self.wheels.last), "it speeds up though nobody drives"
            self.wheels.slows(before, pause_s, CONFIG.motion.stop_decel_mps2)
        elif is_neutral(motion):
            self.wheels.slows(before, pause_s, CONFIG.motion.decel_mps2)

    def end_it_on(self, selected: Selected, *, stopped: bool) -> None:
        """As the loop does: at anybody's stop, and when nothing is heard."""
        silent = self.maintenance.silent(self.now_s)
        assert silent is (self.now_s - self.spoke_s > CONFIG.maintenance.silence_s)
        if (isinstance(selected.motion, Stop) and selected.source is not None) or silent:
            self.arming.end_maintenance("a test", self.now_s)
        if stopped or silent:
            self.becomes(ArmState.DISARMED)
        assert self.arming.state is self.expected_state

    def run(self, selected: Selected, elapsed_s: float, *, slow: bool = False) -> None:
        """Have a motion governed, turned into wheels, and permitted."""
        armed = self.arming.state is ArmState.ARMED
        elapsed_s = min(elapsed_s, LONGEST_S)
        if slow:
            self.wheels.slowed(self.now_s)
        governed = self.governor.step(selected, armed=armed, elapsed_s=elapsed_s, slow=slow)
        wanted = self.kinematics.targets(governed.motion)
        steer_rad = (
            self.corners.advance(wanted.steer_rad, elapsed_s) if armed else self.corners.angles_rad
        )
        assert armed or isinstance(governed.motion, Stop)
        if self.arming.state is ArmState.MAINTENANCE:
            target = self.maintenance.step(self.now_s, elapsed_s)
            permitted = self.gate.permit_one(target, self.arming.state, self.now_s)
            self.wheels.gate(permitted, self.expected_state, self.now_s)
            self.check_one_thing(permitted)
            return
        before = self.wheels.last
        targets = WheelTargets(steer_rad, wanted.wheel_rad_s)
        permitted = self.gate.permit(targets, self.arming.state, self.now_s)
        self.wheels.gate(permitted, self.expected_state, self.now_s)
        self.check_one_thing(permitted)
        self.wheels.governor(before, elapsed_s)


MotionRules.TestCase.settings = stateful(50, 30)
TestMotionRules = MotionRules.TestCase
