"""Every fault of the matrix, with everyone who may drive, on the manual clock.

The bounds are the matrix's own and the plant's own time, to the tick: here nothing flickers.
`make faults` measures the same on the real processes.
"""

import re
from pathlib import Path

import pytest

from benchmarks.faults.fault import Driver, Fault, Group, Revival
from benchmarks.faults.matrix import BY_KEY, MATRIX
from rover.messages import ArmState
from tests.faults import of_devices, of_people, of_processes
from tests.faults.rig import TICK_S, FaultRig, plant_time_s
from tests.faults.trial import Trial

TRIALS = of_people.TRIALS | of_processes.TRIALS | of_devices.TRIALS
# There are no files and no sockets on the manual clock.
WITHOUT_FILES = Group.DISK
# How long the source goes on asking for full speed before it is believed that nothing moves.
WATCHED_S = 1.0
DRIVES_ON_S = 3.0

CASES = [
    pytest.param(fault, driver, trial, id="-".join(filter(None, (key, driver, trial.name))))
    for key, fault in BY_KEY.items()
    for driver in fault.sources or (Driver.PHONE,)
    for trial in TRIALS.get(key, ())
]


def test_every_fault_has_its_trial() -> None:
    expected = {fault.key for fault in MATRIX if fault.group is not WITHOUT_FILES}
    assert set(TRIALS) == expected


@pytest.mark.parametrize(("fault", "driver", "trial"), CASES)
def test_fault(fault: Fault, driver: Driver, trial: Trial, tmp_path: Path) -> None:
    rig = FaultRig(tmp_path, driver, trial.config).at_full_speed()
    try:
        trial.before(rig)
        if fault.bound_s is None:
            drives_on(rig, trial)
        else:
            stops(rig, fault, trial)
    finally:
        rig.close()


def drives_on(rig: FaultRig, trial: Trial) -> None:
    trial.break_(rig)
    end_s = rig.clock.now_s() + DRIVES_ON_S
    while rig.clock.now_s() < end_s:
        rig.tick()
        assert rig.state is ArmState.ARMED, rig.loop.arming.reason
        assert not rig.stands()
    trial.while_driving(rig)


def stops(rig: FaultRig, fault: Fault, trial: Trial) -> None:
    assert fault.bound_s is not None
    began_s = rig.clock.now_s()
    trial.break_(rig)
    plant_s = plant_time_s(ramps=fault.ramps, running_away=trial.running_away)
    rig.time_to_stand_s(began_s + fault.bound_s + plant_s + TICK_S - rig.clock.now_s())
    trial.then(rig)
    assert rig.stands_for(WATCHED_S), "it moves again by itself"
    assert rig.state is fault.state
    assert re.search(trial.reason, rig.loop.arming.reason), rig.loop.arming.reason
    trial.mend(rig)
    if fault.revival is Revival.ARMING:
        only_arming_revives(rig)
    # Once more from neutral: it was the fault that kept the rover still, and nothing else.
    rig.revive()
    assert rig.drives()


def only_arming_revives(rig: FaultRig) -> None:
    """Out of a state that is not ARMED neither rest nor a push moves a wheel."""
    rig.hand.push()
    assert rig.stands_for(0.3)
    rig.hand.rest()
    assert rig.stands_for(0.3)
    rig.hand.push()
    assert rig.stands_for(0.5)
