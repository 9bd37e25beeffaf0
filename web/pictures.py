"""The camera's newest pictures for all who watch: one reader, one encoding of each size."""

import contextlib
import logging
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from rover.camera_messages import PictureHead, Rung
from rover.clock import Clock
from rover.errors import BadMessageError
from rover.link.pictures import ViewerEnd, camera_directory

_log = logging.getLogger(__name__)

# The camera tells of itself twice a second.
GONE_AFTER_S = 2.0
_POLL_S = 0.1
# As the camera's end wants it, see rover/link/pictures.py.
_SAY_EVERY_S = 0.3


class Picture(Struct, frozen=True):
    """A JPEG and what it is."""

    head: PictureHead
    jpeg: bytes


class Pictures:
    """Reads in a thread of its own; who watches takes what is newest of the size it wants."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._end = ViewerEnd(camera_directory(directory))
        self._clock = clock
        self._changed = threading.Condition()
        self._watched = Counter[Rung]()
        self._newest: dict[Rung, Picture] = {}
        self._heard_s: float | None = None
        self._trouble = ""
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._read, name="pictures", daemon=True)

    @property
    def has_camera(self) -> bool:
        """Whether a camera has told of itself lately."""
        heard_s = self._heard_s
        return heard_s is not None and self._clock.now_s() - heard_s <= GONE_AFTER_S

    @property
    def trouble(self) -> str:
        """What is wrong with the camera, empty if nothing."""
        if not self.has_camera:
            return "the camera has gone: is `rover camera` running?"
        return self._trouble

    @contextlib.contextmanager
    def watching(self, rung: Rung) -> Iterator[None]:
        """Have pictures of a size taken meanwhile; several may watch the same."""
        with self._changed:
            self._watched[rung] += 1
        try:
            yield
        finally:
            with self._changed:
                self._watched[rung] -= 1
                if not self._watched[rung]:
                    # Who watches again later must not see it for new.
                    self._newest.pop(rung, None)

    def newer(self, rung: Rung, than: int, wait_s: float) -> Picture | None:
        """Return the newest picture of a size if it is later than number ``than``; wait for it."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._ending.is_set() or self._number(rung) != than, wait_s
            )
            picture = self._newest.get(rung)
            return None if picture is None or picture.head.number == than else picture

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def close(self) -> None:
        """Stop reading."""
        with self._changed:
            self._ending.set()
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()
        self._end.close()

    def _number(self, rung: Rung) -> int:
        picture = self._newest.get(rung)
        return -1 if picture is None else picture.head.number

    def _read(self) -> None:
        said_s = -_SAY_EVERY_S
        said: tuple[Rung, ...] = ()
        while not self._ending.is_set():
            now_s = self._clock.now_s()
            with self._changed:
                wanted = tuple(rung for rung in Rung if self._watched[rung])
            if wanted and (wanted != said or now_s - said_s >= _SAY_EVERY_S):
                self._end.want(wanted)
                said_s = now_s
            said = wanted
            try:
                received = self._end.receive(_POLL_S)
            except BadMessageError as error:
                _log.warning("the camera is of another version (%s): restart it", error)
                continue
            if received:
                self._take_in(received)

    def _take_in(self, received: list[tuple[PictureHead, bytes]]) -> None:
        with self._changed:
            self._heard_s = self._clock.now_s()
            for head, jpeg in received:
                if jpeg and self._watched[head.rung]:
                    self._newest[head.rung] = Picture(head, jpeg)
                    self._trouble = ""
                elif not jpeg:
                    self._trouble = head.trouble
            self._changed.notify_all()
