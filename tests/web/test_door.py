import queue
import socket
import threading

import pytest

from rover.clock import ManualClock
from web import door
from web.door import (
    KEPT_OPEN_S,
    MAX_BODY_BYTES,
    MAX_HEAD_BYTES,
    MAX_WAITING,
    MAX_WAITING_FROM_ONE,
    REQUEST_WITHIN_S,
    Door,
    is_whole,
)

REQUEST = b"GET / HTTP/1.1\r\nHost: rover\r\n\r\n"
WAIT_S = 20.0


@pytest.mark.parametrize(
    ("begun", "whole"),
    [
        (b"GET", False),
        (REQUEST[:-1], False),
        (REQUEST, True),
        (REQUEST + b"more", True),
        (b"x" * MAX_HEAD_BYTES, False),
        (b"x" * (MAX_HEAD_BYTES + 1), True),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n1234", False),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n12345", True),
        (b"POST / HTTP/1.1\r\nHost: a\r\ncontent-length:5 \r\nA: b\r\n\r\n1234", False),
        (b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1), True),
        (b"POST / HTTP/1.1\r\nContent-Length: minus one\r\n\r\n", True),
        (b"POST / HTTP/1.1\r\nX-Content-Length: 5\r\n\r\n", True),
    ],
)
def test_a_request_is_whole_when_all_of_it_that_is_read_is_there(begun, whole):
    assert is_whole(begun) is whole


class Street:
    """A door on this computer, and people who come to it."""

    def __init__(self):
        self.clock = ManualClock()
        self.admitted = queue.Queue()
        # The door's thread goes on only while this is set.
        self.goes_on = threading.Event()
        self.goes_on.set()
        listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._address = listener.getsockname()
        self.door = Door(listener, self.clock, self._admit)
        self.door.start()
        self._opened = []

    def _admit(self, *what):
        self.admitted.put(what)
        assert self.goes_on.wait(WAIT_S)

    def come(self, address="127.0.0.1"):
        connection = socket.create_connection(self._address, WAIT_S, (address, 0))
        self._opened.append(connection)
        return connection

    def next(self):
        """Return who is admitted next, and what it had to say."""
        visitor, begun = self.admitted.get(timeout=WAIT_S)
        self._opened.append(visitor)
        return visitor, begun

    def close(self):
        self.door.close()
        for connection in self._opened:
            connection.close()


@pytest.fixture
def street(monkeypatch):
    # How often it is looked who has dawdled too long, by a clock that the test holds.
    monkeypatch.setattr(door, "_IDLE_S", 0.02)
    street = Street()
    yield street
    street.close()


def is_put_out(connection):
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_who_has_said_all_is_admitted_and_what_was_said_is_still_there(street):
    street.come("127.0.0.2").sendall(REQUEST)
    visitor, begun = street.next()
    assert (visitor.address, begun) == ("127.0.0.2", REQUEST)
    assert visitor.connection.recv(1000) == REQUEST


def test_a_request_in_pieces_is_admitted_once_it_is_whole(street):
    slow = street.come()
    for piece in (REQUEST[:5], REQUEST[5:-1]):
        slow.sendall(piece)
        street.come().sendall(REQUEST)
        assert street.next()[1] == REQUEST
    slow.sendall(REQUEST[-1:])
    visitor, _ = street.next()
    assert visitor.connection.getpeername() == slow.getsockname()


@pytest.mark.parametrize("said", [b"", b"GET / HT", REQUEST[:-1]])
def test_who_dawdles_is_put_out(street, said):
    slow = street.come()
    slow.sendall(said)
    street.come().sendall(REQUEST)
    street.next()
    street.clock.sleep_s(REQUEST_WITHIN_S + 0.1)
    assert is_put_out(slow)


def test_saying_a_little_now_and_then_gains_no_time(street):
    slow = street.come()
    for _ in range(10):
        slow.sendall(b"x")
        street.come().sendall(REQUEST)
        street.next()
        street.clock.sleep_s(REQUEST_WITHIN_S / 9.0)
    assert is_put_out(slow)


def test_who_comes_back_has_time_to_think_but_then_speaks_up(street):
    calm, slow = street.come(), street.come()
    for one in (calm, slow):
        one.sendall(REQUEST)
        visitor, _ = street.next()
        visitor.connection.recv(1000)
        visitor.kept = visitor.connection
        street.door.wait_for(visitor)
    street.clock.sleep_s(KEPT_OPEN_S - REQUEST_WITHIN_S)
    slow.sendall(b"GET")
    calm.sendall(REQUEST)
    assert street.next()[1] == REQUEST
    # Whoever comes now is admitted after the door has heard the slow one begin.
    street.come().sendall(REQUEST)
    street.next()
    street.clock.sleep_s(REQUEST_WITHIN_S + 0.1)
    assert is_put_out(slow)


def test_one_address_waits_with_so_many_and_the_oldest_makes_room(street):
    first, *others = [street.come() for _ in range(MAX_WAITING_FROM_ONE)]
    street.come().sendall(REQUEST)
    street.next()
    assert is_put_out(first)
    others[0].sendall(REQUEST)
    assert street.next()[1] == REQUEST


def test_of_all_who_wait_the_address_with_the_most_makes_room(street):
    honest = street.come("127.0.0.100")
    crowds = MAX_WAITING // (MAX_WAITING_FROM_ONE - 1) + 2
    for number in range(crowds):
        for _ in range(MAX_WAITING_FROM_ONE - 1):
            street.come(f"127.0.0.{number + 1}")
    honest.sendall(REQUEST)
    assert street.next()[0].address == "127.0.0.100"


def test_closing_hangs_up_on_all_who_wait(street):
    waiting = [street.come() for _ in range(3)]
    street.come().sendall(REQUEST)
    street.next()
    street.door.close()
    assert all(is_put_out(one) for one in waiting)


def test_who_makes_room_just_as_it_says_something_is_gone_and_the_door_stays_open(street):
    street.goes_on.clear()
    early = [street.come() for _ in range(MAX_WAITING_FROM_ONE)]
    street.come("127.0.0.2").sendall(REQUEST)
    street.next()
    # All this the door sees at once, the new ones first.
    for _ in range(2 * MAX_WAITING_FROM_ONE):
        street.come()
    for one in early:
        one.sendall(b"GET")
    street.goes_on.set()
    street.come("127.0.0.2").sendall(REQUEST)
    assert street.next()[1] == REQUEST
    assert all(is_put_out(one) for one in early)
