"""The drawing shows what is bound, and the table of pads those that were recorded."""

from pathlib import Path

from rover.config import BindingsConfig
from tests.gamepad.recorded import PADS
from tools import draw_gamepad

ROOT = Path(__file__).parents[2]


def test_the_drawing_is_that_of_the_defaults():
    assert draw_gamepad.PICTURE.read_text(encoding="utf-8") == draw_gamepad.svg()
    for name in BindingsConfig.__struct_fields__:
        assert draw_gamepad._WORDS[name] in draw_gamepad.svg()


def test_the_table_of_pads_has_every_recording():
    page = (ROOT / "docs" / "gamepads.md").read_text(encoding="utf-8")
    rows = {line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ")}
    assert {recording.title for recording in PADS} <= rows
