"""HTTPS: one thread speaks TLS with all clients, and hands plain connections on.

The rest of the server reads and writes at the same time in different threads, which one TLS
connection does not allow. So each is pumped, by asyncio, to and from a pair of local sockets.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial

from web.door import REQUEST_WITHIN_S, Visitor
from web.sockets import tune

_log = logging.getLogger(__name__)

# Connections that have not agreed on a key yet; the oldest of the most crowded address makes room.
MAX_AGREEING = 64
MAX_AGREEING_FROM_ONE = 16
# Beyond what the door and the pages have room for there is nobody.
MAX_CONNECTIONS = 256
_CHUNK_BYTES = 16384
# What waits for a slow client is old by the time it gets there.
_WAITING_BYTES = 8192
# For what is still on its way to a client after its connection has been closed here.
_GOODBYE_S = 5.0
_LAST_WORDS_S = 0.2
_LAST_TURNS = 3


class SecureFront:
    """Runs in a thread of its own, from ``start`` to ``close``."""

    def __init__(self, context: ssl.SSLContext, bring: Callable[[Visitor], None]) -> None:
        """``bring`` gets a visitor for every client that has agreed on a key."""
        self._context = context
        self._bring = bring
        self._loop = asyncio.new_event_loop()
        self._agreeing: dict[asyncio.Task[None], str] = {}
        self._all: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="tls", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def close(self) -> None:
        """Hang up on all."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        elif not self._loop.is_closed():
            self._loop.close()

    def take_in(self, connection: socket.socket, address: str) -> None:
        """Agree on a key with a new client. Never waits; any thread may call it."""
        try:
            self._loop.call_soon_threadsafe(self._begin, connection, address)
        except RuntimeError:
            # The loop is closed: the server ends.
            connection.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self._hang_up())
        finally:
            self._loop.close()

    async def _hang_up(self) -> None:
        if self._all:
            # Most have been told goodbye by now, and only have to be sent it.
            await asyncio.wait(self._all, timeout=_LAST_WORDS_S)
        for task in self._all:
            task.cancel()
        await asyncio.gather(*self._all, return_exceptions=True)
        # What the transports still have to do to be closed they do in the next turns of the loop.
        for _ in range(_LAST_TURNS):
            await asyncio.sleep(0)

    def _begin(self, connection: socket.socket, address: str) -> None:
        if len(self._all) >= MAX_CONNECTIONS:
            connection.close()
            return
        counts = Counter(self._agreeing.values())
        crowded = address if counts[address] >= MAX_AGREEING_FROM_ONE else ""
        if not crowded and len(self._agreeing) >= MAX_AGREEING:
            crowded = counts.most_common(1)[0][0]
        if crowded:
            oldest = next(task for task, one in self._agreeing.items() if one == crowded)
            del self._agreeing[oldest]
            oldest.cancel()
        task = self._loop.create_task(self._serve(connection, address))
        self._agreeing[task] = address
        self._all.add(task)
        task.add_done_callback(partial(self._end, connection))

    def _end(self, connection: socket.socket, task: "asyncio.Task[None]") -> None:
        # Here and not in the task, which may have been cancelled before it began.
        connection.close()
        self._all.discard(task)
        self._agreeing.pop(task, None)
        if not task.cancelled() and task.exception() is not None:
            _log.debug("a secure connection ends: %s", task.exception())

    async def _serve(self, connection: socket.socket, address: str) -> None:
        tune(connection)
        connection.setblocking(False)
        reader = asyncio.StreamReader(limit=_CHUNK_BYTES)
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await self._loop.connect_accepted_socket(
            lambda: protocol,
            connection,
            ssl=self._context,
            ssl_handshake_timeout=REQUEST_WITHIN_S,
            ssl_shutdown_timeout=_GOODBYE_S,
        )
        transport.set_write_buffer_limits(high=_WAITING_BYTES)
        writer = asyncio.StreamWriter(transport, protocol, reader, self._loop)
        if (task := asyncio.current_task()) is not None:
            self._agreeing.pop(task, None)
        near, far = socket.socketpair()
        near.setblocking(False)
        self._bring(Visitor(far, address, is_secure=True))
        try:
            with contextlib.closing(near):
                await self._pump(reader, writer, near)
            writer.close()
            with contextlib.suppress(OSError):
                await asyncio.wait_for(writer.wait_closed(), _GOODBYE_S)
        finally:
            transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, near: socket.socket
    ) -> None:
        """Carry bytes both ways until either side ends."""
        inward = self._loop.create_task(self._carry_in(reader, near))
        outward = self._loop.create_task(self._carry_out(near, writer))
        try:
            await asyncio.wait({inward, outward}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (inward, outward):
                task.cancel()
            await asyncio.gather(inward, outward, return_exceptions=True)

    async def _carry_in(self, reader: asyncio.StreamReader, near: socket.socket) -> None:
        while chunk := await reader.read(_CHUNK_BYTES):
            await self._loop.sock_sendall(near, chunk)

    async def _carry_out(self, near: socket.socket, writer: asyncio.StreamWriter) -> None:
        while chunk := await self._loop.sock_recv(near, _CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
