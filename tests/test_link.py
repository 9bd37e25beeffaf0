"""The sockets between the processes: what passes, what is refused, what never waits."""

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import zmq

from rover.bus_messages import BusAsk, BusAskKind, BusLoan
from rover.clock import SystemClock
from rover.errors import BadMessageError, LinkError
from rover.link import MAX_MESSAGE_BYTES, ControlClient, ControlLink, Inbox, RefusedDrive
from rover.messages import (
    Answer,
    Arc,
    MaintenanceOrder,
    Request,
    RequestKind,
    Source,
    Stop,
    TurnWheel,
)

WITHIN_S = 5.0
BUS_ASK = BusAsk(BusAskKind.BEGIN, "a test", "0123456789")


@pytest.fixture
def directory() -> Iterator[Path]:
    # pytest's own folders are too deep for a Unix socket's path.
    with tempfile.TemporaryDirectory(prefix="rover-") as name:
        yield Path(name)


@pytest.fixture
def link(directory: Path) -> Iterator[ControlLink]:
    with ControlLink(directory) as link:
        yield link


@pytest.fixture
def client(directory: Path) -> Iterator[ControlClient]:
    with ControlClient(directory) as client:
        yield client


def receive_until(link: ControlLink, enough: Callable[[Inbox], bool]) -> Inbox:
    """Return the first inbox that is ``enough``; fail when none comes in time."""
    poller = zmq.Poller()
    for fileno in link.filenos():
        poller.register(fileno, zmq.POLLIN)
    deadline_s = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline_s:
        inbox = link.receive()
        if enough(inbox):
            return inbox
        poller.poll(50)
    raise AssertionError("nothing of the kind came in")


def connect(link: ControlLink, client: ControlClient) -> None:
    """Send until something arrives: a PUB socket drops what it sends before it is connected."""
    deadline_s = time.monotonic() + WITHIN_S
    while not link.receive().drive:
        assert time.monotonic() < deadline_s
        client.drive(Source.WEB, Stop("hello"), 0.0)
        # Not so fast that the queue overflows, which drops messages too.
        time.sleep(0.001)


def raw(directory: Path, kind: int, name: str) -> "zmq.Socket[bytes]":
    socket = zmq.Context.instance().socket(kind)
    socket.linger = 0
    socket.connect(f"ipc://{directory / name}.ipc")
    return socket


def test_a_command_arrives_as_it_was_sent(link: ControlLink, client: ControlClient) -> None:
    connect(link, client)
    sent = client.drive(Source.WEB, Arc(0.5, -0.25), 123.456)
    inbox = receive_until(link, lambda inbox: sent in inbox.drive)
    assert inbox.refused == ()


def test_an_order_arrives_as_it_was_sent_and_its_token_with_the_request(
    link: ControlLink, client: ControlClient
) -> None:
    connect(link, client)
    client.order("a token", TurnWheel("left_front", 0.1), 123.456)
    inbox = receive_until(link, lambda inbox: bool(inbox.orders))
    assert inbox.orders == (MaintenanceOrder("a token", 123.456, TurnWheel("left_front", 0.1)),)
    with pytest.raises(LinkError):
        client.request(RequestKind.MAINTAIN, "a test", timeout_s=0.05, token="a token")
    (received,) = receive_until(link, lambda inbox: bool(inbox.requests)).requests
    assert (received.request.kind, received.request.token) == (RequestKind.MAINTAIN, "a token")


@pytest.mark.parametrize(
    "parts",
    [
        (b"maintenance",),
        (b"maintenance", b"\xc1"),
        (b"maintenance", msgspec.msgpack.encode({"token": "t", "stamp_s": 1.0, "order": {}})),
        (b"maintenance", b"\xa1\xff"),
    ],
)
def test_an_order_that_cannot_be_read_is_refused(
    link: ControlLink, client: ControlClient, directory: Path, parts: tuple[bytes, ...]
) -> None:
    socket = raw(directory, zmq.PUB, "drive")
    try:
        deadline_s = time.monotonic() + WITHIN_S
        refused: tuple[RefusedDrive, ...] = ()
        while not refused:
            assert time.monotonic() < deadline_s
            socket.send_multipart(parts)
            refused = link.receive().refused
            time.sleep(0.001)
        assert refused[0].source is None
        assert "not an order" in refused[0].reason
    finally:
        socket.close()


def test_a_client_refuses_to_send_what_is_not_finite(client: ControlClient) -> None:
    with pytest.raises(BadMessageError, match="speed_mps"):
        client.drive(Source.WEB, Arc(float("nan"), 0.0), 1.0)


