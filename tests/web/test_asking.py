"""What waits for control, on a clock held in the hand and with a control that can be held up."""

import threading

import pytest

from rover.clock import ManualClock
from rover.messages import Answer, RequestKind, Stop
from web.asking import TIMEOUT_S, Asker

DEADLINE_S = 5.0


class Client:
    """A ControlClient that keeps what is asked, and answers while ``is_free`` is set."""

    def __init__(self):
        self.sent = []
        self.asked = []
        self.is_free = threading.Event()
        self.is_free.set()
        self._hearing = threading.Condition()

    def drive(self, source, motion, stamp_s):
        self.sent.append((motion, stamp_s))

    def request(self, kind, who, timeout_s, stamp_s):
        with self._hearing:
            self.asked.append((kind, who, stamp_s))
            self._hearing.notify_all()
        assert self.is_free.wait(DEADLINE_S)
        return Answer(True)

    def wait(self, count):
        with self._hearing:
            assert self._hearing.wait_for(lambda: len(self.asked) >= count, DEADLINE_S)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def client():
    return Client()


@pytest.fixture
def stop_client():
    return Client()


@pytest.fixture
def asker(client, stop_client, clock):
    asker = Asker(client, stop_client, clock)
    yield asker
    client.is_free.set()
    stop_client.is_free.set()
    asker.close()


def hold_up(asker, client):
    """Have a first request wait for its answer."""
    client.is_free.clear()
    first = asker.ask(RequestKind.DISARM, "the first")
    client.wait(1)
    return first


@pytest.mark.parametrize("kind", [kind for kind in RequestKind if kind is not RequestKind.STOP])
def test_a_request_is_stamped_when_it_is_pressed(asker, client, clock, kind):
    hold_up(asker, client)
    pressed_s = clock.now_s()
    future = asker.ask(kind, "phone 1")
    clock.sleep_s(TIMEOUT_S - 0.01)
    client.is_free.set()
    assert future.result(DEADLINE_S) == Answer(True)
    assert client.asked[-1] == (kind, "phone 1", pressed_s)


@pytest.mark.parametrize("kind", [RequestKind.ARM, RequestKind.CLEAR])
def test_what_waited_too_long_is_refused_unsent(asker, client, clock, kind):
    hold_up(asker, client)
    future = asker.ask(kind, "phone 1")
    clock.sleep_s(TIMEOUT_S + 0.01)
    client.is_free.set()
    answer = future.result(DEADLINE_S)
    assert not answer.accepted
    assert "waited too long" in answer.refusals[0]
    assert [kind for kind, *_ in client.asked] == [RequestKind.DISARM]


def test_disarming_is_never_too_late(asker, client, clock):
    hold_up(asker, client)
    future = asker.ask(RequestKind.DISARM, "phone 1")
    clock.sleep_s(60.0)
    client.is_free.set()
    assert future.result(DEADLINE_S).accepted


def test_a_stop_overtakes_what_waits(asker, client, stop_client, clock):
    waiting = hold_up(asker, client)
    stop = asker.ask(RequestKind.STOP, "phone 1")
    assert stop.result(DEADLINE_S).accepted
    assert not waiting.done()
    assert stop_client.asked == [(RequestKind.STOP, "phone 1", clock.now_s())]


def test_stops_that_wait_are_sent_as_one_and_all_answered(asker, client, stop_client):
    stop_client.is_free.clear()
    first = asker.ask(RequestKind.STOP, "phone 0")
    stop_client.wait(1)
    more = [asker.ask(RequestKind.STOP, f"phone {number}") for number in range(1, 200)]
    # Each takes the motion away by itself, at once.
    assert [motion for motion, _ in client.sent] == [
        Stop(f"stopped by phone {number}") for number in range(200)
    ]
    stop_client.is_free.set()
    assert all(future.result(DEADLINE_S).accepted for future in [first, *more])
    # One that was asked for after the first had been sent must be sent after it.
    assert [who for _, who, _ in stop_client.asked] == ["phone 0", "phone 1"]


def test_closing_drops_what_waits_but_no_stop(asker, client, stop_client):
    hold_up(asker, client)
    arm = asker.ask(RequestKind.ARM, "phone 1")
    stop_client.is_free.clear()
    asker.ask(RequestKind.STOP, "phone 1")
    stop_client.wait(1)
    stop = asker.ask(RequestKind.STOP, "phone 2")
    closing = threading.Thread(target=asker.close)
    closing.start()
    stop_client.is_free.set()
    assert stop.result(DEADLINE_S).accepted
    client.is_free.set()
    closing.join(DEADLINE_S)
    assert not closing.is_alive()
    assert arm.cancelled()
    assert [who for _, who, _ in stop_client.asked] == ["phone 1", "phone 2"]
