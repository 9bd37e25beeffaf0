"""Whatever happens on the way, a controller keeps the old settings or the new, and it is said."""

import contextlib
from collections.abc import Callable

import pytest

from calibration.provisioning.change import Holds, change
from calibration.provisioning.kept import Snapshot
from calibration.provisioning.wanted import wanted
from rover.sim.faults import CorruptBytes, CutSerial, PowerCycle, WearFlash
from tests.provisioning.rig import Table


class Killed(BaseException):
    """What no part of the program knows."""


def die(_table: Table) -> None:
    raise Killed


def reset(table: Table) -> None:
    table.units[0].power_cycle(table.clock.now_s())


def stop(table: Table) -> None:
    table.stopping = True


def out_of_the_box(table: Table) -> tuple[Snapshot, Snapshot]:
    table.only(0)
    old = table.unit().snapshot()
    return old, wanted(old, table.config, 0x81)


class At:
    """Lets something happen just before the n-th packet is sent."""

    def __init__(self, table: Table, number: int, happen: Callable[[Table], None]) -> None:
        self.left = number
        write = table.rover.serial_line.write

        def written(data: bytes) -> None:
            self.left -= 1
            if self.left == 0:
                happen(table)
            write(data)

        table.rover.serial_line.write = written


@pytest.mark.parametrize("happen", [reset, die, stop])
def test_whatever_happens_at_any_packet_it_is_old_or_new_and_said(tmp_path, happen) -> None:
    for number in range(1, 1000):
        table = Table(tmp_path, new=True)
        old, new = out_of_the_box(table)
        unit = table.unit()
        at = At(table, number, happen)
        said = None
        with contextlib.suppress(Killed):
            said = change(unit, old, new, table.checkpoint)
        if at.left > 0:
            break
        in_memory = table.units[0].settings.copy()
        reset(table)
        assert table.units[0].settings == in_memory, number
        assert table.units[0].nvm_writes <= 1
        now = table.unit().snapshot()
        assert now in {"old": [old], "new": [new]}.get(said.holds if said else "", [old, new])
        assert said is None or f"it keeps the {said.holds} settings" in said.text
    assert number > 40


def test_a_cable_pulled_at_any_packet_is_told_without_a_lie(tmp_path) -> None:
    told = set()
    for number in range(1, 1000):
        table = Table(tmp_path, new=True)
        old, new = out_of_the_box(table)
        unit = table.unit()
        at = At(table, number, lambda table: table.rover.inject(CutSerial()))
        said = change(unit, old, new, table.checkpoint)
        if at.left > 0:
            break
        told.add(said.holds)
        assert "switch its power off and on" in said.text
        table.rover.inject(CutSerial(cut=False))
        reset(table)
        now = table.unit().snapshot()
        if said.holds is Holds.OLD:
            assert now == old
        else:
            assert said.holds is Holds.UNKNOWN
            assert now in (old, new)
    assert told == {Holds.OLD, Holds.UNKNOWN}


def test_flash_that_keeps_nothing_is_found_out(tmp_path) -> None:
    table = Table(tmp_path, new=True)
    old, new = out_of_the_box(table)
    table.rover.inject(WearFlash(0x80))
    said = change(table.unit(), old, new, table.checkpoint)
    assert said.holds is Holds.OLD
    assert "has not kept its" in said.text
    assert "worn out" in said.text
    assert table.units[0].nvm_writes == 1
    assert said.unit.snapshot() == old


def test_a_setting_that_does_not_take_puts_all_back(tmp_path) -> None:
    table = Table(tmp_path, new=True)
    old, new = out_of_the_box(table)
    # The largest current that this one can bear.
    configure = table.units[0].set_settings

    def bounded(settings) -> None:
        settings.outputs[1].max_current = max(settings.outputs[1].max_current, 1200)
        configure(settings)

    table.units[0].set_settings = bounded
    said = change(table.unit(), old, new, table.checkpoint)
    assert said.holds is Holds.OLD
    assert "does not take its M2 current limits: told 7 A, it has 12 A" in said.text
    assert said.unit.snapshot() == old
    assert table.units[0].nvm_writes == 0


@pytest.mark.parametrize("lost", [0, 1])
def test_where_flash_cannot_be_read_back_nothing_is_claimed(tmp_path, lost: int) -> None:
    table = Table(tmp_path, new=True)
    old, new = out_of_the_box(table)
    table.units[0].load = lambda: None
    save = table.units[0].save

    def kept() -> None:
        save()
        table.rover.inject(CorruptBytes(replies=lost))

    table.units[0].save = kept
    said = change(table.unit(), old, new, table.checkpoint)
    assert said.holds is (Holds.UNKNOWN if lost else Holds.NEW)
    assert "then run this with --dry-run" in said.text
    assert said.unit.snapshot() == new


def test_a_lost_order_to_write_flash_is_given_again(tmp_path) -> None:
    table = Table(tmp_path, new=True)
    old, new = out_of_the_box(table)
    write = table.rover.serial_line.write
    lost = []

    def written(data: bytes) -> None:
        if data[1] == 94 and not lost:
            lost.append(data)
            return
        write(data)

    table.rover.serial_line.write = written
    said = change(table.unit(), old, new, table.checkpoint)
    assert lost
    assert said.holds is Holds.NEW
    assert table.units[0].nvm_writes == 1
    reset(table)
    assert table.unit().snapshot() == new


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_lost_answers_do_no_harm(tmp_path, lost: int) -> None:
    """Whichever answer is spoilt, that to the configuration word and to the flash included."""
    for number in range(1, 1000):
        table = Table(tmp_path, new=True)
        old, new = out_of_the_box(table)
        at = At(table, number, lambda table: table.rover.inject(CorruptBytes(replies=lost)))
        said = change(table.unit(), old, new, table.checkpoint)
        if at.left > 0:
            break
        assert said.holds is Holds.NEW
        assert table.units[0].nvm_writes == 1
        reset(table)
        assert table.unit().snapshot() == new


def test_a_controller_that_was_another_meanwhile_is_not_taken_for_it(tmp_path) -> None:
    """Two on the bus: the one that goes away is not looked for at the other's address."""
    table = Table(tmp_path, new=True)
    table.only(1)
    other = wanted(table.unit(1).snapshot(), table.config, 0x81)
    assert change(table.unit(1), table.unit(1).snapshot(), other, table.checkpoint).holds
    table.only(0)
    old = table.unit().snapshot()
    new = wanted(old, table.config, 0x80)
    table.all()
    at = At(table, 8, lambda table: table.rover.inject(PowerCycle(0x80)))
    said = change(table.unit(), old, new, table.checkpoint)
    assert at.left < 0
    assert said.holds is Holds.OLD
    assert table.units[1].nvm_writes == 1