def bad_payloads() -> dict[str, tuple[bytes, ...]]:
    encode = msgspec.msgpack.encode
    arc = {"type": "arc", "speed_mps": 0.5, "curvature_per_m": 0.0}
    good = {"source": "web", "seq": 1, "stamp_s": 1.0, "motion": arc}
    return {
        "one part": (b"web",),
        "three parts": (b"web", encode(good), b""),
        "not MessagePack": (b"web", b"\xc1\xc1"),
        "a motion nobody knows": (b"web", encode(good | {"motion": {"type": "fly"}})),
        "a text for a number": (b"web", encode(good | {"motion": arc | {"speed_mps": "fast"}})),
        "not a number": (b"web", encode(good | {"motion": arc | {"speed_mps": float("nan")}})),
        "infinite": (b"web", encode(good | {"motion": arc | {"curvature_per_m": float("inf")}})),
        "another's name": (b"web", encode(good | {"source": "gamepad"})),
        "nobody's name": (b"moon", encode(good)),
        "a time that is none": (b"web", encode(good | {"stamp_s": float("nan")})),
        "as the gamepad": (b"gamepad", encode(good | {"source": "gamepad"})),
        "not UTF-8": (b"web", encode(good).replace(b"arc", b"a\xffc")),
        "nested by the thousand": (b"web", b"\x81\xa1x" + b"\x91" * 3000 + b"\xc0"),
    }


@pytest.mark.parametrize("kind", bad_payloads())
def test_a_malformed_command_is_refused_with_its_source(
    directory: Path, link: ControlLink, kind: str
) -> None:
    parts = bad_payloads()[kind]
    socket = raw(directory, zmq.PUB, "drive")
    deadline_s = time.monotonic() + WITHIN_S
    inbox = link.receive()
    while not inbox.refused:
        assert time.monotonic() < deadline_s
        socket.send_multipart(parts)
        inbox = link.receive()
    socket.close()
    assert inbox.drive == ()
    names = {b"moon": None, b"gamepad": Source.GAMEPAD}
    assert inbox.refused[0].source is names.get(parts[0], Source.WEB)
    assert inbox.refused[0].reason


def test_a_huge_message_costs_its_sender_the_connection_and_nobody_else(
    directory: Path, link: ControlLink, client: ControlClient
) -> None:
    connect(link, client)
    socket = raw(directory, zmq.PUB, "drive")
    for _ in range(5):
        socket.send_multipart((b"web", b"x" * (MAX_MESSAGE_BYTES + 1)))
    heard = Arc(0.1, 0.0)

    def said_and_heard(inbox: Inbox) -> bool:
        assert inbox.refused == ()
        client.drive(Source.WEB, heard, 2.0)
        return any(command.motion == heard for command in inbox.drive)

    receive_until(link, said_and_heard)
    socket.close()


def answering(link: ControlLink, answer: Answer, heard: list[Request]) -> threading.Thread:
    def serve() -> None:
        inbox = receive_until(link, lambda inbox: bool(inbox.requests))
        for received in inbox.requests:
            heard.append(received.request)
            link.answer(received, answer)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


@pytest.mark.parametrize("answer", [Answer(True), Answer(False, ("no", "and no"))])
def test_a_request_is_answered(link: ControlLink, client: ControlClient, answer: Answer) -> None:
    heard: list[Request] = []
    thread = answering(link, answer, heard)
    before_s = SystemClock().now_s()
    assert client.request(RequestKind.ARM, "a test", WITHIN_S) == answer
    thread.join()
    (request,) = heard
    assert (request.kind, request.who) == (RequestKind.ARM, "a test")
    assert before_s <= request.stamp_s <= SystemClock().now_s()


def test_a_request_carries_the_time_at_which_a_person_made_it(
    link: ControlLink, client: ControlClient
) -> None:
    heard: list[Request] = []
    thread = answering(link, Answer(True), heard)
    client.request(RequestKind.CLEAR, "a test", WITHIN_S, stamp_s=12.5)
    thread.join()
    assert heard[0].stamp_s == 12.5


def test_no_control_is_a_clear_error(client: ControlClient) -> None:
    with pytest.raises(LinkError, match="is `rover control` running"):
        client.request(RequestKind.STOP, "a test", 0.05)


def test_a_late_answer_is_not_taken_for_the_next_one(
    link: ControlLink, client: ControlClient
) -> None:
    with pytest.raises(LinkError):
        client.request(RequestKind.ARM, "a test", 0.05)
    late = receive_until(link, lambda inbox: bool(inbox.requests)).requests[0]
    link.answer(late, Answer(True))
    thread = answering(link, Answer(False, ("really no",)), [])
    assert client.request(RequestKind.ARM, "a test", WITHIN_S).refusals == ("really no",)
    thread.join()


