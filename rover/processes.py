"""Runs the rover's processes as one: started in order, watched, and ended together."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rover.clock import Clock
from rover.errors import RoverError

# Long enough for control to stop the motors and for the web to close its sockets.
_END_WITHIN_S = 4.0
_LOOK_EVERY_S = 0.05
_PR_SET_PDEATHSIG = 1


class ProcessEndedError(RoverError, ChildProcessError):
    """A process that should go on has ended."""


@dataclass(frozen=True, slots=True)
class _Child:
    name: str
    process: subprocess.Popen[bytes]


class ProcessGroup:
    """Child processes of the `rover` command that live and die together."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._children: list[_Child] = []

    def start(self, name: str, *arguments: str) -> int:
        """Start ``rover`` with ``arguments`` as a process called ``name``; return its id.

        The child runs in a session of its own, so that Ctrl-C reaches only the parent and the
        processes are ended in order.
        """
        command = [sys.executable, "-m", "rover", *arguments, "--parent", str(os.getpid())]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
        self._children.append(_Child(name, process))
        return process.pid

    def wait_until(self, ready: Callable[[], bool], what: str, timeout_s: float) -> None:
        """Wait until ``ready``; raise ProcessEndedError if a process ends or time runs out."""
        deadline_s = self._clock.now_s() + timeout_s
        while not ready():
            self.check()
            if self._clock.now_s() > deadline_s:
                raise ProcessEndedError(f"{what} did not come up within {timeout_s:g} s")
            self._clock.sleep_s(_LOOK_EVERY_S)

    def watch(self, stopping: Callable[[], bool]) -> None:
        """Return when ``stopping``; raise ProcessEndedError as soon as a process ends."""
        while not stopping():
            self.check()
            self._clock.sleep_s(_LOOK_EVERY_S)

    def check(self) -> None:
        """Raise ProcessEndedError if a process has ended."""
        for child in self._children:
            code = child.process.poll()
            if code is not None:
                raise ProcessEndedError(f"{child.name} has ended with {_describe(code)}")

    def end(self) -> None:
        """End all, the last started first, by force if asking does not help."""
        for child in reversed(self._children):
            if child.process.poll() is None:
                child.process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.process.wait(_END_WITHIN_S)
            if child.process.poll() is None:
                child.process.kill()
                child.process.wait()
        self._children.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()


def _describe(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


def die_with(parent: int) -> None:
    """End this process when ``parent`` does, however that ends. Linux only; a no-op elsewhere."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    # The parent may have gone before the call.
    if os.getppid() != parent:
        raise SystemExit(f"the process that started this one ({parent}) has gone")
