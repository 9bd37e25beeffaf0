"""The gamepad's sections: bindings by name, calibrated pads, and what is wrong with them."""

from pathlib import Path

import pytest

from rover.config import BindingsConfig, PadButtonsConfig, PadStickConfig, PadTriggerConfig
from rover.config.files import NOWHERE, load_config
from rover.config.schema import key_text, leaves
from rover.errors import ConfigError

PAD = """
[gamepad.pads."045e:02ea".left_stick_y]
axis = "ABS_Y"
minimum = -30000
centre = 512.5
maximum = 31000
inverted = true
deadband = 900

[gamepad.pads."045e:02ea".right_trigger]
axis = "ABS_RZ"
rest = 1023
pulled = 0

[gamepad.pads."045e:02ea".buttons]
right_shoulder = "BTN_TR"
east = "0x131"
d_pad_left = "ABS_HAT0X < 0"
"""


def load(tmp_path: Path, user: str = "", calibration: str = ""):
    files = []
    for name, text in (("rover.toml", user), ("calibration.toml", calibration)):
        (tmp_path / name).write_text(text)
        files.append(tmp_path / name)
    return load_config("osr", *files, places=NOWHERE)


def faults(tmp_path: Path, user: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, user)
    return str(caught.value).splitlines()


def test_bindings_are_set_by_name(tmp_path):
    text = (
        '[gamepad.bindings]\ndead_man = "left trigger"\nreverse = "none"\nturn = "left stick x"\n'
    )
    bindings = load(tmp_path, text).config.gamepad.bindings
    assert bindings == BindingsConfig(dead_man="left trigger", reverse=None, turn="left stick x")


def test_a_calibrated_pad_comes_from_the_calibration_file(tmp_path):
    loaded = load(tmp_path, calibration=PAD)
    pad = loaded.config.gamepad.pads["045e:02ea"]
    assert pad.left_stick_y == PadStickConfig(
        "ABS_Y", -30000, 512.5, 31000, inverted=True, deadband=900.0
    )
    assert pad.right_trigger == PadTriggerConfig("ABS_RZ", 1023, 0)
    assert pad.buttons == PadButtonsConfig(
        right_shoulder="BTN_TR", east="0x131", d_pad_left="ABS_HAT0X < 0"
    )
    assert pad.right_stick_x is None
    path = ("gamepad", "pads", "045e:02ea", "left_stick_y", "centre")
    assert str(loaded.origins[path]).endswith("calibration.toml:5")
    # What `rover config show` prints can be written again.
    shown = {key_text(path) for path, _ in leaves(loaded.config)}
    assert 'gamepad.pads."045e:02ea".buttons.east' in shown


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ('[gamepad.bindings]\ndead_man = "right sholder"', 'the nearest is "right shoulder"'),
        ('[gamepad.bindings]\ndead_man = "none"', "must be one of"),
        ('[gamepad.bindings]\ndrive = "south"', "must be one of"),
        ('[gamepad.bindings]\nstopp = "east"', "the nearest is gamepad.bindings.stop"),
        ('[gamepad.pads."045E:02ea"]', "vendor:product, four of 0-9 and a-f each"),
        ('[gamepad.pads."045e:02ea".left_stick_x]\naxis = "ABS_X"', "minimum is missing"),
    ],
)
def test_what_is_not_allowed_is_told_with_what_is(tmp_path, user, words):
    assert any(words in fault for fault in faults(tmp_path, user))


STICK = '[gamepad.pads."1:2".left_stick_x]\n'.replace("1:2", "0001:0002")


@pytest.mark.parametrize(
    ("user", "words"),
    [
        (
            '[gamepad.bindings]\nturbo = "east"\n',
            'turbo and gamepad.bindings.stop are the same control, "east"',
        ),
        (
            '[gamepad.bindings]\ndrive = "right stick x"\n',
            'turn and gamepad.bindings.drive are the same control, "right stick x"',
        ),
        (
            '[gamepad.bindings]\ndrive = "none"\nreverse = "none"\n',
            "nothing would drive",
        ),
        (
            '[gamepad.pads."0000:0000"]\n',
            "a pad without a vendor is known by its name",
        ),
        (
            STICK + 'axis = "ABS_X"\nminimum = 0\ncentre = 255\nmaximum = 255\n',
            "centre = 255 is not between minimum = 0 and maximum = 255",
        ),
        (
            STICK + 'axis = "ABS_RXX"\nminimum = 0\ncentre = 1\nmaximum = 2\n',
            "ABS_RXX is not one of the kernel's names",
        ),
        (
            '[gamepad.pads."0001:0002".buttons]\neast = "BTN_EASTT"\n',
            "the nearest is BTN_EAST",
        ),
        (
            '[gamepad.pads."0001:0002".buttons]\neast = "ABS_X ~ 3"\n',
            '= "ABS_X ~ 3"',
        ),
        (
            PAD.replace("pulled = 0", "pulled = 1023"),
            "rest and pulled are both 1023",
        ),
        (
            PAD + 'west = "BTN_TR"\n',
            'buttons.right_shoulder and gamepad.pads."045e:02ea".buttons.west are the same',
        ),
        (
            PAD.replace("ABS_RZ", "ABS_Y"),
            'right_trigger.axis and gamepad.pads."045e:02ea".left_stick_y.axis are the same',
        ),
        (
            PAD + 'right_trigger = "BTN_TR2"\n',
            "are one trigger: take one out",
        ),
    ],
)
def test_what_contradicts_itself_is_told_by_key(tmp_path, user, words):
    (fault,) = faults(tmp_path, user)
    assert words in fault
    assert "rover.toml:" in fault


def test_steering_and_sliding_may_share_a_stick(tmp_path):
    load(tmp_path, '[gamepad.bindings]\nturn = "left stick x"\n')
