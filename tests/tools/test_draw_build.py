"""The build guide's pictures are of the built-in rover, and of what the program does today."""

from xml.etree import ElementTree

import pytest

from rover.config.files import NOWHERE, load_config
from tools import draw_build

OSR = load_config("osr", places=NOWHERE).config


@pytest.mark.parametrize("name", list(draw_build.PICTURES))
def test_the_picture_is_up_to_date(name: str) -> None:
    kept = (draw_build.IMAGES / name).read_text(encoding="utf-8")
    assert kept == draw_build.PICTURES[name](OSR), "python -m tools.draw_build"


def test_every_wheel_is_drawn_with_its_output() -> None:
    root = ElementTree.fromstring(draw_build.controllers(OSR))
    words = {element.text for element in root.iter() if element.text}
    for name, wheel in OSR.wheels.items():
        assert name.replace("_", " ") in words
        inverted = ", inverted" if wheel.motor.inverted else ""
        assert f"0x{wheel.motor.address:02X} M{wheel.motor.channel}{inverted}" in words
