"""A server on a Unix socket that does what a test tells it."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rover.hardware.bus.endpoint import (
    EndpointReply,
    EndpointRequest,
    FrameBuffer,
    decode_request,
    encode_frame,
)

Respond = Callable[[EndpointRequest], EndpointReply | bytes]


@contextmanager
def serving(path: Path, respond: Respond) -> Iterator[None]:
    """Answer every request with what ``respond`` returns: a reply, or raw bytes.

    Empty bytes hang up.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen()
    ending = threading.Event()

    def serve() -> None:
        while not ending.is_set():
            connection, _ = listener.accept()
            # A client that timed out is no longer there to be answered.
            with connection, suppress(ConnectionError):
                _converse(connection, respond)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        # Wakes accept(); a connection of the client's that is still open ends by its own close.
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as waker:
            waker.connect(str(path))
        thread.join(timeout=5)
        listener.close()
        assert not thread.is_alive()


def _converse(connection: socket.socket, respond: Respond) -> None:
    buffer = FrameBuffer()
    while data := connection.recv(4096):
        for payload in buffer.feed(data):
            reply = respond(decode_request(payload))
            if reply == b"":
                return
            connection.sendall(reply if isinstance(reply, bytes) else encode_frame(reply))
