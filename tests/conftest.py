"""What every test shares: how hypothesis searches, here and in CI."""

import gc
import os
import sys

import pytest
from hypothesis import Phase, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# Where bytecode is not kept, as in many a container, each of the many processes that tests start
# would compile the program anew, and each worker all of the tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

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
# would take the cores of a small machine from each other, and start twice what they share.
_ROOMS_OF_PROCESSES = {
    "browser": ("tests/browser/", "tests/page/"),
    "web": ("tests/web/",),
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


def scope_of(nodeid: str) -> str:
    """Return what a test is part of that one worker has to run, from its beginning to its end."""
    for group, rooms in _ROOMS_OF_PROCESSES.items():
        if nodeid.startswith(rooms):
            return group
    return nodeid


class _TakingTurns(LoadScopeScheduling):
    """Hands out scopes, the largest first.

    xdist's own loadgroup would do, but with pytest 9.2 xdist 3.8 passes over every xdist_group.
    """

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _TakingTurns:
    return _TakingTurns(config, log)


def pytest_xdist_auto_num_workers() -> int:
    """Return one more than there are cores: the rooms of processes wait more than they compute."""
    return len(os.sched_getaffinity(0)) + 1


def pytest_collection_finish() -> None:
    """Have the garbage collector pass over all that was imported and collected: it stays.

    A fifth of the processor's time went into looking through it again and again.
    """
    gc.collect()
    gc.freeze()


_worker_of: dict[str, str] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """End it all if a room of processes is at two workers: once it was, and nobody noticed."""
    node = getattr(report, "node", None)
    if node is None:
        return
    scope, worker = scope_of(report.nodeid), node.gateway.id
    if _worker_of.setdefault(scope, worker) != worker:
        pytest.exit(f"{scope}: at {_worker_of[scope]} and at {worker}", returncode=1)
