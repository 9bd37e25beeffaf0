"""The battery monitor register by register."""

import math

import pytest
from msgspec import structs

from rover.clock import ManualClock
from rover.errors import DeviceError
from rover.hardware.ina260 import Ina260Monitor
from tests.builders import osr_config
from tests.hardware.fakes import WordBus


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def bus():
    return WordBus()


@pytest.fixture
def monitor(clock, bus):
    return Ina260Monitor(osr_config(), clock, lambda: bus)


def ready(monitor: Ina260Monitor) -> bool:
    (entry,) = monitor.health()
    return entry.ready


def test_start_finds_it_and_sets_continuous_averaging(monitor, bus):
    assert not ready(monitor)
    monitor.start()
    assert ready(monitor)
    # Mode 7 (both, continuous), 1.1 ms conversions, mean of 16; bits 14 and 13 are fixed.
    assert bus.words[0x00] == 0b0110_010_100_100_111


def test_voltage_and_current(monitor, bus, clock):
    monitor.start()
    assert monitor.power() is None
    bus.words |= {0x02: 11840, 0x01: 0x10000 - 400}
    monitor.poll()
    power = monitor.power()
    assert power.voltage_v == pytest.approx(14.8)
    assert power.current_a == pytest.approx(-0.5)
    assert (power.stamp_s, power.device) == (clock.now_s(), "INA260 0x45")


@pytest.mark.parametrize("scale", [0.9, 1.02])
def test_voltage_is_corrected_and_current_is_not(clock, bus, scale):
    config = osr_config()
    config = structs.replace(config, power=structs.replace(config.power, voltage_scale=scale))
    monitor = Ina260Monitor(config, clock, lambda: bus)
    monitor.start()
    bus.words |= {0x02: 11840, 0x01: 400}
    monitor.poll()
    power = monitor.power()
    assert power.voltage_v == pytest.approx(14.8 * scale)
    assert power.current_a == pytest.approx(0.5)


def test_it_is_polled_ten_times_a_second_at_most(monitor, bus, clock):
    monitor.start()
    bus.reads.clear()
    for _ in range(100):
        monitor.poll()
        clock.sleep_s(0.01)
    assert bus.reads.count(0x02) == pytest.approx(10, abs=1)


def test_a_board_without_one(monitor, bus):
    bus.missing = True
    with pytest.raises(DeviceError, match="nothing answers at 0x45"):
        monitor.start()
    monitor.poll()
    assert monitor.power() is None
    (entry,) = monitor.health()
    assert (entry.ready, entry.silent_s) == (False, math.inf)
    assert entry.errors == ("nothing answers at 0x45",)


@pytest.mark.parametrize(("register", "word"), [(0xFE, 0x0000), (0xFF, 0x1234)])
def test_another_chip_at_its_address(monitor, bus, register, word):
    bus.words[register] = word
    with pytest.raises(DeviceError, match=r"no INA260.*power.address"):
        monitor.start()
    assert not ready(monitor)


def test_any_revision_of_the_chip_will_do(monitor, bus):
    bus.words[0xFF] = 0x2271
    monitor.start()
    assert ready(monitor)


def test_one_that_goes_silent_keeps_its_last_value_with_its_time(monitor, bus, clock):
    monitor.start()
    bus.words[0x02] = 11840
    monitor.poll()
    read_s = clock.now_s()
    bus.missing = True
    clock.sleep_s(0.2)
    monitor.poll()
    assert ready(monitor)
    assert monitor.health()[0].warnings == ("nothing answers at 0x45",)
    for _ in range(20):
        clock.sleep_s(0.1)
        monitor.poll()
    assert not ready(monitor)
    assert monitor.health()[0].errors == ("nothing answers at 0x45",)
    assert monitor.power().stamp_s == read_s
    bus.missing = False
    clock.sleep_s(1.0)
    monitor.poll()
    assert ready(monitor)
    assert monitor.health()[0].errors == monitor.health()[0].warnings == ()
    assert monitor.power().stamp_s == clock.now_s()


def test_closing_lets_go_of_the_bus(monitor, bus):
    monitor.close()
    assert not bus.closed
    monitor.start()
    monitor.close()
    assert bus.closed
    assert not ready(monitor)
    monitor.poll()
    assert monitor.power() is None
