"""The sockets between the processes, both ends: ZeroMQ over Unix sockets, MessagePack inside.

Five sockets stand in the runtime directory, all bound by control:

- ``drive.ipc``      SUB, from every client's PUB: two parts, the source's name and a DriveCommand
- ``requests.ipc``   ROUTER, from every client's DEALER: a number and a Request, answered by the
  same number and an Answer
- ``pads.ipc``       ROUTER, from every client's DEALER: a number and a PadAsk, answered by the
  same number and a PadLoan
- ``bus.ipc``        ROUTER, from every client's DEALER: a number and a BusAsk, answered by the
  same number and a BusLoan
- ``telemetry.ipc``  PUB, to every client's SUB: one Telemetry; slow readers lose frames

Deadlines, not disconnects, are the failsafe: a socket tells nobody that its peer has gone.
"""

from rover.link.client import ControlClient
from rover.link.control import (
    LOCK_NAME,
    MAX_MESSAGE_BYTES,
    ControlLink,
    Inbox,
    ReceivedBusAsk,
    ReceivedPadAsk,
    ReceivedRequest,
    RefusedDrive,
    claim,
    in_use,
)

__all__ = [
    "LOCK_NAME",
    "MAX_MESSAGE_BYTES",
    "ControlClient",
    "ControlLink",
    "Inbox",
    "ReceivedBusAsk",
    "ReceivedPadAsk",
    "ReceivedRequest",
    "RefusedDrive",
    "claim",
    "in_use",
]
