"""Being told to end: by a service manager, or by a terminal whose connection is gone."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

_NUMBERS = (signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Have SIGTERM and SIGHUP end this as Ctrl-C does: by way of what there is to give back.

    Only the first one: a terminal that is closed sends several, and what is given back is not to
    be cut off.
    """

    def leave(number: int, _frame: FrameType | None) -> None:
        for one in _NUMBERS:
            signal.signal(one, signal.SIG_IGN)
        raise SystemExit(128 + number)

    before = [signal.signal(number, leave) for number in _NUMBERS]
    try:
        yield
    finally:
        for number, handler in zip(_NUMBERS, before, strict=True):
            signal.signal(number, handler)
