"""Where the processes meet and what they keep, on this computer."""

import os
import stat
import tempfile
from pathlib import Path

from rover.errors import LinkError

# The web server's state directory where systemd starts it; see systemd/rover-web.service.
SERVICE_STATE = Path("/var/lib/rover-web")


def runtime_directory() -> Path:
    """Return where the processes' sockets are, from the first of these that is set.

    ``ROVER_RUNTIME_DIR``; systemd's ``RUNTIME_DIRECTORY``; ``/run/rover`` if it is there and
    open to this user; ``XDG_RUNTIME_DIR``/rover; else a folder of the user's own in the
    temporary directory.
    """
    for variable in ("ROVER_RUNTIME_DIR", "RUNTIME_DIRECTORY"):
        if os.environ.get(variable):
            return Path(os.environ[variable])
    system = Path("/run/rover")
    if system.is_dir() and os.access(system, os.X_OK):
        return system
    if os.environ.get("XDG_RUNTIME_DIR"):
        return Path(os.environ["XDG_RUNTIME_DIR"]) / "rover"
    return _own_folder(Path(tempfile.gettempdir()) / f"rover-{os.getuid()}")


def _own_folder(path: Path) -> Path:
    """Make ``path`` for this user alone; raise LinkError if it is somebody else's.

    In a folder that all may write to, another user can have made one of this name before,
    and would then own the sockets that drive the rover.
    """
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise LinkError(
            f"{path} is not a folder of your own that others are kept out of: remove it, or "
            "choose another with --dir or ROVER_RUNTIME_DIR"
        )
    return path


def state_directory() -> Path:
    """Return what outlives a restart: ``STATE_DIRECTORY`` (systemd), else the user's own."""
    if os.environ.get("STATE_DIRECTORY"):
        return Path(os.environ["STATE_DIRECTORY"])
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "rover"
