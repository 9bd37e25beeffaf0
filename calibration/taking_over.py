"""How control gets to drive with what has been written."""

from pathlib import Path
from typing import Protocol

from rover.errors import LinkError
from rover.link import ControlClient
from rover.messages import Answer, RequestKind

# Where the service has its sockets and its calibration, see systemd/rover-control.service.
SERVICE_RUNTIME = Path("/run/rover")
SERVICE_STATE = Path("/var/lib/rover")
# Control makes all its parts anew before it answers.
_RELOADS_S = 5.0


class Asked(Protocol):
    """Where control is asked: a ``ControlClient``, or a test's."""

    def request(
        self,
        kind: RequestKind,
        who: str,
        timeout_s: float = 1.0,
        stamp_s: float | None = None,
        token: str = "",
    ) -> Answer:
        """Ask, and wait for the answer. Raises LinkError."""
        ...


def taken_over(written: Path, control: Asked | None, who: str) -> str:
    """Have control read its files anew; say how that went, and what to do if it did not.

    ``control`` is None where none runs.
    """
    if SERVICE_RUNTIME.is_dir() and SERVICE_STATE not in written.parents:
        return (
            "The rover that runs here as a service reads its own file: "
            f"sudo install -D -m 644 {written} {SERVICE_STATE / 'calibration.toml'}, then "
            "rover reload."
        )
    if control is None:
        return "Control reads it when it starts."
    try:
        answer = control.request(RequestKind.RELOAD, who, timeout_s=_RELOADS_S)
    except LinkError as error:
        return f"Start control anew to drive with it: {error}"
    if answer.accepted:
        return "The rover drives with it from now on."
    return f"The rover does not use it yet: {'; '.join(answer.refusals)}; then rover reload."


def taken_over_in(directory: Path, written: Path, who: str) -> str:
    """Do as ``taken_over`` with the control of ``directory``, if one runs there."""
    if not (directory / "requests.ipc").exists():
        return taken_over(written, None, who)
    with ControlClient(directory) as client:
        return taken_over(written, client, who)
