"""Pads as the kernel describes them: each control of each is known, and at its place."""

import pytest

from rover.config import GamepadConfig, StickConfig
from rover.config.input_codes import PressedWhen
from rover.gamepad.codes import STICK_CONTROLS, Control
from rover.gamepad.mapping import KeyButton, PadMapping, StickAxis, TriggerAxis, mapping_of
from tests.gamepad.recorded import PADS, RECORDINGS, Move, Recording

KNOWN = [recording for recording in PADS if recording.kind != "calibrate"]


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
