"""What every test shares: how hypothesis searches, here and in CI."""

import os

import pytest
from hypothesis import settings

# No deadline: two cores under a whole suite make any single example slow at times.
settings.register_profile("here", deadline=None)
# The same examples at every run, so that a red build is a change's doing and not luck's.
settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


# Tests whose real processes share the two cores of a small machine run one after the other.
_ROOMS_OF_PROCESSES = (
    "tests/browser/",
    "tests/benchmarks/",
    "tests/whole/test_real",
    "tests/test_cli",
    "tests/test_proc",
    "tests/web/",
    "tests/sim/test_server",
    "tests/sim/test_vendor",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith(_ROOMS_OF_PROCESSES):
            item.add_marker(pytest.mark.xdist_group("processes"))
