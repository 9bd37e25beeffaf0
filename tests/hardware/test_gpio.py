"""The panel on lines in memory, through the real gpiozero devices."""

import pytest
from gpiozero import LED
from msgspec import structs

from rover.errors import DeviceError
from rover.hardware.bus.lines import EndpointFactory
from rover.hardware.gpio import GpioPanel
from tests.builders import osr_config
from tests.hardware.fakes import MemoryLines

ENABLE, BUTTON, ARMED, FAULT, LINK, POWER = 23, 17, 25, 26, 5, 6
CONFIG = structs.replace(
    osr_config(), panel=structs.replace(osr_config().panel, stop_button=BUTTON)
)


@pytest.fixture
def lines():
    return MemoryLines()


@pytest.fixture
def panel(lines):
    made = GpioPanel(CONFIG, lambda: EndpointFactory(lines))
    yield made
    lines.broken = False
    made.close()


def ready(panel: GpioPanel) -> bool:
    (entry,) = panel.health()
    return entry.ready


def test_nothing_is_touched_before_start(panel, lines):
    assert lines.levels == {}
    assert not ready(panel)
    assert panel.stop_pressed()


def test_start_claims_the_lines_with_the_motors_disabled_and_the_power_lamp_lit(panel, lines):
    panel.start()
    assert lines.levels == {ENABLE: False, ARMED: False, FAULT: False, LINK: False, POWER: True}
    assert ready(panel)


def test_the_motor_enable_line_follows_at_once(panel, lines):
    panel.start()
    panel.enable_motors(True)
    assert lines.levels[ENABLE] is True
    panel.enable_motors(False)
    assert lines.levels[ENABLE] is False


def test_what_was_asked_for_before_a_late_start_holds_after_it(panel, lines):
    panel.enable_motors(True)
    panel.show(armed=False, fault=False, link=True)
    assert lines.levels == {}
    panel.start()
    assert lines.levels == {ENABLE: True, ARMED: False, FAULT: False, LINK: True, POWER: True}


def test_the_button_closes_to_ground(panel, lines):
    panel.start()
    assert not panel.stop_pressed()
    lines.levels[BUTTON] = False
    assert panel.stop_pressed()
    lines.levels[BUTTON] = True
    assert not panel.stop_pressed()


def test_a_normally_closed_button_opens_and_so_does_a_broken_wire(lines):
    config = structs.replace(CONFIG.panel, stop_button_normally_closed=True)
    panel = GpioPanel(structs.replace(CONFIG, panel=config), lambda: EndpointFactory(lines))
    panel.start()
    # Nothing is connected, and the pull-up has its way.
    assert panel.stop_pressed()
    lines.levels[BUTTON] = False
    assert not panel.stop_pressed()
    lines.levels[BUTTON] = True
    assert panel.stop_pressed()
    panel.close()


def test_lines_that_cannot_be_let_go_of_are_let_go_of_one_by_one(panel, lines, monkeypatch):
    panel.start()
    panel.enable_motors(True)
    closed = []

    def fail_to_close(led: LED) -> None:
        closed.append(led)
        raise DeviceError("the chip is busy")

    with monkeypatch.context() as patch:
        patch.setattr(LED, "close", fail_to_close)
        panel.close()
    assert len(closed) == 4
    assert lines.levels[ENABLE] is False
    panel.start()
    assert ready(panel)


def test_a_button_that_cannot_be_read_is_pressed(panel, lines):
    panel.start()
    lines.broken = True
    assert panel.stop_pressed()
    assert not ready(panel)
    assert "cannot read the stop button: the lines are gone" in panel.health()[0].errors[0]


def test_no_button_is_never_pressed(lines):
    panel = GpioPanel(osr_config(), lambda: EndpointFactory(lines))
    assert not panel.stop_pressed()
    panel.start()
    assert not panel.stop_pressed()
    panel.close()


@pytest.mark.parametrize("armed", [False, True])
@pytest.mark.parametrize("fault", [False, True])
@pytest.mark.parametrize("link", [False, True])
def test_lamps(panel, lines, armed, fault, link):
    panel.start()
    panel.show(armed=armed, fault=fault, link=link)
    assert [lines.levels[lamp] for lamp in (ARMED, FAULT, LINK, POWER)] == [
        armed,
        fault,
        link,
        True,
    ]


def test_a_line_that_cannot_be_set_is_told_and_start_makes_it_good(panel, lines):
    panel.start()
    panel.enable_motors(True)
    lines.broken = True
    panel.enable_motors(False)
    assert not ready(panel)
    assert "cannot set GPIO23: the lines are gone" in panel.health()[0].errors[0]
    lines.broken = False
    panel.start()
    assert ready(panel)
    assert lines.levels[ENABLE] is False


def test_lines_that_cannot_be_opened():
    def refuse() -> EndpointFactory:
        raise DeviceError("no GPIO pins on this computer")

    panel = GpioPanel(CONFIG, refuse)
    with pytest.raises(DeviceError, match="cannot use the GPIO lines: no GPIO pins"):
        panel.start()
    assert not ready(panel)


def test_a_line_that_the_header_does_not_have(lines):
    panel_config = structs.replace(CONFIG.panel, led_link=40)
    panel = GpioPanel(structs.replace(CONFIG, panel=panel_config), lambda: EndpointFactory(lines))
    with pytest.raises(DeviceError, match="40 is not a valid pin name"):
        panel.start()
    panel.enable_motors(True)
    assert lines.levels[ENABLE] is False


def test_closing_disables_the_motors_and_puts_the_lamps_out(panel, lines):
    panel.start()
    panel.enable_motors(True)
    panel.show(armed=True, fault=True, link=True)
    panel.close()
    assert lines.levels == dict.fromkeys((ENABLE, ARMED, FAULT, LINK, POWER), False)
    assert not ready(panel)
    assert panel.stop_pressed()


def test_it_can_be_started_again_after_closing(panel, lines):
    panel.start()
    panel.close()
    panel.start()
    assert ready(panel)
    assert lines.levels[POWER] is True
