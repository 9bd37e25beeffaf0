"""WebSocket connections: one DriveSession each, and all of them closed at the end."""

import contextlib
import logging
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from msgspec import UNSET
from simple_websocket import ConnectionClosed, Server
from wsproto.utilities import LocalProtocolError

from web.drive import DriveSession
from web.frames import StateFrame
from web.outbox import Outbox
from web.remote import Remote

_log = logging.getLogger(__name__)

MAX_SOCKETS = 72
# Of these, devices that are not paired may have so many, and so many from one address: watchers
# must not keep a driver out.
MAX_WATCHERS = 64
MAX_WATCHERS_FROM_ONE = 16
# The library closes a connection at once that sends more; up to here the reason is told.
MAX_MESSAGE_BYTES = 65536
# A phone that answers no ping for so long has gone.
PING_S = 2.0

# What the library raises when the client has closed, or is just about to.
CLOSING = (ConnectionClosed, LocalProtocolError)

POLICY_VIOLATION = 1008
GOING_AWAY = 1001
_POLL_S = 0.1
_CLOSE_S = 0.5

# What the kernel holds for a phone that reads too slowly: about four telemetry frames, so
# that after a stall it sees the present soon.
_SEND_BUFFER_BYTES = 16384
_UNSENT_BYTES = 8192
_UNACKNOWLEDGED_MS = 4000


