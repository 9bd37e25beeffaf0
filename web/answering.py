"""HTTP by cheroot: a few threads answer requests, and each WebSocket has a thread of its own.

Connections come from the door with a whole request in them and go back to it, so that what
stands here never waits for a client to say something.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from cheroot import wsgi
from cheroot.server import HTTPConnection

from web.door import MAX_BODY_BYTES, MAX_HEAD_BYTES, Visitor

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_log = logging.getLogger(__name__)

WORKERS = 8
# Besides, so that a stop does not wait for what others have asked.
STOP_WORKERS = 2
# Requests that wait for a worker; the connection of one more is closed.
MAX_PENDING = 64
# Nobody who may converse is turned away for want of a thread: the application refuses first.
MAX_CONVERSATIONS = 96
# The longest that an answer waits for its reader.
_PATIENCE_S = 2.0
_WEBSOCKET = b"GET /ws"
_STOP = b"POST /api/stop"
# In a request's environment: it came when no thread was left to converse in.
NO_ROOM = "rover.no_room"


class _Connection(HTTPConnection):  # type: ignore[misc]
    """A connection that knows its visitor."""

    visitor: Visitor
    may_converse = False


class _Gateway(wsgi.Gateway_10):  # type: ignore[misc]
    """Hands the socket to the WebSocket library, and reads no body that nobody has waited for."""

    def get_environ(self) -> dict[str, Any]:
        """Return the request's environment."""
        environ: dict[str, Any] = super().get_environ()
        connection: _Connection = self.req.conn
        if connection.visitor.is_secure:
            environ["wsgi.url_scheme"] = "https"
        if connection.may_converse:
            environ["werkzeug.socket"] = connection.socket
        else:
            environ[NO_ROOM] = True
        return environ

    def respond(self) -> None:
        """Answer the request."""
        if self.req.chunked_read:
            self.req.close_connection = True
            self.req.simple_response("411 Length Required", "Send a Content-Length.")
            return
        if int(self.req.inheaders.get(b"Content-Length", 0)) > MAX_BODY_BYTES:
            # It is refused, and what follows it is not read.
            self.req.close_connection = True
        super().respond()


class _Server(wsgi.Server):  # type: ignore[misc]
    """What cheroot's connections ask about the server that they belong to."""

    max_request_header_size = MAX_HEAD_BYTES
    ready = True
    # Every connection comes back to the door, which has room or makes it.
    can_add_keepalive_connection = True

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """Log what went wrong, by this project's own log."""
        _log.log(level, "%s", msg, exc_info=traceback)


class _Workers:
    """Some threads, and a queue that does not grow for ever."""

    def __init__(self, count: int, name: str) -> None:
        self._threads = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._room = threading.Semaphore(MAX_PENDING)

    def have(self, act: Callable[[], None]) -> bool:
        """Have ``act`` done as soon as a thread is free; tell whether that will be."""
        if not self._room.acquire(blocking=False):
            return False
        self._threads.submit(act).add_done_callback(lambda done: self._room.release())
        return True

    def close(self) -> None:
        """Finish what is under way, drop the rest."""
        self._threads.shutdown(cancel_futures=True)


class Answerer:
    """Answers requests until it is closed."""

    def __init__(
        self,
        application: "WSGIApplication",
        address: tuple[str, int],
        give_back: Callable[[Visitor], None],
    ) -> None:
        """``give_back`` gets a visitor whose connection is kept open for its next request."""
        self._server = _Server(address, application, server_name="rover")
        self._server.software = "rover"
        self._server.gateway = _Gateway
        self._give_back = give_back
        self._workers = _Workers(WORKERS, "http")
        self._stop_workers = _Workers(STOP_WORKERS, "http stop")
        self._room = threading.Semaphore(MAX_CONVERSATIONS)

    def admit(self, visitor: Visitor, begun: bytes) -> None:
        """Have the request that waits in ``visitor``'s connection answered. Never waits."""
        visitor.connection.settimeout(_PATIENCE_S)
        connection, visitor.kept = visitor.kept, None
        if not isinstance(connection, _Connection):
            connection = _Connection(self._server, visitor.connection)
            connection.visitor = visitor
            connection.remote_addr = visitor.address
        if begun.startswith(_WEBSOCKET) and self._room.acquire(blocking=False):
            connection.may_converse = True
            threading.Thread(
                target=self._converse, args=(connection,), name="websocket", daemon=True
            ).start()
            return
        workers = self._stop_workers if begun.startswith(_STOP) else self._workers
        if not workers.have(lambda: self._answer(connection)):
            _close(connection)

    def close(self) -> None:
        """Finish the answers that are under way."""
        self._workers.close()
        self._stop_workers.close()

    def _converse(self, connection: _Connection) -> None:
        try:
            connection.communicate()
        except OSError as error:
            _log.debug("a page has gone: %s", error)
        finally:
            _close(connection)
            self._room.release()

    def _answer(self, connection: _Connection) -> None:
        is_kept = False
        try:
            is_kept = connection.communicate()
        except OSError as error:
            _log.debug("a client has gone: %s", error)
        finally:
            # What came behind the request has been read already; nobody waits for the rest of it.
            if is_kept and not connection.rfile.has_data():
                connection.visitor.kept = connection
                self._give_back(connection.visitor)
            else:
                _close(connection)


def _close(connection: _Connection) -> None:
    try:
        connection.close()
    except OSError as error:
        _log.debug("a connection was closed already: %s", error)
