"""Pretended gamepads for every test of the room that asks for a bed."""

from collections.abc import Iterator

import pytest

from tests.gamepad.bed import Bed, Beds


@pytest.fixture(scope="module")
def beds() -> Iterator[Beds]:
    beds = Beds()
    yield beds
    beds.close()


@pytest.fixture
def bed(beds: Beds) -> Iterator[Bed]:
    with beds.bed() as bed:
        yield bed
