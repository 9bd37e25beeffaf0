"""What ends the installer: what went wrong, and the one thing to do next."""

import errno


class InstallError(Exception):
    """Nothing more is done; ``next_step`` is one sentence for a person."""

    def __init__(self, what: str, next_step: str) -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step


# What commands say when the cause is not theirs; the first that fits is told.
_CAUSES = (
    (
        ("No space left on device", "not enough free space"),
        "Make room (`sudo apt-get clean`, `sudo journalctl --vacuum-size=50M`), then run this "
        "again: it goes on where it stopped.",
    ),
    (
        ("Read-only file system",),
        "Make the file system writable (raspi-config, Performance Options, Overlay File System: "
        "no; or a new memory card), reboot, then run this again.",
    ),
    (
        ("CERTIFICATE_VERIFY_FAILED", "certificate is not yet valid", "is not valid yet"),
        "Set the clock (`timedatectl` shows it), then run this again.",
    ),
    (
        (
            "Temporary failure resolving",
            "Could not resolve",
            "Failed to fetch",
            # What `apt-get update` could not fetch it only warns of.
            "Unable to locate package",
            "NewConnectionError",
            "NameResolutionError",
            "Network is unreachable",
            "ConnectTimeoutError",
            "ProxyError",
        ),
        "Connect this computer to the internet, then run this again: it goes on where it stopped.",
    ),
)


def next_step_for(output: str, otherwise: str) -> str:
    """Return what to do about a command that said ``output`` and failed."""
    for signs, next_step in _CAUSES:
        if any(sign in output for sign in signs):
            return next_step
    return otherwise


def from_os_error(doing: str, error: OSError) -> InstallError:
    """Return what a failed change of the file system means for a person."""
    said = {errno.ENOSPC: "No space left on device", errno.EROFS: "Read-only file system"}
    otherwise = "Run this as root: `sudo ./install.sh`."
    if error.errno not in {errno.EACCES, errno.EPERM}:
        otherwise = f"Look at {error.filename or 'the disk'}, then run this again."
    next_step = next_step_for(said.get(error.errno or 0, ""), otherwise)
    return InstallError(f"could not {doing}: {error.strerror or error}", next_step)
