"""Pads as the kernel describes them: each control of each is known, and at its place."""

import pytest

from rover.config import GamepadConfig, StickConfig
from rover.config.input_codes import PressedWhen
from rover.gamepad import GamepadUpdate
from rover.gamepad.codes import STICK_CONTROLS, Control
from rover.gamepad.mapping import KeyButton, PadMapping, StickAxis, TriggerAxis, mapping_of
from rover.messages import Arc, Motion, RequestKind, Spin, Stop, is_neutral
from tests.builders import osr_config
from tests.gamepad.bed import Bed
from tests.gamepad.pads import ABS, KEY
from tests.gamepad.recorded import PADS, RECORDINGS, Move, Recording

KNOWN = [recording for recording in PADS if recording.kind != "calibrate"]
WHOLE = [recording for recording in KNOWN if recording.kind != "partly"]


def pressed(mapping: PadMapping, control: Control, move: Move, raw: int) -> float:
    """Return where ``control`` is by ``mapping`` with its source at ``raw``."""
    match mapping.controls[control]:
        case StickAxis() | TriggerAxis() as axis:
            assert move.is_axis
            assert axis.code == move.code
            return axis.position(raw)
        case PressedWhen() as side:
            assert move.is_axis
            assert side.axis == move.code
            return float(side.holds(raw))
        case KeyButton(code):
            assert not move.is_axis
            assert code == move.code
            return float(raw)


def test_every_recording_says_where_it_is_from():
    assert len(KNOWN) >= 15
    for recording in RECORDINGS:
        assert recording.sources, recording.name


@pytest.mark.parametrize("recording", KNOWN, ids=lambda recording: recording.name)
def test_each_control_is_where_the_pad_has_it(recording: Recording):
    mapping = mapping_of(recording.pad.capabilities, recording.pad.identity, GamepadConfig())
    for control, move in recording.controls.items():
        assert control in mapping.controls, control
        # Pads rest where they like, and the rover's deadband is for that.
        at_rest = pressed(mapping, control, move, move.at_rest)
        assert abs(at_rest) < StickConfig().deadband, control
        assert pressed(mapping, control, move, move.value) == 1.0, control
        if control in STICK_CONTROLS:
            told = recording.pad.description.axes[move.code]
            far = told.min if move.value == told.max else told.max
            assert pressed(mapping, control, move, far) == -1.0, control


# The same on the real evdev library: what is plugged in, found, read and made into commands.


class Hand:
    """Moves the controls of a recorded pad as the pad reports them."""

    def __init__(self, bed: Bed, recording: Recording) -> None:
        self._bed = bed
        self._recording = recording
        self.nodes = {node.role: bed.plug(node.description) for node in recording.nodes}

    def has(self, *controls: Control) -> bool:
        return all(control in self._recording.controls for control in controls)

    def hold(self, control: Control, part: float = 1.0) -> GamepadUpdate:
        """Hold a control fully; a stick at -1 at its left or upper end."""
        move = self._recording.controls[control]
        raw = move.value
        if part < 0:
            told = self._recording.pad.description.axes[move.code]
            raw = told.min if move.value == told.max else told.max
        return self._send(move, raw)

    def let_go(self, control: Control) -> GamepadUpdate:
        move = self._recording.controls[control]
        return self._send(move, move.at_rest)

    def _send(self, move: Move, raw: int) -> GamepadUpdate:
        self._bed.send(self.nodes["pad"], (ABS if move.is_axis else KEY, move.code, raw))
        return self._bed.poll()


def motion_of(update: GamepadUpdate) -> Motion:
    assert update.command is not None
    return update.command.motion


@pytest.mark.parametrize("recording", WHOLE, ids=lambda recording: recording.name)
def test_every_pad_drives_as_the_hand_means_it(bed, recording: Recording):
    config = osr_config()
    speed_mps, yaw_rad_s = config.motion.max_speed_mps, config.motion.max_yaw_rate_rad_s
    hand = Hand(bed, recording)
    bed.start(config)
    update = bed.poll()
    assert update.connected
    assert update.name.strip() == recording.pad.identity.name
    assert update.trouble == ""
    for control, kind in (
        (Control.EAST, RequestKind.STOP),
        (Control.START, RequestKind.ARM),
        (Control.SELECT, RequestKind.DISARM),
    ):
        assert hand.hold(control).requests == (kind,)
        hand.let_go(control)
    hand.hold(Control.RIGHT_SHOULDER)
    assert motion_of(hand.hold(Control.LEFT_STICK_Y, -1.0)) == Arc(speed_mps, 0.0)
    assert motion_of(hand.hold(Control.LEFT_STICK_Y, 1.0)) == Arc(-speed_mps, 0.0)
    hand.let_go(Control.LEFT_STICK_Y)
    left = motion_of(hand.hold(Control.RIGHT_STICK_X, -1.0))
    assert isinstance(left, Arc)
    assert left.speed_mps == 0.0
    assert left.curvature_per_m > 0.0
    right = motion_of(hand.hold(Control.RIGHT_STICK_X, 1.0))
    assert right == Arc(0.0, -left.curvature_per_m)
    assert is_neutral(motion_of(hand.let_go(Control.RIGHT_STICK_X)))
    for control, sign in ((Control.RIGHT_TRIGGER, 1.0), (Control.LEFT_TRIGGER, -1.0)):
        # A trigger counts once it has been seen at rest.
        hand.hold(control)
        assert is_neutral(motion_of(hand.let_go(control)))
        pulled = motion_of(hand.hold(control))
        assert isinstance(pulled, Arc)
        # What the stick beside it rests off its middle counts too.
        assert pulled.speed_mps * sign == pytest.approx(speed_mps, abs=0.05)
        assert pulled.curvature_per_m == 0.0
        assert is_neutral(motion_of(hand.let_go(control)))
    for control, sign in ((Control.D_PAD_LEFT, 1.0), (Control.D_PAD_RIGHT, -1.0)):
        assert motion_of(hand.hold(control)) == Spin(sign * yaw_rad_s)
        assert is_neutral(motion_of(hand.let_go(control)))
    assert motion_of(hand.let_go(Control.RIGHT_SHOULDER)) == Stop("dead-man released")


@pytest.mark.parametrize(
    "recording",
    [recording for recording in PADS if recording.kind == "calibrate"],
    ids=lambda recording: recording.name,
)
def test_a_pad_that_nobody_can_know_drives_nothing_and_says_what_to_do(bed, recording: Recording):
    Hand(bed, recording)
    bed.start(osr_config())
    update = bed.poll()
    assert not update.connected
    assert "rover calibrate gamepad" in update.trouble


def test_half_a_pad_drives_and_steers_with_its_one_stick(bed):
    hand = Hand(bed, next(one for one in PADS if one.kind == "partly"))
    bed.start(osr_config())
    bed.poll()
    assert hand.hold(Control.EAST).requests == (RequestKind.STOP,)
    hand.let_go(Control.EAST)
    hand.hold(Control.RIGHT_SHOULDER)
    hand.hold(Control.LEFT_STICK_Y, -1.0)
    motion = motion_of(hand.hold(Control.LEFT_STICK_X, -1.0))
    assert isinstance(motion, Arc)
    assert motion.speed_mps == osr_config().motion.max_speed_mps
    assert motion.curvature_per_m > 0.0
