"""What all routes and sockets of one web server share."""

import itertools

from rover.clock import Clock
from rover.config import Config
from rover.link import ControlClient
from web.asking import Asker
from web.hub import Hub
from web.lease import Lease
from web.pictures import Pictures


class Remote:
    """The remote's parts, joined. Starts no thread before ``start``."""

    def __init__(
        self,
        config: Config,
        client: ControlClient,
        stop_client: ControlClient,
        clock: Clock,
        pictures: Pictures,
    ) -> None:
        """``stop_client`` asks for stops only, so that no other request holds one up."""
        self.config = config
        self.client = client
        self.clock = clock
        self.hub = Hub(client, clock)
        self.pictures = pictures
        self.lease = Lease(clock)
        self.asker = Asker(client, stop_client, clock)
        self._numbers = itertools.count(1)

    def name_client(self, user_agent: str) -> str:
        """Return a name for a client that has just come, as people will see it: "phone 2"."""
        device = "phone" if "Mobi" in user_agent else "computer"
        return f"{device} {next(self._numbers)}"

    def start(self) -> None:
        """Begin to read telemetry and pictures."""
        self.hub.start()
        self.pictures.start()

    def close(self) -> None:
        """Stop using the clients; the sockets must have been closed before."""
        self.hub.close()
        self.pictures.close()
        self.asker.close()
