"""What `rover setup roboclaw` mends, the doctor complains of no more."""

from pathlib import Path

import pytest

from rover.sim.roboclaw_settings import CLASSIC, NEWER, OLD_STATUS, Firmware
from tests.doctor.rig import Patient
from tests.provisioning.rig import Table

ADDRESSES = (0x80, 0x81, 0x82)
# What it is sent for by the doctor, and mends on the bus as it is.
MENDED = ("single-unit", "low-current", "latching-stop", "absolute-encoders")


def codes(table: Table, root: Path) -> set[str]:
    """Walk over the rover that ``table`` sets up."""
    patient = Patient(root, clock=table.clock)
    patient.rover = table.rover
    return {finding.code for finding in patient.troubles()}


@pytest.mark.parametrize("firmware", [CLASSIC, OLD_STATUS, NEWER], ids=["classic", "old", "newer"])
def test_new_controllers_lack_nothing_but_a_measured_loop(
    tmp_path: Path, firmware: Firmware
) -> None:
    table = Table(tmp_path / "backups", new=True, firmware=firmware)
    # All of them are 0x80 at another rate: nobody can tell them apart.
    assert codes(table, tmp_path / "before") == {"controller-garbled"}
    for index, address in enumerate(ADDRESSES):
        table.only(index)
        assert table.set_up(address=address)
    table.all()
    table.power_cycle()
    assert codes(table, tmp_path / "after") == {"velocity-loop"}


@pytest.mark.parametrize("wrong", MENDED)
def test_what_the_doctor_sends_there_is_mended_there(tmp_path: Path, wrong: str) -> None:
    table = Table(tmp_path / "backups", wrong=wrong)
    assert codes(table, tmp_path / "before")
    assert table.set_up()
    table.power_cycle()
    assert codes(table, tmp_path / "after") == set()
