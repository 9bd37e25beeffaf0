"""By which names this rover may be called, and at which address it is.

A web site can have its own name lead to the rover's address (DNS rebinding), and its pages would
then be the rover's own to a browser. So a request must name the rover by one of its names, or by
an address, which no site can be called by.
"""

import ipaddress
import socket
from collections.abc import Iterable, Iterator

_LOCAL = ".local"
# Addresses of documentation, which lead outside and to nobody (RFC 5737, RFC 3849).
_OUTSIDE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


class HostNames:
    """The names that a request may call the rover by; addresses always serve."""

    def __init__(self, others: Iterable[str]) -> None:
        """``others`` are names besides those that this computer knows of itself."""
        self._names = frozenset(name.lower() for name in (*own_names(), *others))

    def fits(self, host: str) -> bool:
        """Tell whether a request with this Host header, port included, means the rover."""
        name = _without_port(host).lower().removesuffix(".")
        return name in self._names or is_address(name.strip("[]"))


def own_names() -> Iterator[str]:
    """Give the names that this computer knows of itself."""
    name = socket.gethostname()
    yield "localhost"
    yield name
    short = name.partition(".")[0]
    yield short
    yield short + _LOCAL


def outward_address(family: socket.AddressFamily) -> str | None:
    """Return the address that this computer has in the network, None if it has none."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            # No packet is sent: the system only picks the interface that would be used.
            probe.connect((_OUTSIDE[family], 9))
            return str(probe.getsockname()[0])
    except OSError:
        # No way out, or a system without this family.
        return None


def is_address(text: str) -> bool:
    """Whether ``text`` is an IP address rather than a name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() and not host.endswith("]") else host
