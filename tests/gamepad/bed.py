"""A hand on pretended gamepads: talks to ``bed_process`` running under umockdev."""

import itertools
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import pytest

from rover.config import Config
from rover.gamepad import GamepadUpdate
from rover.gamepad.survey import Survey
from tests.gamepad.bed_process import Command, Reply
from tests.gamepad.pads import ABS, KEY, SYN, SYN_REPORT, Description

_ROOT = Path(__file__).parents[2]
_REPORT = (SYN, SYN_REPORT, 0)
TICK_S = 0.01
# umockdev keeps a place for every device that it has ever pretended, and aborts at the fiftieth.
_PLUGGED_IN_A_PROCESS = 20


class Bed:
    """One gamepad of the rover's, and the devices a test plugs in. Time moves when told to."""

    def __init__(self, process: subprocess.Popen[str], nodes: Iterator[int]) -> None:
        self._process = process
        self._nodes = nodes
        self.plugged = 0
        self.now_s = 100.0
        self.reply = Reply()

    def plug(self, description: Description, node: int | None = None) -> int:
        """Plug a device in; return the number of its node, which none had before."""
        self.plugged += 1
        node = next(self._nodes) if node is None else node
        self._ask(Command("plug", node, description))
        return node

    def reserve(self) -> int:
        """Return the number of a node that nothing is plugged into yet."""
        return next(self._nodes)

    def unplug(self, node: int) -> None:
        self._ask(Command("unplug", node))

    def start(self, config: Config) -> None:
        """Make the rover's Gamepad, which looks at what is plugged in."""
        self._ask(Command("start", config=config, now_s=self.now_s))

    def send(self, node: int, *events: tuple[int, int, int]) -> None:
        """Have the device send these events and end the report."""
        self._ask(Command("send", node, events=[*events, _REPORT]))

    def press(self, node: int, key: int) -> None:
        self.send(node, (KEY, key, 1))

    def release(self, node: int, key: int) -> None:
        self.send(node, (KEY, key, 0))

    def move(self, node: int, axis: int, value: int) -> None:
        self.send(node, (ABS, axis, value))

    def poll(self, after_s: float = TICK_S) -> GamepadUpdate:
        """Let time pass, then poll."""
        self.now_s += after_s
        self.reply = self._ask(Command("poll", now_s=self.now_s))
        assert self.reply.update is not None
        return self.reply.update

    def survey(self, config: Config) -> Survey:
        """Look at every input device as `rover gamepad list` does."""
        found = self._ask(Command("survey", config=config)).survey
        assert found is not None
        return found

    def open(self, node: int) -> Reply:
        """Open a device as those do who look at it or calibrate it."""
        return self._ask(Command("open", node))

    def read(self) -> Reply:
        """Read from the device that was opened."""
        return self._ask(Command("read"))

    def watch(self, config: Config) -> str:
        """Begin to watch the pad that would drive; return the line that is shown."""
        self.reply = self._ask(Command("watch", config=config, now_s=self.now_s))
        return self.reply.text[0]

    def look(self) -> str:
        """Let a moment pass, and return the line that is shown then."""
        self.now_s += TICK_S
        self.reply = self._ask(Command("look", now_s=self.now_s))
        return self.reply.text[0]

    def watch_for_a_while(self, config: Config) -> tuple[str, str]:
        """Watch for half a second; return what is printed to a pipe, and to a terminal."""
        piped, drawn = self._ask(Command("watch for a while", config=config)).text
        return piped, drawn

    def clear(self) -> None:
        self._ask(Command("clear"))

    def _ask(self, command: Command) -> Reply:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(msgspec.json.encode(command).decode() + "\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            pytest.fail(f"the process under umockdev ended on {command.do}: see its errors above")
        return msgspec.json.decode(line, type=Reply)


@contextmanager
def _bed_process() -> Iterator[subprocess.Popen[str]]:
    """Run ``bed_process`` under umockdev; its errors go to the test's own."""
    wrapper = shutil.which("umockdev-wrapper")
    if wrapper is None:
        pytest.fail("umockdev-wrapper is missing: sudo apt install umockdev")
    with subprocess.Popen(
        [wrapper, sys.executable, "-m", "tests.gamepad.bed_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
    ) as process:
        yield process


class Beds:
    """One bed after the other, on one process under umockdev as long as that has room."""

    def __init__(self) -> None:
        self._running = ExitStack()
        self._process: subprocess.Popen[str] | None = None
        self._plugged = 0

    @contextmanager
    def bed(self) -> Iterator[Bed]:
        """Make a bed with nothing plugged in, and clear it afterwards."""
        if self._process is None or self._plugged > _PLUGGED_IN_A_PROCESS:
            self.close()
            self._process = self._running.enter_context(_bed_process())
            # umockdev aborts if a node's number is used a second time.
            self._nodes = itertools.count(3)
            self._plugged = 0
        bed = Bed(self._process, self._nodes)
        yield bed
        self._plugged += bed.plugged
        bed.clear()

    def close(self) -> None:
        """End the process."""
        self._running.close()
        self._process = None