def tune(connection: socket.socket) -> None:
    """Make ``connection`` quick rather than thrifty, and quick to notice that it is dead."""
    # A timeout would make writes partial, which the WebSocket library does not expect.
    connection.settimeout(None)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
    if connection.family == socket.AF_UNIX:
        return
    # Not every system has all of these.
    for name, value in (
        ("TCP_NODELAY", 1),
        ("TCP_NOTSENT_LOWAT", _UNSENT_BYTES),
        ("TCP_USER_TIMEOUT", _UNACKNOWLEDGED_MS),
    ):
        option = getattr(socket, name, None)
        if option is not None:
            connection.setsockopt(socket.IPPROTO_TCP, option, value)


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Room for one connection."""

    address: str
    is_paired: bool


class Sockets:
    """All open WebSockets of one server."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._changed = threading.Condition()
        self._open: dict[Server, DriveSession] = {}
        self._places: list[Place] = []
        self._guests = 0
        # Devices that may not drive any more; no other one ever gets their ids.
        self._ended: set[str] = set()
        self._ending = threading.Event()

    def enter(self, place: Place) -> str:
        """Keep a place for one more connection; return why there is none, empty if there is.

        A place that was had must be left by ``leave``.
        """
        with self._changed:
            watchers = [one for one in self._places if not one.is_paired]
            if len(self._places) >= MAX_SOCKETS or self._ending.is_set():
                return f"{MAX_SOCKETS} pages are open already: close one"
            if not place.is_paired:
                if len(watchers) >= MAX_WATCHERS:
                    return f"{MAX_WATCHERS} pages watch already: close one"
                if sum(one.address == place.address for one in watchers) >= MAX_WATCHERS_FROM_ONE:
                    return f"{MAX_WATCHERS_FROM_ONE} pages watch from {place.address}: close one"
            self._places.append(place)
            return ""

    def leave(self, place: Place) -> None:
        """Give a place back."""
        with self._changed:
            self._places.remove(place)
            self._changed.notify_all()

    @property
    def is_ending(self) -> bool:
        """Whether all conversations shall end."""
        return self._ending.is_set()

    @contextlib.contextmanager
    def guest(self) -> Iterator[None]:
        """Count a conversation that drives nothing among those that end when the server does."""
        with self._changed:
            self._guests += 1
        try:
            yield
        finally:
            with self._changed:
                self._guests -= 1
                self._changed.notify_all()

    def end_device(self, device_id: str) -> None:
        """Take the right to drive from a device's connections now, and close them.

        What such a connection drove is stopped at once, and again as its thread ends it. One
        that was let in just before, and is being opened, ends as it begins.
        """
        with self._changed:
            self._ended.add(device_id)
            sessions = list(self._open.values())
        for session in sessions:
            if session.device_id == device_id:
                session.revoke()

    def serve(self, ws: Server, user_agent: str, device_id: str | None) -> None:
        """Converse with one client until either side ends it. Runs in the request's thread.

        ``device_id`` is None for a client that is not paired and only watches.
        """
        remote = self._remote

        def write(text: str) -> None:
            try:
                ws.send(text)
            except CLOSING as error:
                raise ConnectionResetError("the client has gone") from error

        def state(with_telemetry: bool) -> StateFrame:
            return _state_frame(remote, session, with_telemetry)

        outbox = Outbox(remote.hub, remote.clock, write, state)
        session = DriveSession(remote, remote.name_client(user_agent), device_id, outbox.put)
        with self._changed:
            self._open[ws] = session
            has_ended = device_id in self._ended
        if has_ended:
            session.revoke()
        try:
            self._converse(ws, session, outbox)
        finally:
            with self._changed:
                del self._open[ws]
                self._changed.notify_all()

    def _converse(self, ws: Server, session: DriveSession, outbox: Outbox) -> None:
        remote, name = self._remote, session.name
        _log.info("%s connected%s", name, "" if session.may_drive else ", watching only")
        outbox.start()
        code, text = GOING_AWAY, "the web server ends"
        try:
            # Without its reader thread a connection is deaf, whatever else it believes.
            while not self._ending.is_set() and ws.thread.is_alive():
                if session.is_revoked:
                    code, text = POLICY_VIOLATION, "this device is not paired any more"
                    break
                messages = _receive_all(ws)
                if messages:
                    session.receive(messages, remote.clock.now_s())
                if session.is_hopeless:
                    code, text = POLICY_VIOLATION, "too many bad frames"
                    break
        except ConnectionClosed:
            pass
        finally:
            session.close()
            if not outbox.close(_CLOSE_S):
                # It is stuck in a write to a phone that does not read.
                ws.sock.shutdown(socket.SHUT_RDWR)
            _log.info("%s disconnected", name)
        say_goodbye(ws, code, text)

    def wait_until_empty(self, timeout_s: float) -> bool:
        """Wait until all conversations have ended; tell whether they did in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._open or self._guests), timeout_s)

    def close(self, timeout_s: float) -> bool:
        """End all conversations; tell whether they ended within ``timeout_s``."""
        self._ending.set()
        return self.wait_until_empty(timeout_s)


def say_goodbye(ws: Server, code: int, text: str) -> None:
    """Close ``ws``, if the client has not, and let nothing follow.

    Flask would send an HTTP answer of its own after the closing frame.
    """
    try:
        ws.close(code, text)
    except (OSError, *CLOSING):
        # The library says that a connection is closed before it answers the client's closing
        # frame, or its rubbish, with one of its own.
        ws.thread.join(_CLOSE_S)
    with contextlib.suppress(OSError):
        ws.sock.shutdown(socket.SHUT_WR)


def _state_frame(remote: Remote, session: DriveSession, with_telemetry: bool) -> StateFrame:
    """Return the state as ``session``'s client shall see it now."""
    newest = remote.hub.newest
    age_s = remote.hub.age_s()
    holder = remote.lease.holder
    page_ms, heard_s = session.heard or (None, remote.clock.now_s())
    now_s = remote.clock.now_s()
    return StateFrame(
        clock_s=now_s,
        t=page_ms,
        held_ms=(now_s - heard_s) * 1000,
        driver=holder,
        you_drive=holder == session.name,
        age_ms=None if age_s is None else age_s * 1000,
        telemetry=newest.telemetry if with_telemetry and newest is not None else UNSET,
        trouble=remote.hub.trouble,
        asking=remote.lease.asking,
        camera=remote.pictures.has_camera,
    )


def _receive_all(ws: Server) -> list[str | bytes]:
    """Wait for a message, and take all that wait behind it."""
    messages = []
    message = ws.receive(_POLL_S)
    while message is not None:
        messages.append(message)
        message = ws.receive(0) if ws.input_buffer else None
    return messages
