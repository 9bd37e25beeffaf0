"""Where gamepads are plugged in: a test bed of umockdev, or a node that can fail."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Protocol

from benchmarks.faults.bed import BedClient, Plug, Unplug
from benchmarks.harness import NotMeasuredError, wait_until

# Where the failing node is, in the rover's folder: what ``gamepad.device`` is set to.
FOLDER, NODE = "pad", "event0"
_UP_WITHIN_S = 10.0


class Pads(Protocol):
    """A place to plug a gamepad into."""

    def plug(self) -> int:
        """Plug a pad in; return the descriptor that its events are written to."""
        ...

    def unplug(self) -> None:
        """Take it away, its descriptor having been closed."""
        ...

    def close(self) -> None:
        """Be gone."""
        ...


class BedPads:
    """Pads in the test bed: one that goes is at its end, and never comes back as the same node."""

    def __init__(self, bed: BedClient) -> None:
        self._bed = bed
        self._node = 0

    def plug(self) -> int:
        """Plug in a node of another number than any before."""
        self._node += 1
        _, descriptor = self._bed.ask(Plug(self._node))
        return descriptor

    def unplug(self) -> None:
        """Take the node away."""
        self._bed.ask(Unplug(self._node))

    def close(self) -> None:
        """Nothing: the bed ends with its socket."""


class FailingPads:
    """Pads as files of a file system in ``directory``: one that goes fails with ENODEV (root)."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        directory.mkdir()

    def plug(self) -> int:
        """Mount the file system. Raises NotMeasuredError if that cannot be done."""
        self.close()
        there, here = os.pipe()
        command = (sys.executable, "-m", "benchmarks.faults.event_node")
        process = subprocess.Popen(
            (*command, str(self._directory), str(there)), pass_fds=[there], stderr=subprocess.PIPE
        )
        os.close(there)
        self._process = process

        def is_there() -> bool:
            if process.poll() is not None and process.stderr is not None:
                said = process.stderr.read().decode(errors="replace")
                raise NotMeasuredError(f"no event node (FUSE, by root: apt install fuse3): {said}")
            return (self._directory / NODE).exists()

        wait_until(is_there, "no event node", _UP_WITHIN_S)
        return here

    def unplug(self) -> None:
        """Nothing: a node whose pipe is closed fails."""

    def close(self) -> None:
        """Unmount it."""
        if self._process is not None:
            subprocess.run(("umount", "--lazy", str(self._directory)), check=False)
            self._process.kill()
            self._process.communicate()
            self._process = None
