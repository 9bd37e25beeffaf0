"""Where the sockets stand in the runtime directory."""

from pathlib import Path

from rover.errors import LinkError

# sockaddr_un's limit on Linux, less the closing zero.
_MAX_PATH_BYTES = 107


def address(directory: Path, name: str) -> str:
    """Return ZeroMQ's address of the socket ``name``. Raises LinkError if its path is too long."""
    path = directory / f"{name}.ipc"
    if len(str(path).encode()) > _MAX_PATH_BYTES:
        raise LinkError(f"{path} is too long for a Unix socket: choose a shorter runtime directory")
    return f"ipc://{path}"
