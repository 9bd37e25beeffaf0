"""Which control does what: as bound by a person, on any pad that is known."""

import typing
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from rover.clock import ManualClock
from rover.config import (
    BindingsConfig,
    Config,
    GamepadConfig,
    PadButtonsConfig,
    PadConfig,
    PadStickConfig,
)
from rover.config.input_codes import PressedWhen
from rover.config.pads import ButtonName, StickName
from rover.errors import DeviceError
from rover.gamepad import Gamepad, GamepadUpdate
from rover.gamepad.codes import Axis, Control, Key
from rover.gamepad.device import OpenPad
from rover.gamepad.exceptions import EXCEPTIONS
from rover.gamepad.mapping import KeyButton, StickAxis, TriggerAxis
from rover.messages import Arc, RequestKind, Spin, Stop, is_neutral, require_finite
from rover.motion.kinematics import Kinematics
from tests.builders import osr_config
from tests.gamepad import pads
from tests.gamepad.pads import ABS, KEY, SYN, XBOX, AbsInfo, Description, Info
from tests.gamepad.socket_device import OnlyPad, SocketDevice

OSR = osr_config()
FULL_MPS = OSR.motion.max_speed_mps
TIGHTEST_PER_M = Kinematics(OSR).max_curvature_per_m
BUTTONS = typing.get_args(ButtonName)
STICKS = typing.get_args(StickName)


def with_gamepad(**changes) -> Config:
    return structs.replace(OSR, gamepad=GamepadConfig(**changes))


class Hand:
    """A thumb on one pad, polled after each of its doings."""

    def __init__(self, config: Config, description: Description = XBOX) -> None:
        self.device = SocketDevice(description)
        try:
            self.pad = OpenPad(self.device, "here", config.gamepad)
        except DeviceError:
            self.device.close()
            raise
        self._gamepad = Gamepad(config, ManualClock(0.0), OnlyPad(self.pad))
        self._now_s = 0.0
        self.do()

    def do(self, *events: tuple[int, int, int]) -> GamepadUpdate:
        self.device.send(*events)
        self._now_s += 0.01
        return self._gamepad.poll(self._now_s)

    def tap(self, key: int) -> GamepadUpdate:
        self.do((KEY, key, 1))
        return self.do((KEY, key, 0))

    def close(self) -> None:
        self._gamepad.close()
        self.device.close()


@pytest.fixture
def hands() -> Iterator[list[Hand]]:
    made: list[Hand] = []
    yield made
    for hand in made:
        hand.close()


@pytest.fixture
def take(hands):
    def take(*args, **kwargs) -> Hand:
        hands.append(Hand(*args, **kwargs))
        return hands[-1]

    return take


def test_every_function_can_be_bound_elsewhere(take):
    hand = take(
        with_gamepad(
            bindings=BindingsConfig(
                dead_man="left trigger",
                drive="right stick y",
                turn="left stick x",
                forward="south",
                reverse=None,
                spin_left="north",
                spin_right=None,
                stop="start",
                arm="east",
                disarm="guide",
                turbo="right shoulder",
                slow=None,
                mode=None,
            )
        )
    )
    push = (ABS, pads.ABS_RY, -32768)
    assert hand.do(push).command is None
    hand.do((ABS, pads.ABS_RY, 0))
    assert hand.do((KEY, pads.BTN_TR, 1)).command.motion == Arc(0.0, 0.0)
    hand.do((ABS, pads.ABS_Z, 1023))
    assert hand.do(push).command.motion == Arc(OSR.motion.turbo_speed_mps, 0.0)
    hand.do((KEY, pads.BTN_TR, 0), (ABS, pads.ABS_RY, 0))
    assert hand.do((KEY, pads.BTN_SOUTH, 1)).command.motion == Arc(FULL_MPS, 0.0)
    hand.do((KEY, pads.BTN_SOUTH, 0))
    spin = hand.do((KEY, pads.BTN_NORTH, 1)).command.motion
    assert spin == Spin(OSR.motion.max_yaw_rate_rad_s)
    assert hand.do((ABS, pads.ABS_Z, 0)).command.motion == Stop("dead-man released")
    hand.do((KEY, pads.BTN_NORTH, 0))
    assert hand.do((KEY, pads.BTN_EAST, 1)).requests == (RequestKind.ARM,)
    assert hand.do((KEY, pads.BTN_MODE, 1)).requests == (RequestKind.DISARM,)
    assert hand.do((KEY, pads.BTN_START, 1)).requests == (RequestKind.STOP,)


