"""A gamepad that is not there, for a control process that is.

Makes an input device in a test bed of libumockdev, hands the descriptor that events are
written to over a socket, and starts control, which sees the device as /dev/input/event3. It
stays until control has ended, for the bed answers evdev's ioctls.

    umockdev-wrapper python -m benchmarks.pretended_pad SOCKET_FD ROVER_ARGUMENT...
"""

import os
import signal
import socket
import struct
import subprocess
import sys
import time
from types import FrameType

from tests.gamepad.bed_process import TestBed
from tests.gamepad.pads import ABS, KEY, SYN, SYN_REPORT, XBOX

WRAPPER = "umockdev-wrapper"
NODE = 3
PATH = f"/dev/input/event{NODE}"
_EVENT = struct.Struct("llHHi")
_READY = b"ready"


class PadHand:
    """The thumb on the pretended pad: what it does is written as evdev's events."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def receive(cls, connection: socket.socket) -> "PadHand":
        """Wait for the pad to be there. Raises OSError if it does not come to be."""
        told, descriptors, _, _ = socket.recv_fds(connection, len(_READY), 1)
        if told != _READY or not descriptors:
            raise OSError("no gamepad could be pretended")
        return cls(descriptors[0])

    def press(self, key: int) -> float:
        """Press a button and keep it down; return when (s, monotonic) the event was written."""
        return self._send(KEY, key, 1)

    def release(self, key: int) -> float:
        """Let go of a button; return when (s, monotonic) the event was written."""
        return self._send(KEY, key, 0)

    def move(self, axis: int, value: int) -> float:
        """Move an axis to ``value``; return when (s, monotonic) the event was written."""
        return self._send(ABS, axis, value)

    def report(self, axes: dict[int, int]) -> None:
        """Move several axes in one report."""
        data = b"".join(_EVENT.pack(0, 0, ABS, axis, value) for axis, value in axes.items())
        os.write(self._descriptor, data + _EVENT.pack(0, 0, SYN, SYN_REPORT, 0))

    def close(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)

    def _send(self, kind: int, code: int, value: int) -> float:
        data = _EVENT.pack(0, 0, kind, code, value) + _EVENT.pack(0, 0, SYN, SYN_REPORT, 0)
        sent_s = time.monotonic()
        os.write(self._descriptor, data)
        return sent_s


def main() -> None:
    """Make the pad, hand it over, and run control to its end."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    bed = TestBed()
    bed.plug(NODE, XBOX)
    socket.send_fds(connection, [_READY], [bed.fd_of(NODE)])
    control = subprocess.Popen([sys.executable, "-m", "rover", *sys.argv[2:]])

    def end(number: int, _frame: FrameType | None) -> None:
        control.send_signal(number)

    signal.signal(signal.SIGTERM, end)
    sys.exit(control.wait())


if __name__ == "__main__":
    main()
