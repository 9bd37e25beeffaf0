import pytest
from msgspec import structs

from rover.sim.faults import PressStop
from rover.sim.lines import LineLevels
from tests.builders import osr_config
from tests.sim.rig import Rig

STOP = 22


@pytest.fixture
def panel():
    return structs.replace(osr_config().panel, stop_button=STOP)


def test_a_driven_line_keeps_its_level(panel) -> None:
    lines = LineLevels(panel, lambda _: None)
    assert not lines.level(25)
    lines.drive(25, high=True)
    assert lines.level(25)


def test_the_motor_enable_line_tells_only_changes(panel) -> None:
    told: list[bool] = []
    lines = LineLevels(panel, told.append)
    assert not lines.motors_enabled
    for high in (False, True, True, False):
        lines.drive(23, high=high)
    assert told == [True, False]


def test_the_stop_button_closes_to_ground(panel) -> None:
    lines = LineLevels(panel, lambda _: None)
    assert lines.level(STOP)
    lines.stop_pressed = True
    assert not lines.level(STOP)
    lines.drive(STOP, high=True)
    assert not lines.level(STOP)


def test_the_button_is_pressed_by_a_fault(panel) -> None:
    rig = Rig(structs.replace(osr_config(), panel=panel))
    rig.rover.inject(PressStop(True))
    assert not rig.rover.lines.level(STOP)
    rig.rover.inject(PressStop(False))
    assert rig.rover.lines.level(STOP)


def test_a_rover_without_a_button_says_so() -> None:
    with pytest.raises(ValueError, match=r"panel\.stop_button"):
        Rig().rover.inject(PressStop(True))