def test_a_dead_man_that_is_a_switch_counts_like_a_button(take):
    """A transmitter's channel; it was over when the transmitter appeared, so it is not pressed."""
    config = with_gamepad(
        pads={"1234:5678": calibrated(right_shoulder="ABS_Z > 200", east="ABS_Z < 50")}
    )
    description = Description(
        "transmitter",
        [],
        {
            pads.ABS_X: AbsInfo(128, 0, 255),
            pads.ABS_Y: AbsInfo(128, 0, 255),
            pads.ABS_Z: AbsInfo(255, 0, 255),
        },
    )
    hand = take(config, description)
    assert hand.do((ABS, pads.ABS_Y, 0)).command is None
    hand.do((ABS, pads.ABS_Y, 128))
    hand.do((ABS, pads.ABS_Z, 128))
    hand.do((ABS, pads.ABS_Z, 255))
    assert hand.do((ABS, pads.ABS_Y, 0)).command.motion == Arc(FULL_MPS, 0.0)
    stopped = hand.do((ABS, pads.ABS_Z, 0))
    assert stopped.command.motion == Stop("dead-man released")
    assert stopped.requests == (RequestKind.STOP,)


def calibrated(**buttons):
    return PadConfig(
        left_stick_x=PadStickConfig("ABS_X", 0, 128.0, 255),
        left_stick_y=PadStickConfig("ABS_Y", 0, 128.0, 255),
        buttons=PadButtonsConfig(**buttons),
    )


def test_a_pad_that_lacks_the_bound_dead_man_is_refused(take):
    with pytest.raises(DeviceError, match=r"no guide to be the dead-man: bind another"):
        take(
            with_gamepad(bindings=BindingsConfig(dead_man="guide")),
            structs.replace(XBOX, keys=[pads.BTN_SOUTH, pads.BTN_TR]),
        )


def test_a_pad_without_an_emergency_stop_is_told_of(take):
    hand = take(OSR, structs.replace(XBOX, keys=[pads.BTN_SOUTH, pads.BTN_TR]))
    trouble = hand.do((KEY, pads.BTN_TR, 0)).trouble
    assert "has no emergency stop, for it has no east" in trouble
    assert "rover calibrate gamepad" in trouble
    assert take(OSR).do((KEY, pads.BTN_TR, 0)).trouble == ""


def test_a_trigger_held_as_the_pad_appears_is_asked_for_and_nobody_is_told_of_rest(take):
    held = structs.replace(XBOX, axes={**XBOX.axes, pads.ABS_RZ: AbsInfo(1023, 0, 1023)})
    hand = take(OSR, held)
    update = hand.do((KEY, pads.BTN_TR, 1))
    assert update.command is None
    assert update.deflected
    assert "pull the right trigger once and let go" in update.trouble
    assert hand.do((ABS, pads.ABS_RZ, 1000)).command is None
    assert hand.do((ABS, pads.ABS_RZ, 0)).command.motion == Arc(0.0, 0.0)
    assert hand.do((ABS, pads.ABS_RZ, 1023)).command.motion == Arc(FULL_MPS, 0.0)


def test_what_was_held_before_the_pads_first_report_does_not_begin_with_the_press():
    """The kernel has axes at 0 before a pad has said anything, and tells buttons first."""
    device = SocketDevice(XBOX)
    gamepad = Gamepad(OSR, ManualClock(0.0), OnlyPad(OpenPad(device, "here")))
    assert gamepad.poll(0.01).command.motion == Arc(0.0, 0.0)
    device.send((KEY, pads.BTN_TR, 1), (ABS, pads.ABS_RZ, 1023), (ABS, pads.ABS_Y, -32768))
    assert gamepad.poll(0.02).command is None
    device.send((ABS, pads.ABS_RZ, 0), (ABS, pads.ABS_Y, 0))
    assert gamepad.poll(0.03).command.motion == Arc(0.0, 0.0)
    device.send((ABS, pads.ABS_RZ, 1023))
    assert gamepad.poll(0.04).command.motion == Arc(FULL_MPS, 0.0)
    gamepad.close()
    device.close()


