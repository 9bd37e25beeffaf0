"""The camera's sockets, both ends: the newest picture of each size, never a backlog.

``camera.ipc`` is the camera's PUB: a picture's head and the JPEG in one part. ``wanted.ipc`` is
its SUB: who watches says again and again which sizes it wants. The camera binds both.
"""

import math
import os
from pathlib import Path

import msgspec
import zmq

from rover.camera_messages import PictureHead, Rung, Wanted
from rover.clock import Clock
from rover.errors import BadMessageError, LinkError
from rover.link import decoding
from rover.link.address import address

# Who watches says so three times a second; a busy computer may hold one up.
WANTED_FOR_S = 1.5
_MOST_WANTED_BYTES = 256
_MOST_PICTURE_BYTES = 8 << 20

_encode = msgspec.msgpack.Encoder().encode


_SERVICES = Path("/run/rover")


def camera_directory(directory: Path) -> Path:
    """Return where the camera's sockets are, for who uses ``directory`` for all the others.

    Under systemd the camera may not reach control's sockets, so it has a folder of its own: see
    systemd/rover-camera.service.
    """
    return directory.with_name("rover-camera") if directory == _SERVICES else directory


class CameraEnd:
    """The camera process's end. Raises LinkError if the sockets cannot be made."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._clock = clock
        self._context = zmq.Context(io_threads=1)
        self._pictures = self._context.socket(zmq.PUB)
        self._pictures.sndhwm = 2
        self._wanted = self._context.socket(zmq.SUB)
        self._wanted.subscribe(b"")
        self._wanted.maxmsgsize = _MOST_WANTED_BYTES
        self._until_s: dict[Rung, float] = {}
        for socket, name in ((self._pictures, "camera"), (self._wanted, "wanted")):
            socket.linger = 0
            try:
                socket.bind(address(directory, name))
                (directory / f"{name}.ipc").chmod(0o660)
            except (zmq.ZMQError, OSError) as error:
                self.close()
                cause = str(error) if os.access(directory, os.W_OK) else "nothing can be made there"
                raise LinkError(f"cannot make {directory / name}.ipc: {cause}") from error

    def wanted(self, wait_s: float = 0.0) -> tuple[Rung, ...]:
        """Return the sizes that somebody watches now, after waiting so long for a word of it."""
        if wait_s > 0.0:
            self._wanted.poll(int(wait_s * 1000), zmq.POLLIN)
        now_s = self._clock.now_s()
        while True:
            try:
                payload = self._wanted.recv(zmq.NOBLOCK)
            except zmq.Again:
                break
            try:
                rungs = decoding.wanted(payload).rungs
            except BadMessageError:
                # Nobody of this version: it gets no pictures, and costs nothing.
                continue
            self._until_s.update(dict.fromkeys(rungs, now_s + WANTED_FOR_S))
        return tuple(rung for rung in Rung if self._until_s.get(rung, -math.inf) >= now_s)

    def publish(self, head: PictureHead, jpeg: bytes = b"") -> None:
        """Send a picture to whoever watches; who reads slowly loses it."""
        packed = _encode(head)
        length = len(packed).to_bytes(decoding.PICTURE_HEAD_BYTES, "big")
        self._pictures.send(length + packed + jpeg, zmq.NOBLOCK)

    def close(self) -> None:
        """Let go of the sockets."""
        self._pictures.close()
        self._wanted.close()
        self._context.term()


class ViewerEnd:
    """The end of who watches. Used by one thread."""

    def __init__(self, directory: Path) -> None:
        self._context = zmq.Context(io_threads=1)
        self._pictures = self._context.socket(zmq.SUB)
        self._pictures.subscribe(b"")
        # One of each size may be under way.
        self._pictures.rcvhwm = len(Rung)
        self._pictures.maxmsgsize = _MOST_PICTURE_BYTES
        self._wanted = self._context.socket(zmq.PUB)
        self._wanted.sndhwm = 2
        for socket, name in ((self._pictures, "camera"), (self._wanted, "wanted")):
            socket.linger = 0
            socket.reconnect_ivl = 50
            socket.reconnect_ivl_max = 200
            socket.connect(address(directory, name))

    def want(self, rungs: tuple[Rung, ...]) -> None:
        """Say which sizes are watched. Never waits."""
        self._wanted.send(_encode(Wanted(rungs)), zmq.NOBLOCK)

    def receive(self, wait_s: float) -> list[tuple[PictureHead, bytes]]:
        """Wait for pictures, and return all that have come; the JPEG may be empty.

        Raises BadMessageError for what is none.
        """
        if not self._pictures.poll(int(wait_s * 1000), zmq.POLLIN):
            return []
        received: list[tuple[PictureHead, bytes]] = []
        while True:
            try:
                packed = self._pictures.recv(zmq.NOBLOCK)
            except zmq.Again:
                return received
            received.append(decoding.picture(packed))

    def close(self) -> None:
        """Let go of the sockets."""
        self._pictures.close()
        self._wanted.close()
        self._context.term()
