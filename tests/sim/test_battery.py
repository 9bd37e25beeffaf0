import pytest

from rover.sim.battery import Battery


def test_it_sags_with_the_current_and_recovers() -> None:
    battery = Battery(16.8, resistance_ohm=0.04)
    open_v = battery.voltage_v
    battery.draw(20.0, 0.001)
    assert battery.voltage_v == pytest.approx(open_v - 0.8, abs=1e-3)
    battery.draw(0.0, 0.001)
    assert battery.voltage_v == pytest.approx(open_v, abs=1e-3)


def test_its_charge_is_what_was_drawn() -> None:
    battery = Battery(16.8, capacity_ah=5.0)
    battery.set_charge(1.0)
    for _ in range(3600):
        battery.draw(2.5, 1.0)
    assert battery.charge == pytest.approx(0.5)
    assert battery.drawn_as == pytest.approx(9000.0)
    for _ in range(3600 * 2):
        battery.draw(2.5, 1.0)
    assert battery.charge == 0.0


@pytest.mark.parametrize(
    ("charge", "volts"), [(1.0, 16.8), (0.0, 12.0), (0.9, 16.36), (0.5, 15.34)]
)
def test_the_open_circuit_voltage_follows_the_charge(charge, volts) -> None:
    battery = Battery(16.8)
    battery.set_charge(charge)
    assert battery.voltage_v == pytest.approx(volts)


def test_the_voltage_never_rises_while_it_drains() -> None:
    battery = Battery(12.6)
    battery.set_charge(1.0)
    last_v = battery.open_circuit_v
    while battery.charge > 0.0:
        battery.draw(50.0, 1.0)
        assert battery.open_circuit_v <= last_v
        last_v = battery.open_circuit_v


def test_a_forced_voltage_stays_until_a_charge_is_set() -> None:
    battery = Battery(16.8)
    battery.set_voltage(12.4)
    battery.draw(0.0, 1000.0)
    assert battery.voltage_v == 12.4
    battery.set_charge(1.0)
    assert battery.voltage_v == pytest.approx(16.8)


@pytest.mark.parametrize("charge", [-0.1, 1.1, float("nan")])
def test_impossible_charges_are_refused(charge) -> None:
    with pytest.raises(ValueError, match="allowed 0"):
        Battery(16.8).set_charge(charge)


@pytest.mark.parametrize("volts", [-0.1, 101.0, float("nan")])
def test_impossible_voltages_are_refused(volts) -> None:
    with pytest.raises(ValueError, match="allowed 0"):
        Battery(16.8).set_voltage(volts)