def test_slow_driving_is_switched_on_and_off_and_goes_before_turbo(take):
    hand = take(OSR)
    slow_mps = OSR.motion.slow_speed_mps
    assert hand.tap(pads.BTN_WEST).slow
    hand.do((KEY, pads.BTN_TR, 1), (KEY, pads.BTN_TL, 1))
    assert hand.do((ABS, pads.ABS_Y, -32768)).command.motion == Arc(slow_mps, 0.0)
    hand.do((ABS, pads.ABS_Y, 0))
    spin = hand.do((ABS, pads.ABS_HAT0X, -1)).command.motion
    assert spin == Spin(pytest.approx(OSR.motion.max_yaw_rate_rad_s * slow_mps / FULL_MPS))
    hand.do((ABS, pads.ABS_HAT0X, 0))
    assert not hand.tap(pads.BTN_WEST).slow
    turbo = hand.do((ABS, pads.ABS_Y, -32768)).command.motion
    assert turbo == Arc(OSR.motion.turbo_speed_mps, 0.0)


def test_slow_driving_can_last_while_its_button_is_held(take):
    hand = take(with_gamepad(slow_while_held=True))
    assert hand.do((KEY, pads.BTN_WEST, 1)).slow
    assert not hand.do((KEY, pads.BTN_WEST, 0)).slow


def test_the_trim_bends_what_drives_and_nothing_else(take):
    hand = take(OSR)
    step_per_m = OSR.gamepad.trim_step_per_m
    for _ in range(2):
        hand.do((ABS, pads.ABS_HAT0Y, -1))
        trimmed = hand.do((ABS, pads.ABS_HAT0Y, 0))
    assert trimmed.trim_per_m == pytest.approx(2 * step_per_m)
    assert trimmed.command.motion == Arc(0.0, 0.0)
    assert not trimmed.deflected
    hand.do((KEY, pads.BTN_TR, 1))
    drive = hand.do((ABS, pads.ABS_Y, -32768)).command.motion
    assert drive == Arc(FULL_MPS, pytest.approx(2 * step_per_m))
    back = hand.do((ABS, pads.ABS_Y, 32767)).command.motion
    assert back == Arc(-FULL_MPS, pytest.approx(2 * step_per_m))
    tight = hand.do((ABS, pads.ABS_RX, -32768)).command.motion
    assert tight == Arc(-FULL_MPS, TIGHTEST_PER_M)
    hand.do((ABS, pads.ABS_Y, 0))
    assert hand.do((ABS, pads.ABS_RX, 0)).command.motion == Arc(0.0, 0.0)
    for _ in range(2):
        hand.do((ABS, pads.ABS_HAT0Y, 1))
        level = hand.do((ABS, pads.ABS_HAT0Y, 0))
    assert level.trim_per_m == 0.0


def test_the_trim_is_bounded_and_taken_back(take):
    hand = take(OSR)
    for _ in range(30):
        hand.do((ABS, pads.ABS_HAT0Y, 1))
        most = hand.do((ABS, pads.ABS_HAT0Y, 0))
    assert most.trim_per_m == -OSR.gamepad.max_trim_per_m
    assert hand.tap(pads.BTN_THUMBR).trim_per_m == 0.0
    buttons = structs.replace(XBOX, keys=[*XBOX.keys, pads.BTN_DPAD_UP, pads.BTN_DPAD_DOWN])
    both = take(OSR, buttons)
    assert both.tap(pads.BTN_DPAD_UP).trim_per_m > 0.0
    both.do((KEY, pads.BTN_DPAD_UP, 1))
    assert both.do((KEY, pads.BTN_DPAD_DOWN, 1)).trim_per_m == 0.0


@st.composite
def bindings(draw) -> BindingsConfig:
    """Bind any button to any function, and any stick to drive and turn."""
    names = [
        name for name in BindingsConfig.__struct_fields__ if name not in {"drive", "turn", "slide"}
    ]
    order = draw(st.permutations(BUTTONS))
    sticks = draw(st.permutations(STICKS))
    bound = dict(zip(names, order, strict=False))
    return BindingsConfig(**bound, drive=sticks[0], turn=sticks[1], slide=sticks[2])


CODES = {
    KEY: sorted({int(key) for key in Key} | {*range(0x120, 0x140), 0x9E, 0xAC}),
    ABS: sorted(int(axis) for axis in Axis),
}
events = st.one_of(
    st.tuples(st.just(KEY), st.sampled_from(CODES[KEY]), st.integers(0, 2)),
    st.tuples(st.just(ABS), st.sampled_from(CODES[ABS]), st.sampled_from([0, 64, 128, 192, 255])),
    st.just((SYN, pads.SYN_DROPPED, 0)),
    st.just("let go of all"),
    st.just("press the dead-man"),
)
PADS = [one for one in EXCEPTIONS if one.buttons]


