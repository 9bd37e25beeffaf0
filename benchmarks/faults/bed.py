"""A test bed of pretended gamepads, and the control process that sees them.

    umockdev-wrapper python -m benchmarks.faults.bed SOCKET_FD

Does one order after the other that comes over the socket. It stays until the socket ends, for
the bed answers evdev's ioctls, and control ends with it.
"""

import socket
import subprocess
import sys
from pathlib import Path

import msgspec
from msgspec import Struct

from tests.gamepad.bed_process import TestBed
from tests.gamepad.pads import XBOX

_MESSAGE_BYTES = 65536


class Plug(Struct, frozen=True, tag="plug"):
    """Plug a gamepad in as /dev/input/event``node``; its descriptor comes with the answer."""

    node: int


class Unplug(Struct, frozen=True, tag="unplug"):
    """Take it away: who reads it then finds its end."""

    node: int


class Spawn(Struct, frozen=True, tag="spawn"):
    """Start a program that sees the pads; what it says goes to the file ``log``."""

    command: list[str]
    log: str


class Await(Struct, frozen=True, tag="await"):
    """Wait for the program's end, for at most so long."""

    within_s: float


Order = Plug | Unplug | Spawn | Await


class Done(Struct, frozen=True):
    """An order is done: ``pid`` of what was spawned, ``code`` it ended with, None if it runs."""

    pid: int = 0
    code: int | None = None


class BedClient:
    """The other end of a bed's socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def ask(self, order: Order) -> tuple[Done, int]:
        """Have ``order`` done; return the answer and the descriptor with it, -1 without one.

        Raises ConnectionError if the bed has gone.
        """
        self._connection.send(msgspec.json.encode(order))
        data, descriptors, _, _ = socket.recv_fds(self._connection, _MESSAGE_BYTES, 1)
        if not data:
            raise ConnectionError("the gamepads' test bed has gone")
        return msgspec.json.decode(data, type=Done), descriptors[0] if descriptors else -1

    def close(self) -> None:
        """End the bed, and what runs in it."""
        self._connection.close()


class _Bed:
    def __init__(self) -> None:
        self._bed = TestBed()
        self._process: subprocess.Popen[bytes] | None = None

    def do(self, order: Order) -> tuple[Done, list[int]]:
        match order:
            case Plug(node):
                self._bed.plug(node, XBOX)
                return Done(), [self._bed.fd_of(node)]
            case Unplug(node):
                self._bed.unplug(node)
                return Done(), []
            case Spawn():
                return Done(self._spawn(order)), []
            case Await(within_s):
                return Done(code=self._ended(within_s)), []

    def _spawn(self, order: Spawn) -> int:
        # With no environment of its own: the library has put into this one's what Python does
        # not see.
        with Path(order.log).open("wb") as log:
            self._process = subprocess.Popen(
                order.command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        return self._process.pid

    def _ended(self, within_s: float) -> int | None:
        if self._process is None:
            return None
        try:
            return self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def main() -> None:
    """Do orders until nobody gives any."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    bed = _Bed()
    try:
        while data := connection.recv(_MESSAGE_BYTES):
            done, descriptors = bed.do(msgspec.json.decode(data, type=Order))
            socket.send_fds(connection, [msgspec.json.encode(done)], descriptors)
    finally:
        bed.end()


if __name__ == "__main__":
    main()
