"""A conversation with one page over a WebSocket of its own: calibrations talk so."""

from collections.abc import Callable
from typing import Protocol

from flask import request
from simple_websocket import ConnectionClosed, Server

from web.access import Access
from web.pairing import paired
from web.remote import Remote
from web.sockets import CLOSING, GOING_AWAY, POLICY_VIOLATION, Sockets, say_goodbye

# More than a person presses before the next look.
_MOST_WAITING = 16
_NORMAL = 1000

Hear = Callable[[float], list[str | bytes]]
Tell = Callable[[str], None]


class BadKeyError(Exception):
    """A page sent what no page of this server sends."""


class Converse(Protocol):
    """What talks with a page until it is done, or ``hear`` raises that the page has gone."""

    def __call__(self, who: str, device_id: str, hear: Hear, tell: Tell) -> None:
        """Talk. ``hear`` waits so long for messages and returns all. Raises BadKeyError."""
        ...


def talk(ws: Server, remote: Remote, access: Access, sockets: Sockets, converse: Converse) -> None:
    """Have ``converse`` talk with the paired device behind ``ws``, then close it."""
    device = paired(access)
    who = remote.name_client(request.user_agent.string)

    def hear(wait_s: float) -> list[str | bytes]:
        if sockets.is_ending or not ws.thread.is_alive():
            raise ConnectionClosed
        return _waiting(ws, wait_s)

    code, text = _NORMAL, "done"
    with sockets.guest():
        try:
            converse(who, device.id, hear, ws.send)
        except BadKeyError as error:
            code, text = POLICY_VIOLATION, str(error)
        except (OSError, *CLOSING):
            # The page has gone, or the server goes.
            code, text = GOING_AWAY, "the web server ends"
        say_goodbye(ws, code, text)


def _waiting(ws: Server, wait_s: float) -> list[str | bytes]:
    """Wait for a message, and take all that wait behind it. Raises BadKeyError for a flood."""
    if len(ws.input_buffer) > _MOST_WAITING:
        raise BadKeyError("too many keys at once")
    first = ws.receive(wait_s)
    if first is None:
        return []
    behind = [ws.receive(0) for _ in range(len(ws.input_buffer))]
    return [first, *(message for message in behind if message is not None)]
