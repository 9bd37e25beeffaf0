"""A target run in a process of its own: memory that it takes is not what another has left."""

import multiprocessing
from multiprocessing.connection import Connection

from msgspec import Struct

from benchmarks.fuzz.running import Run, run_target
from benchmarks.fuzz.targets import BY_NAME


class Task(Struct, frozen=True):
    """What a child has to do; ``more_seeds`` are inputs to begin with besides the target's own."""

    target: str
    inputs: int
    seconds: float
    seed: int
    more_seeds: tuple[bytes, ...] = ()


class Child:
    """A process that runs a task from now on."""

    def __init__(self, task: Task) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=_run, args=(theirs, task), daemon=True)
        self._process.start()
        theirs.close()

    def next(self) -> int | Run:
        """Return how many inputs are done, or in the end what became of them.

        Raises EOFError if the process has died.
        """
        told: int | Run = self._ours.recv()
        if isinstance(told, Run):
            self._process.join()
        return told


def _run(pipe: Connection, task: Task) -> None:
    pipe.send(
        run_target(
            BY_NAME[task.target],
            task.inputs,
            seconds=task.seconds,
            seed=task.seed,
            more_seeds=task.more_seeds,
            tell=pipe.send,
        )
    )
