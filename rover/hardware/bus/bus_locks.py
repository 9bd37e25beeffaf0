"""Device nodes that one process has for itself.

A serial port is opened for one program alone and lines are claimed from the kernel, but anybody
may use an I2C bus at any time: a second control that sets the servo board up would make the
first one's servos limp while it drives.
"""

import errno
import fcntl
import os

from rover.errors import DeviceError


class BusLocks:
    """Locks nodes (flock) for a set of drivers, which share each of them."""

    def __init__(self) -> None:
        # By the node itself, whatever it was called: the lock's descriptor, and how many use it.
        self._held: dict[str, tuple[int, int]] = {}

    def take(self, path: str) -> None:
        """Have ``path`` for this set of drivers; once more if it is theirs already.

        Raises OSError if there is no such node, DeviceError if somebody else has it.
        """
        node = os.path.realpath(path)
        if node in self._held:
            descriptor, users = self._held[node]
        else:
            descriptor, users = _locked(path), 0
        self._held[node] = (descriptor, users + 1)

    def give_back(self, path: str) -> None:
        """Use ``path`` no longer; the last who does lets go of it."""
        node = os.path.realpath(path)
        descriptor, users = self._held.pop(node)
        if users > 1:
            self._held[node] = (descriptor, users - 1)
        else:
            os.close(descriptor)


def _locked(path: str) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            raise
        raise DeviceError(
            f"another program drives what is on {path}, most likely a second `rover control` with "
            f"another --dir: `fuser -v {path}` names it, stop one of the two"
        ) from error
    return descriptor