@pytest.mark.parametrize(
    "parts",
    [
        (b"1", b"\xc1"),
        (b"1",),
        (b"1", b"", b""),
        (b"1", msgspec.msgpack.encode(Request(RequestKind.ARM, "??", 1.0)).replace(b"?", b"\xff")),
        (b"1", b"\x81\xa1x" + b"\x91" * 3000 + b"\xc0"),
    ],
)
def test_a_malformed_request_is_refused_with_a_reason(
    directory: Path, link: ControlLink, parts: tuple[bytes, ...]
) -> None:
    socket = raw(directory, zmq.DEALER, "requests")
    socket.send_multipart(parts)
    deadline_s = time.monotonic() + WITHIN_S
    while not socket.poll(10):
        assert time.monotonic() < deadline_s
        assert link.receive().requests == ()
    number, payload = socket.recv_multipart()
    socket.close()
    answer = msgspec.msgpack.decode(payload, type=Answer)
    assert number == b"1"
    assert not answer.accepted
    assert "not a request" in answer.refusals[0]


@pytest.mark.parametrize("payload", [(), (b"\xc1",), (b"\x81\xa8accepted\xc3", b"")])
def test_an_answer_that_cannot_be_read_is_a_clear_error(
    directory: Path, payload: tuple[bytes, ...]
) -> None:
    """As a control of another version might give, or whatever else has bound the socket."""
    router = zmq.Context.instance().socket(zmq.ROUTER)
    router.linger = 0
    router.bind(f"ipc://{directory / 'requests'}.ipc")

    def serve() -> None:
        identity, number, _ = router.recv_multipart()
        router.send_multipart((identity, number, *payload))

    thread = threading.Thread(target=serve)
    thread.start()
    with ControlClient(directory) as client, pytest.raises(LinkError, match="another version"):
        client.request(RequestKind.STOP, "a test", WITHIN_S)
    thread.join()
    router.close()


def test_a_second_control_in_the_same_directory_is_kept_out(
    directory: Path, link: ControlLink
) -> None:
    with pytest.raises(LinkError, match="another `rover control`"):
        ControlLink(directory)
    assert link.receive() == Inbox((), (), ())


def test_the_directory_is_free_again_after_close(directory: Path) -> None:
    ControlLink(directory).close()
    ControlLink(directory).close()


def test_a_directory_too_deep_for_a_socket_is_a_clear_error(directory: Path) -> None:
    with pytest.raises(LinkError, match="too long"):
        ControlLink(directory / ("d" * 100))


def test_a_directory_that_cannot_be_made_is_a_clear_error(directory: Path) -> None:
    (directory / "file").write_text("in the way")
    with pytest.raises(LinkError, match="cannot use the runtime directory"):
        ControlLink(directory / "file")


def test_a_client_finds_control_again_after_a_restart(
    directory: Path, client: ControlClient
) -> None:
    for _ in range(2):
        with ControlLink(directory) as link:
            connect(link, client)


def answering_bus_asks(link: ControlLink, answer: BusLoan) -> tuple[threading.Thread, list[BusAsk]]:
    """Answer the first question for the bus from a thread; return that, and what it hears."""
    heard: list[BusAsk] = []

    def answer_one() -> None:
        deadline_s = time.monotonic() + WITHIN_S
        while not heard and time.monotonic() < deadline_s:
            for received in link.receive().bus_asks:
                heard.append(received.ask)
                link.answer_bus_ask(received, answer)

    thread = threading.Thread(target=answer_one)
    thread.start()
    return thread, heard


def test_the_bus_is_asked_for_and_answered(link: ControlLink, client: ControlClient) -> None:
    loan = BusLoan("", True, True, "/dev/serial0")
    thread, heard = answering_bus_asks(link, loan)
    assert client.ask_for_bus(BUS_ASK, WITHIN_S) == loan
    thread.join()
    assert heard == [BUS_ASK]


@pytest.mark.parametrize("changed", [{"who": ""}, {"who": "x" * 61}, {"token": "x"}, {"kind": "?"}])
def test_nonsense_about_the_bus_is_refused_and_reaches_nobody(
    link: ControlLink, directory: Path, changed: dict[str, object]
) -> None:
    context = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.linger = 0
    try:
        socket.connect(f"ipc://{directory / 'bus.ipc'}")
        message = msgspec.to_builtins(BUS_ASK) | changed
        socket.send_multipart((b"1", msgspec.msgpack.encode(message)))
        deadline_s = time.monotonic() + WITHIN_S
        while not socket.poll(10):
            assert link.receive().bus_asks == ()
            assert time.monotonic() < deadline_s
        number, answer = socket.recv_multipart()
    finally:
        socket.close()
        context.term()
    assert number == b"1"
    assert "not a question for the serial bus" in msgspec.msgpack.decode(answer)["refusal"]
