"""Whatever is pressed, pushed and let go of: from pad to arbiter, motion begins at rest."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from rover.clock import ManualClock
from rover.config import Config
from rover.gamepad import Gamepad
from rover.gamepad.device import OpenPad
from rover.messages import Source, Stop, is_neutral
from rover.motion.arbiter import Arbiter
from tests.builders import osr_config
from tests.gamepad import pads
from tests.gamepad.pads import ABS, KEY, XBOX
from tests.gamepad.socket_device import OnlyPad, SocketDevice

TICK_S = 0.01
OSR = osr_config()
ALL_STEER = structs.replace(
    OSR,
    wheels={
        name: structs.replace(wheel, steer=OSR.wheels["left_front"].steer)
        for name, wheel in OSR.wheels.items()
    },
)
# Every control that moves the rover, and where a hand may hold it; 0 is at rest for all.
POSITIONS = {
    pads.ABS_Y: (0, -32768, 32767, -9000),
    pads.ABS_RX: (0, 32767),
    pads.ABS_X: (0, -32768),
    pads.ABS_Z: (0, 1023),
    pads.ABS_RZ: (0, 1023),
    pads.ABS_HAT0X: (0, -1, 1),
}
LETTING_GO = [(ABS, axis, 0) for axis in POSITIONS]


class Hands:
    """A pad in somebody's hands, and the arbiter that hears it; knows what the hands do."""

    def __init__(self, config: Config) -> None:
        self.device = SocketDevice(XBOX)
        self.gamepad = Gamepad(config, ManualClock(0.0), OnlyPad(OpenPad(self.device, "here")))
        self.arbiter = Arbiter(config)
        self.now_s = 0.0
        self.held = False
        self._axes = dict.fromkeys(POSITIONS, 0)
        if config is OSR:
            # Means nothing on a rover that cannot crab.
            del self._axes[pads.ABS_X]
        # Whether all has been at rest under the button that is held, since the last Stop.
        self.rested = False

    @property
    def at_rest(self) -> bool:
        return not any(self._axes.values())

    def do(self, *events: tuple[int, int, int]) -> None:
        for kind, code, value in events:
            if kind == ABS and code in self._axes:
                self._axes[code] = value
            elif (kind, code) == (KEY, pads.BTN_TR):
                self.rested = self.at_rest if value else self.rested
                self.held = value == 1
        self.device.send(*events)

    def tick(self):
        """Poll, and hand what comes to the arbiter; return both of their answers."""
        self.now_s += TICK_S
        update = self.gamepad.poll(self.now_s)
        stopped = update.command is not None and isinstance(update.command.motion, Stop)
        self.rested = not stopped and (self.rested or self.at_rest)
        if update.command is not None:
            assert self.arbiter.receive(update.command, self.now_s) == ""
        return update, self.arbiter.select(self.now_s)


keys = st.sampled_from([pads.BTN_TR, pads.BTN_TR, pads.BTN_TL, pads.BTN_NORTH])
events = st.one_of(
    st.tuples(st.just(KEY), keys, st.sampled_from([0, 1])),
    st.sampled_from([(ABS, axis, raw) for axis, raws in POSITIONS.items() for raw in raws]),
    st.just("let go of all"),
)
scripts = st.lists(st.lists(events, max_size=3), max_size=30)


@given(st.sampled_from([OSR, ALL_STEER]), scripts)
def test_motion_begins_at_rest_and_always_can(config, script):
    hands = Hands(config)
    moving = False
    try:
        for batch in script:
            for event in batch:
                hands.do(*(LETTING_GO if event == "let go of all" else [event]))
            update, selected = hands.tick()
            assert update.deflected is not hands.at_rest
            if update.command is None:
                # Motion ends with a Stop or at rest, not by falling silent.
                assert not moving
                assert not hands.at_rest
            elif not isinstance(update.command.motion, Stop):
                # Neither motion nor neutral is told of sticks that do not count.
                assert hands.at_rest or (hands.held and hands.rested)
                assert is_neutral(update.command.motion) or (hands.held and hands.rested)
            moving = update.command is not None and not is_neutral(update.command.motion)
            if moving:
                # What the dead-man lets pass the arbiter takes: nobody wonders why not.
                assert selected.source is Source.GAMEPAD
                assert selected.motion == update.command.motion
        # However it went, this is how anybody starts to drive.
        hands.do((KEY, pads.BTN_TR, 0), *LETTING_GO)
        hands.tick()
        hands.tick()
        hands.do((KEY, pads.BTN_TR, 1))
        hands.tick()
        hands.do((ABS, pads.ABS_HAT0X, -1))
        update, selected = hands.tick()
        assert not is_neutral(selected.motion)
        assert selected.source is Source.GAMEPAD
        assert update.trouble == ""
    finally:
        hands.gamepad.close()
        hands.device.close()
