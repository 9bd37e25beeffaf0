"""What every test shares: how hypothesis searches, here and in CI."""

import os

import pytest
from hypothesis import Phase, settings

# No deadline: two cores under a whole suite make any single example slow at times.
settings.register_profile("here", deadline=None)
# The same examples at every run, so that a red build is a change's doing and not luck's.
settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
# For a night: HYPOTHESIS_PROFILE=long make test ARGS="-k rules --timeout 0".
settings.register_profile("long", deadline=None, max_examples=10_000)
_PROFILE = os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "here")
settings.load_profile(_PROFILE)


def stateful(examples: int, steps: int) -> settings:
    """Return how a state machine of ours is searched: a hundredfold in the long profile.

    What failed is shrunk but not explained: that takes minutes where a step is many ticks.
    """
    return settings(
        max_examples=examples * (100 if _PROFILE == "long" else 1),
        stateful_step_count=steps,
        phases=[phase for phase in Phase if phase is not Phase.explain],
    )


# Tests of real processes and threads take turns, each kind among themselves: side by side they
# would take the cores of a small machine from each other.
_ROOMS_OF_PROCESSES = {
    "page": ("tests/browser/", "tests/web/"),
    "processes": (
        "tests/benchmarks/",
        "tests/whole/test_real",
        "tests/whole/test_service_manager",
        "tests/test_cli",
        "tests/test_proc",
        "tests/sim/test_server",
        "tests/sim/test_vendor",
    ),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for group, rooms in _ROOMS_OF_PROCESSES.items():
            if item.nodeid.startswith(rooms):
                item.add_marker(pytest.mark.xdist_group(group))


def pytest_xdist_auto_num_workers() -> int:
    """Return one more than there are cores: these two kinds wait more than they compute."""
    return len(os.sched_getaffinity(0)) + 1
