"""The matrix of faults: whole, and of one mind with itself."""

import math
import re

import pytest

from benchmarks.faults.fault import Group, Revival
from benchmarks.faults.matrix import BY_KEY, MATRIX
from rover.messages import ArmState


def test_keys_are_unique_and_every_group_has_rows() -> None:
    assert len(BY_KEY) == len(MATRIX)
    assert {fault.group for fault in MATRIX} == set(Group)


@pytest.mark.parametrize("fault", MATRIX, ids=lambda fault: fault.key)
def test_a_row_agrees_with_itself(fault) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", fault.key)
    assert fault.what
    assert fault.reaction
    # Who drives on needs no reviving, and who has stopped is never revived by nothing.
    assert (fault.bound_s is None) is (fault.revival is Revival.NOTHING)
    assert fault.bound_s is None or 0.0 < fault.bound_s < 3.0
    assert fault.bound_s is not None or fault.state is ArmState.ARMED
    # An armed rover needs neutral, a latched or a new one a person who arms it.
    assert (fault.revival is Revival.ARMING) is (fault.state is not ArmState.ARMED)
    assert fault.limit_s == math.inf or fault.limit_s >= fault.bound_s
    assert fault.live or fault.note, "say why it is not tried on the real processes"
