"""The front door: takes connections in, and passes each on once a whole request waits in it.

So no thread ever waits for a slow client's request, however many dawdle here. Who dawdles too
long is put out; where too many wait, the address with the most of them makes room.
"""

import contextlib
import logging
import re
import selectors
import socket
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import Protocol

from rover.clock import Clock

_log = logging.getLogger(__name__)

# Connections in which no whole request waits; browsers keep some open for the next one.
MAX_WAITING = 128
MAX_WAITING_FROM_ONE = 32
# From the first moment, or the first byte on a connection that was kept open, to the last byte.
REQUEST_WITHIN_S = 5.0
KEPT_OPEN_S = 15.0
# The longest that a request may be up to its body, and its body.
MAX_HEAD_BYTES = 8192
MAX_BODY_BYTES = 2048

_LOOK_AGAIN_S = 0.05
_IDLE_S = 0.5
# Between two looks at those that wait, so that a flood of new ones does not keep them out.
_ACCEPTED_AT_ONCE = 16
_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,9})[ \t]*\r$", re.IGNORECASE | re.MULTILINE)
# Without a file descriptor to spare, accepting fails again and again.
_BREATHE_S = 0.1


class Closable(Protocol):
    """What stands for a connection between two requests."""

    def close(self) -> None:
        """Hang up."""
        ...


class Visitor:
    """A connection, and the address that it comes from."""

    def __init__(self, connection: socket.socket, address: str, *, is_secure: bool) -> None:
        self.connection = connection
        self.address = address
        self.is_secure = is_secure
        self.leave_s = 0.0
        self.has_begun = False
        # Whether a selector tells only when there is more than has been seen: Linux's TCP does.
        self.wakes_for_more = (
            sys.platform.startswith("linux") and connection.family != socket.AF_UNIX
        )
        # Who reads it, while it waits between two requests.
        self.kept: Closable | None = None

    def wake_for(self, count: int) -> None:
        """Have the connection count as readable once ``count`` bytes are there, or its end."""
        if self.wakes_for_more:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count)

    def close(self) -> None:
        """Hang up."""
        kept, self.kept = self.kept, None
        with contextlib.suppress(OSError):
            (kept or self.connection).close()