@given(st.sampled_from([None, *PADS]), bindings(), st.lists(events, max_size=40))
def test_on_any_pad_however_bound_nothing_moves_without_the_dead_man(exception, bound, script):
    """What is down is worked out here from raw codes, apart from the code that drives."""
    info = Info()
    if exception is not None:
        product = min(exception.products, default=0x1111)
        info = Info(3, exception.vendor or 0x1234, product)
    names_hats = exception is not None and exception.whole
    keys = [*exception.buttons.values()] if names_hats else CODES[KEY]
    description = Description(
        "pad", keys, {axis: AbsInfo(128, 0, 255) for axis in CODES[ABS]}, info=info
    )
    config = with_gamepad(bindings=bound)
    try:
        hand = Hand(config, description)
    except DeviceError as error:
        assert "dead-man" in str(error) or "to drive with" in str(error)  # noqa: PT017
        return
    served = hand.pad.mapping.controls[Control(bound.dead_man)]
    raw = dict.fromkeys(keys, 0) | dict.fromkeys(CODES[ABS], 128)

    def is_held() -> bool:
        match served:
            case KeyButton(code):
                return raw[code] == 1
            case PressedWhen():
                return served.holds(raw[served.axis])
            case _:
                return served.position(raw[served.code]) >= 0.5

    def put(kind: int, code: int, value: int) -> None:
        if kind == KEY and value < 2 and code in raw:
            raw[code] = value
            (hand.device.held.append if value else _take_out(hand.device.held))(code)
        elif kind == ABS:
            raw[code] = hand.device.values[code] = value

    try:
        for event in script:
            batch = [event]
            if event == "let go of all":
                batch = [(ABS, axis, 128) for axis in CODES[ABS]]
                batch += [(KEY, key, 0) for key in keys if raw[key]]
            elif event == "press the dead-man":
                batch = [(KEY, served.code, 1)] if isinstance(served, KeyButton) else []
            for one in batch:
                put(*one)
            update = hand.do(*batch)
            if update.command is not None and not is_neutral(update.command.motion):
                assert is_held()
        # However it went, this is how anybody starts to drive.
        at_rest = [at(one, 0.0) for one in hand.pad.mapping.controls.values()]
        hand.do(*at_rest)
        hand.do()
        assert is_neutral(hand.do(at(served, 1.0)).command.motion)
        controls = hand.pad.mapping.controls
        # All of them: a pad without the one that is bound to turn steers with the left one.
        sticks = [one for one in STICKS if one in controls]
        update = hand.do(*(at(controls[one], 1.0) for one in sticks or [bound.forward]))
        assert not is_neutral(update.command.motion)
    finally:
        hand.close()


garbage = st.tuples(
    st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.integers(-(1 << 31), (1 << 31) - 1)
)
near_garbage = st.tuples(
    st.sampled_from([SYN, KEY, ABS]),
    st.sampled_from(CODES[KEY] + CODES[ABS]),
    st.integers(-(1 << 31), (1 << 31) - 1),
)


@given(st.lists(st.lists(garbage | near_garbage, max_size=8), max_size=8))
def test_whatever_a_broken_pad_sends_comes_out_finite_and_under_the_dead_man(script):
    hand = Hand(OSR)
    held = False
    try:
        for batch in script:
            update = hand.do(*batch)
            for kind, code, value in batch:
                if (kind, code) == (KEY, pads.BTN_TR) and value in {0, 1}:
                    held = value == 1
            # Lost events are made up for from the kernel's state, which has nothing held.
            lost = any((kind, code) == (SYN, pads.SYN_DROPPED) for kind, code, _ in batch)
            held = held and not lost
            if update.command is not None:
                require_finite(update.command.motion)
                assert held or is_neutral(update.command.motion)
    finally:
        hand.close()


def at(served, part: float) -> tuple[int, int, int]:
    """Return the event of a control at rest, 0, or pressed, pulled or pushed to its end, 1."""
    match served:
        case KeyButton(code):
            return (KEY, code, int(part))
        case PressedWhen(axis, limit, above):
            return (ABS, axis, limit + (1 if above else -1) * int(part))
        case TriggerAxis(code, rest, pulled):
            return (ABS, code, pulled if part else rest)
        case StickAxis():
            return (ABS, served.code, served.minimum if part else 128)
    raise AssertionError(served)


def _take_out(held: list[int]):
    def take_out(code: int) -> None:
        held[:] = [one for one in held if one != code]

    return take_out
