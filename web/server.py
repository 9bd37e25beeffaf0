"""The web process: its parts joined, its port, its start, and its end within two seconds."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from calibration.store import CalibrationStore
from rover.clock import Clock, SystemClock
from rover.config import Config
from rover.errors import ConfigError, ServeError
from rover.link import ControlClient
from web.access import Access
from web.answering import Answerer
from web.app import create_app
from web.console import Console
from web.door import Door, Visitor
from web.names import outward_address, own_names
from web.pad_desk import PadDesk
from web.pictures import Pictures
from web.remote import Remote
from web.secure import SecureFront
from web.sockets import Sockets
from web.step_desk import StepDesk

# A flood that the door works off at once makes nobody else try again a second later.
_BACKLOG = 1024
# How often it is looked whether the server still serves.
_LOOK_S = 1.0
_SOCKETS_CLOSE_S = 0.8


class WebServer:
    """A listening web server with its threads. ``start`` it once, and ``close`` it."""

    def __init__(
        self,
        config: Config,
        directory: Path,
        *,
        host: str,
        port: int,
        state_dir: Path,
        store: CalibrationStore | None = None,
        load: Callable[[], Config] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Listen on ``host``:``port`` (0: any free one).

        ``store`` keeps what is calibrated, by default in ``state_dir``; ``load`` reads the
        configuration anew, by default it stays ``config``.

        Raises ServeError if that cannot be had, ConfigError if the key and the paired devices
        cannot be kept in ``state_dir``.
        """
        clock = clock or SystemClock()
        self.access = Access(state_dir, clock)
        self.fingerprint = ""
        front = self._secure_front(config, state_dir) if config.web.https == "on" else None
        self._front = front
        listener = _listen(host, port)
        try:
            self._console = Console(state_dir, self.access, lambda: (self.origin, self.fingerprint))
        except ConfigError:
            listener.close()
            raise
        self.port: int = listener.getsockname()[1]
        self._host = host
        self._client = ControlClient(directory, clock)
        self._stop_client = ControlClient(directory, clock)
        pictures = Pictures(directory, clock)
        self.remote = Remote(config, self._client, self._stop_client, clock, pictures)
        self.sockets = Sockets(self.remote)
        store = store or CalibrationStore(state_dir / "calibration.toml")
        desk = PadDesk(self._client.ask_for_pads, store, config.gamepad.bindings, clock)
        step_desk = StepDesk(self._client, self.remote.hub, load or (lambda: config), store, clock)
        application = create_app(self.remote, self.sockets, self.access, desk, step_desk)

        def give_back(visitor: Visitor) -> None:
            self.door.wait_for(visitor)

        self._answerer = Answerer(application, (host, self.port), give_back)
        take_in = None if front is None else front.take_in
        self.door = Door(listener, clock, self._answerer.admit, take_in)

    def _secure_front(self, config: Config, state_dir: Path) -> SecureFront:
        # Nobody waits for the library who does without HTTPS.
        from web.certificate import load_certificate, own_addresses  # noqa: PLC0415

        names = (*own_names(), *config.web.hosts.split(), *own_addresses())
        certificate = load_certificate(state_dir, names)
        self.fingerprint = certificate.fingerprint

        def bring(visitor: Visitor) -> None:
            self.door.wait_for(visitor)

        return SecureFront(certificate.context(), bring)

    @property
    def origin(self) -> str:
        """The address that a phone in the same network opens."""
        host = _reachable(self._host)
        scheme = "http" if self._front is None else "https"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def url(self) -> str:
        """The link that pairs whoever opens it, any number of devices."""
        return f"{self.origin}/?key={self.access.key}"

    def invite(self) -> tuple[str, str]:
        """Return a new code, and the link that is as good; either pairs one device."""
        invitation = self.access.invitations.make()
        return invitation.code, f"{self.origin}/pair?invitation={invitation.token}"

    def start(self) -> None:
        """Begin to serve, in other threads."""
        self.remote.start()
        if self._front is not None:
            self._front.start()
        self.door.start()
        self._console.start()

    def close(self) -> None:
        """Stop what any page set in motion, close all connections, give the port back."""
        self._console.close()
        self.door.close()
        all_closed = self.sockets.close(_SOCKETS_CLOSE_S)
        if self._front is not None:
            self._front.close()
        self._answerer.close()
        self.remote.close()
        self._stop_client.close()
        if all_closed:
            self._client.close()
        # Otherwise a thread may still hold the client; the process's end closes it.


def run_web(
    config: Config,
    directory: Path,
    *,
    host: str,
    port: int,
    state_dir: Path,
    store: CalibrationStore | None = None,
    load: Callable[[], Config] | None = None,
    ready: Callable[[WebServer], None],
) -> None:
    """Serve the phone remote until SIGTERM or SIGINT; runs in the main thread.

    ``directory`` is where control's sockets are or will be, ``state_dir`` where the key and the
    paired devices are kept; ``store`` and ``load`` as ``WebServer`` has them; ``ready`` is called
    once the page can be opened. Raises ServeError when the port cannot be had, ConfigError when
    the key or the devices cannot be kept.
    """
    ending = threading.Event()
    server = WebServer(
        config, directory, host=host, port=port, state_dir=state_dir, store=store, load=load
    )
    try:
        with _signals_set(ending):
            server.start()
            ready(server)
            while not ending.wait(_LOOK_S):
                if not server.door.is_open:
                    raise ServeError("the web server takes no connections in any more: restart it")
    finally:
        server.close()


@contextmanager
def _signals_set(ending: threading.Event) -> Iterator[None]:
    """Have SIGTERM and SIGINT set ``ending``."""

    def end(number: int, frame: FrameType | None) -> None:
        ending.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server(
            (host, port),
            family=family,
            backlog=_BACKLOG,
            dualstack_ipv6=host == "::" and socket.has_dualstack_ipv6(),
        )
    except OSError as error:
        # The library lengthens strerror; names that cannot be looked up have no errno of ours.
        number = error.errno or 0
        cause = os.strerror(number) if number > 0 else str(error)
        raise ServeError(
            f"cannot listen on {host} port {port}: {cause}; end the program "
            "that has it, or choose another with web.host and web.port (--host, --port)"
        ) from error


def _reachable(host: str) -> str:
    """Return an address for the link: the network's own one when listening on all."""
    if host not in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        return host
    return outward_address(socket.AF_INET) or "127.0.0.1"
