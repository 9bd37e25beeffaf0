"""The same gpiozero devices on lines in memory and behind a socket."""

import pytest
from gpiozero import LED, Button, InputDevice, OutputDevice
from gpiozero.exc import PinInvalidFunction, PinSetInput
from gpiozero.pins.mock import MockFactory

from rover.errors import DeviceError
from rover.hardware.bus.endpoint import Done, I2cNack, LineLevel, LineRead, LineWrite
from rover.hardware.bus.lines import EndpointFactory, open_pin_factory
from tests.hardware.fakes import MemoryLines
from tests.hardware.socket_server import serving


@pytest.fixture
def lines():
    return MemoryLines()


@pytest.fixture
def factory(lines):
    made = EndpointFactory(lines)
    yield made
    made.close()


def test_an_output_drives_its_line(lines, factory):
    with OutputDevice(23, initial_value=False, pin_factory=factory) as enable:
        assert lines.levels == {23: False}
        enable.on()
        assert lines.levels == {23: True}
        assert enable.value == 1
        enable.off()
        assert lines.levels == {23: False}


def test_a_lamp(lines, factory):
    with LED(25, pin_factory=factory) as lamp:
        lamp.on()
        assert lines.levels[25] is True


@pytest.mark.parametrize("kind", [Button, InputDevice])
def test_a_button_to_ground(lines, factory, kind):
    with kind(17, pull_up=True, pin_factory=factory) as button:
        assert button.pull_up is True
        assert not button.is_active
        lines.levels[17] = False
        assert button.is_active


def test_a_closed_output_no_longer_drives(lines, factory):
    OutputDevice(23, initial_value=True, pin_factory=factory).close()
    with pytest.raises(PinSetInput):
        factory.pin(23).state = 1


def test_a_line_is_input_or_output(factory):
    with pytest.raises(PinInvalidFunction):
        factory.pin(23).function = "spi"


def test_broken_lines_are_a_device_error(lines, factory):
    with InputDevice(17, pull_up=True, pin_factory=factory) as button:
        lines.broken = True
        with pytest.raises(DeviceError):
            _ = button.is_active


def test_the_simulators_lines(tmp_path):
    path = tmp_path / "gpio.sock"
    levels = {17: True}

    def respond(request: object) -> Done | LineLevel | I2cNack:
        match request:
            case LineWrite(line, high):
                levels[line] = high
                return Done()
            case LineRead(line):
                return LineLevel(levels[line])
        return I2cNack()

    with serving(path, respond):
        factory = open_pin_factory(f"socket:{path}")
        with OutputDevice(23, initial_value=True, pin_factory=factory):
            assert levels[23] is True
        with InputDevice(17, pull_up=True, pin_factory=factory) as button:
            assert not button.is_active
            levels[17] = False
            assert button.is_active
        factory.close()


def test_a_simulator_that_answers_something_else(tmp_path):
    path = tmp_path / "gpio.sock"
    with serving(path, lambda _request: I2cNack()):
        factory = open_pin_factory(f"socket:{path}")
        pin = factory.pin(23)
        pin.function = "output"
        with pytest.raises(DeviceError, match="answers driving line 23"):
            pin.state = 1
        with pytest.raises(DeviceError, match="answers reading line 23"):
            _ = pin.state
        factory.close()


def test_no_simulator(tmp_path):
    with pytest.raises(DeviceError, match="hardware-sim"):
        open_pin_factory(f"socket:{tmp_path}/gpio.sock")


def test_gpiozeros_own_choice_can_be_opened_again_after_closing(monkeypatch):
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    for _ in range(2):
        factory = open_pin_factory("gpiozero")
        assert isinstance(factory, MockFactory)
        with OutputDevice(23, initial_value=True, pin_factory=factory) as enable:
            assert enable.pin.state
        factory.close()


def test_a_computer_without_pins_says_what_to_do(monkeypatch):
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "no such library")
    with pytest.raises(DeviceError, match=r'python3-lgpio.*panel.gpio = "none"'):
        open_pin_factory("gpiozero")


def test_an_unknown_kind_of_lines():
    with pytest.raises(DeviceError, match=r'panel.gpio is "rpi"'):
        open_pin_factory("rpi")