class Door:
    """Runs in a thread of its own, from ``start`` to ``close``."""

    def __init__(
        self,
        listener: socket.socket,
        clock: Clock,
        admit: Callable[[Visitor, bytes], None],
        take_in: Callable[[socket.socket, str], None] | None = None,
    ) -> None:
        """``admit`` gets every visitor in whose connection a request waits, and how it begins.

        ``take_in`` gets what comes in at the listener instead, and brings it by ``wait_for``
        when it can be read. Neither may wait.
        """
        self._listener = listener
        self._listener.setblocking(False)
        self._clock = clock
        self._admit = admit
        self._take_in = take_in
        self._waiting: dict[Visitor, None] = {}
        self._counts: Counter[str] = Counter()
        self._selector = selectors.DefaultSelector()
        self._brought: deque[Visitor] = deque()
        self._waker, self._woken = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="door", daemon=True)

    def start(self) -> None:
        """Begin to take connections in."""
        self._thread.start()

    @property
    def is_open(self) -> bool:
        """Whether connections are taken in."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Take in no more, and hang up on all that wait."""
        if self._ending.is_set():
            return
        self._ending.set()
        self._wake()
        if self._thread.is_alive():
            self._thread.join()
        for visitor in (*self._waiting, *self._brought):
            visitor.close()
        self._selector.close()
        self._listener.close()
        self._waker.close()
        self._woken.close()

    def wait_for(self, visitor: Visitor) -> None:
        """Have ``visitor`` wait for a request, its first or its next. Any thread may call it."""
        visitor.leave_s = self._clock.now_s() + (
            REQUEST_WITHIN_S if visitor.kept is None else KEPT_OPEN_S
        )
        visitor.has_begun = visitor.kept is None
        if self._ending.is_set():
            visitor.close()
            return
        self._brought.append(visitor)
        self._wake()

    def _wake(self) -> None:
        # A full pipe wakes as well, and a closed one has nobody to wake.
        with contextlib.suppress(OSError):
            self._waker.send(b"\0")

    def _run(self) -> None:
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self._woken, selectors.EVENT_READ, self._hear)
        partial: list[Visitor] = []
        # How often to look is the system's time, as the selector's is; how long is the clock's.
        look_again_s = put_out_s = time.monotonic()
        while not self._ending.is_set():
            for key, _ in self._selector.select(_LOOK_AGAIN_S if partial else _IDLE_S):
                if isinstance(key.data, Visitor):
                    # It may have made room for another since the selector told of it.
                    if key.data not in self._waiting:
                        continue
                    if not self._look(key.data) and not key.data.wakes_for_more:
                        # What has come stays readable: look now and then instead of at once.
                        self._selector.unregister(key.data.connection)
                        partial.append(key.data)
                else:
                    key.data()
            while self._brought:
                self._enter(self._brought.popleft())
            awake_s = time.monotonic()
            if awake_s - look_again_s >= _LOOK_AGAIN_S:
                look_again_s = awake_s
                partial = [one for one in partial if one in self._waiting and not self._look(one)]
            if awake_s - put_out_s >= _IDLE_S:
                put_out_s, now_s = awake_s, self._clock.now_s()
                for visitor in [one for one in self._waiting if one.leave_s < now_s]:
                    self._put_out(visitor)

    def _accept(self) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                connection, address = self._listener.accept()
            except (BlockingIOError, ConnectionError):
                return
            except OSError as error:
                _log.warning("cannot take a connection in: %s", error)
                self._clock.sleep_s(_BREATHE_S)
                return
            connection.setblocking(False)
            if self._take_in is not None:
                self._take_in(connection, address[0])
                continue
            visitor = Visitor(connection, address[0], is_secure=False)
            visitor.leave_s = self._clock.now_s() + REQUEST_WITHIN_S
            visitor.has_begun = True
            self._enter(visitor)

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)

    def _enter(self, visitor: Visitor) -> None:
        for crowded in self._crowded(visitor.address):
            self._put_out(next(one for one in self._waiting if one.address == crowded))
        visitor.connection.setblocking(False)
        self._waiting[visitor] = None
        self._counts[visitor.address] += 1
        self._selector.register(visitor.connection, selectors.EVENT_READ, visitor)

    def _crowded(self, address: str) -> Iterator[str]:
        """Give the addresses of which one has to go before one more from ``address`` enters."""
        if self._counts[address] >= MAX_WAITING_FROM_ONE:
            yield address
        elif len(self._waiting) >= MAX_WAITING:
            yield max(self._counts, key=lambda one: self._counts[one])

    def _look(self, visitor: Visitor) -> bool:
        """See what has come; tell whether there is nothing more to look for."""
        try:
            begun = visitor.connection.recv(MAX_HEAD_BYTES + MAX_BODY_BYTES + 1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            begun = b""
        if not begun:
            self._put_out(visitor)
            return True
        if not visitor.has_begun:
            visitor.has_begun = True
            visitor.leave_s = self._clock.now_s() + REQUEST_WITHIN_S
        if not is_whole(begun):
            visitor.wake_for(len(begun) + 1)
            return False
        visitor.wake_for(1)
        self._leave(visitor)
        self._admit(visitor, begun)
        return True

    def _put_out(self, visitor: Visitor) -> None:
        self._leave(visitor)
        visitor.close()

    def _leave(self, visitor: Visitor) -> None:
        del self._waiting[visitor]
        self._counts[visitor.address] -= 1
        if not self._counts[visitor.address]:
            del self._counts[visitor.address]
        with contextlib.suppress(KeyError):
            self._selector.unregister(visitor.connection)


def is_whole(begun: bytes) -> bool:
    """Whether a request can be read to its end, or far enough to be refused."""
    head, end, body = begun.partition(_HEAD_END)
    if not end:
        return len(begun) > MAX_HEAD_BYTES
    lengths = [int(length) for length in _LENGTH.findall(head + b"\r\n")]
    length = max(lengths, default=0)
    return len(body) >= length or length > MAX_BODY_BYTES
